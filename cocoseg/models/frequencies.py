"""How often each class is in a set of label maps: what class weights and balanced sampling need to know."""

import os
import uuid
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.errors import UserError
from cocoseg.models import labels
from cocoseg.runs import fingerprint, parallel

SHARD = 256
COUNTS = {"image_id": pl.Int64, "class": pl.Int16, "pixels": pl.Int64}
WEIGHTS = ("none", "inverse-frequency", "median-frequency")


def pixels(samples: pl.DataFrame, space: LabelSpace, *, workers: int | None = None) -> pl.DataFrame:
    """Pixels of each class in each label map, void left out: image_id i64, class i16, pixels i64 (none is 0).

    `samples` as of `cocoseg.models.labels.prepare`. The counts are kept beside the label maps. A label map with an
    index that is neither a class nor void is a `UserError`.
    """
    key = fingerprint.digest(str(space.n), *map(str, samples["image_id"]))
    cached = Path(samples["label"][0]).with_name(f"pixels-{key[:16]}.parquet")
    newest = max(os.stat(path).st_mtime_ns for path in samples["label"])
    if not cached.is_file() or cached.stat().st_mtime_ns < newest:
        parts = parallel.over(partial(_count, space), list(samples.iter_slices(SHARD)), workers=workers, desc="classes")
        unfinished = cached.with_name(f"{cached.stem}.{uuid.uuid4().hex}.part")
        pl.concat(parts).write_parquet(unfinished)
        unfinished.replace(cached)
    return pl.read_parquet(cached)


def _count(space: LabelSpace, samples: pl.DataFrame) -> pl.DataFrame:
    rows = []
    for image_id, path in samples.select("image_id", "label").iter_rows():
        counts = np.bincount(labels.label_map(path).ravel(), minlength=VOID + 1)
        if counts[space.n : VOID].any():
            strange = space.n + int(np.flatnonzero(counts[space.n : VOID])[0])
            raise UserError(
                f"label map {path} holds index {strange}; {space.name} has {space.n} classes, and void is {VOID}"
            )
        rows += [(image_id, k, int(counts[k])) for k in np.flatnonzero(counts[: space.n])]
    return pl.DataFrame(rows, COUNTS, orient="row")


def unseen(counts: pl.DataFrame, space: LabelSpace) -> list[str]:
    """Names of the classes that no label map holds."""
    seen = set(counts["class"])
    return [name for k, name in enumerate(space.classes) if k not in seen]


def weights(counts: pl.DataFrame, n: int, kind: str) -> np.ndarray | None:
    """A weight for each of n classes, float64; None for `none`. A class that is nowhere weighs 0.

    - `inverse-frequency`: 1 / (number of classes that occur · share of the pixels). A pixel weighs 1 on average.
    - `median-frequency`: median of all frequencies / frequency, where the frequency of a class is its share of the
      pixels of the images that hold it (Eigen and Fergus, ICCV 2015, section 6.3.2).

    >>> counts = pl.DataFrame({"image_id": [1, 1, 2], "class": [0, 1, 0], "pixels": [30, 10, 40]}, COUNTS)
    >>> weights(counts, 2, "inverse-frequency").round(3), weights(counts, 2, "median-frequency").round(3)
    (array([0.571, 4.   ]), array([0.643, 2.25 ]))
    """
    if kind == "none":
        return None
    whole = counts.with_columns(whole=pl.col("pixels").sum().over("image_id"))
    table = whole.group_by("class").agg(pl.col("pixels", "whole").sum()).sort("class")
    frequency = table["pixels"] / (table["pixels"].sum() if kind == "inverse-frequency" else table["whole"])
    weight = 1 / (table.height * frequency) if kind == "inverse-frequency" else frequency.median() / frequency
    found = np.zeros(n)
    found[table["class"]] = weight
    return found
