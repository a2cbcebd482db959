"""Shares and their tests, against SciPy's one at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import confusion_matrix

from cocoseg.dataset.proportions import false_discovery, independence, ratio, wilson


@given(st.integers(1, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_is_that_of_scipy(case):
    k, n = case
    interval = stats.binomtest(k, n).proportion_ci(method="wilson")
    low, high = wilson(np.array([k]), np.array([n]))
    assert (low[0], high[0]) == pytest.approx((interval.low, interval.high), abs=1e-9)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_independence_is_twice_the_smaller_one_sided_fisher_test(things):
    first, second = np.array(things).T
    table = confusion_matrix(first, second, labels=[False, True])
    sides = [stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
    p = independence(np.array([(first & second).sum()]), np.array([first.sum()]), second.sum(), len(things))
    assert p[0] == pytest.approx(min(1, 2 * min(sides)))


def test_no_test_has_no_false_discovery():
    assert false_discovery(np.array([])).size == 0


def test_the_interval_of_a_share_of_things_in_images_holds_the_truth():
    """Images differ, instances of one image are alike: Wilson's interval over instances would be too narrow."""
    random = np.random.default_rng(0)
    held = {"ratio": 0, "wilson": 0}
    for _ in range(400):
        whole = random.poisson(6, 150)
        part = random.binomial(whole, random.beta(1, 2, 150))
        share, low, high = ratio(part, whole)
        assert share == pytest.approx(part.sum() / whole.sum())
        held["ratio"] += low <= 1 / 3 <= high
        low, high = wilson(part.sum(), whole.sum())
        held["wilson"] += low <= 1 / 3 <= high
    assert 370 <= held["ratio"] <= 392
    assert held["wilson"] < 350


def test_a_share_of_nothing_is_not_known():
    assert ratio(np.array([0, 0]), np.array([0, 0])) == (0, 0, 1)
    assert ratio(np.array([]), np.array([])) == (0, 0, 1)
    assert ratio(np.array([1]), np.array([2])) == (0.5, 0, 1)
