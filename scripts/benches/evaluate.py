"""The counts of an evaluation, given predictions, and what is computed from them, at the size of COCO's val2017.

The peer of each is what it may cost; ours is processor time, which is at least what a quiet machine takes.
"""

import time

import click
import cv2
import numpy as np
import polars as pl
from benches._label_maps import pairs
from benches._side_by_side import row

from cocoseg.results import boundaries
from cocoseg.results.confidence import confidences
from cocoseg.results.counts import CONFUSIONS, cells, confusion, counts, table
from cocoseg.results.instances import instances
from cocoseg.results.intervals import interval
from cocoseg.results.metrics import scores
from cocoseg.results.mistakes import mistake_counts, mistakes, objects

IMAGES, N, RESAMPLES = 5_000, 81, 10_000


@click.command(help=__doc__)
def bench():
    maps = pairs()
    yield everything(maps)
    yield from metrics(maps)
    yield bootstrap()


def everything(maps):
    """All that is counted beside the network's own work."""
    rng = np.random.default_rng(0)
    logits = rng.standard_normal((15, 20, N)).astype(np.float32)
    logits = cv2.resize(logits, (160, 120), interpolation=cv2.INTER_CUBIC)

    def count(truth, prediction):
        owner = objects(truth)
        kinds = mistakes(truth, prediction, owner)
        confusion(truth, prediction, N)
        boundaries.bands(truth, prediction, N)
        boundaries.trimaps(truth, prediction, N)
        boundaries.contours(truth, prediction, N)
        mistake_counts(kinds, truth, prediction, N)
        instances(owner, truth, prediction, owner.max() + 1)
        confidences(logits, truth)

    count(*maps[0])
    seconds = _seconds(lambda: [count(*pair) for pair in maps]) / len(maps)
    return row(f"all counts of an image with {N} classes", 1e3 * seconds, 30, "ms/image")


def metrics(maps):
    """From label maps to every metric, the boundary's too, of 5,000 images."""
    many = [maps[k % len(maps)] for k in range(IMAGES)]
    tables = {}

    def count():
        matrices = (cells(k, confusion(*pair, N)[..., None]) for k, pair in enumerate(many))
        tables["counts"] = counts(table(matrices, CONFUSIONS))
        bands = (cells(k, boundaries.bands(*pair, N)) for k, pair in enumerate(many))
        tables["bands"] = table(bands, boundaries.BANDS)

    seconds = _seconds(count) + _seconds(lambda: [scores(tables[name]) for name in tables])
    assert tables["counts"]["image_id"].n_unique() == IMAGES
    yield row(f"metrics of {IMAGES:,} images of {N} classes", seconds, 60, "s")


def bootstrap():
    """mIoU of resampled images."""
    rng = np.random.default_rng(0)
    true = rng.integers(1, 10_000, (IMAGES, N))
    found = (true * rng.random((IMAGES, N))).astype(np.int64)
    ids, labels = (a.ravel() for a in np.meshgrid(np.arange(IMAGES), np.arange(N), indexing="ij"))
    columns = {"image_id": ids, "class": labels, "intersection": found.ravel()}
    columns |= {"predicted": found.ravel() + rng.integers(0, 999, ids.size), "true": true.ravel()}
    dense = pl.DataFrame(columns).cast({"class": pl.Int16})
    seconds = _seconds(lambda: interval(dense, "miou_d", resamples=RESAMPLES))
    return row(f"{RESAMPLES:,} resamples of {IMAGES:,} × {N} counts", seconds, 10, "s")


def _seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start
