"""Datasets with planted defects, by name."""

import json
import os

import pytest
from click.testing import CliRunner

from cocoseg.cli import main
from cocoseg.coco import datasets, sample
from cocoseg.coco.datasets import available, dataset
from cocoseg.coco.defects import plant
from cocoseg.coco.derived import planted
from cocoseg.errors import UserError
from cocoseg.runs import fingerprint


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A data folder with a small dataset `mine`."""
    sample.make(tmp_path / "data" / "mine", train=2, val=3)
    monkeypatch.delenv("COCOSEG_DATA", raising=False)
    monkeypatch.setattr(datasets, "HOME", tmp_path)
    return tmp_path / "data"


def test_a_name_makes_the_dataset_with_all_splits_and_photos(folder):
    made = dataset("mine+missing40")
    assert made.name == "mine+missing40" and made.root == folder / "mine+missing40"
    assert made.splits == ["train", "val"]
    for split in made.splits:
        sound = json.loads((folder / "mine" / "annotations" / f"instances_{split}.json").read_text())
        spoiled, rows = plant(sound, {"missing": 0.4})
        assert json.loads(made.annotations(split).read_text()) == spoiled
        assert planted(made.root).filter(split=split)["annotation_id"].to_list() == [r["annotation_id"] for r in rows]
        assert sorted(os.listdir(made.images(split))) == sorted(os.listdir(folder / "mine" / split))
    assert made.name in {each.name for each in available()}


def test_a_seed_and_a_rate_are_other_datasets_and_the_same_name_is_the_same_bytes(folder):
    def content(name):
        source = dataset(name)
        return fingerprint.data(source.annotations("val"), source.images("val"))

    names = ["mine+missing20", "mine+missing40", "mine+missing40@1", "mine+cut-off40"]
    assert len({content(name) for name in names}) == 4
    before = content(names[0])
    dataset(names[0]).annotations("val").unlink()
    (folder / names[0] / "derived.json").unlink()
    with pytest.raises(UserError, match="not a dataset made by name"):
        dataset(names[0])
    (folder / names[0]).rename(folder / "elsewhere")
    assert content(names[0]) == before


def test_it_is_made_again_when_the_original_has_changed(folder):
    before = dataset("mine+missing40").annotations("val").read_bytes()
    file = folder / "mine" / "annotations" / "instances_val.json"
    content = json.loads(file.read_text())
    file.write_text(json.dumps({**content, "annotations": content["annotations"][:4]}))
    assert len(dataset("mine+missing40").annotations("val").read_bytes()) < len(before)


def test_a_percentage_of_none_changes_nothing_but_the_file(folder):
    sound = json.loads((folder / "mine" / "annotations" / "instances_val.json").read_text())
    assert json.loads(dataset("mine+shifted0").annotations("val").read_text()) == sound


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("mine+mising20", "no defect 'mising'; did you mean 'missing'"),
        ("mine+missing", r"expected <dataset>\+<kind><percent>"),
        ("mine+missing101", "101 % of the objects; expected at most 100"),
        ("mine+missing20@x", "expected <dataset>"),
        ("nowhere+missing20", "no dataset 'nowhere'"),
    ],
)
def test_names_that_do_not_fit_are_refused(folder, name, complaint):
    with pytest.raises(UserError, match=complaint):
        dataset(name)


def test_an_original_that_is_not_coco_is_refused(folder):
    (folder / "mine" / "annotations" / "instances_val.json").write_text("[1]")
    with pytest.raises(UserError, match=r"instances_val\.json cannot be read"):
        dataset("mine+missing20")
    assert not (folder / "mine+missing20").exists()


def test_the_command_line_says_what_was_spoiled(folder):
    result = CliRunner().invoke(main, ["data", "defects", "mine+duplicated50"])
    assert result.exit_code == 0 and "val: " in result.output and "annotations spoiled" in result.output
    result = CliRunner().invoke(main, ["data", "defects", "mine"])
    assert result.exit_code == 2 and result.output.count("\n") == 1


def test_a_file_without_areas_and_with_unusable_annotations_can_have_defects_too(folder):
    file = folder / "mine" / "annotations" / "instances_val.json"
    content = json.loads(file.read_text())
    whole = json.loads(dataset("mine+missing40").annotations("val").read_text())["annotations"]
    bare = [{k: v for k, v in a.items() if k not in ("area", "bbox")} for a in content["annotations"]]
    bare.append({"id": 9_999_999, "image_id": 1, "category_id": 1, "segmentation": "none"})
    file.write_text(json.dumps(content | {"annotations": bare}))
    made = json.loads(dataset("mine+missing40").annotations("val").read_text())["annotations"]
    assert [a["id"] for a in made] == [a["id"] for a in whole]
    assert all(len(a["bbox"]) == 4 and a["area"] > 0 for a in made)
