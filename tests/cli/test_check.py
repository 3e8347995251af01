import json
import sys

import pytest

from plugsock.cli.check import as_github
from plugsock.model import Problem


def test_a_good_folder_is_one_line_and_status_0(plugsock):
    assert plugsock("check") == (0, "no problems, 2 events\n", "")


def test_a_problem_is_a_line_that_editors_read_and_status_1(home, plugsock):
    (home / "plugs" / "broken.py").write_text("x = 1\ny = (\n")

    status, out, err = plugsock("check")

    assert (status, err, out.count("\n")) == (1, "", 1)
    assert out.startswith("plugs/broken.py:2: ")


def test_for_machines_it_is_one_json_document(home, plugsock):
    (home / "plugs" / "broken.py").write_text("import nothing_of_this_name\n")

    status, out, _ = plugsock("check", "--format", "json")

    [problem] = json.loads(out)
    assert status == 1
    assert problem["file"].endswith("broken.py")
    assert problem["line"] == 1


def test_for_github_it_is_a_workflow_command(home, plugsock):
    (home / "plugs" / "broken.py").write_text("import nothing_of_this_name\n")

    assert plugsock("check", "--format", "github")[1].startswith("::error file=plugs/broken.py,line=1::")


def test_a_folder_can_be_named(home, plugsock):
    (home / "other").mkdir()

    assert plugsock("check", "other") == (0, "no problems, 0 events\n", "")


@pytest.mark.fault("S16")
@pytest.mark.skipif(sys.platform == "win32", reason="modes are POSIX'")
def test_a_plug_that_others_can_write_to_is_a_problem_unless_it_is_trusted(home, plugsock):
    (home / "plugs" / "greet.py").chmod(0o666)

    status, out, _ = plugsock("check")

    assert status == 1
    assert out.startswith("plugs/greet.py:0: it is skipped: everybody can write to it")
    assert out.endswith("chmod go-w plugs/greet.py\n")
    assert plugsock("check", "--trust") == (0, "no problems, 2 events\n", "")
    assert plugsock("check", PLUGSOCK_TRUST="true") == (0, "no problems, 2 events\n", "")


def test_the_settings_of_a_folder_that_is_named_lie_beside_it(home, plugsock):
    (home / "other" / "plugs").mkdir(parents=True)
    (home / "other" / "plugsock.toml").write_text("nonsense = 1\n")

    status, _, err = plugsock("check", "other/plugs")

    assert (status, "plugsock.toml:1: there is no setting 'nonsense'" in err) == (2, True)


@pytest.mark.fault("P18")
def test_a_message_can_not_make_up_a_command_of_githubs():
    problem = Problem("a,b:c.py", 0, "50 %\n::set-output name=x::y")

    assert as_github(problem) == "::error file=a%2Cb%3Ac.py,line=1::50 %25%0A::set-output name=x::y"
