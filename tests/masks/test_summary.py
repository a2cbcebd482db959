"""Distributions by category and size class, against NumPy."""

import numpy as np
import polars as pl
import pytest

from cocoseg.masks.anatomy import anatomy
from cocoseg.masks.coarseness import coarseness
from cocoseg.masks.summary import ANATOMY, COARSENESS, summary


def test_every_group_of_real_instances_is_numpys(coco, shard):
    table = anatomy(shard).filter(~pl.col("iscrowd"))
    rows = summary(
        table, {name: ANATOMY[name] for name in ("pixels", "spacing", "at_border") if name in ANATOMY}, coco.categories
    )
    names = dict(coco.categories.select("name", "category_id").iter_rows())
    for row in rows.iter_rows(named=True):
        some = table
        if row["category"] != "all":
            some = some.filter(category_id=names[row["category"]])
        if row["size"] != "all":
            some = some.filter(size=row["size"])
        values = some.select(ANATOMY[row["measure"]].cast(pl.Float64)).to_series().drop_nulls().to_numpy()
        assert row["annotations"] == len(values)
        assert row["mean"] == pytest.approx(values.mean())
        assert [row[q] for q in ("q05", "q25", "q50", "q75", "q95")] == pytest.approx(
            np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95]).tolist()
        )


def test_ways_of_simplifying_are_kept_apart(coco, shard):
    rows = summary(coarseness(shard), COARSENESS, coco.categories, by=("simplified",))
    every = rows.filter(category="all", size="all", measure="iou")
    assert every["simplified"].to_list() == sorted(set(coarseness(shard)["simplified"]))


def test_a_yes_or_no_has_a_share(made):
    table = pl.DataFrame({"category_id": [3, 3, 5], "size": ["small"] * 3, "holes": [0, 2, 0]})
    rows = summary(table, {"has_holes": ANATOMY["has_holes"]}, made.build([], []).categories)
    shares = {(row["category"], row["size"]): row["mean"] for row in rows.iter_rows(named=True)}
    assert shares["cat", "all"] == shares["cat", "small"] == 0.5
    assert shares["all", "all"] == pytest.approx(1 / 3)
