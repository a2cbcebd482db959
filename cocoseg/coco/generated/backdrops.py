"""What is behind the sample's objects and is not annotated: hills, trees, houses, rooms."""

import numpy as np

from cocoseg.coco.generated.place import Place
from cocoseg.coco.generated.shapes import arc, box, disc, limb, path, quad
from cocoseg.coco.generated.silhouettes import CLOTH, WHITE, Colour, chance, pick, shade

WALLS = [(186, 170, 152), (158, 112, 92), (204, 196, 182), (132, 138, 148), (174, 140, 110), (120, 104, 100)]
INTERIORS = [(214, 206, 190), (178, 192, 188), (206, 178, 160), (160, 170, 186), (222, 214, 176), (150, 168, 150)]
FLOORS = [(164, 120, 82), (186, 160, 128), (128, 98, 78), (150, 146, 142)]
TABLES = [(178, 126, 80), (208, 180, 142), (134, 96, 70), (202, 204, 206), (154, 62, 58), (96, 118, 132)]
LEAVES = [(76, 110, 66), (96, 126, 72), (64, 98, 78), (76, 110, 66), (128, 132, 70), (168, 122, 62)]
GREENS = [((150, 172, 104), (96, 136, 68)), ((176, 178, 112), (124, 142, 72)), ((132, 164, 110), (80, 122, 74))]
WATERS = [((150, 186, 200), (62, 112, 140)), ((172, 188, 192), (86, 116, 128)), ((120, 170, 176), (46, 102, 116))]
SAND, ASPHALT, LINE = ((226, 208, 168), (212, 182, 132)), (100, 100, 104), (218, 212, 196)


def hills(place: Place, *colours: Colour) -> None:
    """Ridges along the horizon, far ones first."""
    xs = np.linspace(-5, place.width + 5, 40)
    for k, colour in enumerate(colours):
        wave = 0.5 + 0.5 * np.sin(xs / place.width * place.between(3, 7) + place.between(0, 6))
        ys = place.horizon - (0.16 - 0.05 * k) * place.height * wave
        veil = 0.5 / (k + 1.5)
        foot = [(place.width + 5, place.horizon + 2), (-5, place.horizon + 2)]
        place.canvas.fill(
            np.vstack([np.c_[xs, ys], foot]), veil * np.array(place.mood.bottom) + (1 - veil) * np.array(colour)
        )


def tree(place: Place, x: float, y: float, h: float) -> None:
    """A tree of height h with its foot at (x, y)."""
    leaf, fill = pick(place.rng, LEAVES), place.canvas.fill
    fill(path("-.045,0 -.025,-.5 .025,-.5 .045,0") * h + np.array([x, y]), (92, 70, 54))
    tufts = [(place.between(0, 2 * np.pi), place.between(0, 0.24, h), place.between(0.1, 0.19, h)) for _ in range(9)]
    for light, up in ((0.8, 0.0), (1.0, 0.02), (1.18, 0.05)):
        for angle, out, r in tufts:
            u, v = x + out * np.cos(angle) - up * h, y + out * np.sin(angle) - (0.66 + up) * h
            fill(disc(u, v, r * (1 - 4 * up)), shade(leaf, light))


def trees(place: Place, count: int) -> None:
    """Trees along the horizon."""
    for _ in range(count):
        tree(
            place,
            place.between(0, 1, place.width),
            place.horizon + place.between(0, 4),
            place.between(0.14, 0.36, place.height),
        )


def acacia(place: Place, x: float, h: float) -> None:
    """A tree of the savanna on the horizon."""
    place.canvas.fill(limb((x, place.horizon + 2), (x + 0.1 * h, place.horizon - 0.8 * h), 0.025 * h), (88, 68, 52))
    for k, r in ((0.0, 0.42), (0.3, 0.26), (-0.28, 0.24)):
        crown = disc(x + (0.1 + k) * h, place.horizon - (0.86 - 0.3 * abs(k)) * h, r * h, 0.09 * h)
        place.canvas.fill(crown, shade((112, 118, 68), 1 - abs(k)))


def pane(place: Place) -> Colour:
    """The colour of a window: lit or not."""
    lit = chance(place.rng, 0.6 if place.mood.lamps else 0.05)
    return shade((255, 224, 150) if lit else (82, 98, 114), place.between(0.85, 1.15))


def houses(place: Place) -> None:
    """A row of houses along the horizon, shops on the ground floor."""
    rng, fill, base, x = place.rng, place.canvas.fill, place.horizon + 3, place.between(-20, 0)
    while x < place.width:
        w, top, wall = place.between(0.14, 0.28, place.width), base - place.between(0.4, 0.98, base), pick(rng, WALLS)
        fill(box(x, top, x + w, base), wall)
        fill(box(x - 1, top - 2, x + w + 1, top + 2), shade(wall, 0.78))
        pitch = w / max(2, round(w / 13))
        for v in np.arange(top + 8, base - 24, 15):
            for u in np.arange(x + 0.27 * pitch, x + w - 0.3 * pitch, pitch):
                fill(box(u - 1, v - 1, u + 0.46 * pitch + 1, v + 10), shade(wall, 1.12))
                fill(box(u, v, u + 0.46 * pitch, v + 9), pane(place))
        fill(box(x + 2, base - 14, x + w - 2, base - 1), pane(place))
        fill(box(x + 1, base - 18, x + w - 1, base - 13), pick(rng, CLOTH))
        x += w + (place.between(2, 12) if chance(rng, 0.35) else 0)


def hall(place: Place, middle: float) -> tuple[float, float]:
    """A hall with arches and a tower on the horizon; where the tower's clock belongs, and its half width."""
    wall, fill, base = pick(place.rng, WALLS), place.canvas.fill, place.horizon + 3
    half, tall, tower, top = 0.26 * place.width, 0.5 * place.horizon, 0.07 * place.width, base - 0.8 * place.horizon
    fill(box(middle - half, base - tall, middle + half, base), wall)
    fill(box(middle - half - 2, base - tall - 3, middle + half + 2, base - tall + 1), shade(wall, 0.8))
    for x in middle + half * np.linspace(-0.85, 0.85, 8):
        fill(np.vstack([arc(x, base - 0.55 * tall, 4, 5, 0, -np.pi), [(x - 4, base), (x + 4, base)]]), pane(place))
    fill(box(middle - tower, top, middle + tower, base), shade(wall, 1.06))
    fill(quad((middle - tower - 2, top), (middle, 4), (middle + tower + 2, top)), (96, 84, 84))
    return base - 0.68 * place.horizon, tower


def canyon(place: Place, centre: float) -> None:
    """A road between houses that runs away from us to a point on the horizon."""
    fill = place.canvas.fill

    def corner(across: float, up: float, scale: float) -> tuple[float, float]:
        return centre + across * scale, place.horizon + (place.eye - up) * scale

    for side in (-1, 1):
        edge, far = 6.5 * side, 1.5  # metres from the middle; pixels to the metre at the far end of a house
        while far < 60:
            near, high, wall = far * place.between(1.5, 2.2), place.between(6, 13), pick(place.rng, WALLS)
            front = quad(corner(edge, 0, far), corner(edge, high, far), corner(edge, high, near), corner(edge, 0, near))
            fill(front, shade(wall, 0.92 if side < 0 else 1.06))
            for low in np.arange(1.0, high - 2.2, 3.0):
                for t in np.linspace(0.12, 0.82, 4):
                    a, b = (1 / (1 / far + (1 / near - 1 / far) * u) for u in (t, t + 0.13))
                    up = low + 1.6
                    window = quad(corner(edge, low, a), corner(edge, up, a), corner(edge, up, b), corner(edge, low, b))
                    fill(window, pane(place))
            far = near
    end = 400.0
    fill(
        quad((centre, place.horizon), corner(-4.4, 0, end), corner(4.4, 0, end)),
        shade(ASPHALT, place.between(0.9, 1.1)),
    )
    for side in (-1, 1):
        fill(quad((centre, place.horizon), corner(side * 4.4, 0, end), corner(side * 4.2, 0, end)), LINE)
    for z in np.arange(3.0, 60.0, 5.0):
        a, b = 200 / z, 200 / (z + 2)
        fill(quad(corner(-0.1, 0, a), corner(0.1, 0, a), corner(0.1, 0, b), corner(-0.1, 0, b)), LINE)
    if chance(place.rng, 0.5):
        a = place.scale(place.row(place.between(0.3, 0.6)))
        for k in np.arange(-4.0, 4.2, 1.15):
            b = 1.35 * a
            fill(quad(corner(k, 0, a), corner(k + 0.6, 0, a), corner(k + 0.6, 0, b), corner(k, 0, b)), LINE)
    for side in (-1, 1):
        for z in np.arange(place.between(14, 24), 60, place.between(9, 14))[::-1]:
            if chance(place.rng, 0.6):
                tree(place, *corner(side * 5.3, 0, 200 / z), 1000 / z)


def trodden(place: Place) -> None:
    """A path that winds to the horizon."""
    bend, centre, t = place.between(-60, 60), place.between(0.2, 0.8, place.width), np.linspace(0, 1, 12)
    ys = place.horizon + t * (place.height - place.horizon)
    left, right = (np.c_[centre + bend * t**2 + side * (2 + 38 * t), ys] for side in (-1, 1))
    place.canvas.fill(np.vstack([left, right[::-1]]), (206, 188, 152))


def facade(place: Place, foot: float, wall: Colour) -> None:
    """The front of a café: doors, windows and a striped awning."""
    fill, cloth = place.canvas.fill, pick(place.rng, CLOTH)
    for x in np.arange(place.between(-30, 10), place.width, 62):
        fill(box(x, foot - 62, x + 40, foot - 18 if chance(place.rng, 0.6) else foot), shade(wall, 0.7))
        fill(box(x + 3, foot - 59, x + 37, foot - 21), pane(place))
        fill(box(x + 19, foot - 59, x + 21, foot - 21), shade(wall, 0.7))
    for k, x in enumerate(np.arange(-4, place.width, 14)):
        stripe = np.vstack([[(x, foot - 86), (x + 14, foot - 86)], arc(x + 7, foot - 72, 7, 5, 0, np.pi)])
        fill(stripe, shade(cloth if k % 2 else WHITE, 0.95))


def indoors(place: Place, eye: float) -> tuple[float, float] | None:
    """A wall and a floor, perhaps a window, a picture, a rug; a free spot on the wall, where there is one."""
    rng, foot = place.rng, round(place.between(0.54, 0.64, place.height))
    wall, floor = pick(rng, INTERIORS), pick(rng, FLOORS)
    place.mood = place.mood._replace(tint=tuple(0.5 + 0.5 * t for t in place.mood.tint))
    lower = place.ground(place.height - foot, shade(floor, 0.88), floor, 0.06)
    place.lay(foot - 0.42 * place.height, eye, place.gradient(foot, shade(wall, 1.05), shade(wall, 0.88)), lower)
    fill = place.canvas.fill
    fill(box(0, foot - 4, place.width, foot), shade(wall, 1.15))
    if chance(rng, 0.65):
        x, y = place.between(0.05, 0.6, place.width), place.between(0.06, 0.14, place.height)
        w, h, light, curtain = (
            place.between(0.2, 0.3, place.width),
            place.between(0.22, 0.3, place.height),
            place.mood.bottom,
            pick(rng, INTERIORS),
        )
        fill(box(x - 3, y - 3, x + w + 3, y + h + 3), WHITE)
        fill(box(x, y, x + w, y + h), light)
        fill(arc(x + 0.3 * w, y + h, 0.3 * w, 0.3 * h, 0, -np.pi), (132, 156, 122))
        fill(path(".6,0 .8,0 .5,1 .3,1") * (w, h) + np.array([x, y]), shade(light, 1.06))
        fill(box(x + w / 2 - 1, y, x + w / 2 + 1, y + h), WHITE)
        for s in (x - 7, x + w + 1):
            fill(box(s, y - 6, s + 7, y + h + 12), shade(curtain, 0.8))
    if chance(rng, 0.5):
        y = place.row(0.82)
        fill(
            disc(place.between(0.3, 0.7, place.width), y, 0.4 * place.width, 0.1 * place.height),
            shade(pick(rng, CLOTH), 0.8),
        )
    x, y = place.between(0.64, 0.92, place.width), place.between(0.1, 0.22, place.height)
    if chance(rng, 0.5):
        return x, y
    fill(box(x - 14, y - 12, x + 14, y + 16), shade(wall, 0.6))
    fill(box(x - 12, y - 10, x + 12, y + 14), pick(rng, CLOTH))
    fill(disc(x, y + 4, 6), pick(rng, CLOTH))
    return None
