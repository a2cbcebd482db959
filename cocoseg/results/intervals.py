"""How sure a score is, and whether two models differ: resampling the images of a counts table.

The images are the sample: bootstrap intervals (Efron 1979; percentile) say how a score would vary over other
images of the same kind. The training is not resampled: a difference here is one between these weights; a claim about
architectures needs several seeds.

Classes are fixed before resampling, by the truth: a mean over classes takes those in the truth of at least
`min_images` images, in the estimate as in every resample, because a class of a few images would drop out of
many resamples and nothing can be said about it. Such a class keeps its counts and has no interval.
"""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl
from scipy import stats

from cocoseg.errors import UserError
from cocoseg.results.metrics import Array, Metric, classes, cube, metric

MIN_IMAGES = 10
RESAMPLES = 10_000
LEVEL = 0.95

_CHUNK = 250  # resamples at a time: 10 MB of weights for 5,000 images


def interval(
    counts: pl.DataFrame,
    name: str = "miou_d",
    *,
    background: bool = True,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """A metric with its bootstrap interval over images: one row.

    Columns: name str, background bool; estimate, low, high (f64, null where not defined); level f64; images i64
    (resampled), classes i64 (of a mean over classes: how many have `min_images`; else all that occur).
    """
    m = metric(name)
    labels = _classes(counts, m, background, min_images)
    terms = m.terms(cube(counts, classes=labels))
    low, high = _quantiles(_resampled(m.value, terms, resamples, seed), level)
    return _row(
        name=name,
        background=background,
        estimate=float(m.value(terms.sum(0))),
        low=float(low),
        high=float(high),
        level=level,
        images=len(terms),
        classes=len(labels),
    )


def class_intervals(
    counts: pl.DataFrame,
    *,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """The IoU of each class over the dataset with its bootstrap interval: one row per class, sorted.

    Columns: class i64; images i64 (that have it in their truth); iou f64; low, high (f64, null for a class in the truth
    of fewer than `min_images` images).
    """
    pixels = cube(counts)
    images = (pixels[..., 2] > 0).sum(0)
    low, high = _quantiles(_resampled(_iou, pixels, resamples, seed), level)
    enough = images >= min_images
    table = {
        "class": classes(counts),
        "images": images,
        "iou": _iou(pixels.sum(0)),
        "low": np.where(enough, low, np.nan),
        "high": np.where(enough, high, np.nan),
    }
    return pl.DataFrame(table).fill_nan(None)


def compare(
    a: pl.DataFrame,
    b: pl.DataFrame,
    name: str = "miou_d",
    *,
    background: bool = True,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    power: float = 0.8,
    seed: int = 0,
) -> pl.DataFrame:
    """Whether model b scores differently from model a, from their counts tables of the same images: one row.

    Both tests are paired: the *bootstrap* draws the same images for both models, the *permutation* test
    swaps the two models' counts image by image, each image with probability 1/2, and asks how often chance alone
    makes a difference at least as large (two-sided; (1 + as large) / (1 + resamples), Phipson and Smyth 2010).

    Columns: name str, background bool; a, b, difference (b − a), low, high (of the difference), level, p (f64);
    images, classes (i64); images_needed i64: how many images like these would tell the two apart with this `power`
    at significance 1 − `level`, if the difference is as seen (normal approximation with the bootstrap's variance;
    null where the difference is 0).

    Counts of other images, or against another truth, are a `UserError`.
    """
    same_truth(a, b)
    m = metric(name)
    ids = a["image_id"].unique().sort()
    labels = np.union1d(*(_classes(counts, m, background, min_images) for counts in (a, b)))
    terms = np.stack([m.terms(cube(counts, images=ids, classes=labels)) for counts in (a, b)], 1)  # N, 2, G, k
    a_score, b_score = m.value(terms.sum(0))
    difference = b_score - a_score
    spread = _difference(_resampled(m.value, terms, resamples, seed))
    low, high = _quantiles(spread, level)
    chance = _difference(_swapped(m.value, terms, resamples, seed))
    row = _row(
        name=name,
        background=background,
        a=float(a_score),
        b=float(b_score),
        difference=float(difference),
        low=float(low),
        high=float(high),
        level=level,
        p=float(_p(difference, chance)),
        images=len(ids),
        classes=len(labels),
        images_needed=_images_needed(difference, spread, len(ids), level, power),
    )
    return row.with_columns(pl.col("images_needed").cast(pl.Int64))


def compare_classes(
    a: pl.DataFrame,
    b: pl.DataFrame,
    *,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """`compare` for the IoU of each class: one row per class in the truth of at least `min_images` images.

    Columns: class i64; a, b, difference (b − a), low, high, p (f64); q f64, the p-value adjusted for the number of
    classes by Benjamini and Hochberg (1995): among the classes with q below 0.05, at most 5 % are expected to
    be false.
    """
    same_truth(a, b)
    labels, ids = classes(a, min_images=max(1, min_images)), a["image_id"].unique().sort()
    pixels = np.stack([cube(counts, images=ids, classes=labels) for counts in (a, b)], 1)  # N, 2, C, 3
    iou = _iou(pixels.sum(0))
    low, high = _quantiles(_difference(_resampled(_iou, pixels, resamples, seed)), level)
    chance = _difference(_swapped(_iou, pixels, resamples, seed))
    p = _p(iou[1] - iou[0], chance)
    table = {
        "class": labels,
        "a": iou[0],
        "b": iou[1],
        "difference": iou[1] - iou[0],
        "low": low,
        "high": high,
        "p": p,
        "q": stats.false_discovery_control(p) if len(p) else p,
    }
    return pl.DataFrame(table)


def same_truth(a: pl.DataFrame, b: pl.DataFrame) -> None:
    """A `UserError` unless both counts tables are of the same images with the same truth."""
    if only := set(a["image_id"]) ^ set(b["image_id"]):
        raise UserError(
            f"{len(only)} images are in one counts table only (first: {min(only)}); expected the same images in both"
        )
    keys = ["image_id", "class", "true"]
    ours, theirs = (counts.filter(pl.col("true") > 0).select(keys) for counts in (a, b))
    other = ours.join(theirs, on=keys, how="anti")
    if len(ours) != len(theirs) or len(other):
        where = (other if len(other) else theirs.join(ours, on=keys, how="anti")).row(0)
        raise UserError(
            f"the two counts tables have different truths (first: image {where[0]}, class {where[1]}); expected two "
            "models evaluated on the same annotations, label space and rules for overlaps and crowds"
        )


def _classes(counts: pl.DataFrame, m: Metric, background: bool, min_images: int) -> Array:
    return classes(counts, background=background, min_images=min_images if m.over == "classes" else 0)


def _sums(weights: Iterator[Array], terms: Array) -> Iterator[Array]:
    """Σ weight · terms over the images, for each row of weights: chunks of (resamples, *terms.shape[1:])."""
    flat = terms.reshape(len(terms), -1)
    return ((w @ flat).reshape(len(w), *terms.shape[1:]) for w in weights)


def draws(images: int, resamples: int, seed: int) -> Iterator[Array]:
    """How often each image is in each resample, f64 (≤ chunk, images): drawn with replacement."""
    rng = np.random.default_rng(seed)
    for done in range(0, resamples, _CHUNK):
        chances = np.full(images, 1 / images)
        yield rng.multinomial(images, chances, min(_CHUNK, resamples - done)).astype(np.float64)


def _resampled(value: Callable[[Array], Array], terms: Array, resamples: int, seed: int) -> Array:
    """The value of each bootstrap resample, f64 (resamples, …)."""
    return np.concatenate([value(sums) for sums in _sums(draws(len(terms), resamples, seed), terms)])


def _swapped(value: Callable[[Array], Array], terms: Array, resamples: int, seed: int) -> Array:
    """Both models' values, f64 (resamples, 2, …), after swapping their terms (N, 2, …) in half of the images."""
    rng = np.random.default_rng((seed, 1))
    sizes = [min(_CHUNK, resamples - done) for done in range(0, resamples, _CHUNK)]
    swaps = (rng.integers(0, 2, (size, len(terms)), np.uint8).astype(np.float64) for size in sizes)
    a, b = terms.sum(0)
    moves = _sums(swaps, terms[:, 1] - terms[:, 0])
    return np.concatenate([value(np.stack([a + moved, b - moved], 1)) for moved in moves])


def _iou(pixels: Array) -> Array:
    i, p, t = np.moveaxis(pixels, -1, 0)
    return np.divide(i, p + t - i, out=np.full(i.shape, np.nan), where=p + t > 0)


def _difference(scores: Array) -> Array:
    return scores[:, 1] - scores[:, 0]


def _quantiles(values: Array, level: float) -> Array:
    """Low and high percentile, (2, …); a resample in which nothing is defined is left out."""
    if np.isnan(values).all():
        return np.full((2, *values.shape[1:]), np.nan)
    return np.nanquantile(values, [(1 - level) / 2, (1 + level) / 2], axis=0)


def _p(difference: Array, chance: Array) -> Array:
    # Rounding must not make a swap that changes nothing look smaller than what was seen.
    as_large = np.abs(chance) >= np.abs(difference) - 1e-12
    return np.where(np.isnan(difference), np.nan, (1 + as_large.sum(0)) / (1 + len(chance)))


def _images_needed(difference: float, spread: Array, images: int, level: float, power: float) -> float | None:
    if np.isnan(difference) or difference == 0:
        return None
    z = stats.norm.ppf((1 + level) / 2) + stats.norm.ppf(power)
    return float(np.ceil(images * np.nanvar(spread) * (z / difference) ** 2))


def _row(**values) -> pl.DataFrame:
    return pl.DataFrame([values]).with_columns(pl.selectors.float().fill_nan(None))
