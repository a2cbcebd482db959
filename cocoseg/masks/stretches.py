"""An image cut where any mask begins or ends.

A *stretch* is a run of pixels, in column-major order, that the same annotations claim. Overlaps, painting orders and
crowds are sums over the few thousand stretches of an image instead of its pixels.
"""

from typing import NamedTuple

import numba
import numpy as np


class Stretches(NamedTuple):
    """Stretch i is the pixels starts[i] … ends[i] - 1, claimed by rows[bounds[i] : bounds[i + 1]], in no order; sorted,
    those that nobody claims left out. All i64."""

    starts: np.ndarray
    ends: np.ndarray
    bounds: np.ndarray
    rows: np.ndarray


def stretches(masks: list[np.ndarray]) -> Stretches:
    """Cut an image by its masks, given as runs (see `cocoseg.coco.rasterise`); rows are positions in the list.

    >>> stretches([np.array([[0, 4]]), np.array([[2, 6]])])
    Stretches(starts=array([0, 2, 4]), ends=array([2, 4, 6]), bounds=array([0, 1, 3, 4]), rows=array([0, 0, 1, 1]))
    """
    cuts = np.concatenate([mask.ravel() for mask in masks]) if masks else np.empty(0, np.int64)
    row = np.repeat(np.arange(len(masks)), [mask.size for mask in masks])
    order = np.argsort(cuts)
    return Stretches(*_stretches(cuts[order], row[order], order % 2 == 0, len(masks)))


@numba.njit(cache=True)
def _stretches(cuts, row, begins, masks):
    depth = total = 0
    for i in range(len(cuts)):
        depth += 1 if begins[i] else -1
        total += max(depth, 0)
    starts, ends = np.empty(len(cuts), np.int64), np.empty(len(cuts), np.int64)
    bounds, rows = np.zeros(len(cuts) + 1, np.int64), np.empty(total, np.int64)
    active, place = np.empty(masks, np.int64), np.empty(masks, np.int64)
    count = n = 0
    for i in range(len(cuts) - 1):
        if begins[i]:
            active[count], place[row[i]] = row[i], count
            count += 1
        else:
            count -= 1
            active[place[row[i]]], place[active[count]] = active[count], place[row[i]]
        if count and cuts[i] < cuts[i + 1]:
            starts[n], ends[n], bounds[n + 1] = cuts[i], cuts[i + 1], bounds[n] + count
            rows[bounds[n] : bounds[n] + count] = active[:count]
            n += 1
    return starts[:n], ends[:n], bounds[: n + 1], rows[: bounds[n]]


@numba.njit(cache=True)
def top(cut, rank):
    """The row of the highest rank of each stretch, -1 where all ranks are negative: i64.

    Args:
        cut: `Stretches`.
        rank: i64 for each row; negative if it is not painted at all.

    >>> top(stretches([np.array([[0, 4]]), np.array([[2, 6]])]), np.array([5, -1]))
    array([ 0,  0, -1])
    """
    rows = np.full(len(cut.starts), -1)
    for i in range(len(rows)):
        best = -1
        for row in cut.rows[cut.bounds[i] : cut.bounds[i + 1]]:
            if rank[row] > best:
                best, rows[i] = rank[row], row
    return rows
