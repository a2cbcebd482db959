"""All pairs of many models at once: the same resamples serve every pair."""

from collections.abc import Iterator, Mapping

import numpy as np
import polars as pl
from scipy import stats

from cocoseg.errors import UserError
from cocoseg.results.intervals import LEVEL, MIN_IMAGES, draws, same_truth
from cocoseg.results.metrics import classes, cube, metric

_CHUNK = 250  # as in `compare`

PAIRS = {
    "a": pl.String,
    "b": pl.String,
    "difference": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "p": pl.Float64,
    "q": pl.Float64,
}


def pairs(
    tables: Mapping[str, pl.DataFrame],
    name: str = "miou_d",
    *,
    only: Mapping[str, str] | None = None,
    background: bool = True,
    min_images: int = MIN_IMAGES,
    resamples: int = 2_000,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """`cocoseg.results.intervals.compare` for every pair of models, with the p-values adjusted for their number.

    Args:
        tables: the counts tables of the models, by name, of the same images and truth.
        only: the pairs that are wanted, a → b; default all, each once, in the order given.

    Returns:
        One row per pair: a, b str; difference (b − a), low, high, p f64 as in `compare`; q f64, p adjusted by Benjamini
        and Hochberg (1995) over the pairs returned.

    Counts of other images, or against another truth, are a `UserError`.
    """
    models = list(tables)
    if strangers := {*(only or {}), *(only or {}).values()} - set(models):
        raise UserError(f"no counts of {sorted(strangers)[0]!r}; models: {', '.join(models)}")
    wanted = list(only.items()) if only is not None else [(a, b) for i, a in enumerate(models) for b in models[i + 1 :]]
    if not wanted:
        return pl.DataFrame(schema=PAIRS)
    for other in models[1:]:
        same_truth(tables[models[0]], tables[other])
    m = metric(name)
    ids = tables[models[0]]["image_id"].unique().sort()
    kept = min_images if m.over == "classes" else 0
    labels = np.unique(
        np.concatenate([classes(counts, background=background, min_images=kept) for counts in tables.values()])
    )
    terms = np.stack([m.terms(cube(counts, images=ids, classes=labels)) for counts in tables.values()], 1)
    flat, shape, total = terms.reshape(len(terms), -1), terms.shape[1:], terms.sum(0)
    drawn = np.concatenate([m.value((w @ flat).reshape(-1, *shape)) for w in draws(len(ids), resamples, seed)])
    moved = np.concatenate([(s @ flat).reshape(-1, *shape) for s in _swaps(len(ids), resamples, seed)])
    rows, scores = [], m.value(total)
    for a, b in wanted:
        i, j = models.index(a), models.index(b)
        difference = scores[j] - scores[i]
        low, high = np.nanquantile(drawn[:, j] - drawn[:, i], [(1 - level) / 2, (1 + level) / 2])
        change = moved[:, j] - moved[:, i]
        chance = m.value(total[j] - change) - m.value(total[i] + change)
        # Rounding must not make a swap that changes nothing look smaller than what was seen.
        p = (1 + (np.abs(chance) >= np.abs(difference) - 1e-12).sum()) / (1 + len(chance))
        rows.append((a, b, difference, low, high, p, np.nan))
    found = pl.DataFrame(rows, PAIRS, orient="row")
    return found.with_columns(q=stats.false_discovery_control(found["p"].to_numpy()))


def _swaps(images: int, resamples: int, seed: int) -> Iterator[np.ndarray]:
    """Which images are swapped, f64 of 0 and 1 (≤ chunk, images): those of `compare`, in its chunks."""
    rng = np.random.default_rng((seed, 1))
    for done in range(0, resamples, _CHUNK):
        yield rng.integers(0, 2, (min(_CHUNK, resamples - done), images), np.uint8).astype(np.float64)
