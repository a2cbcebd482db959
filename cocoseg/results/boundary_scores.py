"""Scores of boundaries, from the counts of `cocoseg.results.boundaries`.

Boundary IoU needs nothing of its own: the table `bands` has the columns of the counts table, so every metric and
interval of it is one of the boundary.
"""

import polars as pl

from cocoseg.results.metrics import score


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
