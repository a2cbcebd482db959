"""Shares and medians of a whole dataset, and how sure they are: resampling its images.

The images are the sample: what an image holds is drawn together, because its annotations were made together. Each of
1,000 resamples draws as many images as there are, with replacement (Efron, Annals of Statistics 7(1), 1979; percentile
interval of 95 %). All quantities are taken from the same resamples.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numba
import numpy as np
import polars as pl

from cocoseg.masks.boundaries import WITHIN
from cocoseg.masks.painting import ORDERS
from cocoseg.masks.summary import ANATOMY, COARSENESS

RESAMPLES = 1_000
LEVEL = 0.95

YES = ("polygon", "several_polygons", "several_parts", "has_holes", "at_border", "crosses_itself", "repeats_a_vertex")
MEDIANS = (
    *("vertices", "spacing", "vertices_per_100_px", "thickness"),
    *("compactness", "solidity", "extent", "area_error"),
)
SCHEMA = {
    "quantity": pl.String,
    "size": pl.String,
    "estimate": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "images": pl.Int64,
    "over": pl.Int64,
}


class Quantity(NamedTuple):
    """Something to estimate. Of a share `rows` has `image_id`, `part` and `whole`; of a median `image_id`, `value`."""

    name: str
    size: str
    rows: pl.DataFrame


def estimates(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    """One row per quantity and size class ('all' for all), by their names; crowds only where they are named.

    Args:
        tables: those of `cocoseg.masks.survey.measure`, of all images.

    Returns:
        `quantity` str; `size` str; `estimate`, `low`, `high` f64 (null where nothing is to be counted); `images` i64
        that count; `over` i64, the annotations, pixels or images that the quantity is a share or a median of.

        - Medians over instances: those of `MEDIANS` (`cocoseg.masks.summary.ANATOMY`), and 'half mean_shift',
          'dp 1 iou', …: a way of simplifying and a measure of `cocoseg.masks.coarseness`.
        - Shares of instances: those of `YES`.
        - Shares of pixels that an instance claims: 'contested', 'same', 'different' (`cocoseg.masks.overlap`);
          'large-on-top', 'file-order': of those with a class, that have another class, or none, in that order of
          painting.
        - Shares of pixels: 'within_1', …, 'within_10' px of a boundary, with size 'background' too; 'hidden': of the
          image's, under a crowd and no instance.
        - Shares of images: 'has_contested', 'has_crowd'.
    """
    ids = tables["overlap"]["image_id"].to_numpy()
    weights = draws(len(ids))
    rows = [_share(quantity, ids, weights) for quantity in _shares(tables)]
    rows += [_median(quantity, ids, weights) for quantity in _medians(tables)]
    return pl.DataFrame(rows, SCHEMA, orient="row").fill_nan(None).sort("quantity", "size")


def draws(images: int, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """How often each image is in each resample: uint8 (resamples, images).

    >>> draws(5, resamples=2).sum(1)
    array([5, 5], dtype=uint64)
    """
    rng = np.random.default_rng(seed)
    drawn = np.empty((resamples, images), np.uint8)
    for row in drawn if images else ():
        row[:] = np.bincount(rng.integers(images, size=images), minlength=images)
    return drawn


def _shares(tables: dict[str, pl.DataFrame]) -> Iterator[Quantity]:
    instances = tables["anatomy"].filter(~pl.col("iscrowd"))
    for name in YES:
        rows = instances.select("image_id", "size", part=ANATOMY[name].cast(pl.Int64), whole=pl.lit(1))
        yield from _by_size(name, rows.drop_nulls())

    overlap, crowds = tables["overlap"], tables["crowds"]
    for name in ("contested", "same", "different"):
        yield Quantity(name, "all", overlap.select("image_id", part=name, whole="labelled"))
    for order in ORDERS[1:]:
        rows = tables["painting_order"].filter(order=order)
        rows = rows.select("image_id", part=pl.col("reference") - pl.col("both"), whole="reference")
        yield Quantity(order, "all", rows)
    yield Quantity("has_contested", "all", overlap.select("image_id", part=pl.col("contested") > 0, whole=1))

    of_image = overlap.join(crowds.group_by("image_id").agg(pl.col("hidden").sum()), "image_id", "left")
    yield Quantity("hidden", "all", of_image.select("image_id", part=pl.col("hidden").fill_null(0), whole="pixels"))
    yield Quantity("has_crowd", "all", of_image.select("image_id", part=pl.col("hidden").is_not_null(), whole=1))

    bands = tables["boundaries"]
    for name in WITHIN:
        rows = bands.select("image_id", "size", part=name, whole="pixels")
        yield from _by_size(name, rows.filter(pl.col("size") != "background"))
        yield Quantity(name, "background", rows.filter(size="background"))


def _medians(tables: dict[str, pl.DataFrame]) -> Iterator[Quantity]:
    instances = tables["anatomy"].filter(~pl.col("iscrowd"))
    for name in MEDIANS:
        yield from _by_size(name, instances.select("image_id", "size", value=ANATOMY[name].cast(pl.Float64)))
    for (way,), rows in tables["coarseness"].group_by(["simplified"]):
        for name in ("mean_shift", "iou"):
            yield from _by_size(f"{way} {name}", rows.select("image_id", "size", value=COARSENESS[name]))


def _by_size(name: str, rows: pl.DataFrame) -> Iterator[Quantity]:
    yield Quantity(name, "all", rows)
    for size in rows["size"].unique().sort():
        yield Quantity(name, size, rows.filter(size=size))


def _share(quantity: Quantity, ids: np.ndarray, weights: np.ndarray) -> tuple:
    of_image = quantity.rows.group_by("image_id").agg(pl.col("part", "whole").cast(pl.Int64).sum())
    terms = np.zeros((len(ids), 2), np.int64)
    terms[np.searchsorted(ids, of_image["image_id"].to_numpy())] = of_image.select("part", "whole").to_numpy()
    part, whole = terms.sum(0)
    return _row(quantity, _divided(part, whole), _divided(*_sums(weights, terms).T), terms[:, 1] > 0, whole)


def _median(quantity: Quantity, ids: np.ndarray, weights: np.ndarray) -> tuple:
    rows = quantity.rows.filter(pl.col("value").is_finite()).sort("value")
    values, of = rows["value"].to_numpy(), np.searchsorted(ids, rows["image_id"].to_numpy())
    middle = np.median(values) if len(values) else np.nan
    return _row(quantity, middle, medians(values, of, weights), np.unique(of), len(values), counted=True)


def _row(quantity: Quantity, estimate, resampled: np.ndarray, images: np.ndarray, over: int, counted=False) -> tuple:
    defined = resampled[np.isfinite(resampled)]
    ends = np.quantile(defined, [(1 - LEVEL) / 2, (1 + LEVEL) / 2]) if len(defined) else (np.nan, np.nan)
    number = len(images) if counted else int(images.sum())
    return quantity.name, quantity.size, float(estimate), *map(float, ends), number, int(over)


def _divided(part, whole) -> np.ndarray:
    return np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)


@numba.njit(cache=True)
def _sums(weights, terms):
    sums = np.zeros((len(weights), terms.shape[1]), np.int64)
    for r in range(len(weights)):
        for i in range(len(terms)):
            for k in range(terms.shape[1]):
                sums[r, k] += weights[r, i] * terms[i, k]
    return sums


@numba.njit(cache=True)
def medians(values, of, weights):
    """The median of each resample, f64 (resamples), NaN where it has no value.

    Args:
        values: f64, sorted; of: i64, the image of each; weights: how often each image is drawn, uint8.

    >>> medians(np.array([1.0, 2.0, 9.0]), np.array([0, 0, 1]), np.array([[1, 1], [0, 2], [1, 0]], np.uint8))
    array([2. , 9. , 1.5])
    """
    found = np.full(len(weights), np.nan)
    for r in range(len(weights)):
        total = 0
        for image in of:
            total += weights[r, image]
        if total == 0:
            continue
        seen, below = 0, np.nan
        for i in range(len(values)):
            seen += weights[r, of[i]]
            if 2 * seen >= total and np.isnan(below):
                below = values[i]
            if 2 * seen > total:
                found[r] = (below + values[i]) / 2
                break
    return found
