"""Shares of images: their intervals, and tests of independence for many labels at once."""

import numpy as np
from scipy import stats


def wilson(successes: np.ndarray, trials: np.ndarray | int) -> tuple[np.ndarray, np.ndarray]:
    """Lower and upper end of the 95 % score interval of a share (Wilson 1927), f64; trials > 0.

    >>> [float(round(end[0], 3)) for end in wilson(np.array([1]), np.array([10]))]
    [0.018, 0.404]
    """
    z2 = stats.norm.ppf(0.975) ** 2
    share = successes / trials
    middle = (share + z2 / (2 * trials)) / (1 + z2 / trials)
    half = np.sqrt(z2 * (share * (1 - share) / trials + z2 / (4 * trials * trials))) / (1 + z2 / trials)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


def ratio(part: np.ndarray, whole: np.ndarray) -> tuple[float, float, float]:
    """A share of things that come in images (small instances of all, say), and its 95 % interval.

    The image is the unit, as instances of one image are alike: the ratio estimator, share ± 1.96 standard errors from
    the residuals part − share · whole (Cochran 1977, equation 2.43), within 0…1.

    Args:
        part, whole: two counts per image, numbers (N,), part ≤ whole. Without any things, or with one image, the
            interval is 0…1; a share of nothing is 0.

    >>> [round(value, 3) for value in ratio(np.array([1, 0, 2]), np.array([2, 1, 3]))]
    [0.5, 0.217, 0.783]
    """
    total = float(whole.sum())
    share = float(part.sum()) / total if total else 0.0
    if not total or len(whole) < 2:
        return share, 0.0, 1.0
    n = len(whole)
    error = float(np.sqrt(((part - share * whole) ** 2).sum() * n / (n - 1))) / total
    return share, max(share - 1.96 * error, 0.0), min(share + 1.96 * error, 1.0)


def independence(both: np.ndarray, first: np.ndarray, second: np.ndarray | int, total: int) -> np.ndarray:
    """p of independence of two properties given their margins: twice the smaller tail of the hypergeometric
    distribution, at most 1 (Fisher's exact test, doubled).

    Args:
        both, first, second: how many of the `total` things have both, the first, the second property.

    >>> float(independence(np.array([3]), np.array([3]), 3, 6)[0].round(3))
    0.1
    """
    tails = stats.hypergeom(total, first, second)
    return np.minimum(1, 2 * np.minimum(tails.cdf(both), tails.sf(both - 1)))


def false_discovery(p: np.ndarray) -> np.ndarray:
    """The p of many tests as q: the share of false finds among those with a q at least as small (Benjamini and
    Hochberg 1995).

    >>> false_discovery(np.array([0.01, 0.5])).tolist()
    [0.02, 0.5]
    """
    return stats.false_discovery_control(p) if len(p) else p
