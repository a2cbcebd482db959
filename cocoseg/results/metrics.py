"""Scores as pure functions of the counts table, each under its own name: *say which mIoU*.

Every metric here is a function of sums over images: an image contributes additive *terms*, and the *value* of any
multiset of images (all, a slice, a bootstrap resample) is computed from the sum of their terms. That is what
makes ten thousand resamples one matrix product (`cocoseg.results.intervals`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from cocoseg.errors import UserError, nearest

Array = np.ndarray


@dataclass(frozen=True)
class Metric:
    """A score with a name, and what makes it this score and not one of its namesakes.

    - `over`: what the mean is taken over, 'classes', 'images' or 'pixels'.
    - `terms`: pixels of images, f64 (N, C, 3) as from `cube` → what is summed over images, f64 (N, groups, terms).
    - `value`: sums, f64 (…, groups, terms) → scores, f64 (…); nan where nothing is defined.
    - `additive`: whether the terms of images taken together are the sum of their terms: it is a score of the dataset.
    """

    name: str
    symbol: str
    what: str
    source: str
    over: str
    terms: Callable[[Array], Array]
    value: Callable[[Array], Array]
    additive: bool = True


def definitions() -> pl.DataFrame:
    """Every metric: name, symbol, what (its definition in words), over, source. All str, one row per metric.

    >>> definitions().row(0, named=True)["what"]
    'IoU of each class over all pixels of the dataset; mean over classes in truth or prediction.'
    """
    columns = ("name", "symbol", "what", "over", "source")
    return pl.DataFrame({key: [getattr(m, key) for m in METRICS] for key in columns})


def metric(name: str) -> Metric:
    """The metric of that name; an unknown one is a `UserError`.

    >>> metric("miou_i").symbol
    'mIoU^I'
    """
    known = {m.name: m for m in METRICS}
    if name not in known:
        raise UserError(f"no metric {name!r}; {nearest(name, known)}")
    return known[name]


def score(counts: pl.DataFrame, name: str, *, background: bool = True) -> float:
    """One metric of a counts table (`cocoseg.results.counts`); nan where it is not defined (no class left).

    Without `background`, class 0 is in no mean, weight or ratio. What was painted over it still counts, as a wrong
    prediction of another class.

    >>> rows = [(1, 0, 4, 6, 4), (1, 1, 2, 2, 4), (2, 0, 8, 8, 8)]
    >>> counts = pl.DataFrame(rows, ["image_id", "class", "intersection", "predicted", "true"], orient="row")
    >>> round(score(counts, "miou_d"), 3), score(counts, "miou_d", background=False)
    (0.679, 0.5)
    >>> round(score(counts, "miou_i"), 3)
    0.792
    """
    m = metric(name)
    return float(m.value(m.terms(cube(counts, classes=classes(counts, background=background))).sum(0)))


def scores(counts: pl.DataFrame) -> pl.DataFrame:
    """Every metric, with and without background: name str, background bool, value f64 (null where not defined)."""
    rows = [
        {"name": m.name, "background": background, "value": score(counts, m.name, background=background)}
        for m in METRICS
        for background in (True, False)
    ]
    return pl.DataFrame(rows, {"name": pl.String, "background": pl.Boolean, "value": pl.Float64}).fill_nan(None)


def per_class(counts: pl.DataFrame) -> pl.DataFrame:
    """One row per class with a pixel anywhere, sorted by class.

    Columns: class i16; images i64 (that have it in their truth); intersection, predicted, true (i64, px, over the
    dataset); iou, dice, precision, recall (f64, of those sums); image_iou f64 (mean of the IoU in each image that has
    the class in its truth: the term of the class in mIoU^C). Null where the denominator is zero.

    >>> rows = [(1, 1, 2, 2, 4), (2, 1, 3, 3, 3)]
    >>> counts = pl.DataFrame(rows, ["image_id", "class", "intersection", "predicted", "true"], orient="row")
    >>> per_class(counts).select("images", "iou", "image_iou", "precision").row(0)
    (2, 0.714..., 0.75, 1.0)
    """
    i, p, t = (pl.col(name) for name in ("intersection", "predicted", "true"))
    ratios = {"iou": (i, p + t - i), "dice": (2 * i, p + t), "precision": (i, p), "recall": (i, t)}
    return (
        counts.group_by("class")
        .agg(
            (t > 0).sum().cast(pl.Int64).alias("images"),
            pl.col("intersection", "predicted", "true").sum(),
            (i / (p + t - i)).filter(t > 0).mean().alias("image_iou"),
        )
        .with_columns((above / below).fill_nan(None).alias(name) for name, (above, below) in ratios.items())
        .select("class", "images", "intersection", "predicted", "true", *ratios, "image_iou")
        .sort("class")
    )


def per_image(counts: pl.DataFrame, *, background: bool = True) -> pl.DataFrame:
    """One row per image: image_id i64, miou f64 (over the classes in its truth), accuracy f64; sorted by image.

    The mean of `miou` is mIoU^I. Null where the image has no class in its truth.
    """
    i, p, t = (pl.col(name) for name in ("intersection", "predicted", "true"))
    kept = pl.lit(True) if background else pl.col("class") > 0
    return (
        counts.group_by("image_id")
        .agg(
            (i / (p + t - i)).filter(kept & (t > 0)).mean().alias("miou"),
            (i.filter(kept).sum() / t.filter(kept).sum()).fill_nan(None).alias("accuracy"),
        )
        .sort("image_id")
    )


def worst(counts: pl.DataFrame, q: float, *, by: str = "image", background: bool = True) -> float:
    """mIoU^I (`by` 'image') or mIoU^C ('class') over the worst q percent of images (Wang et al. 2023).

    By image: mean of the q % lowest image scores. By class: for each class the mean of the q % lowest IoUs among the
    images that have it in their truth, then the mean over classes. At least one image is taken.

    >>> rows = [(k, 1, k, 10, 10) for k in range(1, 11)]
    >>> counts = pl.DataFrame(rows, ["image_id", "class", "intersection", "predicted", "true"], orient="row")
    >>> round(worst(counts, 20), 3) == round((1 / 19 + 2 / 18) / 2, 3)
    True
    """
    if not 0 < q <= 100:
        raise UserError(f"the worst {q} % of images; expected a percentage above 0 and at most 100")
    if by not in ("image", "class"):
        raise UserError(f"the worst images by {by!r}; {nearest(by, ['image', 'class'])}")
    pixels = cube(counts, classes=classes(counts, background=background))
    iou, known = _image_iou(pixels), pixels[..., 2] > 0
    ranked = [_mean(iou, known)] if by == "image" else [column[k] for column, k in zip(iou.T, known.T, strict=True)]
    ranked = [np.sort(values[~np.isnan(values)]) for values in ranked]
    lowest = [values[: max(1, int(q / 100 * len(values)))].mean() for values in ranked if len(values)]
    return float(np.mean(lowest)) if lowest else float("nan")


def by_group(counts: pl.DataFrame, groups: pl.DataFrame, name: str, *, background: bool = True) -> pl.DataFrame:
    """A metric in each group of images.

    `groups`: image_id and one more column, the group of each image (any column of a survey). Returns: that column,
    images i64 (of the group with a count), value f64 (null where not defined), sorted by group. Images without a
    group are left out.
    """
    (column,) = set(groups.columns) - {"image_id"}
    joined = counts.join(groups.drop_nulls(), on="image_id")
    rows = [
        {column: group, "images": part["image_id"].n_unique(), "value": score(part, name, background=background)}
        for (group,), part in joined.group_by(column)
    ]
    schema = {column: groups.schema[column], "images": pl.Int64, "value": pl.Float64}
    return pl.DataFrame(rows, schema).fill_nan(None).sort(column)


def classes(counts: pl.DataFrame, *, background: bool = True, min_images: int = 0) -> Array:
    """The classes that occur, sorted, i64; only those in the truth of at least `min_images` images.

    The truth alone decides when `min_images` is given, so that all models are judged on the same classes.
    """
    found = counts.group_by("class").agg((pl.col("true") > 0).sum().alias("images"))
    found = found.filter(pl.col("images") >= min_images, (pl.col("class") > 0) | background)
    return found["class"].sort().cast(pl.Int64).to_numpy()


def cube(counts: pl.DataFrame, *, images: Sequence[int] | None = None, classes: Sequence[int] | None = None) -> Array:
    """The counts table as pixels f64 (N, C, 3): images × classes × (intersection, predicted, true).

    `images` and `classes`, both sorted, choose the rows and columns (default: those of the table); what is not in
    the table is zero.
    """
    ids = counts["image_id"].unique().sort().to_numpy() if images is None else np.asarray(images, np.int64)
    labels = counts["class"].unique().sort().to_numpy() if classes is None else np.asarray(classes, np.int64)
    chosen = counts.filter(
        pl.col("image_id").is_in(pl.Series(ids, dtype=pl.Int64).implode()),
        pl.col("class").cast(pl.Int64).is_in(pl.Series(labels, dtype=pl.Int64).implode()),
    )
    pixels = np.zeros((len(ids), len(labels), 3))
    rows = np.searchsorted(ids, chosen["image_id"].to_numpy())
    columns = np.searchsorted(labels, chosen["class"].to_numpy())
    pixels[rows, columns] = chosen.select("intersection", "predicted", "true").to_numpy()
    return pixels


def _ratio(above: Array, below: Array) -> Array:
    return np.divide(above, below, out=np.zeros(np.broadcast_shapes(above.shape, below.shape)), where=below > 0)


def _mean(values: Array, kept: Array) -> Array:
    total = np.where(kept, values, 0).sum(-1)
    return np.divide(total, kept.sum(-1), out=np.full_like(total, np.nan), where=kept.any(-1))


def _image_iou(pixels: Array) -> Array:
    i, p, t = np.moveaxis(pixels, -1, 0)
    return _ratio(i, p + t - i)


def _in_truth(pixels: Array) -> Array:
    return pixels[..., 2] > 0


def _in_either(pixels: Array) -> Array:
    return pixels[..., 1] + pixels[..., 2] > 0


def _per_dataset(kept: Callable[[Array], Array]) -> tuple[Callable, Callable]:
    return lambda pixels: pixels, lambda sums: _mean(_image_iou(sums), kept(sums))


def _per_image(kept: Callable[[Array], Array]) -> tuple[Callable, Callable]:
    def terms(pixels):
        mean = _mean(_image_iou(pixels), kept(pixels))
        return np.stack([np.nan_to_num(mean), ~np.isnan(mean)], -1)[:, None]

    return terms, _mean_of_ratios


def _per_image_and_class(kept: Callable[[Array], Array]) -> tuple[Callable, Callable]:
    def terms(pixels):
        return np.stack([np.where(kept(pixels), _image_iou(pixels), 0), kept(pixels)], -1)

    return terms, _mean_of_ratios


def _mean_of_ratios(sums: Array) -> Array:
    return _mean(_ratio(sums[..., 0], sums[..., 1]), sums[..., 1] > 0)


def _of_sums(above: Callable[..., Array], below: Callable[..., Array]) -> tuple[Callable, Callable]:
    def terms(pixels):
        i, p, t = np.moveaxis(pixels, -1, 0)
        return np.stack([above(i, p, t), below(i, p, t)], -1)

    return terms, _mean_of_ratios


def _all_classes(pixels: Array) -> Array:
    return pixels[..., [0, 2]].sum(1, keepdims=True)


def _weighted_iou(sums: Array) -> Array:
    true = sums[..., 2]
    return _mean_of_ratios(np.stack([(true * _image_iou(sums)).sum(-1), true.sum(-1)], -1)[..., None, :])


_WANG = "Wang et al. 2023, Revisiting Evaluation Metrics for Semantic Segmentation"
_LONG = "Long et al. 2015, Fully Convolutional Networks for Semantic Segmentation"

METRICS = (
    Metric(
        "miou_d",
        "mIoU^D",
        "IoU of each class over all pixels of the dataset; mean over classes in truth or prediction.",
        f"{_WANG}; Keras MeanIoU",
        "classes",
        *_per_dataset(_in_either),
    ),
    Metric(
        "miou_d_truth",
        "mIoU^D, truth > 0",
        "As mIoU^D, mean over classes in the truth only: a class that is only ever invented costs no term of its own.",
        "Detectron2 SemSegEvaluator",
        "classes",
        *_per_dataset(_in_truth),
    ),
    Metric(
        "miou_i",
        "mIoU^I",
        "IoU of each class in each image; mean over the classes in the image's truth, then over images.",
        _WANG,
        "images",
        *_per_image(_in_truth),
        additive=False,
    ),
    Metric(
        "miou_i_union",
        "mIoU^I, union > 0",
        "As mIoU^I over the classes in the image's truth or prediction: a class invented in an image scores 0 there.",
        "the binary case of Wang et al. 2023, without its score of 1 for images that have the class in neither",
        "images",
        *_per_image(_in_either),
        additive=False,
    ),
    Metric(
        "miou_c",
        "mIoU^C",
        "IoU of each class in each image; mean over the images that have the class in their truth, then over classes.",
        _WANG,
        "classes",
        *_per_image_and_class(_in_truth),
        additive=False,
    ),
    Metric(
        "miou_c_union",
        "mIoU^C, union > 0",
        "As mIoU^C over the images that have the class in truth or prediction: invented, it scores 0 in that image.",
        "the binary case of Wang et al. 2023, without its score of 1 for images that have the class in neither",
        "classes",
        *_per_image_and_class(_in_either),
        additive=False,
    ),
    Metric(
        "fw_iou",
        "fwIoU",
        "IoU of each class over the dataset, weighted by the class's share of the true pixels.",
        _LONG,
        "pixels",
        lambda pixels: pixels,
        _weighted_iou,
    ),
    Metric(
        "pixel_accuracy",
        "pixel accuracy",
        "Share of the pixels (without background: of the pixels that are not background) whose class is right.",
        _LONG,
        "pixels",
        _all_classes,
        _mean_of_ratios,
    ),
    Metric(
        "mean_accuracy",
        "mean accuracy",
        "Share of each class's true pixels that is found (its recall), over the dataset; mean over classes in truth.",
        _LONG,
        "classes",
        *_of_sums(lambda i, p, t: i, lambda i, p, t: t),
    ),
    Metric(
        "mean_precision",
        "mean precision",
        "Share of each class's predicted pixels that is right, over the dataset; mean over classes predicted.",
        "van Rijsbergen 1979, Information Retrieval",
        "classes",
        *_of_sums(lambda i, p, t: i, lambda i, p, t: p),
    ),
    Metric(
        "mean_dice",
        "mean Dice",
        "Dice (F1), 2·intersection over predicted + true pixels of each class over the dataset; mean over classes in "
        "truth or prediction.",
        "Dice 1945, Measures of the Amount of Ecologic Association Between Species",
        "classes",
        *_of_sums(lambda i, p, t: 2 * i, lambda i, p, t: p + t),
    ),
)
