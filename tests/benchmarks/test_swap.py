"""The swap benchmark saves what it says, and finds what it is there to find."""

import pytest
import swap
from plugfiles import HELPER, broken_source, helper_source, overwrite, plug_source, replace, tail_of

SECOND_NS = 1_000_000_000


def load(source):
    """Run a plug file's source; return its names."""
    names = {}
    exec(compile(source, "plug.py", "exec"), names)
    return names


async def test_a_plug_file_answers_its_version_and_what_its_second_half_holds():
    names = load(plug_source("alpha", 12))
    answer = await names["alpha"]()
    assert (answer.v, answer.h, answer.sum) == (12, 0, tail_of(12))


def test_the_halves_of_a_file_are_further_apart_than_a_page():
    source = plug_source("alpha", 12)
    assert source.index("TAIL = ", source.index("# More")) - source.index("HEAD = ") > 4096


@pytest.mark.parametrize("version", range(5))
def test_a_broken_file_never_loads(version):
    with pytest.raises((Exception, SystemExit)):
        load(broken_source("alpha", version))


def test_a_helper_says_its_version_in_both_halves():
    names = load(helper_source(9))
    assert (names["HELPER_HEAD"], names["HELPER_TAIL"]) == (9, tail_of(9))


@pytest.mark.parametrize("save", [replace, overwrite])
def test_both_ways_of_saving_leave_the_whole_file_and_nothing_else(tmp_path, save):
    path = tmp_path / "alpha.py"
    path.write_text("old")
    save(path, plug_source("alpha", 1))
    assert path.read_text() == plug_source("alpha", 1)
    assert list(tmp_path.iterdir()) == [path]


def write(folder, saves):
    """Return a writer that has made so many saves, one right after the other."""
    writer = swap.Writer(folder)
    for _ in range(saves):
        writer._save_something()
    return writer


def test_the_writer_saves_breaks_deletes_and_edits_helpers(tmp_path):
    writer = write(tmp_path, swap.CYCLE)
    assert (writer.saves, writer.broken, len(writer.gone_ns)) == (swap.CYCLE, swap.CYCLE // 10, 1)
    assert writer.helper_edits > 10


def test_versions_never_repeat_and_the_last_ones_stand_in_the_files(tmp_path):
    writer = write(tmp_path, swap.CYCLE)
    writer.stop_saving()
    versions = [*writer.served.values(), writer.helper]
    assert len(set(versions)) == len(versions)
    for event, version in writer.served.items():
        source = (tmp_path / f"{event}.py").read_text()
        assert source == plug_source(event, version, uses_helper=event in swap.WITH_HELPER)
    assert (tmp_path / HELPER).read_text() == helper_source(writer.helper)


def test_a_deleted_plug_is_back_when_the_writer_has_stopped(tmp_path):
    writer = write(tmp_path, swap.DELETED_AT)
    assert not (tmp_path / "fleeting.py").exists()
    writer.stop_saving()
    assert (tmp_path / "fleeting.py").exists()
    assert [len(spell) for spell in writer.gone_ns] == [2]


def misplaced(tmp_path, *absences):
    writer = swap.Writer(tmp_path)
    writer.gone_ns = [[10 * SECOND_NS, 12 * SECOND_NS]]
    spells = [[int(first * SECOND_NS), int(last * SECOND_NS), 1] for first, last in absences]
    return swap._misplaced(writer, {"absences": spells, "gone": len(spells)})


def test_gone_while_the_file_is_deleted_is_right(tmp_path):
    assert misplaced(tmp_path, (11, 12.5)) == []


@pytest.mark.parametrize("spell", [(9, 11), (11, 14), (20, 21)])
def test_gone_while_the_file_is_there_is_a_fault(tmp_path, spell):
    assert len(misplaced(tmp_path, (11, 12.5), spell)) == 1


def test_a_deleted_plug_that_never_was_gone_is_a_fault(tmp_path):
    assert len(misplaced(tmp_path)) == 1
