"""Scores of boundaries, from the counts of `cocoseg.results.boundaries`.

Boundary IoU needs nothing of its own: the table `bands` has the columns of the counts table, so every metric and
interval of it is one of the boundary.
"""

import numpy as np
import polars as pl

from cocoseg.results.intervals import LEVEL, MIN_IMAGES, RESAMPLES, draws
from cocoseg.results.metrics import Array, score


def trimap_curve(trimaps: pl.DataFrame, name: str = "miou_d", *, background: bool = True) -> pl.DataFrame:
    """A metric of the pixels within r px of the true contour: r i16, value f64 (null where not defined); by r."""
    values = [(r, score(part, name, background=background)) for (r,), part in trimaps.group_by("r")]
    schema = {"r": pl.Int16, "value": pl.Float64}
    return pl.DataFrame(values, schema, orient="row").fill_nan(None).sort("r")


def boundary_f(contours: pl.DataFrame) -> pl.DataFrame:
    """Boundary precision, recall and F of each class and tolerance, sorted.

    Columns: class i16, r i16 (px); precision (share of the predicted contour that is matched), recall (of the true
    one), f (their harmonic mean; 0 where nothing is matched), over all contour pixels of the dataset; image_f, the mean
    of F over the images with a contour of the class in truth or prediction, as Csurka et al. 2013 average it. All f64;
    precision and recall are null where there is no contour to take the share of.

    >>> from cocoseg.results.boundaries import CONTOURS
    >>> boundary_f(pl.DataFrame([(1, 2, 0, 2, 4, 3, 3)], CONTOURS, orient="row")).row(0)
    (0, 2, 0.5, 1.0, 0.666..., 0.666...)
    """
    pixels = ("predicted_matched", "predicted", "true_matched", "true")
    precision = pl.col("predicted_matched") / pl.col("predicted")
    recall = pl.col("true_matched") / pl.col("true")
    f = (2 * precision * recall / (precision + recall)).fill_nan(0)
    return (
        contours.with_columns(f.alias("image_f"))
        .group_by("class", "r")
        .agg(pl.col(pixels).sum(), pl.col("image_f").mean())
        .select("class", "r", precision.alias("precision"), recall.alias("recall"), f.alias("f"), "image_f")
        .fill_nan(None)
        .sort("class", "r")
    )


def boundary_f_interval(
    contours: pl.DataFrame,
    images: pl.Series,
    *,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """The mean of `boundary_f` over classes but background, with its bootstrap interval over images: one row per r.

    `images`: the ids of all images that were scored, also those without a contour. The mean takes the classes with a
    true contour in at least `min_images` images, in the estimate as in every resample.

    Columns: r i16; classes i64; f, low, high f64 (null without such a class). Sorted by r.
    """
    labels = contoured(contours, min_images)
    ids, radii = images.unique().sort(), contours["r"].unique().sort().to_list()
    cells = np.zeros((len(ids), len(radii), len(labels), 4))
    kept = contours.filter(pl.col("class").is_in(labels))
    at = (kept["image_id"], ids), (kept["r"], radii), (kept["class"], labels)
    cells[tuple(np.searchsorted(np.asarray(known), column.to_numpy()) for column, known in at)] = kept.select(
        "predicted_matched", "predicted", "true_matched", "true"
    ).to_numpy()
    drawn = [_mean_f(np.tensordot(weights, cells, 1)) for weights in draws(len(ids), resamples, seed)]
    low, high = np.quantile(np.concatenate(drawn), [(1 - level) / 2, (1 + level) / 2], axis=0)
    table = {"r": radii, "classes": len(labels), "f": _mean_f(cells.sum(0)), "low": low, "high": high}
    return pl.DataFrame(table, schema_overrides={"r": pl.Int16, "classes": pl.Int64}).fill_nan(None)


def contoured(contours: pl.DataFrame, min_images: int = 1) -> list[int]:
    """The classes but background with a true contour in at least `min_images` images, sorted."""
    there = (
        contours.filter(pl.col("class") > 0, pl.col("true") > 0).group_by("class").agg(pl.col("image_id").n_unique())
    )
    return there.filter(pl.col("image_id") >= min_images)["class"].sort().to_list()


def _mean_f(cells: Array) -> Array:
    """Contour pixels f64 (…, classes, 4) → the mean F of the classes, f64 (…); nan without a class."""
    matched, predicted, found, true = np.moveaxis(cells, -1, 0)
    known = predicted + true > 0
    with np.errstate(invalid="ignore", divide="ignore"):
        precision, recall = matched / predicted, found / true
        f = np.nan_to_num(2 * precision * recall / (precision + recall))
        return f.sum(-1, where=known) / known.sum(-1)
