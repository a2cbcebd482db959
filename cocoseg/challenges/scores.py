"""Scores of every reference, with intervals: what the pages about limits draw."""

import polars as pl

from cocoseg.results.intervals import class_intervals, interval

RESAMPLES = 2_000  # for each of a page's many intervals


def scored(tables: pl.DataFrame, name: str = "miou_d", *, resamples: int = RESAMPLES) -> pl.DataFrame:
    """A metric of each reference and amount in a table of `cocoseg.challenges.references.references`; sorted.

    Columns: reference str, amount f64, estimate, low, high f64 (see `cocoseg.results.intervals.interval`), images and
    classes i64. The same images are drawn for all.
    """
    rows = [
        interval(part.drop("reference", "amount"), name, resamples=resamples)
        .select("estimate", "low", "high", "images", "classes")
        .with_columns(reference=pl.lit(reference), amount=pl.lit(amount))
        for (reference, amount), part in tables.group_by("reference", "amount")
    ]
    return (
        pl.concat(rows)
        .select("reference", "amount", "estimate", "low", "high", "images", "classes")
        .sort("reference", "amount")
    )


def scored_classes(tables: pl.DataFrame, *, resamples: int = RESAMPLES) -> pl.DataFrame:
    """The IoU of each class under each reference and amount, with its interval; sorted.

    Columns: reference str, amount f64, and those of `cocoseg.results.intervals.class_intervals`.
    """
    rows = [
        class_intervals(part.drop("reference", "amount"), resamples=resamples).with_columns(
            reference=pl.lit(reference), amount=pl.lit(amount)
        )
        for (reference, amount), part in tables.group_by("reference", "amount")
    ]
    columns = ("reference", "amount", "class", "images", "iou", "low", "high")
    return pl.concat(rows).select(columns).sort("reference", "amount", "class")
