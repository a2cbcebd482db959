"""Pixels per class."""

import cv2
import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.dataset.categories import contents
from cocoseg.dataset.label_maps import measure
from cocoseg.dataset.pixels import classes, supercategories, totals


def tables(coco, space):
    of_space = totals(measure(coco, space)["pixels"], space)
    return of_space, classes(of_space, contents(coco), coco.categories, space)


def test_totals_by_hand(animals):
    of_space, _ = tables(animals, label_space("own", animals.categories))
    # 25 px of the dog of image 1 lie on a cat; both are 100 px, so the later one is on top
    assert of_space.select("class", "name", "images", "pixels").rows() == [
        (0, "background", 4, 800 - 275 + 800 - 64 - 324 + 900 - 400 + 800),
        (1, "cat", 2, 175 + 64),
        (2, "dog", 1, 100),
        (3, "cup", 0, 0),
        (255, "void", 2, 324 + 400),
    ]
    assert of_space["labelled_share"].to_list() == [None, 239 / 339, 100 / 339, 0, None]
    assert of_space["image_share"].to_list()[1:4] == pytest.approx([(175 / 800 + 64 / 800) / 2, 1 / 8, None])


def test_classes_set_annotations_beside_pixels(animals):
    _, of_classes = tables(animals, label_space("own", animals.categories))
    assert of_classes.drop("labelled_share").rows() == [
        (1, "cat", "animal", 2, 3, 0, 239, 239 / 3),
        (2, "dog", "animal", 2, 1, 1, 100, 100),
        (3, "cup", "kitchen", 1, 0, 1, 0, None),
    ]
    assert supercategories(of_classes).rows() == [
        ("animal", 2, 4, 339, 1, 339 / 4),
        ("kitchen", 1, 0, 0, 0, None),
    ]


def test_a_class_that_joins_supercategories_has_none(made):
    categories = ((1, "thing", "a"), (2, "thing", "b"), (3, "other", "b"))
    coco = made.build([(1, 4, 4)], [(1, 1, 0, 0, 2, 2), (1, 2, 0, 2, 2, 2), (1, 3, 2, 2, 2, 2)], categories)
    _, of_classes = tables(coco, label_space("own", coco.categories))
    assert of_classes.select("name", "supercategory", "images", "instances", "pixels").rows() == [
        ("thing", None, 1, 2, 8),
        ("other", "b", 1, 1, 4),
    ]
    assert supercategories(of_classes)["supercategory"].to_list() == ["b"]


def test_real_totals_by_brute_force(real):
    of_space, of_classes = tables(real.coco, real.space)
    maps = [label_map for _, label_map in label_maps(real.coco, real.space)]
    counts = np.array([cv2.calcHist([label_map], [0], None, [256], [0, 256]).ravel() for label_map in maps])
    shares = counts / counts.sum(1, keepdims=True)
    assert of_space["share"].sum() == pytest.approx(1)
    assert of_space["labelled_share"].sum() == pytest.approx(1)
    for row in of_space.iter_rows(named=True):
        share = shares[:, row["class"]]
        assert row["pixels"] == counts[:, row["class"]].sum(dtype=np.float64)
        assert row["images"] == (share > 0).sum()
        if row["images"]:
            assert row["image_share"] == pytest.approx(share[share > 0].mean())
    assert of_classes["images"].to_list() == [len(real.peer.getImgIds(catIds=[i])) for i in sorted(real.peer.cats)]


def test_a_space_that_leaves_categories_out_counts_only_its_own(real):
    _, of_classes = tables(real.coco, label_space("person"))
    row = of_classes.row(0, named=True)
    assert len(of_classes) == 1
    assert row["instances"] == len(real.peer.getAnnIds(catIds=[1], iscrowd=False))
    assert row["supercategory"] == "person"


def test_little_or_nothing_has_totals_too(degenerate):
    of_space, of_classes = tables(degenerate, label_space("own", degenerate.categories))
    assert len(of_space) == len(of_classes) + 2
    assert of_space["pixels"].sum() == (degenerate.images["width"] * degenerate.images["height"]).sum()
    assert of_classes["instances"].sum() == degenerate.annotations.filter(~pl.col("iscrowd")).height
