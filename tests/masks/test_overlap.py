"""Overlaps, against stacks of masks, pycocotools' IoU, and label maps painted in each order."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_map, mask
from cocoseg.masks.overlap import category_pairs, order_agreement, overlap, overlap_pairs, painting_order
from cocoseg.masks.painting import ORDERS
from cocoseg.masks.shard import decode


def claims(masks, categories):
    """The row of `overlap`, pixel by pixel: from `instances` on."""
    stack = np.array(masks).astype(int)
    if not len(stack):
        return [0] * 6
    depth = stack.sum(0)
    of_category = np.array([stack[np.array(categories) == c].sum(0) for c in set(categories)])
    same, different = (of_category > 1).any(0), (of_category > 0).sum(0) > 1
    counts = (depth > 0).sum(), (depth > 1).sum(), same.sum(), different.sum(), depth.max()
    return [len(stack), *map(int, counts)]


def instances(coco, image_id):
    rows = coco.annotations.filter((pl.col("image_id") == image_id) & ~pl.col("iscrowd"))
    size = coco.images.filter(pl.col("image_id") == image_id).select("height", "width").row(0)
    return rows, size


def check_claims(coco):
    table = overlap(decode(coco))
    assert table["image_id"].to_list() == sorted(coco.images["image_id"])
    for image_id, pixels, *row in table.iter_rows():
        annotations, (height, width) = instances(coco, image_id)
        masks = [mask(content, height, width) for content in annotations["segmentation"]]
        assert pixels == height * width
        assert row == claims(masks, annotations["category_id"].to_list())


def test_claims_on_real_pixels_are_counted(coco):
    check_claims(coco)


@given(st.data())
def test_claims_on_any_pixels_are_counted(made, data):
    check_claims(data.draw(made.some_coco()))


def test_pairs_of_real_instances_are_those_that_pycocotools_finds(shard, masks):
    encoded = [coco_mask.encode(np.asfortranarray(m)) for m in masks]
    rows = shard.annotations.with_row_index().filter(~pl.col("iscrowd"))
    expected = set()
    for (image_id,), of in rows.group_by("image_id"):
        some = of.sort("pixels", "annotation_id")
        iou = np.atleast_2d(coco_mask.iou(*[[encoded[i] for i in some["index"]]] * 2, [False] * len(some)))
        ids, pixels = some["annotation_id"].to_list(), some["pixels"].to_list()
        for i, j in zip(*np.nonzero(np.triu(iou, 1)), strict=True):
            common = iou[i, j] * (pixels[i] + pixels[j]) / (1 + iou[i, j])
            expected.add((image_id, ids[i], ids[j], pixels[i], pixels[j], round(common)))
    names = ("image_id", "small_id", "large_id", "small_pixels", "large_pixels", "common")
    assert set(overlap_pairs(shard).select(names).iter_rows()) == expected


def check_orders(coco, space):
    expected = {}
    for image_id, height, width in coco.images.select("image_id", "height", "width").iter_rows():
        rows = coco.annotations.filter(pl.col("image_id") == image_id)
        first, *others = (label_map(rows, height, width, space, overlap=order) for order in ORDERS)
        for order, other in zip(ORDERS[1:], others, strict=True):
            for c in set(np.unique(first)) | set(np.unique(other)):
                if 0 < c < space.n:
                    counts = (first == c).sum(), (other == c).sum(), ((first == c) & (other == c)).sum()
                    expected[image_id, int(c), order] = tuple(map(int, counts))
    table = painting_order(decode(coco), space)
    assert {row[:3]: row[3:] for row in table.iter_rows()} == expected


def test_real_label_maps_change_with_the_order_of_painting_as_counted(coco, space):
    check_orders(coco, space)


def test_annotations_outside_the_label_space_do_not_count(instances):
    from cocoseg.coco.read import read

    coco = read(instances.annotations("val2017"))
    check_orders(coco.of_images(coco.images["image_id"].head(30).to_list()), label_space("voc21"))


@given(st.data())
def test_any_label_map_changes_as_counted(made, data):
    coco = data.draw(made.some_coco())
    check_orders(coco, label_space("own", coco.categories))


@pytest.fixture
def table_setting(made):
    """A cat of 4×4 px and on it a cup of 2×2; a cup of 2×2 px and half on it a dog of 4×1."""
    cup = [[1, 1, 3, 1, 3, 3, 1, 3]]
    return made.build(
        [(1, 4, 4), (2, 4, 4), (3, 2, 2)],
        [
            (1, 3, np.ones((4, 4), bool)),
            (1, 8, cup),
            (2, 8, cup),
            (2, 5, [[0, 1, 4, 1, 4, 2, 0, 2]]),
        ],
    )


def test_who_overlaps_whom(table_setting):
    pairs = overlap_pairs(decode(table_setting))
    assert pairs.drop("image_id").rows() == [(12, 11, 8, 3, 4, 16, 4), (13, 14, 8, 5, 4, 4, 2)]
    assert category_pairs(pairs, table_setting.categories).rows() == [
        ("cat", "cup", "animal", "kitchen", 1, 1, 1, 4, 1.0),
        ("dog", "cup", "animal", "kitchen", 1, 1, 0, 2, 0.5),
    ]


def test_what_a_perfect_model_of_one_order_scores_in_the_other(table_setting):
    space = label_space("own", table_setting.categories)
    table = order_agreement(painting_order(decode(table_setting), space), space)
    scores = {(name, order): (changed, iou) for _, name, order, _, changed, iou in table.iter_rows()}
    assert scores["cat", "file-order"] == (0, 1)
    assert scores["cat", "large-on-top"] == (0, 12 / 16)
    assert scores["cup", "large-on-top"] == (4, 2 / 6)


def test_little_or_nothing_makes_empty_tables(degenerate):
    shard, space = decode(degenerate), label_space("own", degenerate.categories)
    orders = painting_order(shard, space)
    assert overlap_pairs(shard).height <= 1
    assert order_agreement(orders, space)["iou"].to_list() == [1.0] * order_agreement(orders, space).height
    assert category_pairs(overlap_pairs(shard), degenerate.categories).height <= 1
