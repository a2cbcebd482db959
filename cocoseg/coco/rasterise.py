"""Annotations to pixels: runs, masks and label maps, bit-identical to pycocotools.

An annotation is decoded once, to the *runs* of its mask: int64 (R, 2), each row the start and the end (exclusive) of
a stretch of foreground in the column-major image, sorted and disjoint. Everything else (area, mask, RLE, label
map) follows from the runs without decoding a mask per object.
"""

from collections.abc import Iterator

import msgspec
import numba
import numpy as np
import polars as pl
from pycocotools import mask as coco_mask

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError, nearest

OVERLAPS = ("small-on-top", "large-on-top", "file-order", "void")
CROWDS = ("void", "class", "background")

MAX_PERIMETER = 1e7  # px; pycocotools allocates in proportion


class SegmentationError(UserError):
    """A segmentation that is no mask; `code` is the finding that `cocoseg.coco.check` reports for it."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class _Rle(msgspec.Struct):
    size: tuple[int, int]
    counts: str | list[int]


_segmentation = msgspec.json.Decoder(list[list[float]] | _Rle | None)


def runs(segmentation: bytes | None, height: int, width: int) -> np.ndarray:
    """The mask of an annotation (the union of its polygons) as runs: int64 (R, 2) of [start, end) in column-major
    order, sorted, disjoint, not touching. A segmentation that is no mask is a `SegmentationError`.

    Polygons are rasterised by pycocotools (`frPyObjects`), which upsamples the outline five times.

    >>> runs(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 4, 4)
    array([[ 4,  6],
           [ 8, 10]])
    """
    try:
        content = _segmentation.decode(segmentation or b"null")
    except (ValueError, RecursionError) as error:
        raise SegmentationError("segmentation-malformed", str(error)) from None
    if isinstance(content, _Rle):
        return _runs_of_rle(content, height, width)
    if not content:
        raise SegmentationError("segmentation-missing", "there is no segmentation")
    rles = coco_mask.frPyObjects(_drawable(content), height, width)
    parts = [_bounds(_counts(np.frombuffer(r["counts"], np.uint8))) for r in rles]
    return parts[0] if len(parts) == 1 else _union(np.concatenate(parts))


def rle(segmentation: bytes | None, height: int, width: int) -> dict:
    """The mask of an annotation as pycocotools' compressed RLE, {"size": [height, width], "counts": bytes}.

    >>> rle(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 4, 4)
    {'size': [4, 4], 'counts': b'42204'}
    """
    counts = np.diff(runs(segmentation, height, width).ravel(), prepend=0, append=height * width)
    if len(counts) > 1 and counts[-1] == 0:
        counts = counts[:-1]
    return coco_mask.frPyObjects({"size": [height, width], "counts": counts.tolist()}, height, width)


def mask(segmentation: bytes | None, height: int, width: int) -> np.ndarray:
    """The mask of an annotation: uint8 H×W, 1 on the object.

    >>> mask(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 2, 4)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]], dtype=uint8)
    """
    canvas = np.zeros((width, height), np.uint8)
    _paint(canvas.reshape(-1), runs(segmentation, height, width), 1)
    return np.ascontiguousarray(canvas.T)


def area(runs: np.ndarray) -> int:
    """Pixels in a mask given as runs."""
    return int((runs[:, 1] - runs[:, 0]).sum())


def instance_runs(annotations: pl.DataFrame, height: int, width: int) -> list[np.ndarray]:
    """`runs` of each annotation (row) of an image, in their order."""
    return [runs(segmentation, height, width) for segmentation in annotations["segmentation"]]


def label_map(
    annotations: pl.DataFrame,
    height: int,
    width: int,
    space: LabelSpace,
    *,
    overlap: str = "small-on-top",
    crowd: str = "void",
) -> np.ndarray:
    """Paint the annotations of one image: uint8 H×W of classes of `space`, 0 where there is none, 255 = void.

    Annotations outside the label space, crowds too, are dropped before anything is painted. Instances are painted
    over crowds. Where masks overlap, `overlap` says which one is seen: the one with fewer pixels ('small-on-top'),
    with more ('large-on-top'), the later one ('file-order', also between equals), or neither if their classes differ
    ('void'). Crowds become void, their class, or background.
    """
    if overlap not in OVERLAPS:
        raise UserError(f"no overlap rule {overlap!r}; {nearest(overlap, OVERLAPS)}")
    if crowd not in CROWDS:
        raise UserError(f"no crowd rule {crowd!r}; {nearest(crowd, CROWDS)}")
    classes = space.lookup(annotations["category_id"].to_numpy())
    is_crowd = annotations["iscrowd"].to_numpy()
    inside = classes >= 0 if crowd != "background" else (classes >= 0) & ~is_crowd
    annotations, classes, is_crowd = annotations.filter(inside), classes[inside], is_crowd[inside]
    layers = instance_runs(annotations, height, width)
    pixels = np.array([area(layer) for layer in layers], np.int64)
    order = {
        "small-on-top": np.argsort(-pixels, kind="stable"),
        "large-on-top": np.argsort(pixels, kind="stable"),
    }
    order = order.get(overlap, np.arange(len(layers)))
    canvas = np.zeros(width * height, np.uint8)
    paint = _paint_or_void if overlap == "void" else _paint
    for i in order[is_crowd[order]]:
        paint(canvas, layers[i], VOID if crowd == "void" else classes[i])
    if overlap == "void" and is_crowd.any():
        below, canvas = canvas, np.zeros(width * height, np.uint8)
    for i in order[~is_crowd[order]]:
        paint(canvas, layers[i], classes[i])
    if overlap == "void" and is_crowd.any():
        canvas = np.where(canvas == 0, below, canvas)
    return np.ascontiguousarray(canvas.reshape(width, height).T)


def label_maps(coco: Coco, space: LabelSpace, **rules: str) -> Iterator[tuple[int, np.ndarray]]:
    """(image_id, `label_map`) of every image of a file, in its order."""
    rows = coco.annotations.partition_by("image_id", as_dict=True)
    for image_id, height, width in coco.images.select("image_id", "height", "width").iter_rows():
        annotations = rows.get((image_id,), coco.annotations.clear())
        yield image_id, label_map(annotations, height, width, space, **rules)


def _drawable(polygons: list[list[float]]) -> list[list[float]]:
    # Of two points pycocotools makes a box (x, y, w, h) instead of nothing.
    drawable = [flat for flat in polygons if len(flat) >= 6]
    if not drawable:
        raise SegmentationError("polygon-too-short", "no polygon has three points")
    for flat in drawable:
        points = np.array(flat[: len(flat) // 2 * 2]).reshape(-1, 2)
        steps = np.abs(np.diff(points, axis=0, append=points[:1])).max(1)
        if not np.isfinite(points).all():
            raise SegmentationError("not-finite", "a coordinate is not a finite number")
        if not (steps.sum() < MAX_PERIMETER and np.abs(points).max() < MAX_PERIMETER):
            raise SegmentationError("coordinates-absurd", f"a polygon is longer than {MAX_PERIMETER:.0e} px")
    return drawable


def _runs_of_rle(content: _Rle, height: int, width: int) -> np.ndarray:
    if content.size != (height, width):
        raise SegmentationError(
            "rle-size",
            f"the RLE is of {content.size[0]}×{content.size[1]}, the image {height}×{width} (height×width)",
        )
    if isinstance(content.counts, str):
        counts = _counts(np.frombuffer(content.counts.encode(), np.uint8))
    else:
        try:
            counts = np.array(content.counts, np.int64)
        except OverflowError:
            counts = np.array([-1])
    if (counts < 0).any() or counts.sum() != height * width:
        raise SegmentationError(
            "rle-corrupt", f"the runs of the RLE do not add up to {height}×{width} pixels"
        )
    return _union(_bounds(counts))


def _bounds(counts: np.ndarray) -> np.ndarray:
    ends = np.cumsum(counts)
    return np.stack([ends[: len(ends) // 2 * 2 : 2], ends[1::2]], axis=1)


@numba.njit(cache=True)
def _counts(text):
    """Run lengths of a compressed RLE: 5 bits per character, least first, each from the third on a difference to the
    one before the last."""
    counts = np.zeros(len(text), np.int64)
    n, shift, value = 0, 0, 0
    for c in text:
        bits = np.int64(c) - 48
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            if bits & 16:
                value |= -1 << shift
            counts[n] = value + (counts[n - 2] if n > 2 else 0)
            n, shift, value = n + 1, 0, 0
        elif shift > 55:
            return np.full(1, -1, np.int64)
    return counts[:n]


@numba.njit(cache=True)
def _union(spans):
    """Sorted, disjoint, not touching; empty spans left out."""
    out = np.empty_like(spans)
    n = 0
    for i in np.argsort(spans[:, 0]):
        start, end = spans[i]
        if start == end:
            continue
        if n and start <= out[n - 1, 1]:
            out[n - 1, 1] = max(end, out[n - 1, 1])
        else:
            out[n] = start, end
            n += 1
    return out[:n]


@numba.njit(cache=True)
def _paint(canvas, runs, value):
    for start, end in runs:
        canvas[start:end] = value


@numba.njit(cache=True)
def _paint_or_void(canvas, runs, value):
    for start, end in runs:
        for i in range(start, end):
            canvas[i] = value if canvas[i] == 0 or canvas[i] == value else 255
