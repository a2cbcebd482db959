"""Whether a model is as often right as it is sure: pure functions of the table `confidences`.

A model is calibrated if, of the pixels on which it is 80 % sure, 80 % are right. Label maps that somebody else
predicted do not say how sure they are; their table is empty, and nothing here is defined for it.

Source: Naeini et al. 2015, Obtaining Well Calibrated Probabilities Using Bayesian Binning (the expected calibration
error, ECE); Guo et al. 2017, On Calibration of Modern Neural Networks (reliability diagrams).
"""

import numpy as np
import polars as pl

from cocoseg.results.confidence import BINS
from cocoseg.results.intervals import LEVEL, RESAMPLES, draws

_COUNTS = ("pixels", "correct", "confidence")


def known(confidences: pl.DataFrame) -> bool:
    """Whether the evaluation knows how sure its model was."""
    return not confidences.is_empty()


def reliability(confidences: pl.DataFrame) -> pl.DataFrame:
    """The reliability diagram: one row per bin that has a pixel, sorted.

    Columns: bin i8; low, high f64 (its edges); pixels i64; confidence, accuracy f64 (means over its pixels); gap f64
    (confidence − accuracy: positive where the model is surer than it should be).

    >>> from cocoseg.results.confidence import CONFIDENCES
    >>> table = pl.DataFrame([(1, 0, 14, 10, 9, 9.5), (2, 1, 14, 10, 6, 9.5)], CONFIDENCES, orient="row")
    >>> reliability(table).select("pixels", "confidence", "accuracy", "gap").row(0)
    (20, 0.95, 0.75, 0.2)
    """
    return (
        confidences.group_by("bin")
        .agg(pl.col(_COUNTS).sum())
        .sort("bin")
        .select(
            "bin",
            (pl.col("bin") / BINS).alias("low"),
            ((pl.col("bin") + 1) / BINS).alias("high"),
            "pixels",
            (pl.col("confidence") / pl.col("pixels")).alias("confidence"),
            (pl.col("correct") / pl.col("pixels")).alias("accuracy"),
            ((pl.col("confidence") - pl.col("correct")) / pl.col("pixels")).alias("gap"),
        )
    )


def ece(confidences: pl.DataFrame) -> float:
    """The expected calibration error over all pixels: the mean gap of the bins, by pixels, whichever its sign.

    nan where no confidence is known.

    >>> from cocoseg.results.confidence import CONFIDENCES
    >>> table = pl.DataFrame([(1, 0, 14, 10, 9, 9.8), (1, 0, 9, 10, 7, 6.2)], CONFIDENCES, orient="row")
    >>> round(ece(table), 3)
    0.08
    """
    return _ece(confidences, [])["ece"].item() if known(confidences) else float("nan")


def ece_per_image(confidences: pl.DataFrame) -> pl.DataFrame:
    """`ece` of each image by itself: image_id i64, pixels i64, ece f64, sorted.

    Its mean is above the ECE of the dataset, where images that are too sure and images that are not sure enough make
    up for each other.
    """
    return _ece(confidences, ["image_id"])


def ece_per_class(confidences: pl.DataFrame) -> pl.DataFrame:
    """`ece` of the pixels predicted as each class: class i16, pixels i64, ece f64, gap f64 (mean confidence −
    accuracy), sorted."""
    gaps = confidences.group_by("class").agg(
        gap=(pl.col("confidence").sum() - pl.col("correct").sum()) / pl.col("pixels").sum()
    )
    return _ece(confidences, ["class"]).join(gaps, on="class", maintain_order="left")


def ece_interval(
    confidences: pl.DataFrame, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> pl.DataFrame:
    """`ece` over all pixels with its bootstrap interval over images: one row of estimate, low, high, level f64, images
    i64; null where no confidence is known.

    An ECE cannot be negative, so resampling adds to it; with few images the interval lies too high.
    """
    if not known(confidences):
        row = {"estimate": None, "low": None, "high": None, "level": level, "images": 0}
        return pl.DataFrame(
            [row], dict.fromkeys(("estimate", "low", "high", "level"), pl.Float64) | {"images": pl.Int64}
        )
    ids = confidences["image_id"].unique().sort().to_numpy()
    errors = _resampled(confidences, ids, resamples, seed)
    low, high = np.quantile(errors, [(1 - level) / 2, (1 + level) / 2])
    row = {"estimate": ece(confidences), "low": float(low), "high": float(high), "level": level, "images": len(ids)}
    return pl.DataFrame([row])


def ece_difference(
    a: pl.DataFrame, b: pl.DataFrame, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> pl.DataFrame:
    """How much larger the `ece` of b is than that of a, with a paired bootstrap interval: the same images for both.

    One row of difference (b − a), low, high, level f64. Both tables know how sure their models were.
    """
    ids = np.union1d(a["image_id"].to_numpy(), b["image_id"].to_numpy())
    spread = _resampled(b, ids, resamples, seed) - _resampled(a, ids, resamples, seed)
    low, high = np.quantile(spread, [(1 - level) / 2, (1 + level) / 2])
    return pl.DataFrame([{"difference": ece(b) - ece(a), "low": float(low), "high": float(high), "level": level}])


def _resampled(confidences: pl.DataFrame, ids: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """The ECE in each bootstrap resample of the images `ids`, which are sorted: f64 (resamples)."""
    terms = np.zeros((len(ids), BINS, 2))
    at = np.searchsorted(ids, confidences["image_id"].to_numpy()), confidences["bin"].to_numpy()
    np.add.at(terms, at, confidences.select("pixels", pl.col("confidence") - pl.col("correct")).to_numpy())
    drawn = np.concatenate([np.tensordot(weights, terms, 1) for weights in draws(len(ids), resamples, seed)])
    return np.abs(drawn[..., 1]).sum(-1) / drawn[..., 0].sum(-1)


def classwise_ece(confidences: pl.DataFrame) -> float:
    """The mean of `ece_per_class`: every predicted class counts alike, however few its pixels; nan if none is known.

    Here a class is calibrated by the pixels that are predicted as it (its top label), not by its probability at all
    pixels, which is not counted.
    """
    return ece_per_class(confidences)["ece"].mean() if known(confidences) else float("nan")


def _ece(confidences: pl.DataFrame, by: list[str]) -> pl.DataFrame:
    gap = (pl.col("confidence") - pl.col("correct")).abs()
    bins = confidences.group_by(*by, "bin").agg(pl.col(_COUNTS).sum()).with_columns(gap=gap)
    if not by:
        return bins.select(pixels=pl.col("pixels").sum(), ece=pl.col("gap").sum() / pl.col("pixels").sum())
    total = pl.col("pixels").sum()
    return bins.group_by(by).agg(total.alias("pixels"), (pl.col("gap").sum() / total).alias("ece")).sort(by)
