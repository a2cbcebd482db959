"""Rare categories: how much of their instances is recovered, against how many there were to learn from."""

import polars as pl
from scipy.stats import spearmanr

from cocoseg.results.recovery import with_shares

HALF = 0.5  # of an instance, from which it counts as recovered
LEAST = 5  # categories with an instance recovered; fewer say nothing of rarity

RARE = {
    "category": pl.String,
    "learned": pl.Int64,
    "instances": pl.Int64,
    "share": pl.Float64,
    "recovered": pl.Int64,
}


def rare(instances: pl.DataFrame, classes: pl.DataFrame, learned: pl.DataFrame) -> pl.DataFrame:
    """What is recovered of each category, the most frequent in training first.

    Args:
        instances: the table of an evaluation (`cocoseg.results.predict.evaluate`).
        classes: of the evaluation: class i16, name str; each a category.
        learned: the categories of the training split: category str, instances i64.

    Returns:
        category str, learned i64 (instances to learn from), instances i64 (evaluated), share f64 (the mean share of
        them that is recovered), recovered i64 (those of which half or more is).
    """
    named = with_shares(instances).join(classes.select("class", category="name"), on="class")
    return (
        named.group_by("category")
        .agg(
            pl.len().cast(pl.Int64).alias("instances"),
            pl.col("share").mean(),
            recovered=(pl.col("share") >= HALF).sum().cast(pl.Int64),
        )
        .join(learned.select("category", learned="instances"), on="category", how="left")
        .with_columns(pl.col("learned").fill_null(0).cast(pl.Int64))
        .select(*RARE)
        .sort("learned", "category", descending=[True, False])
    )


def rank_correlation(table: pl.DataFrame) -> tuple[float, float] | None:
    """Spearman's ρ of the share recovered with the instances to learn from, over categories, and its p; None where
    fewer than `LEAST` categories have an instance recovered, for then it only tells these from all others."""
    if table.filter(pl.col("recovered") > 0).height < LEAST:
        return None
    found = spearmanr(table["learned"], table["share"])
    return float(found.statistic), float(found.pvalue)
