"""How coarse the polygons are: what is left of a mask when its polygons have fewer vertices.

Where dropping vertices hardly moves the contour, the outline was drawn finer than it had to be; where it moves far, the
vertices that are there are all that holds the shape.
"""

from itertools import pairwise

import numba
import numpy as np
import polars as pl

from cocoseg.coco.rasterise import area, runs_of
from cocoseg.coco.read import polygons
from cocoseg.masks.outlines import length, rings_of
from cocoseg.masks.runs import common
from cocoseg.masks.shard import Shard

TOLERANCES = (0.5, 1.0, 2.0, 4.0)  # px
WAYS = ("half", *(f"dp {eps:g}" for eps in TOLERANCES))
ROW = {
    "simplified": pl.String,
    "vertices": pl.Int32,
    "mean_shift": pl.Float64,
    "max_shift": pl.Float64,
    "iou": pl.Float64,
}


def coarseness(shard: Shard) -> pl.DataFrame:
    """One row per polygon annotation (one whose mask has no pixel is left out) and way of simplifying its polygons.

    - `annotation_id`, `image_id`, `category_id` i64, `size` str.
    - `simplified` str: 'half' (every second vertex dropped) or 'dp 0.5', 'dp 1', 'dp 2', 'dp 4' (Douglas-Peucker with
      that tolerance in px).
    - `vertices` i32: vertices left.
    - `mean_shift`, `max_shift` f64, px: mean and largest distance from a point of either contour to the other (average
      symmetric surface distance and Hausdorff distance), see `shift`.
    - `iou` f64: of the simplified mask with the original, both rasterised. A polygon that is left with two vertices
      has no pixels.
    """
    key = ("annotation_id", "image_id", "category_id", "size")
    columns = shard.annotations.select(*key, "encoding", "segmentation", "height", "width").iter_rows()
    rows = [
        (*ids, *row)
        for (*ids, encoding, segmentation, height, width), runs in zip(columns, shard.runs, strict=True)
        if encoding == "polygon" and len(runs)
        for row in _simplified(polygons(segmentation), runs, height, width)
    ]
    schema = {name: shard.annotations.schema[name] for name in key} | ROW
    return pl.DataFrame(rows, schema, orient="row").sort("annotation_id", "simplified")


def _simplified(rings: list[np.ndarray], runs: np.ndarray, height: int, width: int) -> list[tuple]:
    vertices, bounds = rings_of(rings)
    keeps = [half(bounds), *(douglas_peucker(vertices, bounds, eps) for eps in TOLERANCES)]
    rows = []
    for way, keep in zip(WAYS, keeps, strict=True):
        simple, simple_bounds = _kept(vertices, bounds, keep)
        mean, largest = shift(vertices, bounds, simple, simple_bounds)
        flat = [simple[i:j].ravel().tolist() for i, j in pairwise(simple_bounds)]
        left = runs_of(flat, height, width)
        both = common(runs, left)
        rows.append((way, len(simple), mean, largest, both / (area(runs) + area(left) - both)))
    return rows


@numba.njit(cache=True)
def half(bounds):
    """Which vertices of rings stay if every second is dropped, from the second on: bool (V,).

    Rings of less than five vertices, which would be left with two, stay as they are.

    >>> half(np.array([0, 4, 9])).astype(int)
    array([1, 1, 1, 1, 1, 0, 1, 0, 1])
    """
    keep = np.ones(bounds[-1], np.bool_)
    for k in range(len(bounds) - 1):
        if bounds[k + 1] - bounds[k] > 4:
            keep[bounds[k] + 1 : bounds[k + 1] : 2] = False
    return keep


@numba.njit(cache=True)
def douglas_peucker(vertices, bounds, tolerance):
    """Which vertices of rings stay if those within `tolerance` px of the rest are dropped: bool (V,).

    Each ring is cut at its first vertex and at the one farthest from it. In each chain the vertex farthest from the
    chord stays if it is farther than the tolerance, and divides the chain in two (Douglas and Peucker, The Canadian
    Cartographer 10(2), 1973). So every vertex is within the tolerance of the simplified ring.

    >>> ring = np.array([[0.0, 0], [4, 0.5], [8, 0], [8, 8]])
    >>> douglas_peucker(ring, np.array([0, 4]), 1.0)
    array([ True, False,  True,  True])
    """
    keep = np.zeros(len(vertices), np.bool_)
    for k in range(len(bounds) - 1):
        ring, n = vertices[bounds[k] : bounds[k + 1]], bounds[k + 1] - bounds[k]
        if n == 0:
            continue
        stays = keep[bounds[k] : bounds[k + 1]]
        far = np.argmax((ring[:, 0] - ring[0, 0]) ** 2 + (ring[:, 1] - ring[0, 1]) ** 2)
        stays[0] = stays[far] = True
        chains = [(0, far), (far, n)]
        while len(chains):
            first, last = chains.pop()
            end = ring[last % n]
            farthest, at = tolerance**2, -1
            for i in range(first + 1, last):
                distance = _to_segment(ring[i, 0], ring[i, 1], ring[first, 0], ring[first, 1], end[0], end[1])
                if distance > farthest:
                    farthest, at = distance, i
            if at >= 0:
                stays[at] = True
                chains.append((first, at))
                chains.append((at, last))
    return keep


@numba.njit(cache=True)
def _kept(vertices, bounds, keep):
    left = np.zeros_like(bounds)
    for k in range(len(bounds) - 1):
        left[k + 1] = left[k] + keep[bounds[k] : bounds[k + 1]].sum()
    return vertices[keep], left


@numba.njit(cache=True)
def shift(a, a_bounds, b, b_bounds):
    """Mean and largest distance in px between two contours, each given as the vertices f64 (V, 2) and bounds of rings.

    Both contours are sampled at their vertices and at least once per px; from a sample to the other contour the
    distance is exact. The mean is over the length of both, so the result is symmetric.

    >>> ring, bounds = np.array([[0.0, 0], [8, 0], [8, 8], [0, 8]]), np.array([0, 4])
    >>> mean, largest = shift(ring, bounds, ring + 2, bounds)
    >>> round(mean, 2), round(largest, 2)
    (1.79, 2.83)
    """
    a_sum, a_max = _directed(a, a_bounds, b, b_bounds)
    b_sum, b_max = _directed(b, b_bounds, a, a_bounds)
    total, largest = length(a, a_bounds) + length(b, b_bounds), max(a_max, b_max)
    return (a_sum + b_sum) / total if total > 0 else largest, largest


@numba.njit(cache=True)
def _directed(a, a_bounds, b, b_bounds):
    """Integral over the contour `a`, by the trapezoidal rule, and maximum of the distance to `b`."""
    edges = np.empty((len(b), 4))
    for k in range(len(b_bounds) - 1):
        first, last = b_bounds[k], b_bounds[k + 1]
        for i in range(first, last):
            j = i + 1 if i + 1 < last else first
            edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3] = b[i, 0], b[i, 1], b[j, 0], b[j, 1]
    near = np.empty(len(b), np.int64)
    total, largest = 0.0, 0.0
    for k in range(len(a_bounds) - 1):
        first, last = a_bounds[k], a_bounds[k + 1]
        for i in range(first, last):
            j = i + 1 if i + 1 < last else first
            count = _near(a[i], a[j], edges, near)
            if count == 0:
                continue
            dx, dy = a[j, 0] - a[i, 0], a[j, 1] - a[i, 1]
            edge = np.hypot(dx, dy)
            steps = max(1, int(np.ceil(edge)))
            before = 0.0
            for step in range(steps + 1):
                x, y = a[i, 0] + step / steps * dx, a[i, 1] + step / steps * dy
                nearest = np.inf
                for n in near[:count]:
                    nearest = min(nearest, _to_segment(x, y, edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3]))
                distance = np.sqrt(nearest)
                if step:
                    total += (before + distance) / 2 * edge / steps
                largest = max(largest, distance)
                before = distance
    return total, largest


@numba.njit(cache=True)
def _near(p, q, edges, near):
    """Writes to `near` which of the `edges` can be the nearest to a point of the segment p-q, and returns how many; 0
    if the whole segment lies on one of them."""
    reach = np.inf  # the distance to an edge is convex, along p-q at most that of an end
    for n in range(len(edges)):
        ax, ay, bx, by = edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3]
        ends = max(_to_segment(p[0], p[1], ax, ay, bx, by), _to_segment(q[0], q[1], ax, ay, bx, by))
        reach = min(reach, ends)
    if reach == 0:
        return 0
    reach = np.sqrt(reach) * (1 + 1e-9)
    left, right = min(p[0], q[0]) - reach, max(p[0], q[0]) + reach
    top, bottom = min(p[1], q[1]) - reach, max(p[1], q[1]) + reach
    count = 0
    for n in range(len(edges)):
        ax, ay, bx, by = edges[n, 0], edges[n, 1], edges[n, 2], edges[n, 3]
        if max(ax, bx) >= left and min(ax, bx) <= right and max(ay, by) >= top and min(ay, by) <= bottom:
            near[count] = n
            count += 1
    return count


@numba.njit(cache=True)
def _to_segment(x, y, ax, ay, bx, by):
    """Squared distance of a point to a segment."""
    dx, dy = bx - ax, by - ay
    along = dx * dx + dy * dy
    t = ((x - ax) * dx + (y - ay) * dy) / along if along > 0 else 0.0
    t = min(1.0, max(0.0, t))
    return (x - ax - t * dx) ** 2 + (y - ay - t * dy) ** 2
