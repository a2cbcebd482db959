"""Everything that is measured on label maps, in one pass: a pure function of a shard of images."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cocoseg.coco import rasterise
from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.read import Coco
from cocoseg.dataset import layout, pixels


def measure(shard: Coco, space: LabelSpace) -> dict[str, pl.DataFrame]:
    """Rasterise the images of a shard once and count.

    Returns:
        `pixels`: one row per image and value that its label map holds (background 0 and void 255 too): `image_id` i64,
        `class` i16, `pixels` i64. Their sum over an image is its height × width.

        `samples`: one row per class and cell that was hit, summed over the shard: `class`, `row`, `col` i16,
        `samples` i64 (see `layout.sample`).
    """
    ids, counts = [], []
    samples = np.zeros((space.n, layout.GRID, layout.GRID), np.int64)
    for image_id, label_map in rasterise.label_maps(shard, space):
        ids.append(image_id)
        counts.append(pixels.count(label_map))
        samples += layout.sample(label_map, space.n)
    counts = np.array(counts, np.int64).reshape(-1, 256)
    image, kind = np.nonzero(counts)
    cells = np.nonzero(samples)
    return {
        "pixels": pl.DataFrame(
            {"image_id": np.array(ids, np.int64)[image], "class": kind, "pixels": counts[image, kind]},
            {"image_id": pl.Int64, "class": pl.Int16, "pixels": pl.Int64},
        ),
        "samples": pl.DataFrame(
            {**dict(zip(("class", "row", "col"), cells, strict=True)), "samples": samples[cells]},
            {**dict.fromkeys(("class", "row", "col"), pl.Int16), "samples": pl.Int64},
        ),
    }


def merge(shards: Sequence[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """The tables of all images from those of the shards, whatever the shards were and in which order they come."""
    samples = pl.concat([tables["samples"] for tables in shards])
    return {
        "pixels": pl.concat([tables["pixels"] for tables in shards]).sort("image_id", "class"),
        "samples": samples.group_by("class", "row", "col").agg(pl.col("samples").sum()).sort("class", "row", "col"),
    }
