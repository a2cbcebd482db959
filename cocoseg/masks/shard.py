"""The masks of a shard, decoded once for all measures."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import polars as pl

from cocoseg.coco.rasterise import area, runs
from cocoseg.coco.read import Coco
from cocoseg.dataset.sizes import size_class
from cocoseg.masks.stretches import Stretches, stretches


class Image(NamedTuple):
    """An image of a shard: which rows of `Shard.annotations` are its own, and its stretches (whose rows count from the
    first of these)."""

    image_id: int
    height: int
    width: int
    rows: slice
    cut: Stretches


@dataclass(frozen=True, eq=False)
class Shard:
    """Some images of a file with the masks of their annotations.

    - `images`: image_id i64, height, width i32, sorted by image_id.
    - `annotations`: the columns of `Coco.annotations`, `height`, `width` i32, `pixels` i64 (of the mask) and `size` str
      (`cocoseg.dataset.sizes.size_class` of `area`, or of `pixels` if the file has no area); those with a segmentation,
      sorted by image_id, within an image in the order of the file.
    - `runs`: for each annotation the runs of its mask, int64 (R, 2), as `cocoseg.coco.rasterise.runs`.
    """

    images: pl.DataFrame
    annotations: pl.DataFrame
    runs: list[np.ndarray]

    def by_image(self) -> Iterator[Image]:
        """Every image, also those without annotations."""
        image_ids, of = self.images["image_id"].to_numpy(), self.annotations["image_id"].to_numpy()
        first, last = np.searchsorted(of, image_ids, "left"), np.searchsorted(of, image_ids, "right")
        for row, i, j in zip(self.images.iter_rows(), first.tolist(), last.tolist(), strict=True):
            yield Image(*row, slice(i, j), stretches(self.runs[i:j]))


def decode(coco: Coco) -> Shard:
    """Rasterise every annotation; a segmentation that is no mask is a `cocoseg.coco.rasterise.SegmentationError`
    (`cocoseg.coco.check` leaves none)."""
    images = coco.images.select("image_id", "height", "width").sort("image_id")
    annotations = (
        coco.annotations.filter(pl.col("encoding") != "none")
        .join(images, on="image_id", maintain_order="left")
        .sort("image_id", maintain_order=True)
    )
    sizes = annotations.select("segmentation", "height", "width").iter_rows()
    masks = [runs(segmentation, height, width) for segmentation, height, width in sizes]
    annotations = annotations.with_columns(pl.Series("pixels", [area(mask) for mask in masks], pl.Int64))
    size = annotations.select(area=pl.coalesce("area", "pixels")).select(size=size_class())
    return Shard(images, annotations.hstack(size), masks)
