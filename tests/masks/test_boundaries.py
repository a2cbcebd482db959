"""Pixels near a boundary, against iterated erosion and distance transforms."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import read
from cocoseg.masks.boundaries import RADII, WITHIN, boundaries, distance, edge_shares
from cocoseg.masks.shard import decode


def chessboard(labels):
    """Distance to the nearest pixel of another label, at most 11."""
    far = np.full(labels.shape, 11)
    for label in np.unique(labels):
        region = labels == label
        if not region.all():
            far[region] = ndimage.distance_transform_cdt(region, "chessboard")[region].clip(max=11)
    return far


def test_distance_on_real_label_maps_is_scipys(coco, space):
    for image, annotations in coco.by_image():
        labels = label_map(annotations, image["height"], image["width"], space)
        assert (distance(labels) == chessboard(labels)).all()


@given(st.data())
def test_distance_on_any_label_map_is_scipys(made, data):
    height, width = data.draw(st.integers(1, 14)), data.draw(st.integers(1, 14))
    labels = data.draw(made.some_mask(height, width)) * 7 + data.draw(made.some_mask(height, width)) * VOID
    assert (distance(labels.astype(np.uint8)) == chessboard(labels.astype(np.uint8))).all()


def test_within_r_is_what_r_erosions_take_off():
    rng = np.random.default_rng(0)
    labels = np.kron(rng.choice([0, 1, 2, 255], (5, 6)), np.ones((17, 9))).astype(np.uint8)
    for r in RADII:
        left = np.zeros(labels.shape, bool)
        for label in np.unique(labels):
            left |= ndimage.binary_erosion(labels == label, np.ones((3, 3)), iterations=r, border_value=1)
        assert ((distance(labels) <= r) == ~left).all()


def check(coco, space):
    table = boundaries(decode(coco), space)
    for image, annotations in coco.by_image():
        labels = label_map(annotations, image["height"], image["width"], space)
        far = chessboard(labels)
        rows = (
            table.filter(pl.col("image_id") == image["image_id"]).group_by("class").agg(pl.col("pixels", *WITHIN).sum())
        )
        found = {label: counts for label, *counts in rows.iter_rows()}
        assert sorted(found) == [c for c in np.unique(labels) if c != VOID]
        for label, (pixels, *within) in found.items():
            assert pixels == (labels == label).sum()
            assert within == [((labels == label) & (far <= r)).sum() for r in RADII]
    return table


def test_real_images_are_counted_by_class(coco, space):
    table = check(coco, space)
    assert ((pl.Series(table["class"]) == 0) == (table["size"] == "background")).all()


def test_a_label_space_that_leaves_most_out(instances):
    coco = read(instances.annotations("val2017"))
    check(coco.of_images(coco.images["image_id"].head(30).to_list()), label_space("person"))


@given(st.data())
def test_any_images_are_counted_by_class(made, data):
    coco = data.draw(made.some_coco())
    check(coco, label_space("own", coco.categories))


@pytest.fixture
def nested(made):
    """A small cup in front of a medium dog in front of a large cat, and a crowd of cups beside them."""

    def square(side, at=0):
        return [[at, at, at + side, at, at + side, at + side, at, at + side]]

    crowd = np.zeros((120, 200), bool)
    crowd[:, 150:] = True
    return made.build(
        [(1, 200, 120)], [(1, 3, square(100)), (1, 5, square(40, 10)), (1, 8, square(20, 20)), (1, 8, crowd, 1)]
    )


def test_each_size_class_is_that_of_the_instance_seen(nested):
    table = boundaries(decode(nested), label_space("own", nested.categories))
    assert table.select("class", "size", "pixels").rows() == [
        (0, "background", 150 * 120 - 100 * 100),
        (1, "large", 100 * 100 - 40 * 40),
        (2, "medium", 40 * 40 - 20 * 20),
        (3, "small", 20 * 20),
    ]


def test_shares_are_pooled(nested):
    space = label_space("own", nested.categories)
    shares = edge_shares(boundaries(decode(nested), space), space)
    of = {(by, name, radius): share for by, name, radius, _, share in shares.iter_rows()}
    assert of["size", "small", 10] == of["class", "cup", 10] == 1
    assert of["size", "small", 1] == (20 * 20 - 18 * 18) / 400
    edges = (20 * 20 - 18 * 18) + (40 * 40 - 38 * 38) + (22 * 22 - 20 * 20) + (42 * 42 - 40 * 40) + 2 * 100 - 1
    assert of["all", "labelled", 1] == edges / 100**2
    assert len(shares) == 10 * (1 + 4 + 3)


def test_an_image_of_one_label_has_no_boundary(degenerate):
    table = boundaries(decode(degenerate), label_space("own", degenerate.categories))
    for row in table.group_by("image_id").agg(pl.len(), pl.col("within_10").sum()).iter_rows():
        assert row[1] > 1 or row[2] == 0
