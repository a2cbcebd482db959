"""The shape of one mask, from its pixels.

Pixels are unit squares. Everything is measured on the crop of the mask to its box; what lies outside the image is
background.
"""

from math import pi, sqrt
from typing import NamedTuple

import numba
import numpy as np


class Shape(NamedTuple):
    """Measures of a mask, see `shape`; lengths in px."""

    left: int
    top: int
    width: int
    height: int
    parts: int
    largest_part: int
    holes: int
    hole_pixels: int
    perimeter: float
    compactness: float
    solidity: float
    thickness: float
    border: float


def shape(runs: np.ndarray, height: int, width: int) -> Shape:
    r"""Measure the mask of `runs` (int64 (R, 2), R > 0, see `cocoseg.coco.rasterise`) in an image of that size.

    - `left`, `top`, `width`, `height`: box of its pixels.
    - `parts`: components; pixels that touch by side or corner are one (8-connectivity). `largest_part`: pixels of
      the largest.
    - `holes`: components of the background (4-connectivity) that the mask encloses; `hole_pixels`: their pixels.
    - `perimeter`: by the Cauchy-Crofton formula, from the intersections with lines in four directions; outlines of
      holes included (Lehmann and Legland, "Efficient N-dimensional surface estimation using Crofton formula and
      run-length encoding", Insight Journal 2012).
    - `compactness`: isoperimetric quotient $4\pi A / P^2$: about 1 for a disc, less for all else. Of a few pixels, it
      can exceed 1.
    - `solidity`: area over the area of the convex hull of the pixel squares.
    - `thickness`: twice the radius of the largest inscribed disc around a pixel's centre, $2d - 1$ for the largest
      Euclidean distance $d$ from a pixel's centre to one of the background. A bar three pixels wide is 3 thick.
    - `border`: share of the pixel sides between mask and outside that lie on the border of the image.

    >>> bar = shape(np.array([[0, 3], [5, 8], [10, 13]]), 5, 5)
    >>> bar.width, bar.height, bar.parts, bar.holes, bar.solidity, bar.thickness, bar.border
    (3, 3, 1, 0, 1.0, 3.0, 0.5)
    """
    mask, left, top = _crop(runs, height)
    w, h = mask.shape[0] - 2, mask.shape[1] - 2
    pixels = int((runs[:, 1] - runs[:, 0]).sum())
    corners, down, across, diagonal = _windows(mask)
    parts = _components(mask, 1, 1)
    sides = down + across
    euler = corners - (2 * pixels + sides // 2) + pixels  # corners, sides and pixels: V - E + F
    holes = len(parts) - euler
    perimeter = pi / 8 * (sides + diagonal / sqrt(2))
    return Shape(
        left,
        top,
        w,
        h,
        len(parts),
        int(parts.max()),
        holes,
        int(_components(mask, 0, 0)[1:].sum()) if holes else 0,  # the first is the outside
        perimeter,
        4 * pi * pixels / perimeter**2,
        pixels / _hull(mask),
        2 * sqrt(_deepest(mask)) - 1,
        _on_border(mask, left == 0, top == 0, left + w == width, top + h == height) / sides,
    )


@numba.njit(cache=True)
def _crop(runs, height):
    """The mask within its box and a frame of one background pixel, column by column: uint8 (w + 2, h + 2); and the
    left and the top of the box."""
    left, right = runs[0, 0] // height, (runs[-1, 1] - 1) // height + 1
    top, bottom = height, 0
    for start, end in runs:
        if start // height != (end - 1) // height:
            top, bottom = 0, height
            break
        top = min(top, start % height)
        bottom = max(bottom, (end - 1) % height + 1)
    mask = np.zeros((right - left + 2, bottom - top + 2), np.uint8)
    for start, end in runs:
        while start < end:
            x, y = start // height, start % height
            n = min(end - start, height - y)
            mask[x - left + 1, y - top + 1 : y - top + 1 + n] = 1
            start += n
    return mask, left, top


@numba.njit(cache=True)
def _windows(mask):
    """Over all 2×2 windows of a framed mask: corners of pixels, and changes along the four directions (sides of
    pixels down and across, both diagonals together)."""
    corners, down, across, diagonal = 0, 0, 0, 0
    for x in range(mask.shape[0] - 1):
        this, following = mask[x], mask[x + 1]
        for y in range(mask.shape[1] - 1):
            a, b, c, d = this[y], this[y + 1], following[y], following[y + 1]
            corners += a | b | c | d
            down += a ^ b
            across += a ^ c
            diagonal += (a ^ d) + (b ^ c)
    return corners, down, across, diagonal


@numba.njit(cache=True)
def _on_border(mask, left, top, right, bottom):
    """Pixels of a framed mask along those sides of its box."""
    count = 0
    if left:
        count += mask[1].sum()
    if right:
        count += mask[-2].sum()
    if top:
        count += mask[:, 1].sum()
    if bottom:
        count += mask[:, -2].sum()
    return count


@numba.njit(cache=True)
def _components(mask, value, reach):
    """Pixels of each component of `value`, by its first pixel. Runs of neighbouring columns belong together if they
    share a row (reach 0: connected by sides) or come within one (reach 1: by sides and corners)."""
    columns, rows = mask.shape
    starts, ends = np.empty(mask.size, np.int32), np.empty(mask.size, np.int32)
    parent = np.empty(mask.size, np.int32)
    before, first, n = 0, 0, 0
    for x in range(columns):
        y = 0
        other = before
        while True:
            while y < rows and mask[x, y] != value:
                y += 1
            if y == rows:
                break
            starts[n] = y
            while y < rows and mask[x, y] == value:
                y += 1
            ends[n] = y
            parent[n] = n
            while other < first and ends[other] + reach <= starts[n]:
                other += 1
            touching = other
            while touching < first and starts[touching] < ends[n] + reach:
                a, b = _root(parent, touching), _root(parent, n)
                parent[max(a, b)] = min(a, b)
                touching += 1
            n += 1
        before, first = first, n
    pixels = np.zeros(n, np.int64)
    for i in range(n):
        pixels[_root(parent, i)] += ends[i] - starts[i]
    return pixels[pixels > 0]


@numba.njit(cache=True)
def _root(parent, i):
    while parent[i] != i:
        parent[i] = parent[parent[i]]
        i = parent[i]
    return i


@numba.njit(cache=True)
def _deepest(mask):
    """The largest squared distance from a pixel of a framed mask to the background.

    Distance changes by no more than the way: a block of pixels whose centre is far less deep than the deepest pixel
    so far is left out, the others are split into four.
    """
    gap = np.empty(mask.shape, np.int32)  # to the background of the same column
    for x in range(mask.shape[0]):
        gap[x, 0] = 0
        for y in range(1, mask.shape[1]):
            gap[x, y] = gap[x, y - 1] + 1 if mask[x, y] else 0
        for y in range(mask.shape[1] - 2, -1, -1):
            gap[x, y] = min(gap[x, y], gap[x, y + 1] + 1)
    size = 16
    blocks = [(x, y) for x in range(0, mask.shape[0], size) for y in range(0, mask.shape[1], size)]
    deepest = 0
    while True:
        depths = [_depth(gap, x + size // 2, y + size // 2) for x, y in blocks]
        deepest = max(deepest, max(depths))
        if size == 1:
            return deepest
        half = size // 2
        reach = half * np.sqrt(2.0) + 1e-6
        limit = max(0.0, np.sqrt(deepest) - reach) ** 2
        blocks = [
            (blocks[k][0] + i, blocks[k][1] + j)
            for k in range(len(blocks))
            if depths[k] >= limit
            for i in (0, half)
            for j in (0, half)
        ]
        size = half


@numba.njit(cache=True)
def _depth(gap, x, y):
    """Squared distance of a pixel to the background; outside the frame, 0."""
    columns, rows = gap.shape
    if x >= columns or y >= rows:
        return 0
    depth = gap[x, y] ** 2
    step = 1
    while step * step < depth:
        # The frame is background: the walk ends before it leaves it.
        depth = min(depth, step * step + min(gap[x - step, y], gap[x + step, y]) ** 2)
        step += 1
    return depth


@numba.njit(cache=True)
def _hull(mask):
    """Area of the convex hull of the pixel squares of a framed mask."""
    columns, rows = mask.shape
    tops, bottoms = np.full(columns, rows), np.zeros(columns, np.int64)
    for x in range(columns):
        for y in range(rows):
            if mask[x, y]:
                tops[x] = y
                break
        for y in range(rows - 1, tops[x] - 1, -1):
            if mask[x, y]:
                bottoms[x] = y + 1
                break
    # A line between two columns has the corners of both.
    for x in range(columns - 1):
        tops[x] = min(tops[x], tops[x + 1])
        bottoms[x] = max(bottoms[x], bottoms[x + 1])
    # A line without pixels lies inside either chain, and so never bears on it.
    return -_under_lower_hull(-bottoms[:-1]) - _under_lower_hull(tops[:-1])


@numba.njit(cache=True)
def _under_lower_hull(y):
    """Integral of the lower convex hull of the points (x, y[x]) (Andrew's monotone chain)."""
    hull = np.empty(len(y), np.int64)
    n = 0
    for x in range(len(y)):
        while n > 1:
            a, b = hull[n - 2], hull[n - 1]
            if (b - a) * (y[x] - y[a]) - (y[b] - y[a]) * (x - a) > 0:
                break
            n -= 1
        hull[n] = x
        n += 1
    total = 0.0
    for i in range(1, n):
        a, b = hull[i - 1], hull[i]
        total += (b - a) * (y[a] + y[b]) / 2
    return total
