"""Polygons as they were drawn: vertices, edges, and the faults of a hand.

A *ring* is one polygon of an annotation: f64 (V, 2), x, y in px, closed from the last vertex to the first.
"""

import numba
import numpy as np


def rings_of(polygons: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """All vertices f64 (V, 2) and the bounds i64 (n + 1) of each ring."""
    bounds = np.zeros(len(polygons) + 1, np.int64)
    np.cumsum([len(p) for p in polygons], out=bounds[1:])
    return np.concatenate(polygons), bounds


@numba.njit(cache=True)
def length(vertices, bounds):
    """Length of all rings in px.

    >>> square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    >>> length(square, np.array([0, 4]))
    16.0
    """
    total = 0.0
    for k in range(len(bounds) - 1):
        first, last = bounds[k], bounds[k + 1]
        for i in range(first, last):
            j = i + 1 if i + 1 < last else first
            total += np.hypot(vertices[j, 0] - vertices[i, 0], vertices[j, 1] - vertices[i, 1])
    return total


@numba.njit(cache=True)
def enclosed(vertices, bounds):
    """Area of the rings in px² by the shoelace formula; each ring counts as positive, overlaps of two rings twice.

    >>> square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    >>> enclosed(square, np.array([0, 4]))
    16.0
    """
    total = 0.0
    for k in range(len(bounds) - 1):
        first, last = bounds[k], bounds[k + 1]
        twice = 0.0
        for i in range(first, last):
            j = i + 1 if i + 1 < last else first
            # Relative to the first vertex, so that a small ring far from the origin keeps its digits.
            ax, ay = vertices[i, 0] - vertices[first, 0], vertices[i, 1] - vertices[first, 1]
            bx, by = vertices[j, 0] - vertices[first, 0], vertices[j, 1] - vertices[first, 1]
            twice += ax * by - bx * ay
        total += abs(twice) / 2
    return total


@numba.njit(cache=True)
def repeated(vertices, bounds):
    """Vertices that lie exactly where an earlier vertex of their ring does; a closing copy of the first counts.

    >>> repeated(np.array([[0.0, 0], [4, 0], [4, 0], [0, 4], [0, 0]]), np.array([0, 5]))
    2
    """
    count = 0
    for k in range(len(bounds) - 1):
        seen = set()
        for i in range(bounds[k], bounds[k + 1]):
            seen.add((vertices[i, 0], vertices[i, 1]))
        count += bounds[k + 1] - bounds[k] - len(seen)
    return count


@numba.njit(cache=True)
def crossings(vertices, bounds):
    """Pairs of edges of one ring that cross in a point inside both; touching is not crossing.

    Edges are swept in the order of their left ends, O(n log n) but for edges above one another.

    >>> bow_tie = np.array([[0.0, 0], [4, 4], [4, 0], [0, 4]])
    >>> crossings(bow_tie, np.array([0, 4]))
    1
    """
    count = 0
    for k in range(len(bounds) - 1):
        ring = vertices[bounds[k] : bounds[k + 1]]
        n = len(ring)
        after = np.empty_like(ring)
        left, right = np.empty(n), np.empty(n)
        for i in range(n):
            after[i] = ring[i + 1 if i + 1 < n else 0]
            left[i], right[i] = min(ring[i, 0], after[i, 0]), max(ring[i, 0], after[i, 0])
        order = np.argsort(left)
        for a in range(n):
            i = order[a]
            for b in range(a + 1, n):
                j = order[b]
                if left[j] > right[i]:
                    break
                if max(ring[j, 1], after[j, 1]) < min(ring[i, 1], after[i, 1]):
                    continue
                if min(ring[j, 1], after[j, 1]) > max(ring[i, 1], after[i, 1]):
                    continue
                if (
                    _side(ring[i], after[i], ring[j]) * _side(ring[i], after[i], after[j]) < 0
                    and _side(ring[j], after[j], ring[i]) * _side(ring[j], after[j], after[i]) < 0
                ):
                    count += 1
    return count


@numba.njit(cache=True)
def _side(a, b, p):
    """-1, 0 or 1: on which side of the line from a to b p lies; 0 also where rounding leaves it open."""
    left, right = (b[0] - a[0]) * (p[1] - a[1]), (b[1] - a[1]) * (p[0] - a[0])
    # Shewchuk's bound (Discrete & Computational Geometry 18, 1997, eq. for ORIENT2D).
    if abs(left - right) <= 4e-16 * (abs(left) + abs(right)):
        return 0
    return 1 if left > right else -1
