"""A canvas that knows whose every pixel is: silhouettes painted back to front, pictures and exact masks out."""

from functools import cache

import cv2
import numpy as np
from numpy.random import PCG64, Generator

from cocoseg.coco.silhouettes import BODY, TRACE, Silhouette

FINE = 3  # sub-pixels per pixel and axis
_SHIFT = 4  # cv2's fixed-point bits: geometry is rounded to 1/16 sub-pixel, so that machines agree


@cache
def noise(octave: int) -> np.ndarray:
    """A 512×512 uint8 tile of noise around 128, its grains 2**octave px wide."""
    rng = Generator(PCG64([octave, 2017]))
    small = rng.integers(0, 256, (512 >> octave, 512 >> octave), np.uint8)
    return cv2.resize(small, (512, 512), interpolation=cv2.INTER_CUBIC)


def grain(rng: Generator, height: int, width: int, octave: int) -> np.ndarray:
    """A random crop of the noise tile, float32 in −1…1."""
    y, x = rng.integers(0, 512 - height), rng.integers(0, 512 - width)
    return noise(octave)[y : y + height, x : x + width].astype(np.float32) / 127.5 - 1


class Canvas:
    """A picture at FINE sub-pixels per pixel (uint8 RGB) and, for each sub-pixel, its owner (0 = nobody)."""

    def __init__(self, backdrop: np.ndarray):
        self.height, self.width = backdrop.shape[:2]
        size = (self.width * FINE, self.height * FINE)
        self.colour = cv2.resize(backdrop, size, interpolation=cv2.INTER_LINEAR)
        self.owner = np.zeros(size[::-1], np.uint8)

    def fill(self, polygon: np.ndarray, colour) -> None:
        """A flat polygon of nobody, in pixels."""
        points = _fixed(polygon)
        cv2.fillPoly(self.colour, [points], [int(c) for c in colour], cv2.LINE_8, _SHIFT)
        cv2.fillPoly(self.owner, [points], 0, cv2.LINE_8, _SHIFT)

    def shadow(self, x: float, y: float, rx: float, ry: float, depth: float = 0.35) -> None:
        """Darkens a soft ellipse, in pixels."""
        x0, x1 = int(max(0, x - 1.5 * rx)), int(min(self.width, x + 1.5 * rx + 1))
        y0, y1 = int(max(0, y - 1.5 * ry - 1)), int(min(self.height, y + 1.5 * ry + 2))
        if x0 >= x1 or y0 >= y1:
            return
        v, u = np.mgrid[y0:y1, x0:x1].astype(np.float32)
        inside = 1.6 - 1.4 * (((u - x) / rx) ** 2 + ((v - y) / max(ry, 0.6)) ** 2)
        keep = (128 * (1 - depth * np.clip(inside, 0, 1))).astype(np.uint8)
        self._multiply(x0, y0, x1, y1, keep)

    def _multiply(self, x0: int, y0: int, x1: int, y1: int, factor: np.ndarray) -> None:
        view = self.colour[y0 * FINE : y1 * FINE, x0 * FINE : x1 * FINE]
        factor = cv2.resize(factor, view.shape[1::-1], interpolation=cv2.INTER_LINEAR)
        view[:] = cv2.multiply(view, cv2.merge([factor] * 3), scale=1 / 128)

    def paint(
        self, rng: Generator, silhouette: Silhouette, owner: int, x: float, y: float, scale: float,
        *, flip: bool = False, angle: float = 0.0, haze: float = 0.0, air=(200, 210, 220),
    ) -> None:  # fmt: skip
        """Paints a silhouette with its origin at pixel (x, y), `scale` pixels per metre, in the name of `owner`.

        The light comes from the upper left; `haze` mixes the colour of the air in.
        """
        c, s = np.cos(angle), np.sin(angle)
        axes = scale * np.array([(-c if flip else c, s if flip else -s), (-s, -c)])
        shapes = [_fixed(part.polygon @ axes + (x, y)) for part in silhouette]
        solid = [p for p, part in zip(shapes, silhouette, strict=True) if part.role != TRACE]
        low = np.maximum(np.min([p.min(0) for p in solid], 0) // (16 * FINE) - 1, 0)
        high = np.minimum(np.max([p.max(0) for p in solid], 0) // (16 * FINE) + 2, (self.width, self.height))
        if (low >= high).any():
            return
        (x0, y0), (x1, y1) = low, high
        window = np.s_[y0 * FINE : y1 * FINE, x0 * FINE : x1 * FINE]
        colour, mask = self.colour[window].copy(), np.zeros(self.owner[window].shape, np.uint8)
        touched = np.zeros_like(mask)
        for points, part in zip(shapes, silhouette, strict=True):
            points = points - (low * 16 * FINE).astype(np.int32)
            if part.role == TRACE:
                before = colour.copy()
                cv2.fillPoly(colour, [points], part.colour, cv2.LINE_8, _SHIFT)
                colour = cv2.addWeighted(before, 0.5, colour, 0.5, 0)
                cv2.fillPoly(touched, [points], 1, cv2.LINE_8, _SHIFT)
            else:
                cv2.fillPoly(colour, [points], part.colour, cv2.LINE_8, _SHIFT)
                cv2.fillPoly(mask, [points], 2 if part.role == BODY else 1, cv2.LINE_8, _SHIFT)
        painted = mask > 0
        height, width = y1 - y0, x1 - x0
        alpha = cv2.resize(painted.astype(np.float32), (width, height), interpolation=cv2.INTER_AREA)
        light = self._light(rng, alpha, min(height, width))
        if haze > 0:
            colour = cv2.addWeighted(colour, 1 - haze, np.full_like(colour, air), haze, 0)
        light = cv2.resize(light, mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
        colour = cv2.multiply(colour, cv2.merge([light] * 3), scale=1 / 128)
        cv2.copyTo(colour, mask | touched, self.colour[window])
        self.owner[window][mask == 1] = 0
        self.owner[window][mask == 2] = owner

    @staticmethod
    def _light(rng: Generator, alpha: np.ndarray, size: float) -> np.ndarray:
        """Shading of a rounded, slightly rough body, uint8 with 128 = unchanged."""
        height, width = alpha.shape
        d = max(1, round(0.045 * size))
        soft = cv2.blur(alpha, (2 * d + 1, 2 * d + 1), borderType=cv2.BORDER_REPLICATE)
        toward = np.float32([[1, 0, -d], [0, 1, -d]])
        away = np.float32([[1, 0, d], [0, 1, d]])
        same = {"dsize": (width, height), "flags": cv2.INTER_NEAREST, "borderMode": cv2.BORDER_REPLICATE}
        relief = cv2.warpAffine(soft, toward, **same) - cv2.warpAffine(soft, away, **same)
        fall = np.linspace(0.09, -0.12, height, dtype=np.float32)[:, None]
        rough = 0.05 * grain(rng, min(height, 500), min(width, 500), 1)
        field = 1 - 0.42 * relief + fall
        field[: rough.shape[0], : rough.shape[1]] += rough
        return np.clip(128 * field, 0, 255).astype(np.uint8)

    def picture(self) -> np.ndarray:
        """The picture, uint8 (height, width, 3) RGB."""
        return cv2.resize(self.colour, (self.width, self.height), interpolation=cv2.INTER_AREA)

    def owners(self) -> np.ndarray:
        """Whose each pixel is, uint8 (height, width): that owner, nobody included, who has most of its sub-pixels."""
        parts = self.owner.reshape(self.height, FINE, self.width, FINE)
        most = np.zeros((self.height, self.width), np.uint8)
        best = (parts == 0).sum((1, 3), dtype=np.uint8)
        for k in np.flatnonzero(np.bincount(self.owner.ravel(), minlength=256))[1:] if self.owner.any() else ():
            rows, columns = np.flatnonzero((self.owner == k).any(1)), np.flatnonzero((self.owner == k).any(0))
            y0, y1, x0, x1 = rows[0] // FINE, rows[-1] // FINE + 1, columns[0] // FINE, columns[-1] // FINE + 1
            share = (parts[y0:y1, :, x0:x1] == k).sum((1, 3), dtype=np.uint8)
            more = share >= best[y0:y1, x0:x1]
            best[y0:y1, x0:x1][more] = share[more]
            most[y0:y1, x0:x1][more] = k
        return most


def _fixed(polygon: np.ndarray) -> np.ndarray:
    return np.round((np.asarray(polygon) * FINE - 0.5) * 16).astype(np.int32)
