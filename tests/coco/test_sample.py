"""The sample promises features and an exact truth: each promise is looked for."""

import json

import pytest
from pycocotools.coco import COCO

from cocoseg.coco import sample
from cocoseg.errors import UserError


@pytest.fixture(scope="session")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample") / "sample"
    sample.make(folder, train=60, val=30)
    return folder


@pytest.mark.parametrize("split", ["train", "val"])
def test_pycocotools_reads_every_mask(made, split):
    coco = COCO(made / "annotations" / f"instances_{split}.json")
    exact = COCO(made / "exact" / f"instances_{split}.json")
    for annotations in (coco, exact):
        assert all(annotations.annToMask(a).any() for a in annotations.loadAnns(annotations.getAnnIds()))


def test_the_same_seed_makes_the_same_bytes_and_more_images_change_no_earlier_one(made, tmp_path):
    sample.make(tmp_path / "again", train=20, val=10)
    for split, count in (("train", 20), ("val", 10)):
        both = [json.loads((f / "exact" / f"instances_{split}.json").read_text()) for f in (made, tmp_path / "again")]
        ids = {image["id"] for image in both[1]["images"]}
        assert len(ids) == count
        assert [a for a in both[0]["annotations"] if a["image_id"] in ids] == both[1]["annotations"]
        for file in (tmp_path / "again" / split).iterdir():
            assert file.read_bytes() == (made / split / file.name).read_bytes()


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(UserError, match="not empty"):
        sample.make(tmp_path)
    with pytest.raises(UserError, match="left alone"):
        sample.ensure(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["mine"]
