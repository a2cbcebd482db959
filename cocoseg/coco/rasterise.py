"""Annotations to pixels: runs, masks and label maps, bit-identical to pycocotools.

An annotation is decoded once, to the *runs* of its mask: int64 (R, 2), each row the start and the end (exclusive) of
a stretch of foreground in the image read column by column, sorted, disjoint and not touching. Area, mask, RLE and
label map follow from the runs; no mask is made per object.

What a polygon covers is defined by pycocotools (`rleFrPoly`; Dollár and Lin, 2015): the outline on a grid five times
finer, its crossings with the pixels' centre columns, even-odd filling. Here the crossings are computed edge by edge
for the columns of the image only, not searched along the whole fine outline, so a vertex far away costs nothing.
"""

from collections.abc import Iterator
from itertools import chain

import cv2
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


class SegmentationError(UserError):
    """A segmentation that is no mask; `code` is the finding that `cocoseg.coco.check` reports."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


class Rle(msgspec.Struct):
    """Run lengths of a mask: (height, width), and the lengths or their compressed text."""

    size: tuple[int, int]
    counts: str | list[int]


_content = msgspec.json.Decoder(list[list[float]] | Rle | None)


def decode(segmentation: bytes) -> list[list[float]] | Rle:
    """The content of a segmentation: polygons as x, y, x, y, … in px, or an RLE; else a `SegmentationError`."""
    try:
        content = _content.decode(segmentation)
    except (ValueError, RecursionError) as error:
        # What was NaN or Infinity is null by now.
        infinite = b"null" in segmentation or "out of range" in str(error)
        code = "not-finite" if infinite and segmentation.startswith(b"[[") else "segmentation-malformed"
        raise SegmentationError(code, f"segmentation: {error}") from None
    if not content:
        raise SegmentationError("segmentation-missing", "there is no segmentation")
    if isinstance(content, list) and any(len(polygon) % 2 for polygon in content):
        raise SegmentationError("segmentation-malformed", "a polygon has an x without a y")
    return content


def runs(segmentation: bytes, height: int, width: int) -> np.ndarray:
    """The mask of an annotation, the union of its polygons, as runs: int64 (R, 2) (see the module).

    Polygons of fewer than three points cover nothing. A segmentation that is no mask is a `SegmentationError`.

    >>> runs(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 4, 4)
    array([[ 4,  6],
           [ 8, 10]])
    """
    return runs_of(decode(segmentation), height, width)


def runs_of(content: list[list[float]] | Rle, height: int, width: int) -> np.ndarray:
    """`runs` of a segmentation that is decoded already."""
    if isinstance(content, Rle):
        return _runs_of_rle(content, height, width)
    flat = [polygon for polygon in content if len(polygon) >= 6]
    if not flat:
        return np.empty((0, 2), np.int64)
    points = np.array(flat[0] if len(flat) == 1 else [*chain.from_iterable(flat)], np.float64)
    return _runs_of_polygons(points.reshape(-1, 2), np.array([len(p) // 2 for p in flat]), height, width)


def rle(segmentation: bytes, height: int, width: int) -> dict:
    """The mask of an annotation as pycocotools' compressed RLE.

    >>> rle(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 4, 4)
    {'size': [4, 4], 'counts': b'42204'}
    """
    bounds = runs(segmentation, height, width).ravel()
    counts = np.diff(bounds, prepend=0, append=height * width)
    if len(bounds) and bounds[-1] == height * width:
        counts = counts[:-1]
    return coco_mask.frPyObjects({"size": [height, width], "counts": counts}, height, width)


def mask(segmentation: bytes, height: int, width: int) -> np.ndarray:
    """The mask of an annotation: uint8 H×W, 1 on the object.

    >>> mask(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 2, 4)
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]], dtype=uint8)
    """
    canvas = np.zeros(height * width, np.uint8)
    _paint(canvas, runs(segmentation, height, width), 1)
    return _rows_first(canvas, height, width)


@numba.njit(cache=True)
def area(runs):
    """Pixels in a mask given as runs.

    >>> area(runs(b"[[1, 0, 3, 0, 3, 2, 1, 2]]", 4, 4))
    4
    """
    pixels = 0
    for start, end in runs:
        pixels += end - start
    return pixels


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

    Annotations outside the label space, crowds too, are dropped before anything is painted, and instances are
    painted over crowds. Where masks overlap, `overlap` says which is seen: the one of fewer pixels ('small-on-top'),
    of more ('large-on-top'), the later one ('file-order', and between equals), or neither, if their classes differ
    ('void'). `crowd` says what a crowd becomes: 'void', its 'class', or 'background'.

    A segmentation that is no mask is a `SegmentationError`; `cocoseg.coco.check` leaves none.

    >>> from cocoseg.coco.label_space import label_space
    >>> square = b"[[1, 0, 3, 0, 3, 2, 1, 2]]"
    >>> person = pl.DataFrame({"category_id": [1], "iscrowd": [False], "segmentation": [square]})
    >>> label_map(person, 2, 4, label_space("person"))
    array([[0, 1, 1, 0],
           [0, 1, 1, 0]], dtype=uint8)
    """
    if overlap not in OVERLAPS:
        raise UserError(f"no overlap rule {overlap!r}; {nearest(overlap, OVERLAPS)}")
    if crowd not in CROWDS:
        raise UserError(f"no crowd rule {crowd!r}; {nearest(crowd, CROWDS)}")
    classes = space.lookup(annotations["category_id"].to_numpy()).tolist()
    crowds = annotations["iscrowd"].to_list()
    objects = [
        (runs(segmentation, height, width), VOID if is_crowd and crowd == "void" else number, is_crowd)
        for segmentation, number, is_crowd in zip(annotations["segmentation"], classes, crowds, strict=True)
        if number >= 0 and not (is_crowd and crowd == "background")
    ]
    if overlap in ("small-on-top", "large-on-top"):
        objects.sort(key=lambda o: area(o[0]), reverse=overlap == "small-on-top")
    paint = _paint_or_void if overlap == "void" else _paint
    canvas = np.zeros(height * width, np.uint8)
    for own, number, is_crowd in objects:
        if not is_crowd:
            paint(canvas, own, number)
    if any(is_crowd for _, _, is_crowd in objects):
        below = np.zeros(height * width, np.uint8)
        for own, number, is_crowd in objects:
            if is_crowd:
                paint(below, own, number)
        _fill(canvas, below)
    return _rows_first(canvas, height, width)


def label_maps(coco: Coco, space: LabelSpace, **rules: str) -> Iterator[tuple[int, np.ndarray]]:
    """(image_id, `label_map`) of every image of a file, in its order."""
    for image, annotations in coco.by_image():
        yield image["image_id"], label_map(annotations, image["height"], image["width"], space, **rules)


def _runs_of_rle(content: Rle, height: int, width: int) -> np.ndarray:
    if content.size != (height, width):
        raise SegmentationError(
            "rle-size", f"the RLE is of {content.size[0]}×{content.size[1]} px (H×W), the image of {height}×{width}"
        )
    try:
        compressed = isinstance(content.counts, str)
        counts = _counts(np.frombuffer(content.counts.encode(), np.uint8)) if compressed else np.array(content.counts)
        counts = counts.astype(np.int64)
    except OverflowError:
        counts = np.array([-1])
    ends = np.cumsum(counts)
    if not len(ends) or counts.min() < 0 or ends.max() != height * width:
        raise SegmentationError("rle-corrupt", f"the runs of the RLE do not add up to {height}×{width} px")
    return _union(np.stack([ends[: len(ends) // 2 * 2 : 2], ends[1::2]], axis=1))


def _rows_first(canvas: np.ndarray, height: int, width: int) -> np.ndarray:
    return cv2.transpose(canvas.reshape(width, height))


@numba.njit(cache=True)
def _paint(canvas, runs, value):
    for start, end in runs:
        canvas[start:end] = value


@numba.njit(cache=True)
def _fill(canvas, below):
    for i in range(len(canvas)):
        canvas[i] = below[i] if canvas[i] == 0 else canvas[i]


@numba.njit(cache=True)
def _paint_or_void(canvas, runs, value):
    for start, end in runs:
        for i in range(start, end):
            canvas[i] = value if canvas[i] == 0 or canvas[i] == value else VOID


@numba.njit(cache=True)
def _union(spans):
    """Spans sorted by their start as runs: empty ones left out, overlapping and touching ones joined."""
    out = np.empty_like(spans)
    n = 0
    for start, end in spans:
        if start == end:
            continue
        if n and start <= out[n - 1, 1]:
            out[n - 1, 1] = max(end, out[n - 1, 1])
        else:
            out[n, 0], out[n, 1] = start, end
            n += 1
    return out[:n]


@numba.njit(cache=True)
def _runs_of_polygons(points, sizes, height, width):
    fine = np.empty(points.shape, np.int64)
    for i in range(len(points)):
        for k in range(2):
            # Truncated towards zero, as by pycocotools, and kept where its 32-bit integers would overflow.
            fine[i, k] = np.int64(min(max(5 * points[i, k] + 0.5, -(2.0**31)), 2.0**31))
    spans = _spans(fine[: sizes[0]], height, width)
    if len(sizes) > 1:
        first = sizes[0]
        for size in sizes[1:]:
            spans = np.concatenate((spans, _spans(fine[first : first + size], height, width)))
            first += size
        spans = spans[np.argsort(spans[:, 0])]
    return _union(spans)


@numba.njit(cache=True)
def _spans(fine, height, width):
    """What an outline (int64 (V, 2), on the fine grid) encloses, (S, 2), sorted: between its first and second crossing
    of the centre of a column of pixels, its third and fourth, …

    An edge is a line of fine points, one for each step along its longer side. The centre of column c is between
    5 c + 2 and 5 c + 3, and a crossing is where the upper of the two points on either side of it is.
    """
    room = 0
    for i in range(len(fine)):
        first, end = _columns(fine[i - 1, 0], fine[i, 0], width)
        room += max(0, end - first)
    at = np.empty(room, np.int64)
    n = 0
    for i in range(len(fine)):
        x0, y0 = fine[i - 1]
        x1, y1 = fine[i]
        dx, dy = abs(x1 - x0), abs(y1 - y0)
        steep = dx < dy
        if (y0 > y1) if steep else (x0 > x1):
            x0, y0, x1, y1 = x1, y1, x0, y0
        slope = (x1 - x0) / dy if steep else (y1 - y0) / max(dx, 1)
        for column in range(*_columns(x0, x1, width)):
            x = 5 * column + 2
            if steep:
                y = y0 + _step(x0, slope, x)
            else:
                step = x - x0
                y = min(np.int64(y0 + slope * step + 0.5), np.int64(y0 + slope * (step + 1) + 0.5))
            at[n] = column * height + min(max((y + 2) // 5, 0), height)
            n += 1
    at.sort()
    return at.reshape(-1, 2)


@numba.njit(cache=True)
def _columns(x0, x1, width):
    """The first and last column (exclusive) of the image whose centre a fine edge from x0 to x1 crosses."""
    return max(0, (min(x0, x1) + 2) // 5), min(width - 1, (max(x0, x1) - 3) // 5) + 1


@numba.njit(cache=True)
def _step(x0, slope, x):
    """The last step before a steep edge gets from x to x + 1, or back; rounding decides, so the guess is mended."""
    step = np.int64((x + 0.5 - x0) / slope)
    if slope > 0:
        while np.int64(x0 + slope * step + 0.5) <= x:
            step += 1
        while np.int64(x0 + slope * (step - 1) + 0.5) > x:
            step -= 1
    else:
        while np.int64(x0 + slope * step + 0.5) > x:
            step += 1
        while np.int64(x0 + slope * (step - 1) + 0.5) <= x:
            step -= 1
    return step - 1


@numba.njit(cache=True)
def _counts(text):
    """The run lengths in a compressed RLE (pycocotools' `rleFrString`): digits of 5 bits, the least first; from the
    third on, the difference to the run before the last."""
    counts = np.empty(len(text), np.int64)
    n = shift = value = 0
    for character in text:
        digit = np.int64(character) - 48
        value |= (digit & 31) << shift
        shift += 5
        if digit < 0 or digit > 63 or shift > 35:
            return np.full(1, -1, np.int64)
        if not digit & 32:
            if digit & 16:
                value -= 1 << shift
            counts[n] = value + (counts[n - 2] if n > 2 else 0)
            n += 1
            shift = value = 0
    return counts[:n] if shift == 0 else np.full(1, -1, np.int64)
