"""How few images carry most of a cost."""

import numpy as np
import polars as pl

from cocoseg.results.intervals import LEVEL, RESAMPLES, draws


def top_share(
    costs: pl.Series, part: float = 0.1, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> pl.DataFrame:
    """The share of all costs that the costliest images have, with its bootstrap interval over images: one row.

    `costs`: of each image, f64, none below 0. The costliest `part` of the images are taken, at least one. Columns:
    images i64 (how many these are); share, low, high f64; null where nothing costs anything.

    >>> top_share(pl.Series([3.0, 1.0, 0.0, 0.0]), 0.25).row(0)[:2]
    (1, 0.75)
    """
    sorted_costs = costs.sort(descending=True).to_numpy()
    taken = max(1, int(part * len(sorted_costs)))

    def shares(weights: np.ndarray) -> np.ndarray:
        before = weights.cumsum(1) - weights
        with np.errstate(invalid="ignore"):
            return np.clip(taken - before, 0, weights) @ sorted_costs / (weights @ sorted_costs)

    drawn = np.concatenate([shares(weights) for weights in draws(len(sorted_costs), resamples, seed)])
    if np.isnan(drawn).all():
        low = high = np.nan
    else:
        low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    share = shares(np.ones((1, len(sorted_costs))))[0]
    return pl.DataFrame([{"images": taken, "share": share, "low": low, "high": high}]).fill_nan(None)
