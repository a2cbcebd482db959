"""What pages without photos show: objects drawn twice, spoiled, or out of the ordinary."""

import numpy as np

from cocoseg.challenges.examples import CLASSES, SMALLEST, extremes, planted, spoilt, twice
from cocoseg.challenges.properties import PROPERTIES
from cocoseg.coco.defects import KINDS


def test_each_kind_of_moved_contour_is_shown_once_and_the_sound_one_agrees_best():
    shown = twice()
    assert set(shown) == {"no defect", "shifted", "coarsened", "cut off"}
    assert next(iter(shown)) == "no defect"
    for kind, example in shown.items():
        assert example.defect == kind
        assert example.image.shape == (*example.labels.shape, 3)
        counts = np.bincount(example.labels.ravel(), minlength=len(CLASSES))
        assert example.iou == counts[1] / counts[1:].sum()
        assert counts[[1, 3]].sum() >= SMALLEST
        assert 0.5 < example.iou < 1


def test_of_each_kind_of_defect_there_is_an_example():
    shown = planted()
    assert list(shown) == list(KINDS)
    assert shown["missing"].iou == 0 and set(np.unique(shown["missing"].labels)) <= {0, 3}
    assert (shown["merged"].labels == 2).sum() > 0
    assert shown["wrong category"].iou > 0.8 and shown["duplicated"].iou > 0.8


def test_more_defects_take_more_of_the_label_map():
    shown = spoilt()
    sound = shown.label_maps["as annotated"]
    changed = {name: (labels != sound).sum() for name, labels in shown.label_maps.items()}
    assert changed["as annotated"] == 0
    assert 0 < changed["20% missing"] < changed["40% missing"] and changed["20% coarsened"] <= changed["40% coarsened"]
    assert all(labels.shape == shown.image.shape[:2] for labels in shown.label_maps.values())
    assert sound.max() < len(shown.classes)


def test_an_extreme_object_is_shown_with_its_property():
    for name, seen in extremes().items():
        assert name in PROPERTIES and seen.image.shape[:2] == seen.mask.shape and seen.mask.any()
    assert extremes()["size"].value < 32 and extremes()["cut"].value >= 1 and extremes()["crowding"].value > 5
