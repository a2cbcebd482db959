"""How large instances are."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cocoseg.dataset.sizes import QUANTILES, SIZES, size_classes, size_histogram, size_quantiles


def test_borders_between_size_classes_belong_to_the_larger(made):
    coco = made.build([(1, 200, 200)], [(1, 3, 0, 0, 32, 32), (1, 3, 0, 0, 31, 33), (1, 3, 0, 0, 96, 96)])
    table = size_classes(coco).filter(category_id=3, crowd=False)
    assert dict(table.select("size", "annotations").rows()) == {"small": 1, "medium": 1, "large": 1}


def test_real_size_classes_are_those_of_pycocotools(real):
    table = size_classes(real.coco)
    assert len(table) == 80 * 2 * 3
    ranges = dict(zip(SIZES, ([0, 32**2], [32**2, 96**2], [96**2, 1e10]), strict=True))
    for row in table.iter_rows(named=True):
        ids = real.peer.getAnnIds(catIds=[row["category_id"]], areaRng=ranges[row["size"]], iscrowd=bool(row["crowd"]))
        assert row["annotations"] == len(ids)
    assert table["annotations"].sum() == len(real.peer.anns)


def test_real_quantiles_are_those_of_numpy(real):
    table = size_quantiles(real.coco)
    assert table["quantile"].unique(maintain_order=True).to_list() == list(QUANTILES)
    for (i,), rows in table.partition_by("category_id", as_dict=True).items():
        held = real.peer.loadAnns(real.peer.getAnnIds(catIds=[i], iscrowd=False))
        pixels = [real.peer.imgs[a["image_id"]]["height"] * real.peer.imgs[a["image_id"]]["width"] for a in held]
        areas = np.array([a["area"] for a in held])
        assert rows["instances"].unique().item() == len(held)
        assert rows["side"].to_list() == pytest.approx(np.quantile(areas**0.5, QUANTILES))
        assert rows["share"].to_list() == pytest.approx(np.quantile(areas / pixels, QUANTILES))


def test_the_real_histogram_is_that_of_numpy(real):
    table = size_histogram(real.coco)
    sides = [max(a["area"], 1) ** 0.5 for a in real.peer.anns.values() if not a["iscrowd"]]
    edges = 2 ** (np.arange(0, 45) / 4)
    expected = {edges[i]: n for i, n in enumerate(np.histogram(sides, edges)[0]) if n}
    found = dict(table.group_by("low").agg(pl.col("instances").sum()).iter_rows())
    assert sum(found.values()) == len(sides)
    assert {round(k, 6): v for k, v in found.items()} == {round(k, 6): v for k, v in expected.items()}


@given(data=st.data())
def test_every_instance_is_in_one_bin_and_one_class(made, data):
    coco = data.draw(made.some_coco())
    instances = coco.annotations.filter(~pl.col("iscrowd"))
    assert size_histogram(coco)["instances"].sum() == len(instances)
    assert size_classes(coco)["annotations"].sum() == len(coco.annotations)
    for row in size_histogram(coco).iter_rows(named=True):
        of_category = instances.filter(category_id=row["category_id"])["area"].sqrt()
        within = ((of_category >= row["low"] * (1 - 1e-12)) & (of_category < row["high"] * (1 - 1e-12))).sum()
        assert within == row["instances"]


def test_little_or_nothing_has_sizes_too(degenerate):
    assert len(size_classes(degenerate)) == 6 * len(degenerate.categories)
    sized = degenerate.annotations.filter(~pl.col("iscrowd")).drop_nulls("area")
    assert size_histogram(degenerate)["instances"].sum() == len(sized)
    assert len(size_quantiles(degenerate)) == 5 * sized["category_id"].n_unique()
