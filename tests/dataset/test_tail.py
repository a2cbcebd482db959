"""How uneven a distribution is."""

from itertools import pairwise

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import auc

from cocoseg.dataset.categories import categories, contents
from cocoseg.dataset.tail import intervals, lorenz, rank_agreement, ranks, tail

COUNTS = st.lists(st.integers(0, 10**9), min_size=1, max_size=40)
SOME = COUNTS.filter(any)


def measures(values):
    return tail(pl.DataFrame({"n": values}), ["n"]).row(0, named=True)


def gini_by_definition(values):
    """Half the mean absolute difference of all pairs, relative to the mean."""
    x = np.array(values, float)
    return np.abs(x[:, None] - x).sum() / (2 * len(x) * x.sum())


def test_equal_counts_are_not_uneven():
    row = measures([7] * 20)
    assert row["gini"] == pytest.approx(0)
    assert row["effective_entropy"] == pytest.approx(20)
    assert row["effective_simpson"] == pytest.approx(20)
    assert (row["top_1"], row["half"], row["imbalance"]) == (0.05, 10, 1)


def test_one_row_that_holds_everything_is_as_uneven_as_can_be():
    row = measures([0, 0, 0, 9])
    assert (row["gini"], row["effective_entropy"], row["effective_simpson"]) == (0.75, 1, 1)
    assert (row["absent"], row["top_1"], row["half"], row["imbalance"]) == (3, 1, 1, 1)


def test_an_empty_quantity_has_no_measures():
    row = measures([0, 0])
    assert (row["total"], row["classes"], row["absent"]) == (0, 2, 2)
    assert row["gini"] is row["half"] is row["effective_simpson"] is None
    assert tail(pl.DataFrame({"n": []}, {"n": pl.Int64}), ["n"])["classes"].item() == 0
    assert lorenz(pl.DataFrame({"n": [0, 0]}), ["n"]).is_empty()


@given(SOME)
def test_measures_follow_their_definitions(values):
    row = measures(values)
    p = np.array(values) / sum(values)
    assert row["gini"] == pytest.approx(gini_by_definition(values), abs=1e-12)
    assert row["effective_entropy"] == pytest.approx(np.exp(stats.entropy(p)))
    assert row["effective_simpson"] == pytest.approx(1 / (p**2).sum())
    largest = sorted(values, reverse=True)
    assert row["top_5"] == pytest.approx(sum(largest[:5]) / sum(values))
    assert 2 * sum(largest[: row["half"]]) >= sum(values) > 2 * sum(largest[: row["half"] - 1])


@given(SOME)
def test_gini_is_twice_the_area_between_the_lorenz_curve_and_equality(values):
    curve = lorenz(pl.DataFrame({"n": values}), ["n"])
    assert curve["rows"].to_list() == list(range(len(values) + 1))
    assert 1 - 2 * auc(curve["classes"], curve["share"]) == pytest.approx(measures(values)["gini"], abs=1e-12)
    steps = [high - low for low, high in pairwise(curve["share"])]
    assert all(later >= earlier - 1e-12 for earlier, later in pairwise(steps))  # convex


@given(SOME, st.integers(2, 1000))
def test_measures_do_not_depend_on_the_scale_or_the_order(values, scale):
    scaled = measures([scale * v for v in reversed(values)])
    for name, value in measures(values).items():
        if name not in ("total", "quantity"):
            assert scaled[name] == pytest.approx(value, abs=1e-12)


def test_ranks_are_those_of_scipy():
    values = [5, 9, 5, 0, 7]
    table = ranks(pl.DataFrame({"n": values, "name": list("abcde")}), ["n"])
    assert table["rank_n"].to_list() == stats.rankdata([-v for v in values]).tolist()
    assert table["share_n"].sum() == pytest.approx(1)
    assert ranks(pl.DataFrame({"n": [0]}), ["n"])["share_n"].to_list() == [None]


def test_agreement_of_orders_is_one_for_the_same_and_unknown_for_a_constant():
    table = rank_agreement(pl.DataFrame({"a": [1, 2, 3], "b": [10, 20, 40], "c": [1, 1, 1]}), ["a", "b", "c"])
    assert table.rows() == [("a", "b", 1, 1), ("a", "c", None, None), ("b", "c", None, None)]


def test_the_real_tail_by_brute_force(real):
    counts = categories(contents(real.coco), real.coco.categories)
    row = tail(counts, ["instances"]).row(0, named=True)
    values = [len(real.peer.getAnnIds(catIds=[i], iscrowd=False)) for i in real.peer.cats]
    assert row["total"] == sum(values)
    assert row["gini"] == pytest.approx(gini_by_definition(values))
    assert row["absent"] == values.count(0)


def herd(counts):
    """Image by image, how many of each class."""
    flat = [(i, k + 1, int(n)) for i, row in enumerate(counts) for k, n in enumerate(row) if n]
    return pl.DataFrame(flat, {"image_id": pl.Int64, "class": pl.Int16, "n": pl.Int64}, orient="row")


def of(table, measure):
    return table.filter(measure=measure).select("estimate", "low", "high").row(0)


def test_the_estimates_are_those_of_the_whole():
    counts = np.random.default_rng(0).poisson([5, 2, 1, 0.2], (60, 4))
    table = intervals(herd(counts), 5, ["n"], draws=50)
    whole = measures([*counts.sum(0), 0])
    for row in table.iter_rows(named=True):
        assert row["estimate"] == pytest.approx(whole[row["measure"]])
        assert row["low"] <= row["high"]


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    random = np.random.default_rng(1)
    share = np.array([0.5, 0.25, 0.15, 0.07, 0.03])
    truth = measures((share * 10_000).astype(int).tolist())
    held = {"gini": 0, "effective_entropy": 0}
    for seed in range(60):
        counts = random.multinomial(1, share, 150) * random.integers(1, 8, (150, 1))
        table = intervals(herd(counts), 5, ["n"], draws=200, seed=seed)
        for name in held:
            _, low, high = of(table, name)
            held[name] += low <= truth[name] <= high
    assert all(50 <= times <= 60 for times in held.values()), held


def test_images_that_are_all_alike_leave_nothing_open():
    table = intervals(herd([[4, 2]] * 30), 2, ["n"], draws=20)
    for name in ("gini", "top_1", "effective_entropy"):
        estimate, low, high = of(table, name)
        assert low == pytest.approx(high) == pytest.approx(estimate)


def test_the_same_seed_draws_the_same():
    counts = herd(np.random.default_rng(2).poisson(1, (40, 3)))
    assert intervals(counts, 3, ["n"], draws=7).equals(intervals(counts, 3, ["n"], draws=7))
    assert not intervals(counts, 3, ["n"], draws=7).equals(intervals(counts, 3, ["n"], draws=7, seed=1))


def test_nothing_has_no_intervals():
    assert intervals(herd([]), 3, ["n"]).is_empty()
    assert intervals(herd([[1]]).with_columns(n=pl.lit(0, pl.Int64)), 1, ["n"]).is_empty()
