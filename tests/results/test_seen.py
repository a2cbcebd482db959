"""What pages can show of an evaluation: photo, truth and predictions, where they are at hand."""

import json

import cv2
import numpy as np
import polars as pl
import pytest

from cocoseg.coco.check import check
from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.results.seen import FOLDER, PREDICTIONS, packed, seen
from cocoseg.runs.record import Run

N = 3


@pytest.fixture(scope="module")
def sample():
    source = dataset("sample")
    coco, _ = check(source.annotations("val"), source.images("val"))
    return coco.of_images(coco.images["image_id"].head(N))


@pytest.fixture
def evaluation(tmp_path, sample):
    """A run whose predictions, in its folder, are the truth; the last image has none."""

    def made(name, data="sample"):
        run = Run(tmp_path / name)
        (run.folder / FOLDER).mkdir(parents=True)
        facts = {"parameters": {"data": data, "split": "val"}, "too_large_for_git": []}
        (run.folder / "run.json").write_text(json.dumps(facts))
        maps = dict(label_maps(sample, label_space("person", sample.categories)))
        for image_id, name in sample.images["image_id", "file_name"].head(N - 1).iter_rows():
            truth = np.where(maps[image_id] == 255, 0, maps[image_id]).astype(np.uint8)
            cv2.imwrite(str(run.folder / FOLDER / f"{name.removesuffix('.jpg')}.png"), truth)
        return run

    return made


def test_an_image_is_seen_with_its_truth_and_every_prediction(evaluation, sample):
    first, second, third = sample.images["image_id"]
    found = seen([evaluation("a"), evaluation("b")], "person", [second, third, first, 7, second])
    assert list(found) == [second, first]  # the third was not predicted, 7 is no image
    for one in found.values():
        assert one.photo.shape == (*one.truth.shape, 3) and one.photo.dtype == np.uint8
        assert len(one.predictions) == 2
        known = one.truth != 255
        assert all(np.array_equal(labels[known], one.truth[known]) for labels in one.predictions)
    assert any((one.truth == 1).any() for one in found.values())


def test_packed_predictions_serve_where_the_folder_is_not(evaluation, sample):
    run = evaluation("a")
    ids = sample.images["image_id"].to_list()
    before = seen([run], "person", ids)
    table = packed(run.folder / FOLDER, sample.images)
    assert table.schema == pl.Schema(PREDICTIONS) and table["image_id"].to_list() == ids[: N - 1]
    table.write_parquet(run.folder / "predictions.parquet")
    for file in (run.folder / FOLDER).iterdir():
        file.unlink()
    after = seen([run], "person", ids)
    assert list(after) == list(before) == ids[: N - 1]
    assert all(np.array_equal(after[k].predictions[0], before[k].predictions[0]) for k in after)


def test_nothing_is_seen_without_predictions_or_without_the_dataset(evaluation, tmp_path, sample):
    ids = sample.images["image_id"].to_list()
    assert seen([evaluation("a", data="not on this machine")], "person", ids) == {}
    bare = evaluation("b")
    (bare.folder / FOLDER).rename(tmp_path / "elsewhere")
    assert seen([bare], "person", ids) == {} == seen([evaluation("c"), bare], "person", ids)
