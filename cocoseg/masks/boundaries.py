"""How much of a label map lies near a boundary between labels: how much of a score is decided at edges."""

import cv2
import numba
import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.dataset.sizes import SIZES
from cocoseg.masks.painting import labels, paint, rank, shown
from cocoseg.masks.shard import Shard
from cocoseg.masks.stretches import top

RADII = range(1, 11)
SEEN = ("background", *SIZES)
WITHIN = tuple(f"within_{r}" for r in RADII)
ROW = ("image_id", "class", "size", "pixels", *WITHIN)


def boundaries(shard: Shard, space: LabelSpace) -> pl.DataFrame:
    """One row per image, class and size class of what is seen in the label map ('small-on-top', crowds void).

    A pixel is within r px of a boundary if one of another label lies in the (2r + 1)×(2r + 1) square around it: what r
    erosions by 3×3 take off the regions of the label map (Cheng et al., "Boundary IoU", CVPR 2021). Void is a label
    here, but its own pixels are not counted. The border of the image is no boundary, and neither is the line between
    two instances of one class.

    - `image_id` i64, `class` i16, `size` str: size class of the instance that is seen there, or 'background'.
    - `pixels` i64, and of these `within_1` … `within_10` i64.
    """
    of_row, pixels = labels(shard, space), shard.annotations["pixels"].to_numpy()
    of_size = shard.annotations["size"].replace_strict(SEEN, range(len(SEEN)), return_dtype=pl.Int64).to_numpy()
    blocks = [np.empty((0, len(ROW)), np.int64)]
    for image_id, height, width, of, cut in shard.by_image():
        rows = top(cut, rank(of_row[of], pixels[of], "small-on-top"))
        label, size = shown(of_row[of], rows), np.append(of_size[of], 0)[rows]
        far = distance(paint(cut, label, height * width).reshape(width, height)).reshape(-1)
        kinds, kind = np.unique(np.append(np.where(label, label * len(SEEN) + size, 0), 0), return_inverse=True)
        counts = _histogram(cut, kind, far, len(kinds))
        label, size = np.divmod(kinds, len(SEEN))
        block = np.column_stack([np.full(len(kinds), image_id), label, size, counts.sum(1), counts.cumsum(1)[:, :-1]])
        blocks.append(block[(label != VOID) & (counts.sum(1) > 0)])
    return (
        pl.DataFrame(np.concatenate(blocks), ROW, orient="row")
        .with_columns(pl.col("class").cast(pl.Int16), pl.col("size").replace_strict(dict(enumerate(SEEN))))
        .sort("image_id", "class", "size")
    )


def edge_shares(boundaries: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """The share of pixels within r px of a boundary, r = 1 … 10, pooled over all images.

    Args:
        boundaries: `boundaries(…)`.

    Returns:
        `by` str and `name` str: ('all', 'labelled') for all pixels of objects, ('size', size class or 'background'),
        ('class', name of the class); `radius` i64 (px), `pixels` i64 (in all), `share` f64.
    """
    names = pl.DataFrame({"class": range(space.n), "name": space.classes}, {"class": pl.Int16, "name": pl.String})
    named = boundaries.join(names, on="class")
    of_objects = named.filter(pl.col("class") > 0)
    groups = {
        "all": of_objects.with_columns(name=pl.lit("labelled")),
        "size": named.with_columns(name="size"),
        "class": of_objects,
    }
    return pl.concat(
        table.group_by("name")
        .agg(pl.col("pixels", *WITHIN).sum())
        .unpivot(WITHIN, index=["name", "pixels"], variable_name="radius", value_name="within")
        .select(
            pl.lit(by).alias("by"),
            "name",
            pl.col("radius").str.strip_prefix("within_").cast(pl.Int64),
            "pixels",
            share=pl.col("within") / pl.col("pixels"),
        )
        .sort("name", "radius")
        for by, table in groups.items()
    )


def distance(label_map: np.ndarray) -> np.ndarray:
    """For each pixel the smallest r ≤ 10 such that another label lies within r px (chessboard), else 11: uint8.

    >>> distance(np.array([[0, 0, 0, 5]], np.uint8))
    array([[3, 2, 1, 1]], dtype=uint8)
    """
    square = np.ones((3, 3), np.uint8)
    near = (cv2.dilate(label_map, square) != cv2.erode(label_map, square)).view(np.uint8)
    far = len(RADII) + 1 - near
    for _ in RADII[1:]:
        near = cv2.dilate(near, square)
        cv2.subtract(far, near, far)
    return far


@numba.njit(cache=True)
def _histogram(cut, kind, distances, kinds):
    """Pixels of each kind (that of each stretch; 0 between the stretches) at each distance: i64 (kinds, 11)."""
    counts = np.zeros((kinds, len(WITHIN) + 1), np.int64)
    end = 0
    for i in range(len(cut.starts)):
        _count(counts[0], distances[end : cut.starts[i]])
        end = cut.ends[i]
        _count(counts[kind[i]], distances[cut.starts[i] : end])
    _count(counts[0], distances[end:])
    return counts


@numba.njit(cache=True)
def _count(counts, distances):
    first = 0
    while first < len(distances):
        distance = distances[first]
        last = first + 1
        while last < len(distances) and distances[last] == distance:
            last += 1
        counts[distance - 1] += last - first
        first = last
