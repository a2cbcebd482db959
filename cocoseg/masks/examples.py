"""Annotations to draw, from the generated sample: what a page shows that has no photos.

The first images of its validation split are generated when they are asked for, the same ones each time. Which of them
shows a thing best is found by looking for it, not by its id.
"""

import json
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import cv2
import numpy as np
import polars as pl
from PIL import Image
from pycocotools import mask as coco_mask

from cocoseg.coco import sample
from cocoseg.coco.label_space import VOID
from cocoseg.coco.read import read
from cocoseg.masks.coarseness import douglas_peucker, half
from cocoseg.masks.outlines import rings_of

IMAGES = 22
LARGE = 600  # px; a smaller object shows little when drawn
NARROW = 48  # px; of a wider one the pixels are not seen


class Instance(NamedTuple):
    """An annotation of an example; `rings`: its polygons f64 (V, 2), x, y in px, none of a crowd; `mask` bool H×W."""

    annotation_id: int
    category: str
    category_id: int
    iscrowd: bool
    rings: list[np.ndarray]
    mask: np.ndarray


class Example(NamedTuple):
    """A generated image: RGB, uint8 H×W×3, its annotations in the order of the file, and their rows of the file."""

    image_id: int
    image: np.ndarray
    instances: list[Instance]
    annotations: pl.DataFrame


@cache
def examples() -> tuple[Example, ...]:
    """The first images of the sample's validation split that have annotations."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "sample"
        sample.make(root, train=0, val=IMAGES)
        coco = read(root / "annotations" / "instances_val.json")
        names = dict(coco.categories.select("category_id", "name").iter_rows())
        made = []
        for image, rows in coco.by_image():
            pixels = np.array(Image.open(root / "val" / image["file_name"]).convert("RGB"))
            instances = [_instance(row, names, *pixels.shape[:2]) for row in rows.iter_rows(named=True)]
            if instances:
                made.append(Example(image["image_id"], pixels, instances, rows))
    return tuple(made)


def rasterised(content: list | dict, height: int, width: int) -> np.ndarray:
    """The mask of polygons (f64 (V, 2), or x, y, x, y, …) or of an RLE, bool H×W.

    By pycocotools, so that a page does not wait for a compiler.

    >>> rasterised([[1, 0, 3, 0, 3, 2, 1, 2]], 2, 4).astype(int)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]])
    """
    if isinstance(content, list):
        content = [flat for ring in content if len(flat := np.ravel(ring).tolist()) >= 6]
        if not content:
            return np.zeros((height, width), bool)
    encoded = coco_mask.frPyObjects(content, height, width)
    encoded = coco_mask.merge(encoded) if isinstance(encoded, list) else encoded
    return np.array(coco_mask.decode(encoded), bool)


def ragged() -> tuple[Example, Instance]:
    """The large object that has the most pieces, counting parts and holes."""

    def pieces(pair):
        mask = pair[1].mask.astype(np.uint8)
        parts = cv2.connectedComponents(mask, connectivity=8)[0]
        return parts + cv2.connectedComponents(1 - np.pad(mask, 1), connectivity=4)[0], mask.sum()

    return max(_large(), key=pieces)


def detailed() -> tuple[Example, Instance]:
    """The large but narrow object drawn as one polygon, with the most vertices."""

    def fits(instance):
        return len(instance.rings) == 1 and np.ptp(np.flatnonzero(instance.mask.any(0))) < NARROW

    return max((pair for pair in _large() if fits(pair[1])), key=lambda pair: len(pair[1].rings[0]))


def overlapping() -> tuple[Example, Instance, Instance]:
    """The two instances of different categories that share the most pixels."""
    drawn = [(e, [i for i in e.instances if not i.iscrowd]) for e in examples()]
    pairs = [(e, a, b) for e, some in drawn for a, b in combinations(some, 2) if a.category != b.category]
    return max(pairs, key=lambda pair: (pair[1].mask & pair[2].mask).sum())


def crowded() -> Example:
    """The image with a crowd that has the most instances beside it."""
    return max((e for e in examples() if any(i.iscrowd for i in e.instances)), key=lambda e: len(e.instances))


def near(mask: np.ndarray, margin: int = 4) -> tuple[slice, slice]:
    """The rows and columns of an image around a mask, bool H×W."""
    height, width = mask.shape
    y, x = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    rows = slice(max(0, int(y[0]) - margin), min(height, int(y[-1]) + 1 + margin))
    return rows, slice(max(0, int(x[0]) - margin), min(width, int(x[-1]) + 1 + margin))


def simplified(rings: list[np.ndarray], way: str) -> list[np.ndarray]:
    """Polygons f64 (V, 2) with fewer vertices, in a way of `cocoseg.masks.coarseness`: 'half', 'dp 1', 'dp 2', …"""
    vertices, bounds = rings_of(rings)
    # Uncompiled: for one outline a compiler would take longer.
    keep = half.py_func(bounds) if way == "half" else douglas_peucker.py_func(vertices, bounds, float(way.split()[1]))
    return [vertices[i:j][keep[i:j]] for i, j in pairwise(bounds)]


class Anatomy(NamedTuple):
    """What `cocoseg.masks.shape` measures of a mask, where it lies.

    - `parts`: i32 H×W, 0 outside of the mask, 1, 2, … in its parts; `holes`: the same for its holes.
    - `hull`: f64 (V, 2), the convex hull of its pixel squares.
    - `disc`: x, y, radius of the largest inscribed disc; half a pixel less than to the nearest other pixel's centre.
    """

    parts: np.ndarray
    holes: np.ndarray
    hull: np.ndarray
    disc: tuple[float, float, float]


def dissected(mask: np.ndarray) -> Anatomy:
    """The anatomy of a mask, bool H×W, that has pixels."""
    framed = np.pad(mask, 1).astype(np.uint8)
    parts = cv2.connectedComponents(framed, connectivity=8)[1][1:-1, 1:-1]
    outside = cv2.connectedComponents(1 - framed, connectivity=4)[1]
    y, x = np.nonzero(mask)
    corners = np.concatenate([np.column_stack([x + i, y + j]) for i in (0, 1) for j in (0, 1)])
    depth = cv2.distanceTransform(framed, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[1:-1, 1:-1]
    top, left = np.unravel_index(depth.argmax(), depth.shape)
    return Anatomy(
        parts,
        np.maximum(outside[1:-1, 1:-1] - outside[0, 0], 0),
        cv2.convexHull(corners.astype(np.int32))[:, 0].astype(float),
        (left + 0.5, top + 0.5, float(depth.max()) - 0.5),
    )


def painted(example: Example, classes: list[str], order: str = "small-on-top") -> np.ndarray:
    """The label map of an example, uint8 H×W, by the rules of `cocoseg.coco.rasterise.label_map`.

    Args:
        classes: of the label map, background first, by the names of the categories.
        order: 'small-on-top', 'large-on-top' or 'file-order'.
    """
    sign = {"small-on-top": -1, "large-on-top": 1, "file-order": 0}[order]
    bottom_up = sorted(example.instances, key=lambda i: (not i.iscrowd, sign * int(i.mask.sum())))
    label_map = np.zeros(example.image.shape[:2], np.uint8)
    for instance in bottom_up:
        label_map[instance.mask] = VOID if instance.iscrowd else classes.index(instance.category)
    return label_map


def _large() -> list[tuple[Example, Instance]]:
    return [(e, i) for e in examples() for i in e.instances if not i.iscrowd and i.mask.sum() >= LARGE]


def _instance(row: dict, names: dict[int, str], height: int, width: int) -> Instance:
    content = json.loads(row["segmentation"])
    rings = [] if isinstance(content, dict) else [np.array(flat, float).reshape(-1, 2) for flat in content]
    mask = rasterised(content, height, width)
    return Instance(row["annotation_id"], names[row["category_id"]], row["category_id"], row["iscrowd"], rings, mask)
