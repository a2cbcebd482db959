"""All measures, whatever is in the dataset and however it is cut."""

from dataclasses import replace

import numpy as np
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.masks import survey as module
from cocoseg.masks.survey import KEYS, survey


def same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].equals(two[name]), name


@pytest.mark.parametrize("path", ["instances"], indirect=True)
def test_workers_and_shards_do_not_matter(coco, space, monkeypatch):
    few = coco.of_images(coco.images["image_id"][:20].to_list())
    whole = survey(few, space, workers=1)
    monkeypatch.setattr(module, "SHARD", 7)
    same(whole, survey(few, space, workers=1))
    same(whole, survey(few, space, workers=2))


def test_the_order_of_the_images_does_not_matter(coco, space):
    same(survey(coco, space, workers=1), survey(replace(coco, images=coco.images.reverse()), space, workers=1))


@pytest.mark.parametrize("path", ["sample"], indirect=True)
def test_little_or_nothing_is_surveyed_too(degenerate, coco, space):
    full = survey(coco.of_images(coco.images["image_id"][:2].to_list()), space, workers=1)
    tables = survey(degenerate, label_space("own", degenerate.categories), workers=1)
    assert set(KEYS) < set(tables)
    assert {name: table.schema for name, table in tables.items()} == {n: t.schema for n, t in full.items()}
    assert len(tables["anatomy"]) == len(degenerate.annotations)
    assert len(tables["overlap"]) == len(degenerate.images)


def test_another_dataset_than_coco(made):
    """Other categories, ids far from 1, polygons and RLE mixed, no field area."""
    plants = ((700, "oak", "tree"), (9, "rose", "flower"))
    leaf = np.arange(30).reshape(5, 6) % 4 > 0
    drawn = [(10**12, 700, leaf), (10**12, 9, [[1, 0, 4, 0, 4, 3, 1, 3]]), (77, 9, [[0, 0, 3, 0, 3, 3]], 1)]
    coco = made.build([(10**12, 6, 5), (77, 3, 3)], drawn, plants)
    tables = survey(coco, label_space("own", coco.categories), workers=1)
    assert tables["anatomy"]["pixels"].to_list() == [int(leaf.sum()), 9, 3]
    assert tables["category_pairs"].select("category_a", "category_b", "pairs").rows() == [("rose", "oak", 1)]
    assert tables["crowd_categories"]["category"].to_list() == ["rose"]
    assert set(tables["edge_shares"]["name"]) == {"labelled", "background", "small", "oak", "rose"}
