"""What each kind of mistake costs: the score that mending it would gain, shared out fairly.

Mending a kind gives its wrong pixels their true class. What that gains depends on what is mended already, so the gain
of a kind is its Shapley value: the mean of its gains over all orders in which the seven kinds can be mended. Over all
kinds the gains sum to what a perfect prediction would gain: 1 minus the score. (TIDE reports the gain of mending one
kind alone, and those do not add up.)

Source: Bolya et al. 2020, TIDE; Shapley 1953, A Value for n-Person Games.
"""

from itertools import combinations
from math import factorial

import numpy as np
import polars as pl

from cocoseg.results.intervals import LEVEL, draws
from cocoseg.results.metrics import Array, classes, cube, metric
from cocoseg.results.mistakes import KINDS


def decomposition(
    counts: pl.DataFrame,
    mistakes: pl.DataFrame,
    name: str = "miou_d_truth",
    *,
    background: bool = True,
    min_images: int = 0,
    resamples: int = 1_000,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """The wrong pixels of each kind and what they cost: one row per kind, in the order of precedence.

    Args:
        counts: a counts table.
        mistakes: the table of the same evaluation (`cocoseg.results.mistakes`).
        name: the metric that is shared out; its value for a perfect prediction is 1.
        background: whether class 0 is in the means.
        min_images: means over classes take those in the truth of at least so many images.
        resamples: of the images, for the interval of the gain.

    Returns:
        `kind` str; `pixels` i64, `share` f64 (of the wrong pixels; they sum to 1); `alone` f64, the gain of mending
        this kind and no other; `gain` f64, its Shapley value (they sum to 1 − score), with its bootstrap interval over
        images, `gain_low`, `gain_high` f64; null where nothing is defined.
    """
    pixels = dict(mistakes.group_by("kind").agg(pl.col("pixels").sum()).iter_rows())
    wrong = sum(pixels.values())
    images = counts["image_id"].n_unique()
    weights = np.concatenate([np.ones((1, images)), *draws(images, resamples, seed)])
    value = values(counts, mistakes, name, weights, background=background, min_images=min_images)
    gains = shapley(value)
    low, high = np.nanquantile(gains[:, 1:], [(1 - level) / 2, (1 + level) / 2], axis=1)
    columns = {
        "kind": KINDS,
        "pixels": [pixels.get(kind, 0) for kind in KINDS],
        "share": [pixels.get(kind, 0) / wrong if wrong else float("nan") for kind in KINDS],
        "alone": [value[1 << k, 0] - value[0, 0] for k in range(len(KINDS))],
        "gain": gains[:, 0],
        "gain_low": low,
        "gain_high": high,
    }
    return pl.DataFrame(columns).fill_nan(None)


def values(
    counts: pl.DataFrame,
    mistakes: pl.DataFrame,
    name: str,
    weights: Array,
    *,
    background: bool = True,
    min_images: int = 0,
) -> Array:
    """The score after mending each set of kinds, f64 (2^7, R): bit k of the place says that kind k is mended.

    `weights`, f64 (R, N): how often each image, sorted by its id, is in each of R resamples.
    """
    m = metric(name)
    ids = counts["image_id"].unique().sort().to_numpy()
    labels = classes(counts, background=background, min_images=min_images if m.over == "classes" else 0)
    before, mends = cube(counts, images=ids, classes=labels), mended(mistakes, ids, labels)
    if m.additive:
        before, mends = _sums(weights, before), [_sums(weights, change) for change in mends]
    scores = np.empty((2 ** len(KINDS), len(weights)))
    for chosen in range(len(scores)):
        terms = m.terms(before + sum(mends[k] for k in range(len(KINDS)) if chosen >> k & 1))
        scores[chosen] = m.value(terms if m.additive else _sums(weights, terms))
    return scores


def _sums(weights: Array, terms: Array) -> Array:
    """Σ weight · terms over the images: weights f64 (R, N), terms f64 (N, …) → f64 (R, …)."""
    return (weights @ terms.reshape(len(terms), -1)).reshape(-1, *terms.shape[1:])


def mended(mistakes: pl.DataFrame, images: Array, labels: Array) -> Array:
    """How mending each kind changes the counts, f64 (7, N, C, 3): intersection, predicted and true pixels.

    A pixel of true class t that was predicted as p comes to the intersection of t and to what is predicted as t, and
    is no longer predicted as p. `images` and `labels`, both sorted, are the N rows and C columns.
    """
    change = np.zeros((len(KINDS), len(images), len(labels), 3))
    kinds = mistakes["kind"].replace_strict({kind: k for k, kind in enumerate(KINDS)}, return_dtype=pl.Int64)
    rows, pixels = np.searchsorted(images, mistakes["image_id"].to_numpy()), mistakes["pixels"].to_numpy()
    for column, changes in (("true_class", ((0, 1), (1, 1))), ("predicted_class", ((1, -1),))):
        wanted = mistakes[column].to_numpy()
        at = np.searchsorted(labels, wanted).clip(0, max(0, len(labels) - 1))
        kept = labels[at] == wanted if len(labels) else np.zeros(len(wanted), bool)
        for k, sign in changes:
            place = kinds.to_numpy()[kept], rows[kept], at[kept], k
            np.add.at(change, place, sign * pixels[kept])
    return change


def shapley(value: Array) -> Array:
    """Each player's mean gain over all orders of joining, of a game's values by set of players.

    f64 (2^n) → f64 (n), or f64 (2^n, …) → f64 (n, …) for several games.

    >>> shapley(np.array([0, 0.25, 0, 1]))
    array([0.625, 0.375])
    """
    players = range(len(value).bit_length() - 1)
    n = len(players)
    gains = np.zeros((n, *value.shape[1:]))
    for k in players:
        others = [j for j in players if j != k]
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for some in combinations(others, size):
                before = sum(1 << j for j in some)
                gains[k] += weight * (value[before | 1 << k] - value[before])
    return gains
