"""How much of the annotated objects is found, by size, class, or whatever else is known of them.

A label map has no objects, so nothing can be said of what is predicted beside them: these are recalls.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cocoseg.dataset.sizes import size_class
from cocoseg.results.intervals import LEVEL, RESAMPLES, draws
from cocoseg.results.mistakes import NOTICED


def with_shares(instances: pl.DataFrame) -> pl.DataFrame:
    """The table `instances` of an evaluation with what is computed of its counts.

    Adds `size` str (COCO's size class of the annotation's area, null without one), `share` f64 (recovered over visible
    pixels) and `missed` bool (less than `NOTICED` of it is predicted as anything but background, as in
    `cocoseg.results.mistakes`). What a survey knows of an instance joins on `annotation_id`.

    >>> table = {"visible": [50], "recovered": [25], "noticed": [50], "area": [900.0]}
    >>> with_shares(pl.DataFrame(table)).select("size", "share", "missed").row(0)
    ('small', 0.5, False)
    """
    return instances.with_columns(
        size=pl.when(pl.col("area").is_not_null()).then(size_class()),
        share=pl.col("recovered") / pl.col("visible"),
        missed=pl.col("noticed") < NOTICED * pl.col("visible"),
    )


def recovery(
    instances: pl.DataFrame,
    by: Sequence[str] = ("size",),
    *,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """The mean share recovered of the instances of each group, with its bootstrap interval over images.

    Args:
        instances: as from `with_shares`; rows with a null in `by` are left out.
        by: columns that make the groups.

    Returns:
        The columns `by`, sorted; `instances`, `images` i64; `share` f64 (the mean over instances), `low`, `high` f64
        (percentiles over resampled images); `pixel_share` f64 (recovered over visible pixels of all together); `missed`
        f64 (share of the instances that are).
    """
    known = instances.drop_nulls(by)
    ids = known["image_id"].unique().sort()
    groups = known.select(by).unique().sort(by)
    terms = np.zeros((len(ids), len(groups), 2))
    sums = known.group_by("image_id", *by).agg(pl.col("share").sum(), pl.len())
    place = groups.with_row_index("group")
    sums = sums.join(place, on=by)
    at = np.searchsorted(ids.to_numpy(), sums["image_id"].to_numpy()), sums["group"].to_numpy()
    terms[at] = sums.select("share", "len").to_numpy()
    low, high = _interval(terms, resamples, level, seed)
    return (
        known.group_by(by)
        .agg(
            pl.len().cast(pl.Int64).alias("instances"),
            pl.col("image_id").n_unique().cast(pl.Int64).alias("images"),
            pl.col("share").mean(),
            pixel_share=pl.col("recovered").sum() / pl.col("visible").sum(),
            missed=pl.col("missed").mean(),
        )
        .sort(by)
        .with_columns(low=pl.Series(low), high=pl.Series(high))
        .select(*by, "instances", "images", "share", "low", "high", "pixel_share", "missed")
        .fill_nan(None)
    )


def _interval(terms: np.ndarray, resamples: int, level: float, seed: int) -> np.ndarray:
    if not len(terms):
        return np.zeros((2, 0))
    drawn = np.concatenate([np.tensordot(weights, terms, 1) for weights in draws(len(terms), resamples, seed)])
    total, number = drawn[..., 0], drawn[..., 1]
    means = np.divide(total, number, out=np.full_like(total, np.nan), where=number > 0)
    return np.nanquantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
