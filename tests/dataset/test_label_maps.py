"""One pass over label maps, in any shards."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.dataset.label_maps import measure, merge
from cocoseg.dataset.layout import GRID, POINTS
from cocoseg.dataset.survey import pieces


def same(first, second):
    return all(first[name].equals(second[name]) for name in first.keys() | second.keys())


def test_real_pixels_are_those_of_the_label_maps(real):
    table = measure(real.coco, real.space)["pixels"]
    for image_id, label_map in label_maps(real.coco, real.space):
        rows = table.filter(image_id=image_id)
        values, counts = np.unique(label_map, return_counts=True)
        assert rows["class"].to_list() == values.tolist()
        assert rows["pixels"].to_list() == counts.tolist()


def test_real_pixels_of_lone_instances_are_those_of_pycocotools(real, real_masks):
    alone = [held[0] for held in real.peer.imgToAnns.values() if len(held) == 1]
    table = measure(real.coco.of_images([a["image_id"] for a in alone]), real.space)["pixels"]
    assert len(alone) > 5
    for annotation in alone:
        kind = real.space.lookup(np.array([annotation["category_id"]])).item()
        kind = real.space.void if annotation["iscrowd"] else kind
        pixels = table.filter(image_id=annotation["image_id"]).filter(pl.col("class") == kind)["pixels"].item()
        assert pixels == real_masks[annotation["id"]].sum()


@pytest.mark.parametrize("shards", [1, 2, 5])
def test_shards_in_any_number_and_order_give_the_same_tables(real, shards):
    whole = merge([measure(real.coco, real.space)])
    parts = pieces(real.coco, -(-len(real.coco.images) // shards))
    assert len(parts) == shards
    assert same(whole, merge([measure(part, real.space) for part in reversed(parts)]))


@given(data=st.data())
def test_pixels_of_an_image_add_up_and_shards_never_matter(made, data):
    coco = data.draw(made.some_coco())
    space = label_space("own", coco.categories)
    whole = merge([measure(coco, space)])
    assert same(whole, merge([measure(part, space) for part in pieces(coco, 1)][::-1]))
    total = dict(whole["pixels"].group_by("image_id").agg(pl.col("pixels").sum()).iter_rows())
    size = coco.images.select("image_id", pl.col("width") * pl.col("height"))
    assert total == dict(size.iter_rows())
    assert whole["samples"]["samples"].sum() <= len(coco.images) * (GRID * POINTS) ** 2


def test_little_or_nothing_is_measured_too(degenerate):
    space = label_space("own", degenerate.categories)
    tables = merge([measure(degenerate, space)])
    assert tables["pixels"]["pixels"].sum() == (degenerate.images["width"] * degenerate.images["height"]).sum()
