"""Which class is taken for which, and what that costs: pure functions of the table `confusions`."""

import numpy as np
import polars as pl
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import squareform

from cocoseg.results.intervals import LEVEL, RESAMPLES, draws


def costs(confusions: pl.DataFrame, *, min_images: int = 1) -> pl.DataFrame:
    """Every pair of a true and another predicted class that has pixels, costliest first.

    Columns: true_class, predicted_class i16; pixels, images i64; share f64 (of the true class's pixels); gain f64, by
    how much the dataset's mIoU over the classes in the truth of at least `min_images` images would rise if these
    pixels, and no others, were right. As an IoU is no sum, the gains of pairs do not add up; those of kinds of mistakes
    do (`cocoseg.results.decomposition`).

    >>> from cocoseg.results.counts import CONFUSIONS
    >>> table = pl.DataFrame([(1, 0, 0, 6), (1, 1, 0, 2), (1, 1, 1, 2)], CONFUSIONS, orient="row")
    >>> costs(table).select("true_class", "predicted_class", "share", "gain").row(0)
    (1, 0, 0.5, 0.375)
    """
    cells = confusions.group_by("true_class", "predicted_class").agg(
        pl.col("pixels").sum(), pl.col("image_id").n_unique().cast(pl.Int64).alias("images")
    )
    agree = pl.col("true_class") == pl.col("predicted_class")
    true = cells.group_by(pl.col("true_class").alias("class")).agg(true=pl.col("pixels").sum())
    predicted = cells.group_by(pl.col("predicted_class").alias("class")).agg(predicted=pl.col("pixels").sum())
    right = cells.filter(agree).select(pl.col("true_class").alias("class"), hit="pixels")
    zero = pl.col("true", "predicted", "hit").fill_null(0)
    sums = true.join(predicted, on="class", how="full", coalesce=True).join(right, on="class", how="left")
    sums = sums.with_columns(zero)
    meant = in_truth(confusions, min_images)

    def side(name: str, prefix: str) -> pl.DataFrame:
        return sums.rename({key: f"{prefix}_{key}" for key in ("true", "predicted", "hit")} | {"class": name})

    n = pl.col("pixels")
    t_union = pl.col("t_true") + pl.col("t_predicted") - pl.col("t_hit")
    p_union = pl.col("p_true") + pl.col("p_predicted") - pl.col("p_hit")
    found = (pl.col("t_hit") + n) / t_union - pl.col("t_hit") / t_union
    freed = (pl.col("p_hit") / (p_union - n) - pl.col("p_hit") / p_union).fill_nan(0)
    return (
        cells.filter(~agree)
        .join(side("true_class", "t"), on="true_class")
        .join(side("predicted_class", "p"), on="predicted_class")
        .select(
            "true_class",
            "predicted_class",
            "pixels",
            "images",
            share=n / pl.col("t_true"),
            gain=(found * pl.col("true_class").is_in(meant) + freed * pl.col("predicted_class").is_in(meant))
            / max(1, len(meant)),
        )
        .sort("gain", "true_class", "predicted_class", descending=[True, False, False])
    )


def in_truth(confusions: pl.DataFrame, min_images: int = 1) -> list[int]:
    """The classes in the truth of at least `min_images` images, sorted."""
    images = confusions.filter(pl.col("pixels") > 0).group_by("true_class").agg(pl.col("image_id").n_unique())
    return images.filter(pl.col("image_id") >= min_images)["true_class"].sort().to_list()


def cost_interval(
    confusions: pl.DataFrame,
    true_class: int,
    predicted_class: int,
    *,
    min_images: int = 1,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """Share and gain of one pair of `costs`, each with its bootstrap interval over images: one row.

    Columns: share, share_low, share_high, gain, gain_low, gain_high f64; null where nothing is defined.
    """
    t, p = pl.col("true_class") == true_class, pl.col("predicted_class") == predicted_class
    of_t, as_p = pl.col("predicted_class") == true_class, pl.col("true_class") == predicted_class
    wanted = {"t_true": t, "t_union": t | of_t, "p_hit": as_p & p, "p_union": as_p | p, "n": t & p}
    pixels = pl.col("pixels")
    terms = confusions.group_by("image_id").agg(pixels.filter(kept).sum().alias(k) for k, kept in wanted.items())
    terms = terms.sort("image_id").drop("image_id").to_numpy().astype(np.float64)
    meant = in_truth(confusions, min_images)

    def values(sums: np.ndarray) -> np.ndarray:
        t_true, t_union, p_hit, p_union, n = sums.T
        with np.errstate(invalid="ignore", divide="ignore"):
            found = n / t_union * (true_class in meant)
            freed = np.nan_to_num(p_hit / (p_union - n) - p_hit / p_union) * (predicted_class in meant)
            return np.stack([n / t_true, (found + freed) / max(1, len(meant))], 1)

    drawn = np.concatenate([values(weights @ terms) for weights in draws(len(terms), resamples, seed)])
    ((share, gain),) = values(terms.sum(0)[None])
    low, high = np.nanquantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    row = {"share": share, "share_low": low[0], "share_high": high[0]}
    return pl.DataFrame([row | {"gain": gain, "gain_low": low[1], "gain_high": high[1]}]).fill_nan(None)


def ordered(confusions: pl.DataFrame) -> list[int]:
    """The classes in truth or prediction, in an order that puts those taken for one another side by side.

    Average-linkage clustering with optimal leaf ordering (Bar-Joseph et al. 2001); the distance of two classes is 1
    minus the mean of the shares of each that are predicted as the other. Background, class 0, comes first.
    """
    cells = confusions.group_by("true_class", "predicted_class").agg(pl.col("pixels").sum())
    labels = sorted({*cells["true_class"], *cells["predicted_class"]})
    things = [label for label in labels if label]
    if len(things) < 3:
        return labels
    place = {label: k for k, label in enumerate(things)}
    shares = np.zeros((len(things), len(things)))
    of_true = cells.with_columns(share=pl.col("pixels") / pl.col("pixels").sum().over("true_class"))
    for t, p, share in of_true.select("true_class", "predicted_class", "share").iter_rows():
        if t in place and p in place:
            shares[place[t], place[p]] = share
    apart = 1 - (shares + shares.T) / 2
    np.fill_diagonal(apart, 0)
    leaves = leaves_list(linkage(squareform(apart, checks=False), "average", optimal_ordering=True))
    return [*(label for label in labels if not label), *(things[k] for k in leaves)]
