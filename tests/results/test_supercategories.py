"""Means over the classes of one supercategory: those of a loop, and no interval of a few images."""

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.results.metrics import per_class
from cocoseg.results.supercategories import by_supercategory, supercategories

KINDS = {1: "animal", 2: "animal", 3: "vehicle", 4: "food"}


@pytest.fixture
def counts():
    """Twelve images; classes 1 and 3 in all of them, 2 in three, 4 in two, 5 of no supercategory."""
    rng = np.random.default_rng(3)
    rows = []
    for image in range(12):
        for number, images in ((0, 12), (1, 12), (2, 3), (3, 12), (4, 2), (5, 12)):
            if image < images:
                hit, missed, invented = rng.integers(1, 50, 3).tolist()
                rows.append((image, number, hit, hit + invented, hit + missed))
    return pl.DataFrame(rows, ["image_id", "class", "intersection", "predicted", "true"], orient="row")


def test_a_mean_takes_the_classes_of_enough_images_and_counts_the_others(counts):
    iou = dict(per_class(counts).select("class", "iou").iter_rows())
    found = {row["supercategory"]: row for row in by_supercategory(counts, KINDS, resamples=200).iter_rows(named=True)}
    assert set(found) == set(KINDS.values())
    animal = found["animal"]
    assert (animal["classes"], animal["enough"], animal["images"]) == (2, 1, 12)
    assert animal["miou"] == pytest.approx(iou[1]) and animal["miou_all"] == pytest.approx((iou[1] + iou[2]) / 2)
    assert animal["low"] < animal["miou"] < animal["high"]
    food = found["food"]
    assert (food["classes"], food["enough"], food["images"]) == (1, 0, 2)
    assert food["miou"] is food["low"] is food["high"] is None and food["miou_all"] == pytest.approx(iou[4])


def test_the_best_is_first_and_what_has_no_mean_is_last(counts):
    found = by_supercategory(counts, KINDS, resamples=50)
    assert found["supercategory"][2] == "food" and found["miou"][0] >= found["miou"][1]
    assert by_supercategory(counts, {}, resamples=50).is_empty()


@pytest.mark.parametrize(("space", "different"), [("person", 1), ("voc21", 6), ("supercategories", 12), ("coco81", 12)])
def test_every_class_of_coco_has_its_supercategory(space, different):
    kinds = supercategories(space, {})
    assert sorted(kinds) == list(range(1, label_space(space).n)) and len(set(kinds.values())) == different


def test_the_classes_of_other_data_have_those_of_the_survey_that_has_them_all():
    names = {0: "background", 1: "beech", 2: "ruler"}
    other = pl.DataFrame({"class": [1], "name": ["oak"], "supercategory": ["tree"]})
    own = pl.DataFrame({"class": [1, 2, 3], "name": ["beech", "ruler", "x"], "supercategory": ["tree", "tool", "x"]})
    assert supercategories("own", names, [other, own]) == {1: "tree", 2: "tool", 3: "x"}
    assert supercategories("own", names, [other]) == {}
