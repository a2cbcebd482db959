"""Estimates and their intervals, against NumPy, SciPy, and resampling by copying rows."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cocoseg.coco.label_space import label_space
from cocoseg.masks.estimates import MEDIANS, SCHEMA, YES, draws, estimates, medians
from cocoseg.masks.summary import ANATOMY, summary
from cocoseg.masks.survey import measure, survey


@pytest.fixture(scope="module")
def tables(coco, space):
    return measure(coco, space)


@pytest.fixture(scope="module")
def table(tables):
    return estimates(tables)


def row(table, quantity, size="all"):
    return table.filter(quantity=quantity, size=size).row(0, named=True)


def test_every_quantity_is_estimated_once_and_lies_in_its_interval(table):
    assert not table.select("quantity", "size").is_duplicated().any()
    known = table.drop_nulls()
    assert (known["low"] <= known["high"]).all()
    assert known.filter(~pl.col("estimate").is_between("low", "high")).height <= 0.02 * known.height
    assert known.filter(pl.col("images") == 1).select((pl.col("low") == pl.col("high")).all()).item()


def test_of_instances_they_are_the_numbers_of_the_summary(table, tables, coco):
    instances = tables["anatomy"].filter(~pl.col("iscrowd"))
    pooled = summary(instances, ANATOMY, coco.categories).filter(category="all")
    for one in pooled.filter(pl.col("measure").is_in([*YES, *MEDIANS])).iter_rows(named=True):
        same = row(table, one["measure"], one["size"])
        assert same["over"] == one["annotations"]
        assert same["estimate"] == pytest.approx(one["mean" if one["measure"] in YES else "q50"])


def test_of_pixels_they_are_sums_over_images(table, tables):
    overlap, bands = tables["overlap"], tables["boundaries"]
    assert row(table, "contested")["estimate"] == overlap["contested"].sum() / overlap["labelled"].sum()
    assert row(table, "has_contested")["estimate"] == (overlap["contested"] > 0).mean()
    assert row(table, "hidden")["estimate"] == tables["crowds"]["hidden"].sum() / overlap["pixels"].sum()
    crowded = tables["crowds"]["image_id"].n_unique()
    assert row(table, "has_crowd")["estimate"] == crowded / overlap.height
    background = bands.filter(pl.col("class") == 0)
    assert row(table, "within_3", "background")["estimate"] == background["within_3"].sum() / background["pixels"].sum()
    objects = bands.filter(pl.col("class") > 0)
    assert row(table, "within_3")["estimate"] == objects["within_3"].sum() / objects["pixels"].sum()


def test_an_interval_is_that_of_resampled_rows(table, tables):
    overlap, weights = tables["overlap"], draws(tables["overlap"].height)
    copies = [overlap[np.repeat(np.arange(len(overlap)), times)] for times in weights]
    shares = [copy["contested"].sum() / copy["labelled"].sum() for copy in copies]
    found = row(table, "contested")
    assert (found["low"], found["high"]) == pytest.approx(np.quantile(shares, [0.025, 0.975]))


@given(st.data())
def test_the_median_of_a_resample_is_that_of_its_copied_values(data):
    images = data.draw(st.integers(1, 5))
    values = np.sort(data.draw(st.lists(st.integers(-9, 9), min_size=1, max_size=20))).astype(float)
    image = st.integers(0, images - 1)
    of = np.array(data.draw(st.lists(image, min_size=len(values), max_size=len(values))))
    weights = draws(images, resamples=8, seed=data.draw(st.integers(0, 99)))
    copies = [np.repeat(values, times[of]) for times in weights]
    expected = [np.median(copy) if len(copy) else np.nan for copy in copies]
    np.testing.assert_array_equal(medians(values, of, weights), expected)


def test_resamples_draw_as_many_images_and_each_equally_often():
    weights = draws(50, resamples=2000)
    assert (weights.sum(1) == 50).all()
    assert stats.chisquare(weights.sum(0)).pvalue > 1e-3


def test_an_interval_is_as_wide_as_that_of_a_binomial_share(tables):
    """Images of one instance each: then a share has the standard error of independent draws."""
    n, share = 2000, 0.3
    rows = {"image_id": np.arange(n), "annotation_id": np.arange(n), "holes": (np.arange(n) < share * n).astype(int)}
    only = pl.DataFrame(rows).with_columns(
        *(pl.lit(None, dtype).alias(name) for name, dtype in tables["anatomy"].schema.items() if name not in rows)
    )
    only = only.with_columns(iscrowd=False, size=pl.lit("small"), encoding=pl.lit("polygon"))
    images = pl.DataFrame({"image_id": np.arange(n), "labelled": 1, "pixels": 1, "instances": 1, "deepest": 1})
    images = images.with_columns(contested=0, same=0, different=0)
    others = {name: tables[name].clear() for name in ("coarseness", "painting_order", "crowds", "boundaries")}
    found = row(estimates({"anatomy": only, "overlap": images, **others}), "has_holes")
    width = 2 * 1.96 * np.sqrt(share * (1 - share) / n)
    assert found["estimate"] == share
    assert found["high"] - found["low"] == pytest.approx(width, rel=0.1)


def test_little_or_nothing_is_estimated_as_nothing(degenerate):
    space = label_space("own", degenerate.categories)
    table = survey(degenerate, space, workers=1)["mask_estimates"]
    assert table.schema == SCHEMA
    assert (table["estimate"].is_null() == (table["over"] == 0)).all()
