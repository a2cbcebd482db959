"""Crowds and what lies under them, against masks."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cocoseg.coco.rasterise import mask
from cocoseg.masks.anatomy import anatomy
from cocoseg.masks.crowds import crowd_categories, crowds
from cocoseg.masks.shard import decode


def check(coco):
    table = {row["annotation_id"]: row for row in crowds(decode(coco)).iter_rows(named=True)}
    assert sorted(table) == sorted(coco.annotations.filter("iscrowd")["annotation_id"])
    sizes = {image_id: size for image_id, *size in coco.images.select("image_id", "height", "width").iter_rows()}
    for crowd in coco.annotations.filter("iscrowd").iter_rows(named=True):
        size = sizes[crowd["image_id"]]
        others = coco.annotations.filter(~pl.col("iscrowd") & (pl.col("image_id") == crowd["image_id"]))
        is_same = others["category_id"] == crowd["category_id"]
        area = mask(crowd["segmentation"], *size) > 0
        masks = np.array([mask(content, *size) > 0 for content in others["segmentation"]]).reshape(-1, *size)
        own = masks[is_same.to_numpy()]
        same, claimed = own.any(0), masks.any(0)
        row = table[crowd["annotation_id"]]
        assert row["pixels"] == area.sum()
        assert row["image_pixels"] == area.size
        assert row["same"] == (area & same).sum()
        assert row["other"] == (area & claimed & ~same).sum()
        assert row["hidden"] == (area & ~claimed).sum()
        assert row["instances"] == len(own)
        assert row["covered"] == sum(m.any() and 2 * (m & area).sum() >= m.sum() for m in own)
        assert row["category_pixels"] == same.sum()


def test_real_crowds(coco):
    check(coco)


@given(st.data())
def test_any_crowds(made, data):
    check(data.draw(made.some_coco()))


def test_what_crowds_hide_of_a_category(made):
    whole, half = np.ones((4, 4), bool), np.arange(16).reshape(4, 4) < 8
    coco = made.build([(1, 4, 4), (2, 4, 4)], [(1, 3, whole, 1), (1, 3, half), (2, 5, half, 1)])
    shard = decode(coco)
    table = crowd_categories(crowds(shard), anatomy(shard), coco.categories)
    assert table.select("category", "crowds", "images", "pixels", "hidden", "hidden_share").rows() == [
        ("cat", 1, 1, 16, 8, 0.5),
        ("dog", 1, 1, 8, 8, 1.0),
    ]
