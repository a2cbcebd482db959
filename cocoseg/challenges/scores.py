"""Scores of many counts tables at once, with intervals: what the pages about limits and conventions draw.

The images are drawn once for all tables, so that a page does not wait. Otherwise as `cocoseg.results.intervals`, whose
rules for classes hold here too.
"""

from collections.abc import Callable, Sequence

import numpy as np
import polars as pl

from cocoseg.results.intervals import LEVEL, MIN_IMAGES
from cocoseg.results.metrics import classes, cube, metric

RESAMPLES = 2_000
KEY = ("reference", "amount")

_CHUNK = 100


def scored(
    tables: pl.DataFrame, name: str = "miou_d", *, by: Sequence[str] = KEY, resamples: int = RESAMPLES, seed: int = 0
) -> pl.DataFrame:
    """A metric of each of many counts tables of the same images, which the columns `by` tell apart; sorted by them.

    Columns: `by`; estimate, low, high f64 (null where not defined; percentile bootstrap over images, 95 %); images i64,
    and classes i64 (a mean is over those in the truth of ten images or more, of any of the tables).
    """
    m = metric(name)
    keys, parts = _parts(tables, by)
    least = MIN_IMAGES if m.over == "classes" else 0
    labels = np.unique(np.concatenate([classes(part, min_images=least) for part in parts]))
    terms = np.stack([m.terms(cube(part, images=_images(tables), classes=labels)) for part in parts], 1)
    low, high = _interval(m.value, terms, resamples, seed)
    values = {"estimate": m.value(terms.sum(0)), "low": low, "high": high}
    rest = {"images": [len(terms)] * len(parts), "classes": [len(labels)] * len(parts)}
    return keys.hstack(pl.DataFrame(values).fill_nan(None)).hstack(pl.DataFrame(rest))


def scored_classes(
    tables: pl.DataFrame, *, by: Sequence[str] = KEY, resamples: int = RESAMPLES, seed: int = 0
) -> pl.DataFrame:
    """The IoU of each class in each of many counts tables of the same images and truth, with its interval; sorted.

    Columns: `by`, class i64, images i64 (with the class in the truth); iou f64; low, high f64 (null for a class in the
    truth of fewer than ten images).
    """
    keys, parts = _parts(tables, by)
    labels = classes(tables)
    pixels = np.stack([cube(part, images=_images(tables), classes=labels) for part in parts], 1)  # N, R, C, 3
    images = (pixels[..., 2] > 0).sum(0)
    low, high = _interval(_iou, pixels, resamples, seed)
    columns = {
        "class": np.tile(labels, len(parts)),
        "images": images.ravel(),
        "iou": _iou(pixels.sum(0)).ravel(),
        "low": np.where(images >= MIN_IMAGES, low, np.nan).ravel(),
        "high": np.where(images >= MIN_IMAGES, high, np.nan).ravel(),
    }
    repeated = keys.select(pl.all().repeat_by(len(labels)).explode())
    return repeated.hstack(pl.DataFrame(columns).fill_nan(None))


def _parts(tables: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    parts = tables.sort(by).partition_by(by, maintain_order=True)
    return pl.concat([part.select(by).head(1) for part in parts]), parts


def _images(tables: pl.DataFrame) -> np.ndarray:
    return tables["image_id"].unique().sort().to_numpy()


def _interval(value: Callable, terms: np.ndarray, resamples: int, seed: int) -> np.ndarray:
    """Low and high percentile, (2, …), of `value` over resamples of the images, the first axis of `terms`."""
    rng, n = np.random.default_rng(seed), len(terms)
    drawn = rng.multinomial(n, np.full(n, 1 / n), resamples).astype(np.float64)
    flat = terms.reshape(n, -1)
    values = [
        value((some @ flat).reshape(-1, *terms.shape[1:])) for some in np.split(drawn, range(_CHUNK, resamples, _CHUNK))
    ]
    with np.errstate(invalid="ignore"):
        return np.nanquantile(np.concatenate(values), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)


def _iou(pixels: np.ndarray) -> np.ndarray:
    i, p, t = np.moveaxis(pixels, -1, 0)
    return np.divide(i, p + t - i, out=np.full(i.shape, np.nan), where=p + t > 0)
