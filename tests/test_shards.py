"""A survey is work over shards of images: how many processes do it, how it is cut, and the order in which it comes back
change nothing. On real files."""

from functools import partial
from itertools import permutations

import polars as pl
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import read
from cocoseg.dataset import label_maps
from cocoseg.dataset import survey as of_dataset
from cocoseg.dataset.photos import photos
from cocoseg.masks import survey as of_masks
from cocoseg.runs import parallel

SPACE = label_space("coco81")


def measure(piece, folder):
    """All that the surveys of a dataset and of its masks measure shard by shard."""
    return label_maps.measure(piece, SPACE), {"photos": photos(piece, folder)}, of_masks.measure(piece, SPACE)


def merge(shards):
    """The tables of all images."""
    maps, pictures, masks = (list(some) for some in zip(*shards, strict=True))
    of_photos = pl.concat([tables["photos"] for tables in pictures]).sort("image_id")
    return label_maps.merge(maps) | {"photos": of_photos} | of_masks.merge(masks)


def same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].equals(two[name]), name


@pytest.fixture(scope="module")
def folder(instances):
    return instances.images("val2017")


@pytest.fixture(scope="module")
def coco(instances):
    """Twenty images of val2017, those with crowds first."""
    every = read(instances.annotations("val2017"))
    crowded = every.annotations.filter("iscrowd")["image_id"].unique().sort().to_list()
    return every.of_images([*crowded, *every.images["image_id"].sort().to_list()][:20])


@pytest.fixture(scope="module")
def shards(coco, folder):
    return [measure(piece, folder) for piece in of_dataset.pieces(coco, 6)]


@pytest.mark.parametrize("workers", [2, 4])
def test_two_or_four_processes_give_the_tables_of_one(coco, folder, shards, workers):
    pieces = of_dataset.pieces(coco, 6)
    made = parallel.over(partial(measure, folder=folder), pieces, workers=workers)
    assert len(made) == len(shards) == 4
    for ours, theirs in zip(made, shards, strict=True):
        for one, two in zip(ours, theirs, strict=True):
            same(one, two)


def test_shards_merge_in_any_order_to_the_same(shards):
    whole = merge(shards)
    for order in permutations(shards):
        same(merge(order), whole)


@pytest.mark.parametrize("size", [1, 9])
def test_shards_of_any_size_merge_to_the_same(coco, folder, shards, size):
    same(merge([measure(piece, folder) for piece in of_dataset.pieces(coco, size)]), merge(shards))


def test_the_surveys_are_made_of_these_tables(coco, folder, shards):
    tables = of_dataset.survey(coco, SPACE, folder, workers=1) | of_masks.survey(coco, SPACE, workers=1)
    for name, table in merge(shards).items():
        if name != "samples":  # their sum is the heat map
            assert tables[name].equals(table), name
