import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from support import executable

pytestmark = pytest.mark.end_to_end

BROKEN = "from plugsock import plug\n\n\n@plug\ndef greet(name: str) -> str\n"

COUNT = "from plugsock import plug\n\n\n@plug\ndef count(upto: {type}) -> int:\n    return 1\n"


def test_it_prints_the_events_of_the_folder_and_of_the_default_plugs(plugsock):
    status, out, err = plugsock("types")

    assert (status, err) == (0, "")
    assert out.startswith("// What plugs look like")
    assert '    "greet.count": {\n      args: {\n        /** @defaultValue 3 */\n        upto?: number;' in out
    assert '    "math.add": {' in out


def test_a_folder_can_be_named(home, plugsock):
    (home / "other").mkdir()

    assert "greet" not in plugsock("types", "other")[1]
    assert "greet" in plugsock("types", "plugs")[1]


def test_it_is_the_same_each_time(plugsock):
    assert plugsock("types", PYTHONHASHSEED="1") == plugsock("types", PYTHONHASHSEED="2")


def test_a_file_is_written_only_if_that_changes_it(home, plugsock):
    file = home / "web" / "types.d.ts"

    assert plugsock("types", "--output", "web/types.d.ts") == (0, "wrote  web/types.d.ts\n", "")
    assert file.read_text() == plugsock("types")[1]
    before = file.stat()
    assert plugsock("types", "--output", "web/types.d.ts") == (0, "", "")
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert [each.name for each in file.parent.iterdir()] == ["types.d.ts"]


def test_what_is_wrong_is_said_and_the_file_stays_as_it_is(home, plugsock):
    (home / "types.d.ts").write_text("as it was")
    (home / "plugs" / "count.py").write_text(COUNT.format(type="int"))
    (home / "plugs" / "greet.py").write_text(BROKEN)

    status, out, err = plugsock("types", "--output", "types.d.ts")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith("plugs/greet.py:5: ")
    assert (home / "types.d.ts").read_text() == "as it was"


def test_what_can_be_loaded_is_printed_all_the_same(home, plugsock):
    (home / "plugs" / "count.py").write_text(COUNT.format(type="int"))
    (home / "plugs" / "greet.py").write_text(BROKEN)

    status, out, err = plugsock("types")

    assert (status, err.startswith("plugs/greet.py:5: ")) == (1, True)
    assert "    count: {" in out
    assert "greet" not in out


def test_a_file_that_can_not_be_written_is_one_line(home, plugsock):
    (home / "web").write_text("no folder")

    status, out, err = plugsock("types", "--output", "web/types.d.ts")

    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "web" in err


def test_a_folder_that_is_not_there_is_wrong_usage(plugsock):
    status, out, err = plugsock("types", "nosuch")

    assert (status, out) == (2, "")
    assert "nosuch: there is no such folder of plugs" in err


def test_it_can_be_a_python_module(home, plugsock):
    assert plugsock("types", "--lang", "python", "--output", "made.py") == (0, "wrote  made.py\n", "")
    text = (home / "made.py").read_text()

    assert plugsock("types", "--lang", "python") == (0, text, "")
    compile(text, "made.py", "exec")
    assert "def count(self, upto: int | UnsetType = UNSET) -> " in text
    assert f'SHAPES: Final = "{plugsock("types")[1].split("Hash of all shapes: ")[1][:12]}"' in text


def test_watching_needs_a_file(plugsock):
    assert plugsock("types", "--watch") == (
        2,
        "",
        "plugsock: --watch keeps a file current: say which by --output FILE\n",
    )


class Watching:
    """`plugsock types --watch` in a process of its own."""

    def __init__(self, process, file):
        self.process = process
        self.file = file

    def written(self):
        """The file, once it was written again."""
        assert self.process.stdout.readline() == "wrote  types.d.ts\n"
        return self.file.read_text()

    def stop(self):
        """End it as Ctrl-C does: its status, and what else it has said."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err


@pytest.fixture
def watching(home):
    @contextmanager
    def watching(*flags):
        command = [*executable.command(), "types", "--output", "types.d.ts", "--watch", *flags]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            try:
                yield Watching(process, home / "types.d.ts")
            finally:
                process.kill()

    return watching


@pytest.mark.parametrize("flags", [(), ("--poll",)])
def test_a_save_is_in_the_file_at_once(home, watching, flags):
    with watching(*flags) as types:
        assert "upto?: number;" in types.written()

        (home / "plugs" / "count.py").write_text(COUNT.format(type="str"))
        assert "upto: string;" in types.written()

        (home / "plugs" / "count.py").write_text(COUNT.format(type="bool"))
        assert "upto: boolean;" in types.written()

        (home / "plugs" / "count.py").unlink()
        assert "upto: boolean;" not in types.written()


def test_a_save_is_in_a_python_module_too(home, watching):
    with watching("--lang", "python") as types:
        assert "upto: int | UnsetType = UNSET" in types.written()

        (home / "plugs" / "count.py").write_text(COUNT.format(type="str"))
        assert "upto: str" in types.written()


def test_a_broken_save_changes_nothing_and_is_said(home, watching):
    with watching() as types:
        assert "greet: {" in types.written()

        (home / "plugs" / "greet.py").write_text(BROKEN)
        assert types.process.stderr.readline().startswith("plugs/greet.py:5: ")
        (home / "plugs" / "count.py").write_text(COUNT.format(type="str"))
        text = types.written()

        assert "greet: {" in text
        assert "upto: string;" in text


def test_what_is_broken_in_the_beginning_is_waited_for(home, watching):
    (home / "types.d.ts").write_text("as it was")
    greet = (home / "plugs" / "greet.py").read_text()
    (home / "plugs" / "greet.py").write_text(BROKEN)

    with watching() as types:
        assert types.process.stderr.readline().startswith("plugs/greet.py:5: ")
        assert (home / "types.d.ts").read_text() == "as it was"

        (home / "plugs" / "greet.py").write_text(greet)
        assert "greet: {" in types.written()


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGINT for another process")
def test_it_ends_in_good_order_with_ctrl_c(home, watching):
    (home / "plugs" / "last.py").write_text(
        "from plugsock import on_unload\n\n\n@on_unload\ndef end():\n    print('end')\n"
    )

    with watching() as types:
        types.written()

        assert types.stop() == (0, "end\n", "")
