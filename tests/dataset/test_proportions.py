"""Shares and their tests, against SciPy's one at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import confusion_matrix

from cocoseg.dataset.proportions import false_discovery, independence, wilson


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
