"""A scene in the making: the weather, a camera over level ground, and what stands and hangs in front of it."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from cocoseg.coco.generated.painting import Canvas, grain
from cocoseg.coco.generated.silhouettes import Colour, Silhouette, chance, pick

SIZES = [(256, 192)] * 6 + [(256, 170)] * 3 + [(240, 180)] * 2 + [(192, 256)] * 2 + [(170, 256), (192, 192)]


class Mood(NamedTuple):
    """The weather and the hour: the sky from top to horizon, how clouded (−1…1), the light's tint, lamps lit or not."""

    top: Colour
    bottom: Colour
    clouds: float
    tint: tuple[float, float, float]
    lamps: bool = False


CLEAR = Mood((92, 146, 200), (206, 226, 236), -0.25, (1.0, 1.0, 1.0))
MOODS = [
    CLEAR,
    CLEAR,
    CLEAR,
    Mood((70, 124, 186), (188, 218, 236), 0.1, (1.03, 1.01, 0.97)),
    Mood((126, 172, 212), (238, 236, 224), -0.1, (1.02, 1.0, 0.97)),
    Mood((152, 164, 176), (220, 222, 220), 0.5, (0.93, 0.95, 0.98)),
    Mood((116, 128, 172), (248, 206, 160), 0.0, (1.05, 0.96, 0.86)),
    Mood((38, 48, 88), (150, 118, 138), -0.1, (0.72, 0.74, 0.88), True),
]


class Thing(NamedTuple):
    """Something to paint: its origin in pixels, pixels to the metre, and how near it is (larger = nearer).

    What has no category is not annotated. Things of one category and one `crowd` (> 0) are one object.
    """

    category: str | None
    silhouette: Silhouette
    x: float
    y: float
    scale: float
    depth: float
    flip: bool = False
    angle: float = 0.0
    crowd: int = 0
    haze: float = 0.0
    shadow: float = 0.0  # width in metres


class Place:
    """A picture to be: a backdrop, level ground under a horizon, and things.

    The camera is `eye` metres above the ground, so whatever reaches the horizon is `eye` metres tall.
    """

    def __init__(self, rng: Generator):
        self.rng, self.mood, self.things = rng, pick(rng, MOODS), []
        self.width, self.height = pick(rng, SIZES)

    def between(self, low: float, high: float, whole: float = 1.0) -> float:
        """A random number, evenly between two shares of a whole."""
        return self.rng.uniform(low, high) * whole

    def apart(self, low: float, high: float) -> float:
        """A random number whose logarithm is even: sizes and distances."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def some(self, mean: float) -> range:
        """As many turns as chance will have it."""
        return range(int(self.rng.poisson(mean)))

    def few(self, low: int, high: int, probability: float = 1.0) -> range:
        """From low to high turns, or none at all."""
        return range(int(self.rng.integers(low, high + 1)) if chance(self.rng, probability) else 0)

    def gradient(self, height: int, top: Colour, bottom: Colour) -> np.ndarray:
        """A band of colour, float64 (height, width, 3)."""
        t = np.linspace(0, 1, height)[:, None, None]
        return np.repeat(np.array(top) * (1 - t) + np.array(bottom) * t, self.width, 1)

    def sky(self, height: int) -> np.ndarray:
        """A band of sky with clouds."""
        broad, fine = (
            cv2.resize(grain(self.rng, height, self.width // n, octave), (self.width, height))
            for n, octave in ((3, 5), (2, 3))
        )
        cover = np.clip(1.6 * (broad + 0.35 * fine - self.between(-0.1, 0.5) + self.mood.clouds), 0, 0.8)[..., None]
        white = np.array(self.mood.bottom) * 0.5 + 124
        return self.gradient(height, self.mood.top, self.mood.bottom) * (1 - cover) + white * cover

    def ground(self, height: int, far: Colour, near: Colour, rough: float, stretch: float = 1.0) -> np.ndarray:
        """A band of ground whose grain widens towards the camera; `stretch` makes waves of it."""
        rows, columns = np.linspace(0, 1, height) ** 0.6 * 300, np.arange(self.width) * (0.7 / stretch)
        tile = 0.6 * grain(self.rng, 320, 320, 2) + 0.4 * grain(self.rng, 320, 320, 0)
        v, u = np.round(32 * np.array(np.meshgrid(rows, columns, indexing="ij"))) / 32  # as finely as remap looks
        texture = cv2.remap(tile, np.float32(u), np.float32(v), cv2.INTER_LINEAR)
        return self.gradient(height, far, near) * (1 + rough * texture[..., None])

    def lay(self, horizon: float, eye: float, *bands: np.ndarray) -> None:
        """Starts the canvas from bands of colour, top to bottom; an upright picture is taken from further away."""
        self.horizon, self.eye = horizon, eye * max(1.0, self.height / self.width / 0.75)
        self.canvas = Canvas(np.vstack(bands)[: self.height].clip(0, 255).astype(np.uint8))

    def outdoors(self, horizon: int, eye: float, far: Colour, near: Colour, rough: float, stretch: float = 1.0) -> None:
        """Starts the canvas with sky above the horizon and ground below."""
        self.lay(horizon, eye, self.sky(horizon), self.ground(self.height - horizon, far, near, rough, stretch))

    def scale(self, y: float) -> float:
        """Pixels to the metre for what stands on row y."""
        return (y - self.horizon) / self.eye

    def row(self, share: float) -> float:
        """The row at a share of the way from the horizon to the bottom of the picture."""
        return self.horizon + share * (self.height - self.horizon)

    def spot(self, far: float, near: float, power: float = 1.3) -> tuple[float, float]:
        """A random place on the ground; a larger `power` favours what is far."""
        return self.between(-0.04, 1.04, self.width), self.row(far + (near - far) * self.rng.random() ** power)

    def stand(self, category: str | None, silhouette: Silhouette, x: float, y: float, **more) -> None:
        """Puts something on row y of the ground, or `lift` metres above it."""
        more.setdefault("flip", chance(self.rng, 0.5))
        scale, lift, depth = self.scale(y), more.pop("lift", 0.0), more.pop("depth", y)
        haze = 0.4 * float(np.exp(-(y - self.horizon) / (0.16 * self.height)))
        self.things.append(Thing(category, silhouette, x, y - lift * scale, scale, depth, haze=haze, **more))

    def hang(self, category: str, silhouette: Silhouette, x: float, y: float, scale: float, **more) -> None:
        """Puts something in the air or on a wall, behind all that stands."""
        more.setdefault("flip", chance(self.rng, 0.5))
        self.things.append(Thing(category, silhouette, x, y, scale, more.pop("depth", -1.0), **more))
