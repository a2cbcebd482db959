"""What may be said of two architectures, given how often each was trained.

A difference between two trained networks is one between their weights: trained again from another seed, the same
architecture scores differently. A claim about architectures has to leave that variation behind, so it needs several
trainings of each. With one, it is a claim about those weights.
"""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import polars as pl
from scipy import stats

from cocoseg.errors import UserError
from cocoseg.results.intervals import LEVEL, MIN_IMAGES, RESAMPLES, compare, draws, same_truth
from cocoseg.results.metrics import Array, classes, cube, metric

CLAIMS = {
    "a": pl.String,
    "b": pl.String,
    "seeds_a": pl.Int64,
    "seeds_b": pl.Int64,
    "score_a": pl.Float64,
    "score_b": pl.Float64,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
    "about": pl.String,
    "differ": pl.Boolean,
}


def claims(
    evaluations: dict[str, Sequence[pl.DataFrame]],
    name: str = "miou_d",
    *,
    background: bool = True,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """Which differences between architectures, or else between their weights, the evaluations show.

    Args:
        evaluations: the counts tables of an architecture's trainings, one per seed, by the architecture's name; all of
            the same images.

    Returns:
        One row per pair, in the order given: `a`, `b` str; `seeds_a`, `seeds_b` i64; `score_a`, `score_b` f64,
        `difference` (b − a), `low`, `high`, `p` f64; `about` str; `differ` bool (p < 1 − `level`).

        With two seeds or more of both, `about` is 'architectures', and a score the mean over seeds. The difference's
        variance is then the sum of what seeds add (the variance of the scores over the seeds, over their number, of a
        and of b) and what images add (the bootstrap variance of the difference of the means); interval and p are those
        of Student's t with Welch and Satterthwaite's degrees of freedom (Welch 1947). Otherwise `about` is 'weights',
        the first of each, as given, is compared (`cocoseg.results.intervals.compare`), and nothing follows for the
        architectures.

    Fewer than two architectures, or one without a training, are a `UserError`.
    """
    if len(evaluations) < 2 or not all(evaluations.values()):
        raise UserError("a claim compares two architectures or more, each with at least one evaluation")
    options = {"background": background, "min_images": min_images, "resamples": resamples, "level": level, "seed": seed}
    rows = []
    for a, b in combinations(evaluations, 2):
        ours, theirs = evaluations[a], evaluations[b]
        several = min(len(ours), len(theirs)) > 1
        test = _architectures if several else _weights
        found = test(ours, theirs, name, **options)
        about = {"about": "architectures" if several else "weights", "differ": bool(found["p"] < 1 - level)}
        rows.append({"a": a, "b": b, "seeds_a": len(ours), "seeds_b": len(theirs), **found, **about})
    return pl.DataFrame(rows, CLAIMS).with_columns(pl.selectors.float().fill_nan(None))


def seed_scores(
    evaluations: dict[str, Sequence[pl.DataFrame]],
    name: str = "miou_d",
    *,
    background: bool = True,
    min_images: int = 0,
) -> pl.DataFrame:
    """How the scores of an architecture's trainings vary: one row per architecture, in the order given.

    Columns: `architecture` str; `seeds` i64; `mean`, `lowest`, `highest` f64; `deviation` f64 (the standard deviation
    over seeds, null for one).
    """
    rows = []
    for architecture, tables in evaluations.items():
        values = _scores(tables, name, background, min_images)[0]
        rows.append((architecture, len(values), values.mean(), values.min(), values.max(), _deviation(values)))
    numbers = dict.fromkeys(("mean", "lowest", "highest", "deviation"), pl.Float64)
    schema = {"architecture": pl.String, "seeds": pl.Int64, **numbers}
    return pl.DataFrame(rows, schema, orient="row")


def _deviation(values: Array) -> float | None:
    return float(values.std(ddof=1)) if len(values) > 1 else None


def _weights(ours: Sequence[pl.DataFrame], theirs: Sequence[pl.DataFrame], name: str, **options) -> dict[str, float]:
    row = compare(ours[0], theirs[0], name, **options).row(0, named=True)
    row = {key: float("nan") if value is None else value for key, value in row.items()}
    return {"score_a": row["a"], "score_b": row["b"], **{key: row[key] for key in ("difference", "low", "high", "p")}}


def _architectures(
    ours: Sequence[pl.DataFrame],
    theirs: Sequence[pl.DataFrame],
    name: str,
    *,
    background: bool,
    min_images: int,
    resamples: int,
    level: float,
    seed: int,
) -> dict[str, float]:
    scores, resampled = _scores([*ours, *theirs], name, background, min_images, resamples, seed)
    sides = np.split(scores, [len(ours)])
    means = [side.mean() for side in sides]
    difference = means[1] - means[0]
    of_seeds = [side.var(ddof=1) / len(side) for side in sides]
    spread = resampled[:, len(ours) :].mean(1) - resampled[:, : len(ours)].mean(1)
    parts = [*of_seeds, np.nanvar(spread)]
    freedom = [len(ours) - 1, len(theirs) - 1, ours[0]["image_id"].n_unique() - 1]
    variance = sum(parts)
    if variance == 0:
        low, high, p = difference, difference, float(difference == 0)
    else:
        degrees = variance**2 / sum(part**2 / n for part, n in zip(parts, freedom, strict=True))
        t = stats.t(degrees)
        half, p = t.ppf((1 + level) / 2) * variance**0.5, 2 * t.sf(abs(difference) / variance**0.5)
        low, high = difference - half, difference + half
    return {"score_a": means[0], "score_b": means[1], "difference": difference, "low": low, "high": high, "p": p}


def _scores(
    tables: Sequence[pl.DataFrame], name: str, background: bool, min_images: int, resamples: int = 0, seed: int = 0
) -> tuple[Array, Array]:
    """The score of each table, f64 (k), and of each in every resample of the images, f64 (resamples, k)."""
    for other in tables[1:]:
        same_truth(tables[0], other)
    m = metric(name)
    ids = tables[0]["image_id"].unique().sort()
    kept = min_images if m.over == "classes" else 0
    labels = np.unique(np.concatenate([classes(t, background=background, min_images=kept) for t in tables]))
    terms = np.stack([m.terms(cube(table, images=ids, classes=labels)) for table in tables], 1)
    flat = terms.reshape(len(terms), -1)
    resampled = [m.value((w @ flat).reshape(len(w), *terms.shape[1:])) for w in draws(len(ids), resamples, seed)]
    return m.value(terms.sum(0)), np.concatenate([np.zeros((0, len(tables))), *resampled])
