"""How much of a cost the costliest images have."""

import numpy as np
import polars as pl
import pytest

from cocoseg.results.concentration import top_share


def test_the_share_is_that_of_the_largest_costs_and_inside_its_interval():
    costs = pl.Series(np.random.default_rng(0).exponential(1, 60))
    row = top_share(costs, 0.1, resamples=500).row(0, named=True)
    assert row["images"] == 6 and row["share"] == pytest.approx(costs.sort().tail(6).sum() / costs.sum())
    assert 0.1 < row["low"] < row["share"] < row["high"] < 1


def test_a_resample_is_a_sample_like_any_other(monkeypatch):
    """Image 0 drawn twice, the third not at all: the costliest of (4, 4, 2, 1) is 4 of 11."""
    monkeypatch.setattr("cocoseg.results.concentration.draws", lambda *_: [np.array([[2.0, 1.0, 0.0, 1.0]])])
    row = top_share(pl.Series([4.0, 2.0, 1.5, 1.0]), 0.25).row(0, named=True)
    assert row["low"] == pytest.approx(4 / 11)


def test_equal_costs_have_equal_shares_and_no_cost_has_none():
    row = top_share(pl.Series([1.0] * 20), resamples=50).row(0, named=True)
    assert row["share"] == pytest.approx(0.1) == row["low"] == row["high"]
    assert top_share(pl.Series([0.0] * 20), resamples=50).row(0) == (2, None, None, None)
