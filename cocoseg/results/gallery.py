"""Which images to look at: the best, the worst, the typical, and those whose mistakes cost most."""

from collections.abc import Iterable

import polars as pl

GALLERY = {
    "kind": pl.String,
    "rank": pl.Int64,
    "image_id": pl.Int64,
    "miou": pl.Float64,
    "cost": pl.Float64,
    "wrong": pl.Float64,
}


def ranking(counts: pl.DataFrame) -> pl.DataFrame:
    """Every image that has something to find (a pixel of a class but background in its truth), best first.

    Columns: image_id i64; miou f64, the mean IoU over the classes in its truth, as in mIoU^I; cost f64, by how much the
    dataset's IoU, its mean over the classes in the truth, would rise if this image had no mistake; wrong f64, the
    share of its known pixels that are wrong.
    """
    i, p, t = (pl.col(name) for name in ("intersection", "predicted", "true"))
    whole_i, whole_u = i.sum().over("class"), (p + t - i).sum().over("class")
    gain = (whole_i + t - i) / (whole_u - (p - i)) - whole_i / whole_u
    in_truth = t.sum().over("class") > 0
    classes = counts.filter(pl.col("true") > 0)["class"].n_unique()
    return (
        counts.with_columns(gain=pl.when(in_truth).then(gain).otherwise(0.0))
        .group_by("image_id")
        .agg(
            (i / (p + t - i)).filter(t > 0).mean().alias("miou"),
            (pl.col("gain").sum() / classes).alias("cost"),
            (1 - i.sum() / t.sum()).alias("wrong"),
            ((pl.col("class") > 0) & (t > 0)).any().alias("something"),
        )
        .filter("something")
        .drop("something")
        .sort("miou", "image_id", descending=[True, False])
    )


def gallery(counts: pl.DataFrame, each: int = 6) -> pl.DataFrame:
    """The images of each kind, `each` of them: 'best', 'typical', 'worst' and 'costly'.

    Columns: kind str, rank i64 (1 is the first of its kind), and those of `ranking`. Best and worst go by the image's
    mIoU, typical images are those next to the median, costly ones have the highest cost. An image may be of two kinds.
    """
    ranked = ranking(counts)
    middle = max(0, (ranked.height - each) // 2)
    kinds = {
        "best": ranked.head(each),
        "typical": ranked.slice(middle, each),
        "worst": ranked.reverse().head(each),
        "costly": ranked.sort("cost", "image_id", descending=[True, False]).head(each),
    }
    parts = [part.with_row_index("rank", 1).with_columns(kind=pl.lit(kind)) for kind, part in kinds.items()]
    return pl.concat(parts).select(*GALLERY).cast(GALLERY)


def apart(tables: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """On which images models differ most, from the counts tables of several, widest apart first.

    Columns: image_id i64; low, high f64, the lowest and the highest mIoU of the image among the models, as in
    `ranking`; gap f64, between them.
    """
    scores = pl.concat([ranking(counts).select("image_id", "miou") for counts in tables])
    ends = scores.group_by("image_id").agg(low=pl.col("miou").min(), high=pl.col("miou").max())
    return ends.with_columns(gap=pl.col("high") - pl.col("low")).sort("gap", "image_id", descending=[True, False])
