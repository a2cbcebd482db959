"""The few shapes from which the sample is drawn: polygons, float64 (n, 2), x to the right and y up."""

import numpy as np


def path(text: str) -> np.ndarray:
    """Points written as in SVG.

    >>> path("0,0 1.5,2").tolist()
    [[0.0, 0.0], [1.5, 2.0]]
    """
    return np.array([point.split(",") for point in text.split()], float)


def quad(*points: tuple[float, float]) -> np.ndarray:
    """The polygon through these points."""
    return np.array(points, float)


def at(point, dx: float, dy: float) -> np.ndarray:
    """A point, or points, moved."""
    return np.asarray(point, float) + np.array([dx, dy])


def reach(origin, length: float, angle: float) -> np.ndarray:
    """The point at a distance in a direction: 0 is straight down, π/2 forward.

    >>> reach((0, 1), 1, 0).tolist()
    [0.0, 0.0]
    """
    return at(origin, length * np.sin(angle), -length * np.cos(angle))


def turn(points: np.ndarray, angle: float) -> np.ndarray:
    """Points turned counter-clockwise about the origin."""
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray(points, float) @ np.array([(c, s), (-s, c)])


def disc(x: float, y: float, rx: float, ry: float | None = None, n: int = 28) -> np.ndarray:
    """A circle, or an ellipse with half axes rx and ry."""
    return arc(x, y, rx, rx if ry is None else ry, 0, 2 * np.pi, n + 1)[:-1]


def arc(x: float, y: float, rx: float, ry: float, start: float, stop: float, n: int = 12) -> np.ndarray:
    """A piece of an ellipse, both ends included."""
    t = start + (stop - start) / (n - 1) * np.arange(n)
    return np.array([x + rx * np.cos(t), y + ry * np.sin(t)]).T


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """An upright rectangle."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def limb(p, q, r: float, s: float | None = None, n: int = 7) -> np.ndarray:
    """A rounded stroke from p to q, its radius going from r to s."""
    (px, py), (qx, qy), s = p, q, r if s is None else s
    heading = np.arctan2(qy - py, qx - px)
    back, front = np.pi / 2 + heading, np.pi * 3 / 2 + heading
    return np.vstack([arc(px, py, r, r, back, front, n), arc(qx, qy, s, s, front, front + np.pi, n)])


def blob(points, n: int = 6) -> np.ndarray:
    """A closed smooth curve through the points (a Catmull-Rom spline)."""
    p = np.asarray(points, float)
    a, b, c, d = (np.roll(p, k, 0)[:, None] for k in (1, 0, -1, -2))
    t = np.linspace(0, 1, n, endpoint=False)[None, :, None]
    curve = b + (c - a) / 2 * t + (a - 2.5 * b + 2 * c - d / 2) * t**2 + (1.5 * (b - c) + (d - a) / 2) * t**3
    return curve.reshape(-1, 2)


def ring(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """A shape with a hole, as one polygon that walks in and back along the same line.

    >>> ring(box(0, 0, 3, 3), box(1, 1, 2, 2)).shape
    (10, 2)
    """
    inner = inner[::-1]
    return np.vstack([outer, outer[:1], inner[-1:], inner])
