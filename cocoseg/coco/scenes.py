"""Where the sample's objects stand: backdrops, a camera, and who is likely to be with whom."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from cocoseg.coco import silhouettes as draw
from cocoseg.coco.painting import Canvas, grain
from cocoseg.coco.silhouettes import Silhouette, pick

SIZES = [(256, 192)] * 6 + [(256, 170)] * 3 + [(240, 180)] * 2 + [(192, 256)] * 2 + [(170, 256), (192, 192)]


class Thing(NamedTuple):
    """Something to paint: its origin in pixels, its scale in pixels per metre, and how near it is (larger = nearer).

    `category` is None for what is not annotated. Things that share a `crowd` number are one crowd.
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
    shadow: float = 0.0  # metres


class Object(NamedTuple):
    """An object of a picture, `owner` its value in the picture's owner map."""

    category: str
    owner: int
    crowd: bool


def gradient(height: int, width: int, top, bottom) -> np.ndarray:
    """A vertical gradient, float32 (height, width, 3)."""
    t = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    ramp = np.float32(top) * (1 - t) + np.float32(bottom) * t
    return np.repeat(ramp, width, 1)


def sky(rng: Generator, height: int, width: int) -> np.ndarray:
    """A clear, cloudy or evening sky."""
    top, bottom = pick(
        rng,
        [((92, 146, 200), (206, 226, 236)), ((126, 172, 212), (236, 236, 226)), ((150, 164, 178), (220, 222, 220)),
         ((112, 122, 168), (246, 202, 158)), ((70, 124, 186), (188, 218, 236))],
    )  # fmt: skip
    field = gradient(height, width, top, bottom)
    wide = cv2.resize(grain(rng, height, max(2, width // 3), 5), (width, height), interpolation=cv2.INTER_LINEAR)
    fine = cv2.resize(grain(rng, height, width // 2, 3), (width, height), interpolation=cv2.INTER_LINEAR)
    cover = np.clip((wide + 0.35 * fine - rng.uniform(-0.1, 0.6)) * 1.6, 0, 0.85)[..., None]
    return field * (1 - cover) + np.float32((248, 246, 242)) * cover


def ground(rng: Generator, height: int, width: int, far, near, rough: float = 0.12) -> np.ndarray:
    """A textured plane whose grain widens towards the camera."""
    field = gradient(height, width, far, near)
    rows = (np.linspace(0, 1, height) ** 0.6 * 300).astype(np.float32)
    v, u = np.meshgrid(rows, np.arange(width, dtype=np.float32) * 0.7, indexing="ij")
    tile = grain(rng, 320, 320, 2) * 0.6 + grain(rng, 320, 320, 0) * 0.4
    texture = cv2.remap(tile, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    return field * (1 + rough * texture[..., None])


def _join(*bands: np.ndarray) -> Canvas:
    return Canvas(np.clip(np.vstack(bands), 0, 255).astype(np.uint8))


class Place:
    """A canvas with a horizon: how large a metre is at each height of the picture."""

    def __init__(self, rng: Generator, canvas: Canvas, horizon: float, eye: float = 1.6, air=(206, 216, 224)):
        self.rng, self.canvas, self.horizon, self.eye, self.air = rng, canvas, horizon, eye, air
        self.things: list[Thing] = []

    def scale(self, y: float) -> float:
        """Pixels per metre on the ground at row y."""
        return (y - self.horizon) / self.eye

    def spot(self, near: float = 1.12, far: float = 0.06, power: float = 1.0) -> tuple[float, float]:
        """A random place on the ground, `far` and `near` as shares of the ground's height."""
        depth = self.canvas.height - self.horizon
        y = self.horizon + depth * (far + (near - far) * self.rng.random() ** power)
        return self.rng.uniform(-0.04, 1.04) * self.canvas.width, y

    def stand(self, category: str | None, silhouette: Silhouette, x: float, y: float, **more) -> None:
        """Puts something on the ground at row y."""
        haze = 0.45 * np.exp(-(y - self.horizon) / (0.16 * self.canvas.height))
        flip = more.pop("flip", bool(self.rng.random() < 0.5))
        self.things.append(Thing(category, silhouette, x, y, self.scale(y), y, flip=flip, haze=float(haze), **more))

    def hang(self, category: str, silhouette: Silhouette, x: float, y: float, scale: float, **more) -> None:
        """Puts something in the air or on a wall."""
        self.things.append(Thing(category, silhouette, x, y, scale, more.pop("depth", -1.0), **more))


def _trees(place: Place, count: int) -> None:
    rng, canvas = place.rng, place.canvas
    for _ in range(count):
        x, h = rng.uniform(0, canvas.width), rng.uniform(0.12, 0.34) * canvas.height
        y = place.horizon + rng.uniform(0, 4)
        green = pick(rng, [(76, 110, 66), (96, 126, 72), (64, 98, 78), (128, 132, 70), (168, 122, 62)])
        canvas.fill(draw.box(x - 0.04 * h, y - 0.5 * h, x + 0.04 * h, y), (92, 70, 54))
        for _ in range(9):
            a, q = rng.uniform(0, 6.28), rng.uniform(0, 0.26) * h
            c = (x + q * np.cos(a), y - 0.66 * h + q * np.sin(a))
            canvas.fill(draw.disc(*c, rng.uniform(0.1, 0.2) * h), draw.shade(green, rng.uniform(0.8, 1.15)))


def _hills(place: Place, colours) -> None:
    rng, canvas = place.rng, place.canvas
    xs = np.linspace(-5, canvas.width + 5, 40)
    for k, colour in enumerate(colours):
        amp = (0.16 - 0.05 * k) * canvas.height
        ys = place.horizon - amp * (0.5 + 0.5 * np.sin(xs / canvas.width * rng.uniform(3, 7) + rng.uniform(0, 6)))
        canvas.fill(
            np.vstack([np.c_[xs, ys], [(canvas.width + 5, place.horizon + 2), (-5, place.horizon + 2)]]), colour
        )


def _buildings(place: Place) -> None:
    rng, canvas = place.rng, place.canvas
    x = rng.uniform(-20, 0)
    while x < canvas.width:
        w, h = rng.uniform(0.12, 0.26) * canvas.width, rng.uniform(0.3, 0.98) * place.horizon
        wall = pick(
            rng, [(186, 170, 152), (158, 112, 92), (204, 196, 182), (132, 138, 148), (174, 140, 110), (120, 104, 100)]
        )
        canvas.fill(draw.box(x, place.horizon - h, x + w, place.horizon + 3), wall)
        canvas.fill(draw.box(x, place.horizon - h, x + w, place.horizon - h + 3), draw.shade(wall, 0.8))
        glass = pick(rng, [(88, 104, 120), (70, 84, 98), (226, 204, 150)])
        for row in np.arange(place.horizon - h + 8, place.horizon - 12, 15):
            for col in np.arange(x + 5, x + w - 8, 12):
                canvas.fill(draw.box(col, row, col + 6, row + 9), draw.shade(glass, rng.uniform(0.8, 1.2)))
        x += w + (rng.uniform(0, 12) if rng.random() < 0.4 else 0)


def street(rng: Generator, width: int, height: int) -> Place:
    """Buildings, pavement and a road with cars, people, lights, bicycles."""
    horizon = round(rng.uniform(0.36, 0.5) * height)
    depth = height - horizon
    kerb = round(0.3 * depth)
    asphalt = pick(rng, [(104, 104, 108), (90, 92, 96), (118, 116, 112)])
    canvas = _join(
        sky(rng, horizon, width),
        ground(rng, kerb, width, (176, 170, 160), (190, 184, 174), 0.06),
        ground(rng, depth - kerb, width, asphalt, draw.shade(asphalt, 0.9), 0.1),
    )
    place = Place(rng, canvas, horizon)
    _buildings(place)
    if rng.random() < 0.5:
        _trees(place, int(rng.integers(1, 4)))
    for k in range(-4, 9):
        y0, y1 = horizon + 0.6 * depth, horizon + 0.64 * depth
        x = k * 46 + 10
        canvas.fill(np.array([(x, y0), (x + 22, y0), (x + 24, y1), (x, y1)]), (214, 208, 190))
    for _ in range(int(rng.integers(0, 5))):
        x, y = place.spot(0.98, 0.34, 1.2)
        place.stand("car", draw.car(rng), x, y, shadow=4.2)
    _people(place, int(rng.poisson(2.6)), 1.15, 0.1)
    if rng.random() < 0.35:
        _cyclist(place)
    if rng.random() < 0.4:
        for _ in range(int(rng.integers(1, 3))):
            x, y = place.spot(0.5, 0.2)
            place.stand("traffic light", draw.traffic_light(rng), x, y, flip=False)
    if rng.random() < 0.25:
        _dog(place)
    if rng.random() < 0.12:
        place.hang("clock", moved(draw.clock(rng), 3.0), rng.uniform(0.1, 0.9) * width, 0.35 * horizon, 22)
    if rng.random() < 0.25:
        _flock(place, int(rng.integers(1, 5)))
    if rng.random() < 0.5:
        x, y = place.spot(0.9, 0.3)
        place.stand(None, [draw.Part(draw.limb((0, 0), (0, 5), 0.06), (70, 74, 78))], x, y)
    return place


def _people(place: Place, count: int, near: float = 1.12, far: float = 0.06) -> None:
    rng = place.rng
    for _ in range(count):
        x, y = place.spot(near, far, 1.3)
        flip = bool(rng.random() < 0.5)
        rain = rng.random() < 0.14
        place.stand("person", draw.person(rng, "carry" if rain else None), x, y, flip=flip, shadow=0.5)
        if rain:
            hand = (-0.28 if flip else 0.28) * place.scale(y)
            place.stand("umbrella", moved(draw.umbrella(rng), 1.0, 0, 1.3), x + hand, y, flip=flip)


def moved(silhouette: Silhouette, *args, **kwargs) -> Silhouette:
    """See `silhouettes.moved`."""
    return draw.moved(silhouette, *args, **kwargs)


def _dog(place: Place) -> None:
    x, y = place.spot(1.0, 0.3)
    place.stand("dog", draw.dog(place.rng), x, y, shadow=0.8)


def _cyclist(place: Place) -> None:
    rng = place.rng
    x, y = place.spot(0.98, 0.3)
    flip = bool(rng.random() < 0.5)
    place.stand("bicycle", draw.bicycle(rng), x, y, flip=flip, shadow=1.5)
    if rng.random() < 0.6:
        lift = 0.1
        shift = (0.2 if flip else -0.2) * place.scale(y)
        place.stand("person", moved(draw.person(rng, "ride"), 1.0, 0, lift), x + shift, y, flip=flip)


def _flock(place: Place, count: int, crowd: int = 0) -> None:
    rng, canvas = place.rng, place.canvas
    cx, cy = rng.uniform(0.2, 0.8) * canvas.width, rng.uniform(0.15, 0.6) * place.horizon
    scale = rng.uniform(5, 10) if crowd else rng.uniform(10, 42)
    for _ in range(count):
        x, y = rng.normal(cx, 0.14 * canvas.width), rng.normal(cy, 0.12 * place.horizon)
        place.hang(
            "bird", draw.bird(rng), x, y, scale * rng.uniform(0.7, 1.3), flip=bool(rng.random() < 0.5), crowd=crowd
        )


def _crowd(place: Place, count: int) -> None:
    rng, canvas = place.rng, place.canvas
    cx, y0 = (
        rng.uniform(0.25, 0.75) * canvas.width,
        place.horizon + rng.uniform(0.06, 0.14) * (canvas.height - place.horizon),
    )
    for _ in range(count):
        place.stand(
            "person", draw.person(rng, "stand"), rng.normal(cx, 0.17 * canvas.width), y0 + rng.uniform(0, 9), crowd=1
        )


def park(rng: Generator, width: int, height: int) -> Place:
    """Grass, trees and hills; people, dogs, kites, birds."""
    horizon = round(rng.uniform(0.34, 0.52) * height)
    far, near = pick(
        rng, [((150, 172, 104), (96, 136, 68)), ((176, 178, 112), (124, 142, 72)), ((132, 164, 110), (80, 122, 74))]
    )
    canvas = _join(sky(rng, horizon, width), ground(rng, height - horizon, width, far, near, 0.16))
    place = Place(rng, canvas, horizon)
    _hills(place, [(146, 166, 160), (118, 146, 112)])
    _trees(place, int(rng.integers(2, 7)))
    if rng.random() < 0.3:
        _crowd(place, int(rng.integers(14, 26)))
    _people(place, int(rng.poisson(2.4)))
    for _ in range(int(rng.integers(0, 3))):
        _dog(place)
    if rng.random() < 0.25:
        _cyclist(place)
    for _ in range(int(rng.integers(0, 3)) if rng.random() < 0.5 else 0):
        x, y = rng.uniform(0.05, 0.95) * width, rng.uniform(0.12, 0.7) * horizon
        place.hang("kite", draw.kite(rng), x, y, rng.uniform(8, 28), angle=rng.uniform(-0.7, 0.7))
    if rng.random() < 0.4:
        _flock(place, int(rng.integers(1, 6)))
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.35 else 0):
        x, y = place.spot(0.9, 0.3)
        place.stand("bird", draw.bird(rng, flying=False), x, y, shadow=0.4)
    return place


def savanna(rng: Generator, width: int, height: int) -> Place:
    """Dry grass with elephants."""
    horizon = round(rng.uniform(0.36, 0.5) * height)
    canvas = _join(
        sky(rng, horizon, width), ground(rng, height - horizon, width, (206, 184, 128), (178, 142, 82), 0.15)
    )
    place = Place(rng, canvas, horizon, eye=2.6)
    _hills(place, [(168, 160, 156)])
    for _ in range(int(rng.integers(1, 4))):
        x, y = place.spot(0.95, 0.25)
        place.stand("elephant", draw.elephant(rng), x, y, shadow=3.6)
    if rng.random() < 0.6:
        _flock(place, int(rng.integers(1, 6)))
    return place


def harbour(rng: Generator, width: int, height: int) -> Place:
    """Water with boats and gulls."""
    horizon = round(rng.uniform(0.38, 0.55) * height)
    far, near = pick(
        rng, [((150, 186, 200), (62, 112, 140)), ((172, 188, 192), (86, 116, 128)), ((120, 170, 176), (46, 102, 116))]
    )
    canvas = _join(sky(rng, horizon, width), ground(rng, height - horizon, width, far, near, 0.13))
    place = Place(rng, canvas, horizon, eye=5.0)
    if rng.random() < 0.5:
        _hills(place, [(132, 152, 166)])
    for _ in range(int(rng.integers(1, 6))):
        x, y = place.spot(0.85, 0.04, 1.5)
        place.stand("boat", draw.boat(rng), x, y, angle=rng.uniform(-0.03, 0.03), shadow=5)
    if rng.random() < 0.6:
        _flock(place, int(rng.integers(1, 7)))
    elif rng.random() < 0.6:
        _flock(place, int(rng.integers(16, 30)), crowd=2)
    return place


def beach(rng: Generator, width: int, height: int) -> Place:
    """Sand before the sea: people, parasols, kites, far boats."""
    horizon = round(rng.uniform(0.3, 0.42) * height)
    sea = round(0.16 * (height - horizon))
    canvas = _join(
        sky(rng, horizon, width),
        ground(rng, sea, width, (120, 170, 186), (96, 160, 172), 0.1),
        ground(rng, height - horizon - sea, width, (226, 208, 168), (212, 182, 132), 0.1),
    )
    place = Place(rng, canvas, horizon)
    for _ in range(int(rng.integers(0, 3))):
        x = rng.uniform(0, width)
        place.hang("boat", draw.boat(rng), x, horizon + 2, rng.uniform(1.2, 3.5), depth=horizon + 2, haze=0.25)
    _people(place, int(rng.poisson(3)), 1.1, 0.22)
    for _ in range(int(rng.integers(0, 3))):
        x, y = place.spot(0.95, 0.3)
        place.stand("umbrella", draw.umbrella(rng, beach=True), x, y, angle=rng.uniform(-0.2, 0.2), shadow=1.2)
    for _ in range(int(rng.integers(0, 4)) if rng.random() < 0.5 else 0):
        place.hang(
            "kite",
            draw.kite(rng),
            rng.uniform(0.05, 0.95) * width,
            rng.uniform(0.1, 0.7) * horizon,
            rng.uniform(8, 24),
            angle=rng.uniform(-0.7, 0.7),
        )
    if rng.random() < 0.3:
        _dog(place)
    if rng.random() < 0.3:
        _flock(place, int(rng.integers(1, 5)))
    return place


def room(rng: Generator, width: int, height: int) -> Place:
    """A wall and a floor; chairs at a table, cups and bottles on it, a clock, a cat."""
    skirting = round(rng.uniform(0.52, 0.62) * height)
    wall = pick(rng, [(214, 206, 190), (178, 192, 188), (206, 178, 160), (160, 170, 186), (222, 214, 176)])
    floor = pick(rng, [(164, 120, 82), (186, 160, 128), (128, 98, 78), (150, 146, 142)])
    canvas = _join(
        gradient(skirting, width, draw.shade(wall, 1.05), draw.shade(wall, 0.9)),
        ground(rng, height - skirting, width, draw.shade(floor, 0.9), floor, 0.07),
    )
    place = Place(rng, canvas, skirting - 0.42 * height, eye=1.5)
    canvas.fill(draw.box(0, skirting - 4, width, skirting), draw.shade(wall, 1.15))
    if rng.random() < 0.6:
        x, y = rng.uniform(0.05, 0.6) * width, rng.uniform(0.06, 0.14) * height
        w, h = rng.uniform(0.2, 0.3) * width, rng.uniform(0.2, 0.3) * height
        canvas.fill(draw.box(x - 3, y - 3, x + w + 3, y + h + 3), (238, 234, 226))
        canvas.fill(draw.box(x, y, x + w, y + h), (170, 204, 224))
        canvas.fill(draw.box(x + w / 2 - 1, y, x + w / 2 + 1, y + h), (238, 234, 226))
    if rng.random() < 0.4:
        place.hang(
            "clock",
            draw.clock(rng),
            rng.uniform(0.65, 0.92) * width,
            rng.uniform(0.1, 0.25) * height,
            rng.uniform(70, 100),
        )
    x, y = rng.uniform(0.3, 0.7) * width, rng.uniform(0.84, 0.96) * height
    scale = place.scale(y)
    for _ in range(int(rng.integers(1, 5))):
        place.stand(
            "chair",
            draw.chair(rng),
            x + rng.uniform(-0.9, 0.9) * scale,
            y + rng.uniform(-0.14, 0.12) * height,
            shadow=0.5,
        )
    top, wood = 0.74, pick(rng, [(140, 92, 58), (198, 158, 112), (92, 64, 48)])
    table = [draw.Part(draw.limb((s * 0.6, 0), (s * 0.6, top), 0.035), draw.shade(wood, 0.7)) for s in (-1, 1)]
    table += [
        draw.Part(draw.box(-0.72, top - 0.05, 0.72, top), wood),
        draw.Part(
            np.array([(-0.72, top), (0.72, top), (0.62, top + 0.12), (-0.62, top + 0.12)]), draw.shade(wood, 1.2)
        ),
    ]
    place.stand(None, table, x, y, shadow=1.3)
    for _ in range(int(rng.integers(1, 6))):
        kind = pick(rng, ["cup", "cup", "bottle", "bottle", "donut"])
        back = rng.uniform(0.01, 0.1)
        place.hang(
            kind,
            draw.DRAW[kind](rng),
            x + rng.uniform(-0.6, 0.6) * scale,
            y - (top + back) * scale,
            1.35 * scale,
            depth=y + 0.2 - back,
            flip=bool(rng.random() < 0.5),
        )
    if rng.random() < 0.35:
        place.stand("cat", draw.cat(rng), *place.spot(0.98, 0.72), shadow=0.4)
    if rng.random() < 0.4:
        place.stand("person", draw.person(rng, "stand"), *place.spot(0.95, 0.72), shadow=0.5)
    return place


def table(rng: Generator, width: int, height: int) -> Place:
    """A table top seen closely: cups, bottles, donuts."""
    edge = round(rng.uniform(0.3, 0.45) * height)
    cloth = pick(rng, [(172, 122, 78), (206, 178, 142), (120, 88, 66), (196, 200, 204), (150, 60, 56)])
    wall = pick(rng, [(198, 190, 172), (140, 152, 150), (176, 150, 132), (110, 118, 128)])
    canvas = _join(
        gradient(edge, width, draw.shade(wall, 0.85), wall),
        ground(rng, height - edge, width, draw.shade(cloth, 0.88), cloth, 0.07),
    )
    place = Place(rng, canvas, edge - 0.5 * height, eye=0.32)
    for _ in range(int(rng.integers(2, 7))):
        kind = pick(rng, ["cup", "cup", "cup", "bottle", "bottle", "donut"])
        x = rng.uniform(0.05, 0.95) * width
        y = edge + rng.uniform(0.12, 1.02) * (height - edge)
        place.stand(kind, draw.DRAW[kind](rng), x, y, shadow=0.08)
    return place


SCENES = {street: 0.27, park: 0.21, room: 0.16, beach: 0.12, harbour: 0.1, table: 0.09, savanna: 0.05}


def picture(rng: Generator) -> tuple[np.ndarray, np.ndarray, list[Object]]:
    """A picture (uint8 RGB), its owner map at the sub-pixels (see `Canvas`), and its objects."""
    width, height = pick(rng, SIZES)
    scene = list(SCENES)[int(np.searchsorted(np.cumsum(list(SCENES.values())), rng.random()))]
    place = scene(rng, width, height)
    if rng.random() < 0.05:
        place.things.clear()
    objects: dict[object, Object] = {}
    canvas = place.canvas
    for number, thing in enumerate(sorted(place.things, key=lambda t: t.depth)):
        if thing.shadow:
            canvas.shadow(thing.x, thing.y, 0.5 * thing.shadow * thing.scale, 0.09 * thing.shadow * thing.scale + 0.6)
        owner = 0
        if thing.category:
            key = ("crowd", thing.crowd) if thing.crowd else number
            owner = objects.setdefault(key, Object(thing.category, len(objects) + 1, bool(thing.crowd))).owner
        canvas.paint(
            rng,
            thing.silhouette,
            owner,
            thing.x,
            thing.y,
            thing.scale,
            flip=thing.flip,
            angle=thing.angle,
            haze=thing.haze,
            air=place.air,
        )
    return finish(rng, canvas.picture()), canvas, list(objects.values())


def finish(rng: Generator, image: np.ndarray) -> np.ndarray:
    """A camera's part in it: exposure, tint, vignette, grain."""
    height, width = image.shape[:2]
    v, u = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j].astype(np.float32)
    vignette = 1 - 0.12 * (u**2 + v**2) / 2
    tint = np.float32(rng.uniform(0.95, 1.05, 3)) * np.float32(rng.uniform(0.85, 1.1))
    out = image * vignette[..., None] * tint + 5 * grain(rng, height, width, 0)[..., None]
    return np.clip(out, 0, 255).astype(np.uint8)
