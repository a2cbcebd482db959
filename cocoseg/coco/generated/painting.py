"""A canvas that knows whose each pixel is: silhouettes painted back to front, a picture and exact masks out.

Geometry is in integers, colours in integers or float64 and resized by OpenCV's exact methods, so that processors whose
last bits differ make the same files.
"""

from functools import cache

import cv2
import numpy as np
from numpy.random import PCG64, Generator

from cocoseg.coco.generated.silhouettes import BODY, PROP, TRACE, Silhouette

FINE = 3  # sub-pixels per pixel and axis
_BITS = 4  # geometry is rounded to 1/16 sub-pixel, so that machines whose sines differ in the last bit agree


@cache
def noise(octave: int) -> np.ndarray:
    """A 512×512 float64 tile of noise, about −1…1, whose grains are 2**octave px wide."""
    small = Generator(PCG64([octave, 2017])).integers(0, 256, (512 >> octave, 512 >> octave), np.uint8)
    return cv2.resize(small.astype(float), (512, 512), interpolation=cv2.INTER_CUBIC) / 127.5 - 1


def grain(rng: Generator, height: int, width: int, octave: int) -> np.ndarray:
    """A random crop of the noise; beyond 512 px it is mirrored."""
    y, x = rng.integers(0, max(1, 512 - height)), rng.integers(0, max(1, 512 - width))
    tile = noise(octave)[y : y + height, x : x + width]
    below, right = height - tile.shape[0], width - tile.shape[1]
    return cv2.copyMakeBorder(tile, 0, below, 0, right, cv2.BORDER_REFLECT) if below or right else tile


class Canvas:
    """A picture with FINE × FINE sub-pixels per pixel and, for each sub-pixel, its owner.

    Attributes:
        colour: uint8 (FINE·height, FINE·width, 3), RGB.
        owner: uint8 (FINE·height, FINE·width), 0 = nobody's.
    """

    def __init__(self, backdrop: np.ndarray):
        self.height, self.width = backdrop.shape[:2]
        size = (self.width * FINE, self.height * FINE)
        self.colour = cv2.resize(backdrop, size, interpolation=cv2.INTER_LINEAR_EXACT)
        self.owner = np.zeros(size[::-1], np.uint8)
        self._painted: dict[int, tuple[int, int, int, int]] = {}  # where an owner may have pixels

    def fill(self, polygon: np.ndarray, colour) -> None:
        """Paints a flat polygon of the backdrop, in pixels, y down."""
        cv2.fillPoly(self.colour, [_fixed(polygon)], [int(c) for c in colour], cv2.LINE_8, _BITS)

    def shadow(self, x: float, y: float, rx: float, ry: float, depth: float = 0.35) -> None:
        """Darkens a soft ellipse, in pixels."""
        x0, x1 = int(max(0, x - 1.5 * rx)), int(min(self.width, x + 1.5 * rx + 1))
        y0, y1 = int(max(0, y - 1.5 * ry - 1)), int(min(self.height, y + 1.5 * ry + 2))
        if x0 >= x1 or y0 >= y1:
            return
        v, u = np.ogrid[y0:y1, x0:x1]
        inside = 1.6 - 1.4 * (((u - x) / max(rx, 0.6)) ** 2 + ((v - y) / max(ry, 0.6)) ** 2)
        light = 1 - depth * np.clip(inside, 0, 1)
        view = self.colour[y0 * FINE : y1 * FINE, x0 * FINE : x1 * FINE]
        view[:] = _lit(view, light)

    def paint(
        self, rng: Generator, silhouette: Silhouette, owner: int, x: float, y: float, scale: float,
        *, flip: bool = False, angle: float = 0.0, haze: float = 0.0, air=(206, 216, 224),
    ) -> None:  # fmt: skip
        """Paints a silhouette with its origin at pixel (x, y), `scale` pixels to the metre, in the name of `owner`.

        The light comes from the upper left. `angle` turns clockwise, in radians; `haze` is the share of air in the
        colour. What lies outside the canvas is cut off.
        """
        c, s = np.cos(angle), np.sin(angle)
        axes = scale * np.array([(-c, -s) if flip else (c, s), (s, -c)])
        points = _fixed(np.vstack([part.polygon for part in silhouette]) @ axes + np.array([x, y]))
        unit = FINE << _BITS
        low = np.maximum(points.min(0) // unit - 1, 0)
        high = np.minimum(points.max(0) // unit + 2, (self.width, self.height))
        if (low >= high).any():
            return
        (x0, y0), (x1, y1) = low, high
        window = np.s_[y0 * FINE : y1 * FINE, x0 * FINE : x1 * FINE]
        under, owners = self.colour[window], self.owner[window]
        colour, (roles, traces) = under.copy(), np.zeros((2, *owners.shape), np.uint8)
        ends = np.cumsum([len(part.polygon) for part in silhouette])[:-1]
        for shape, part in zip(np.split(points - low.astype(np.int32) * unit, ends), silhouette, strict=True):
            veil = 0.5 if part.role == TRACE else haze
            tint = [(1 - veil) * a + veil * b for a, b in zip(part.colour, air, strict=True)]
            cv2.fillPoly(colour, [shape], tint, cv2.LINE_8, _BITS)
            cv2.fillPoly(traces if part.role == TRACE else roles, [shape], _ROLES[part.role], cv2.LINE_8, _BITS)
        painted = roles | traces
        alpha = cv2.resize(255 * (painted > 0).view(np.uint8), (x1 - x0, y1 - y0), interpolation=cv2.INTER_AREA) / 255
        cv2.copyTo(_lit(colour, _relief(rng, alpha)), painted, under)
        owners[roles == _ROLES[PROP]] = 0
        owners[roles == _ROLES[BODY]] = owner
        if owner:
            u0, v0, u1, v1 = self._painted.get(owner, (x0, y0, x1, y1))
            self._painted[owner] = (min(x0, u0), min(y0, v0), max(x1, u1), max(y1, v1))

    def picture(self) -> np.ndarray:
        """The picture, uint8 (height, width, 3) RGB."""
        return cv2.resize(self.colour, (self.width, self.height), interpolation=cv2.INTER_AREA)

    def owners(self) -> np.ndarray:
        """Whose each pixel is, uint8 (height, width): who has most of its sub-pixels, nobody (0) included.

        Of two with the same share, the one painted in the larger number.
        """
        most, best, taken = np.zeros((3, self.height, self.width), np.uint8)
        for k, (x0, y0, x1, y1) in sorted(self._painted.items()):
            window = np.s_[y0:y1, x0:x1]
            mine = (self.owner[y0 * FINE : y1 * FINE, x0 * FINE : x1 * FINE] == k).view(np.uint8)
            rows = sum(mine[i::FINE] for i in range(FINE))
            share = sum(rows[:, i::FINE] for i in range(FINE))
            more = (share >= best[window]) & (share > 0)
            best[window][more], most[window][more] = share[more], k
            taken[window] += share
        most[FINE**2 - taken > best] = 0
        return most


_ROLES = {PROP: 1, BODY: 2, TRACE: 3}


def _fixed(polygon: np.ndarray) -> np.ndarray:
    """Pixels to cv2's fixed-point sub-pixels, whose integers are at the centres."""
    return np.round((polygon * FINE - 0.5) * (1 << _BITS)).astype(np.int32)


def _relief(rng: Generator, alpha: np.ndarray) -> np.ndarray:
    """The light on a rounded, slightly rough body of that coverage, float64 around 1."""
    height, width = alpha.shape
    d = max(1, round(0.045 * min(height, width)))
    soft = np.pad(cv2.blur(alpha, (2 * d + 1, 2 * d + 1), borderType=cv2.BORDER_REPLICATE), d, "edge")
    relief = soft[: -2 * d, : -2 * d] - soft[2 * d :, 2 * d :]
    fall = np.linspace(0.09, -0.12, height)[:, None]
    return 1 - 0.4 * relief + fall + 0.03 * grain(rng, height, width, 1)


def _lit(colour: np.ndarray, light: np.ndarray) -> np.ndarray:
    """Colours (sub-pixels) times a light (pixels)."""
    fine = cv2.resize(
        (128 * light).clip(0, 255).astype(np.uint8), colour.shape[1::-1], interpolation=cv2.INTER_LINEAR_EXACT
    )
    return cv2.multiply(colour, cv2.merge([fine] * 3), scale=1 / 128)
