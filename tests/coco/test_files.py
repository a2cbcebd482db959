"""Files within the data folders, by name."""

import pytest

from cocoseg.coco import datasets
from cocoseg.coco.files import located
from cocoseg.errors import UserError


@pytest.fixture
def folders(tmp_path, monkeypatch):
    made = [tmp_path / "first", tmp_path / "second"]
    for folder in made:
        folder.mkdir()
    monkeypatch.setattr("cocoseg.coco.files.folders", lambda: made)
    return made


def test_the_nearest_data_folder_comes_first(folders):
    for folder in folders[::-1]:
        (folder / "other").mkdir()
        (folder / "other" / "lvis.json").write_text("{}")
        assert located("other/lvis.json") == folder / "other" / "lvis.json"


def test_a_path_is_a_name_too(folders, tmp_path):
    (tmp_path / "mine.json").write_text("{}")
    assert located(str(tmp_path / "mine.json")) == tmp_path / "mine.json"


@pytest.mark.parametrize("name", ["nothing.json", "", "first"])
def test_what_is_no_file_is_refused_with_the_places_that_were_searched(folders, name):
    with pytest.raises(UserError, match=r"no file .*first.*second"):
        located(name)


def test_the_real_data_folders_are_searched():
    assert located.__globals__["folders"] is datasets.folders
