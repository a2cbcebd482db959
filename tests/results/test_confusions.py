"""What a confusion costs is what mending it gains; the order puts those taken for one another side by side."""

import numpy as np
import polars as pl
import pytest

from cocoseg.results.confusions import cost_interval, costs, in_truth, ordered
from cocoseg.results.counts import CONFUSIONS, confusions, counts
from cocoseg.results.metrics import score


@pytest.fixture
def table():
    rng = np.random.default_rng(7)
    matrices = [
        np.diag(rng.integers(20, 90, 5)) + rng.integers(0, 12, (5, 5)) * rng.integers(0, 2, (5, 5)) for _ in range(6)
    ]
    return confusions(enumerate(matrices))


def test_the_gain_of_a_pair_is_the_score_after_mending_it_less_the_score_before(table):
    before = score(counts(table), "miou_d_truth")
    for row in costs(table).iter_rows(named=True):
        hit = (pl.col("true_class") == row["true_class"]) & (pl.col("predicted_class") == row["predicted_class"])
        truth = pl.when(hit).then(pl.col("true_class")).otherwise(pl.col("predicted_class"))
        mended = table.with_columns(predicted_class=truth).group_by("image_id", "true_class", "predicted_class")
        after = score(counts(mended.agg(pl.col("pixels").sum())), "miou_d_truth")
        assert row["gain"] == pytest.approx(after - before, abs=1e-12)


def test_pairs_and_pixels_are_those_off_the_diagonal(table):
    off = table.filter(pl.col("true_class") != pl.col("predicted_class"))
    found = costs(table)
    assert found["pixels"].sum() == off["pixels"].sum() and found["gain"].is_sorted(descending=True)
    assert found.height == off.select("true_class", "predicted_class").n_unique()


def test_a_class_that_is_only_invented_costs_the_class_it_was_taken_from():
    row = costs(pl.DataFrame([(1, 0, 0, 6), (1, 0, 2, 2)], CONFUSIONS, orient="row")).row(0, named=True)
    assert (row["true_class"], row["predicted_class"], row["gain"]) == (0, 2, 0.25)


def test_a_perfect_prediction_has_no_costs():
    perfect = pl.DataFrame([(1, 0, 0, 6), (1, 1, 1, 2)], CONFUSIONS, orient="row")
    assert costs(perfect).is_empty() and ordered(perfect) == [0, 1]


def test_classes_taken_for_one_another_are_neighbours():
    rows = [(1, c, c, 100) for c in range(7)] + [(1, 1, 5, 80), (1, 5, 1, 80), (1, 2, 6, 80), (1, 6, 2, 80)]
    order = ordered(pl.DataFrame(rows, CONFUSIONS, orient="row"))
    assert order[0] == 0 and sorted(order) == list(range(7))
    assert abs(order.index(1) - order.index(5)) == 1 and abs(order.index(2) - order.index(6)) == 1


def test_classes_of_few_images_are_in_no_mean(table):
    rare = pl.DataFrame([(1, 9, 0, 40), (2, 9, 9, 5)], CONFUSIONS, orient="row")
    both = pl.concat([table, rare])
    kept = [c for c in range(5) if in_truth(table, 6).count(c)]
    assert in_truth(both, 6) == kept and 9 in in_truth(both, 2) and 9 not in in_truth(both, 3)
    row = costs(both, min_images=6).filter(true_class=9).row(0, named=True)
    before = score(counts(both).filter(pl.col("class").is_in(kept)), "miou_d_truth")
    mended = pl.concat([table, rare.with_columns(predicted_class=pl.lit(9, pl.Int16))])
    after = score(counts(mended).filter(pl.col("class").is_in(kept)), "miou_d_truth")
    assert row["gain"] == pytest.approx(after - before, abs=1e-12) and row["gain"] > 0


def test_the_interval_of_a_pair_is_around_its_cost(table):
    for row in costs(table, min_images=2).iter_rows(named=True):
        pair = row["true_class"], row["predicted_class"]
        found = cost_interval(table, *pair, min_images=2, resamples=400).row(0, named=True)
        assert (found["share"], found["gain"]) == pytest.approx((row["share"], row["gain"]), abs=1e-12)
        assert found["gain_low"] <= found["gain"] <= found["gain_high"]
        assert found["share_low"] <= found["share"] <= found["share_high"]


def test_images_that_are_all_alike_leave_no_doubt():
    same = pl.DataFrame([(k, t, p, 5 + t) for k in range(12) for t in (0, 1) for p in (0, 1)], CONFUSIONS, orient="row")
    found = cost_interval(same, 1, 0, resamples=50).row(0, named=True)
    assert found["gain_low"] == pytest.approx(found["gain_high"]) and found["share"] == 0.5
