from pathlib import Path

import plugsock
from plugsock.loader.folders import folders

DEFAULT = Path(plugsock.__file__).parents[2] / "plugs"


def test_the_default_plugs_are_below_the_users_own(tmp_path):
    mine, default = folders(tmp_path, trust=False)
    assert (mine.path, mine.package, mine.origin) == (tmp_path, "plugs", "folder")
    assert (default.path, default.origin) == (DEFAULT, "embedded")


def test_the_default_plugs_are_trusted_like_the_code_that_they_come_with(tmp_path):
    mine, default = folders(tmp_path, trust=False)
    assert (mine.is_trusted, default.is_trusted) == (False, True)


def test_who_says_so_trusts_the_own_ones_too(tmp_path):
    assert folders(tmp_path, trust=True)[0].is_trusted


def test_the_default_plugs_are_not_served_twice():
    assert [folder.path for folder in folders(DEFAULT, trust=False)] == [DEFAULT]


def test_a_folder_that_is_not_there_yet_is_served(tmp_path):
    assert folders(tmp_path / "later", trust=False)[0].path == tmp_path / "later"
