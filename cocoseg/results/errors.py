"""How sure the shares of the kinds of mistakes are, and which kind an image suffers from most."""

import numpy as np
import polars as pl

from cocoseg.results.intervals import LEVEL, draws
from cocoseg.results.mistakes import KINDS


def shares(mistakes: pl.DataFrame, images: pl.Series, *, resamples: int = 2_000, level: float = LEVEL) -> pl.DataFrame:
    """The share of each kind in all wrong pixels, with its bootstrap interval over images: one row per kind.

    `images`: the ids of all images that were scored, also those without a mistake. Columns: kind str; pixels i64;
    share, low, high f64; null without a mistake. Kinds are in their order of precedence (`cocoseg.results.mistakes`).
    """
    ids = images.unique().sort()
    sums = mistakes.group_by("image_id", "kind").agg(pl.col("pixels").sum())
    pixels = np.zeros((len(ids), len(KINDS)))
    kinds = sums["kind"].replace_strict({kind: k for k, kind in enumerate(KINDS)}, return_dtype=pl.Int64)
    pixels[np.searchsorted(ids.to_numpy(), sums["image_id"].to_numpy()), kinds.to_numpy()] = sums["pixels"].to_numpy()
    total = pixels.sum(0)
    drawn = np.concatenate([weights @ pixels for weights in draws(len(ids), resamples, 0)])
    drawn = drawn[drawn.sum(1) > 0]
    if not len(drawn):
        share = low = high = np.full(len(KINDS), np.nan)
    else:
        share = total / total.sum()
        low, high = np.quantile(drawn / drawn.sum(1, keepdims=True), [(1 - level) / 2, (1 + level) / 2], axis=0)
    table = {"kind": KINDS, "pixels": total.astype(np.int64), "share": share, "low": low, "high": high}
    return pl.DataFrame(table).fill_nan(None)


def main_error(mistakes: pl.DataFrame) -> pl.DataFrame:
    """The kind of mistake that most of the wrong pixels of each image are of: image_id i64, kind str, share f64.

    Of kinds with as many pixels it is the first in the order of precedence.

    >>> from cocoseg.results.mistakes import MISTAKES
    >>> rows = [(1, "spill", 0, 1, 30), (1, "boundary", 0, 1, 10), (1, "boundary", 1, 0, 60)]
    >>> main_error(pl.DataFrame(rows, MISTAKES, orient="row")).row(0)
    (1, 'boundary', 0.7)
    """
    place = pl.col("kind").replace_strict({kind: k for k, kind in enumerate(KINDS)}, return_dtype=pl.Int64)
    return (
        mistakes.group_by("image_id", "kind")
        .agg(pl.col("pixels").sum())
        .with_columns(share=pl.col("pixels") / pl.col("pixels").sum().over("image_id"), place=place)
        .sort("image_id", "pixels", "place", descending=[False, True, False])
        .group_by("image_id", maintain_order=True)
        .first()
        .select("image_id", "kind", "share")
    )
