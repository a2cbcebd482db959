"""Do two sets of images differ, and by how much."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from cocoseg.dataset.splits import composition, quantities, shares


def counts(rows, names="abcdefgh"):
    """Image by image, how many of each label."""
    flat = [(i, names[k], n) for i, row in enumerate(rows) for k, n in enumerate(row) if n]
    return pl.DataFrame(flat, {"image_id": pl.Int64, "label": pl.String, "n": pl.Int64}, orient="row")


def presence(rows, names="abcdefgh"):
    return counts(rows, names).filter(pl.col("n") > 0).select("image_id", "label")


ROWS = st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=12).filter(lambda r: any(map(any, r)))


@settings(max_examples=40)
@given(ROWS, ROWS)
def test_composition_is_pearsons_statistic_and_cramers_v(first, second):
    row = composition(counts(first), counts(second), shuffles=19).row(0, named=True)
    table = np.array([np.sum(first, 0), np.sum(second, 0)])
    table = table[:, table.sum(0) > 0]
    chi2 = stats.chi2_contingency(table, correction=False).statistic
    assert row["chi2"] == pytest.approx(chi2, abs=1e-9)
    assert (row["count_a"], row["count_b"]) == tuple(table.sum(1))
    assert row["cramers_v"] == pytest.approx(np.sqrt(chi2 / table.sum()), abs=1e-6)
    if table.shape[1] > 1:
        assert row["cramers_v"] == pytest.approx(stats.contingency.association(table, correction=False), abs=1e-6)
    assert 0.05 <= row["p"] <= 1


def test_one_label_an_image_gives_the_p_of_the_chi_square_test():
    random = np.random.default_rng(0)
    first, second = (random.multinomial(1, p, 300) for p in ([0.5, 0.3, 0.2], [0.42, 0.34, 0.24]))
    row = composition(counts(first), counts(second), shuffles=3999).row(0, named=True)
    expected = stats.chi2_contingency([first.sum(0), second.sum(0)], correction=False).pvalue
    assert row["p"] == pytest.approx(expected, abs=0.02)


def test_instances_that_come_in_herds_are_no_evidence():
    """Thirty images of one label each: whole herds move between the sets, so the large statistic means nothing."""
    random = np.random.default_rng(1)
    rows = np.eye(4, dtype=int)[random.integers(0, 4, 30)] * random.integers(1, 60, (30, 1))
    row = composition(counts(rows[:15]), counts(rows[15:])).row(0, named=True)
    naive = stats.chi2_contingency([rows[:15].sum(0), rows[15:].sum(0)]).pvalue
    assert naive < 1e-6
    assert row["p"] > 0.05
    assert row["cramers_v"] == pytest.approx(row["v_chance"], rel=0.6)


def test_the_p_of_sets_that_do_not_differ_is_uniform():
    random = np.random.default_rng(2)
    p = []
    for seed in range(200):
        rows = random.poisson(1, (40, 3))
        p.append(composition(counts(rows[:20]), counts(rows[20:]), shuffles=99, seed=seed)["p"].item())
    assert stats.kstest(p, "uniform").pvalue > 0.01


def test_disjoint_sets_are_as_different_as_can_be():
    row = composition(counts([[1, 0]] * 20), counts([[0, 1]] * 20)).row(0, named=True)
    assert (row["cramers_v"], row["p"]) == (1, 0.001)


def test_a_set_with_nothing_in_it_is_not_compared():
    empty = counts([])
    for a, b in ((empty, empty), (counts([[1]]), empty), (empty, counts([[1]]))):
        row = composition(a, b).row(0, named=True)
        assert row["chi2"] is row["p"] is row["cramers_v"] is None
    assert shares(presence([]), presence([]), 3, 4).is_empty()
    assert quantities(pl.DataFrame({"x": []}), pl.DataFrame({"x": [1.0]}), ["x"])["ks"].to_list() == [None]


def test_shares_by_hand_and_by_scipy():
    table = shares(presence([[1, 1], [2, 0], [0, 0]]), presence([[0, 1, 1]] * 5), 3, 6)
    assert table.select("label", "images_a", "images_b").rows() == [("a", 2, 0), ("b", 1, 5), ("c", 0, 5)]
    for row in table.iter_rows(named=True):
        a, b = row["images_a"], row["images_b"]
        sides = [stats.fisher_exact([[a, 3 - a], [b, 6 - b]], side).pvalue for side in ("less", "greater")]
        assert row["p"] == pytest.approx(min(1, 2 * min(sides)))
        assert row["difference"] == pytest.approx(b / 6 - a / 3)
        assert row["low"] <= row["difference"] <= row["high"]
    assert table["q"].to_list() == pytest.approx(stats.false_discovery_control(table["p"]).tolist())


def test_the_interval_of_a_difference_is_newcombes():
    # Newcombe 1998, table II, contrast (a): 56/70 against 48/80, method 10
    table = shares(presence([[1]] * 48 + [[0]] * 32), presence([[1]] * 56 + [[0]] * 14), 80, 70)
    assert table.select("low", "high").row(0) == pytest.approx((0.0524, 0.3339), abs=5e-5)


NUMBERS = st.lists(st.integers(-3, 3), min_size=1, max_size=20)


@settings(max_examples=50)
@given(NUMBERS, NUMBERS)
def test_distances_are_those_of_scipy_and_all_pairs(first, second):
    table = quantities(pl.DataFrame({"x": first}), pl.DataFrame({"x": second}), ["x"], shuffles=19)
    row = table.row(0, named=True)
    assert row["ks"] == pytest.approx(stats.ks_2samp(first, second, method="asymp").statistic)
    more = np.sign(np.array(second)[:, None] - np.array(first))
    assert row["cliffs_delta"] == pytest.approx(more.mean())
    assert (row["mean_a"], row["median_b"]) == (np.mean(first), np.median(second))


def test_the_p_of_continuous_values_is_that_of_the_exact_test():
    random = np.random.default_rng(0)
    first, second = random.normal(0, 1, 40), random.normal(0.5, 1, 50)
    table = quantities(pl.DataFrame({"x": first}), pl.DataFrame({"x": second}), ["x"], shuffles=9999)
    assert table["p"].item() == pytest.approx(stats.ks_2samp(first, second, method="exact").pvalue, abs=0.01)


def test_what_is_not_known_is_left_out():
    a, b = pl.DataFrame({"x": [1, None, 2]}), pl.DataFrame({"x": [1, 2]})
    row = quantities(a, b, ["x"]).row(0, named=True)
    assert (row["images_a"], row["ks"], row["p"], row["cliffs_delta"]) == (2, 0, 1, 0)
