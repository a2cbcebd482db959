"""What the sample draws: each category as a parametric silhouette.

A silhouette is a list of `Part`s in painter's order, in metres, x to the right and y up, standing on (or hung from,
or centred at) the origin and facing right. Every call draws other proportions, pose and colours from its generator.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

BODY, PROP, TRACE = "body", "prop", "trace"


class Part(NamedTuple):
    """A filled polygon: float64 (n, 2) in metres, its RGB colour, and whose pixels it makes.

    `BODY` belongs to the object; `PROP` hides what is behind it but belongs to nobody (a pole, a stand);
    `TRACE` is too fine to own pixels and only tints them (a spoke, a string).
    """

    polygon: np.ndarray
    colour: tuple[int, int, int]
    role: str = BODY


Silhouette = list[Part]

CLOTHES = [
    (196, 61, 52), (37, 84, 138), (232, 181, 71), (70, 126, 92), (236, 231, 219), (45, 47, 58), (141, 98, 152),
    (222, 126, 66), (112, 160, 186), (170, 64, 96), (96, 104, 62), (158, 160, 168),
]  # fmt: skip
TROUSERS = [(48, 58, 84), (39, 40, 46), (122, 106, 84), (86, 98, 116), (66, 52, 46), (176, 166, 146)]
SKIN = [(241, 205, 174), (224, 178, 140), (189, 135, 98), (133, 89, 62), (92, 60, 44)]
HAIR = [(38, 28, 24), (84, 54, 34), (168, 122, 66), (58, 42, 36), (150, 146, 142), (120, 62, 38)]
PAINT = [
    (178, 40, 44), (38, 74, 128), (226, 226, 222), (58, 60, 66), (150, 156, 162), (214, 168, 54), (52, 104, 92),
    (198, 108, 56), (96, 132, 170),
]  # fmt: skip
FUR = [(148, 96, 54), (62, 50, 44), (206, 172, 122), (226, 216, 198), (112, 84, 64), (176, 118, 66)]


def pick(rng: Generator, choices: list):
    """One of the choices, evenly."""
    return choices[int(rng.integers(len(choices)))]


def shade(colour, factor: float) -> tuple[int, int, int]:
    """A colour made darker (factor < 1) or lighter (> 1)."""
    return tuple(int(min(255, c * factor)) for c in colour)


def disc(x: float, y: float, r: float, ry: float | None = None, angle: float = 0.0, n: int = 28) -> np.ndarray:
    """An ellipse with half axes r and ry, turned by `angle`."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    return turn(np.c_[r * np.cos(t), (r if ry is None else ry) * np.sin(t)], angle) + (x, y)


def ring(outer: np.ndarray, inner: np.ndarray) -> np.ndarray:
    """A shape with a hole, as one polygon that walks in and out along the same line."""
    return np.vstack([outer, outer[:1], inner[::-1][-1:], inner[::-1]])


def limb(p, q, r: float, s: float | None = None, n: int = 7) -> np.ndarray:
    """A rounded, tapering stroke from p (radius r) to q (radius s)."""
    p, q, s = np.asarray(p, float), np.asarray(q, float), r if s is None else s
    heading = np.arctan2(q[1] - p[1], q[0] - p[0])
    half = np.linspace(np.pi / 2, 3 * np.pi / 2, n) + heading
    back, front = np.c_[np.cos(half), np.sin(half)], np.c_[np.cos(half + np.pi), np.sin(half + np.pi)]
    return np.vstack([p + r * back, q + s * front])


def blob(points, n: int = 6) -> np.ndarray:
    """A closed smooth curve through the points (Catmull-Rom)."""
    p = np.asarray(points, float)
    a, b, c, d = (np.roll(p, k, 0)[:, None] for k in (1, 0, -1, -2))
    t = np.linspace(0, 1, n, endpoint=False)[None, :, None]
    curve = b + (c - a) / 2 * t + (a - 2.5 * b + 2 * c - d / 2) * t**2 + (1.5 * (b - c) + (d - a) / 2) * t**3
    return curve.reshape(-1, 2)


def box(x0: float, y0: float, x1: float, y1: float) -> np.ndarray:
    """An upright rectangle."""
    return np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], float)


def turn(points: np.ndarray, angle: float, about=(0.0, 0.0)) -> np.ndarray:
    """The points turned counter-clockwise by `angle` (radians)."""
    c, s = np.cos(angle), np.sin(angle)
    return (np.asarray(points, float) - about) @ np.array([(c, s), (-s, c)]) + about


def moved(silhouette: Silhouette, scale: float = 1.0, dx: float = 0.0, dy: float = 0.0, angle: float = 0.0):
    """A silhouette turned, scaled and shifted."""
    return [part._replace(polygon=turn(part.polygon, angle) * scale + (dx, dy)) for part in silhouette]


def reach(origin, length: float, angle: float) -> np.ndarray:
    """The point at a distance and an angle, 0 = straight down, positive = forward."""
    return np.asarray(origin, float) + length * np.array([np.sin(angle), -np.cos(angle)])


def person(rng: Generator, pose: str | None = None) -> Silhouette:
    """A person; `pose` is one of stand, walk, run, cheer, carry, ride, sit."""
    pose = pose or pick(rng, ["stand", "walk", "walk", "stand", "run", "cheer"])
    shirt, legs, skin, hair = pick(rng, CLOTHES), pick(rng, TROUSERS), pick(rng, SKIN), pick(rng, HAIR)
    size = rng.uniform(1.5, 1.85) if rng.random() > 0.18 else rng.uniform(0.95, 1.3)
    build = rng.uniform(0.9, 1.2)
    side = {"stand": 0.35, "walk": 0.75, "run": 1.0, "cheer": 0.3, "carry": 0.6, "ride": 1.0, "sit": 1.0}[pose]
    swing = {"stand": 0.08, "walk": 0.42, "run": 0.75}.get(pose, 0.12) * rng.uniform(0.75, 1.15)
    lean = {"run": 0.2, "walk": 0.05, "ride": 0.55, "sit": -0.06}.get(pose, 0.0)

    hip = np.array([0.0, 0.5])
    neck = hip - reach((0, 0), 0.33, -lean) * (-1, 1)
    spread = 0.055 * (1 - side) + 0.012
    shoulder = (0.125 * (1 - side) + 0.03 * side) * build
    parts: Silhouette = []

    def leg(sign: float, colour) -> None:
        if pose in ("ride", "sit"):
            thigh, bend = (1.25, -1.1) if pose == "sit" else (1.2 if sign > 0 else 0.65, -1.2 if sign > 0 else -0.7)
        else:
            thigh = sign * swing
            bend = -0.9 * swing if sign < 0 else -0.15 * swing
            bend -= 0.5 if pose == "run" and sign < 0 else 0
        start = hip + (sign * spread, 0.0)
        knee = reach(start, 0.25, thigh)
        foot = reach(knee, 0.235, thigh + bend)
        parts.append(Part(limb(start, knee, 0.062 * build, 0.046 * build), colour))
        parts.append(Part(limb(knee, foot, 0.046 * build, 0.03), colour))
        parts.append(
            Part(limb(foot + (-0.005, -0.005), foot + (0.03 + 0.035 * side, -0.012), 0.027, 0.02), (42, 36, 34))
        )

    def arm(sign: float, colour) -> None:
        start = neck + (sign * shoulder * 1.05, -0.03)
        upper, bend = {
            "cheer": (sign * 2.5, sign * 0.25),
            "carry": (0.7, 1.3) if sign > 0 else (-0.15, 0.2),
            "ride": (1.15, 0.2),
            "sit": (0.5, 0.7),
            "run": (-sign * swing * 1.1, 1.4),
        }.get(pose, (-sign * swing * side * 0.9 + sign * 0.16 * (1 - side), 0.18))
        elbow = reach(start, 0.165, upper)
        hand = reach(elbow, 0.15, upper + bend)
        parts.append(Part(limb(start, elbow, 0.04 * build, 0.032), colour))
        parts.append(Part(limb(elbow, hand, 0.031, 0.022), skin if sleeves == "short" else colour))
        parts.append(Part(disc(*hand, 0.027), skin))

    sleeves = pick(rng, ["short", "long"])
    skirt = pose in ("stand", "walk", "carry", "cheer") and rng.random() < 0.28
    bare = skin if skirt or rng.random() < 0.15 else legs
    arm(-1, shade(shirt, 0.78))
    leg(-1, shade(bare, 0.78))
    leg(+1, bare)
    waist = 0.075 * build
    if skirt:
        hem = hip + (0, -0.2)
        parts.append(
            Part(np.array([hip + (-waist, 0.06), hip + (waist, 0.06), hem + (0.14, 0), hem + (-0.14, 0)]), shirt)
        )
    top = neck + (0, -0.02)
    chest = np.array([shoulder + 0.035, 0.0])
    torso = [
        hip + (-waist, -0.02),
        hip + (waist, -0.02),
        (hip + top) / 2 + (waist, 0.03),
        top + chest,
        neck + (0.03, 0.02),
    ]
    torso += [neck + (-0.03, 0.02), top - chest, (hip + top) / 2 + (-waist, 0.03)]
    parts.append(Part(blob(torso), shirt))
    head = neck + (0.025 * side + 0.5 * lean * 0.08, 0.095)
    parts.append(Part(limb(neck, head, 0.033, 0.033), shade(skin, 0.88)))
    long_hair = rng.random() < 0.35
    if long_hair:
        parts.append(Part(limb(head + (-0.02, 0.01), neck + (-0.035 * side, -0.05), 0.066, 0.045), hair))
    parts.append(Part(disc(*head, 0.058, 0.072), skin))
    cap = np.linspace(0.1 + 0.35 * side, np.pi + 0.35 + 0.3 * side, 12)
    parts.append(Part(head + np.c_[0.064 * np.cos(cap), 0.012 + 0.07 * np.sin(cap)], hair))
    if rng.random() < 0.14:
        hat = pick(rng, CLOTHES)
        parts.append(Part(head + np.c_[0.07 * np.cos(cap), 0.025 + 0.07 * np.sin(cap)], hat))
        parts.append(Part(limb(head + (0.0, 0.035), head + (0.11 * side + 0.02, 0.035), 0.013), shade(hat, 0.8)))
    if pose in ("walk", "stand") and rng.random() < 0.15:
        parts.append(
            Part(blob([top + p for p in [(-0.04, 0), (-0.16, -0.02), (-0.17, -0.2), (-0.05, -0.22)]]), pick(rng, PAINT))
        )
    arm(+1, shirt)
    return moved(parts, size)


def wheel(x: float, y: float, r: float, width: float, colour=(36, 36, 40)) -> Silhouette:
    """A tyre around a hole, with spokes."""
    angles = np.arange(6) * np.pi / 6
    spokes = [
        limb((x - r * np.cos(a), y - r * np.sin(a)), (x + r * np.cos(a), y + r * np.sin(a)), 0.006) for a in angles
    ]
    tyre = Part(ring(disc(x, y, r), disc(x, y, r - width)), colour)
    return [Part(s, (200, 200, 200), TRACE) for s in spokes] + [tyre, Part(disc(x, y, 0.045), (120, 120, 124))]


def bicycle(rng: Generator) -> Silhouette:
    """A bicycle from the side: two wheels with holes, a frame of tubes."""
    paint, r = pick(rng, PAINT), rng.uniform(0.32, 0.36)
    reach_x = rng.uniform(0.5, 0.56)
    rear, front, pedal = (-reach_x, r), (reach_x, r), (-0.06, r - 0.02)
    seat, bars = (-0.22, 0.86), (0.36, 0.9)
    down = (0.34, 0.72)
    tube = 0.026
    parts = wheel(*rear, r, 0.055) + wheel(*front, r, 0.055)
    low = rng.random() < 0.35
    lines = [
        (rear, pedal),
        (rear, (-0.19, 0.74)),
        (pedal, seat),
        (pedal, down),
        ((-0.14, 0.5) if low else (-0.19, 0.74), down),
    ]
    parts += [Part(limb(a, b, tube), paint) for a, b in lines]
    parts += [Part(limb(front, bars, tube), shade(paint, 0.85))]
    parts += [Part(limb((-0.34, 0.88), (-0.12, 0.87), 0.038, 0.024), (40, 34, 32))]
    parts += [Part(limb(bars, (0.5, 0.92), 0.022), (50, 50, 54)), Part(limb(bars, (0.3, 0.97), 0.022), (50, 50, 54))]
    parts += [Part(disc(*pedal, 0.085), (70, 70, 74)), Part(limb(pedal, (0.04, r - 0.16), 0.02), (60, 60, 64))]
    if rng.random() < 0.3:
        parts += [Part(box(0.42, 0.66, 0.72, 0.9), (150, 112, 70))]
    return parts


def car(rng: Generator) -> Silhouette:
    """A car from the side (saloon, hatchback, van) or from the front."""
    return _car_front(rng) if rng.random() < 0.3 else _car_side(rng)


def _car_side(rng: Generator) -> Silhouette:
    paint, glass = pick(rng, PAINT), pick(rng, [(150, 178, 194), (104, 128, 146), (178, 200, 208)])
    kind = pick(rng, ["saloon", "hatch", "van", "saloon", "hatch"])
    length, height = {"saloon": (4.5, 1.42), "hatch": (3.9, 1.5), "van": (4.7, 1.95)}[kind]
    length, height = length * rng.uniform(0.94, 1.05), height * rng.uniform(0.96, 1.04)
    h, belt, f = length / 2, 0.52 * height, rng.uniform(-0.03, 0.03)
    roof = {
        "saloon": [(0.42 + f, 0.62), (0.16, 1.0), (-0.34, 1.0), (-0.62 + f, 0.68), (-0.95, 0.64)],
        "hatch": [(0.5 + f, 0.6), (0.2, 0.99), (-0.72, 1.0), (-0.92, 0.66)],
        "van": [(0.72 + f, 0.56), (0.46, 0.98), (-0.93, 1.0), (-0.97, 0.6)],
    }[kind]
    outline = [(0.98 * h, 0.3), (0.97 * h, 0.44 * height + 0.1)] + [(x * h, y * height) for x, y in roof]
    outline += [(-h, 0.42 * height), (-0.99 * h, 0.26)]
    parts = [Part(box(-0.9 * h, 0.2, 0.9 * h, 0.42), shade(paint, 0.5)), Part(blob(outline, 5), paint)]
    window = [(x * h * 0.9, belt + 0.1 + (y * height - belt - 0.1) * 0.86) for x, y in roof if y > 0.9]
    front, back = roof[0][0], roof[-1 if kind != "saloon" else -2][0]
    window = [(front * h * 0.86, belt + 0.12), *window, (back * h * 0.9, belt + 0.12)]
    parts.append(Part(np.array(window), glass))
    parts.append(Part(box(-0.13 * h, belt + 0.05, -0.08 * h, height * 0.93), shade(paint, 0.9)))
    if kind == "van":
        parts.append(Part(box(-0.9 * h, belt + 0.1, -0.4 * h, height * 0.9), paint))
    parts.append(Part(limb((-0.94 * h, 0.36), (0.94 * h, 0.36), 0.03), shade(paint, 0.7)))
    parts.append(Part(limb((0.93 * h, 0.62 * belt + 0.24), (0.86 * h, 0.62 * belt + 0.26), 0.07), (250, 240, 200)))
    parts.append(Part(limb((-0.96 * h, 0.62 * belt + 0.3), (-0.93 * h, 0.62 * belt + 0.3), 0.07), (170, 30, 34)))
    for x in (-0.6 * h, 0.62 * h):
        parts += [Part(disc(x, 0.33, 0.4), shade(paint, 0.35)), Part(disc(x, 0.33, 0.33), (34, 34, 38))]
        parts += [Part(disc(x, 0.33, 0.19), (178, 180, 184)), Part(disc(x, 0.33, 0.07), (90, 92, 98))]
    return parts


def _car_front(rng: Generator) -> Silhouette:
    paint, glass = pick(rng, PAINT), (132, 158, 176)
    w, h = 0.9 * rng.uniform(0.95, 1.08), rng.uniform(1.4, 1.75)
    back = rng.random() < 0.5
    lamp = (184, 34, 36) if back else (252, 246, 214)
    parts = [Part(box(s * w * 0.72 - 0.14, 0, s * w * 0.72 + 0.14, 0.45), (32, 32, 36)) for s in (-1, 1)]
    body = [(-w, 0.25), (w, 0.25), (1.02 * w, 0.6), (0.96 * w, 0.58 * h), (0.7 * w, h), (-0.7 * w, h)]
    body += [(-0.96 * w, 0.58 * h), (-1.02 * w, 0.6)]
    parts.append(Part(blob(body, 5), paint))
    parts.append(
        Part(np.array([(-0.8 * w, 0.61 * h), (0.8 * w, 0.61 * h), (0.62 * w, 0.94 * h), (-0.62 * w, 0.94 * h)]), glass)
    )
    parts.append(Part(box(-0.95 * w, 0.22, 0.95 * w, 0.4), shade(paint, 0.55)))
    if not back:
        parts.append(Part(box(-0.45 * w, 0.44, 0.45 * w, 0.6), (44, 46, 50)))
    parts += [Part(disc(s * 0.75 * w, 0.66, 0.15, 0.09), lamp) for s in (-1, 1)]
    parts.append(Part(box(-0.22, 0.3, 0.22, 0.42), (236, 232, 214)))
    return parts


def boat(rng: Generator) -> Silhouette:
    """A sailing boat, a motor boat or a rowing boat, afloat at y = 0."""
    kind = pick(rng, ["sail", "sail", "motor", "row"])
    hull, trim = pick(rng, PAINT), pick(rng, CLOTHES)
    if kind == "row":
        parts = [
            Part(
                blob(
                    [
                        (-1.5, 0.1),
                        (-0.9, -0.1),
                        (0.9, -0.1),
                        (1.7, 0.2),
                        (1.9, 0.6),
                        (0.8, 0.42),
                        (-0.8, 0.4),
                        (-1.7, 0.52),
                    ]
                ),
                (138, 88, 52),
            )
        ]
        parts.append(Part(limb((-1.55, 0.46), (1.7, 0.5), 0.05), (182, 130, 84)))
        return parts + [Part(limb((-0.2, 0.55), (-1.4, -0.05), 0.05, 0.07), (206, 170, 120))]
    h = rng.uniform(2.6, 3.6)
    body = np.array([(-h, 0.75), (-0.92 * h, -0.05), (0.72 * h, -0.05), (1.08 * h, 0.95), (0.4 * h, 0.72)])
    parts = [Part(body, hull)]
    parts.append(Part(np.array([(-0.985 * h, 0.62), (-0.97 * h, 0.48), (0.93 * h, 0.62), (0.99 * h, 0.75)]), trim))
    if kind == "sail":
        top, cloth = (
            rng.uniform(6.5, 8.5),
            pick(rng, [(244, 240, 228), (244, 240, 228), (214, 92, 66), (232, 196, 104)]),
        )
        parts.append(Part(limb((0.05 * h, 0.7), (0.05 * h, top), 0.09, 0.06), (112, 82, 58)))
        main = [(-0.02 * h, 1.25), (-0.02 * h, top - 0.1), (-0.35 * h, 0.5 * top), (-0.92 * h, 1.3)]
        jib = [(0.12 * h, 0.92 * top), (0.95 * h, 1.15), (0.16 * h, 1.5)]
        parts += [Part(np.array(main), cloth), Part(np.array(jib), shade(cloth, 0.93))]
        parts.append(Part(limb((0.05 * h, 1.15), (-0.95 * h, 1.2), 0.06), (112, 82, 58)))
    else:
        cabin = [(-0.5 * h, 0.7), (0.35 * h, 0.7), (0.12 * h, 1.9), (-0.45 * h, 1.9)]
        parts.append(Part(np.array(cabin), (240, 238, 230)))
        parts.append(
            Part(np.array([(-0.36 * h, 1.2), (0.2 * h, 1.2), (0.08 * h, 1.7), (-0.36 * h, 1.7)]), (88, 122, 146))
        )
        parts.append(Part(limb((-0.52 * h, 1.95), (0.2 * h, 1.95), 0.07), trim))
        parts.append(Part(limb((-0.35 * h, 1.9), (-0.4 * h, 3.0), 0.06), (90, 90, 94)))
    return parts


def traffic_light(rng: Generator) -> Silhouette:
    """The lamp box of a traffic light; its pole belongs to nobody, as in COCO."""
    lit = int(rng.integers(3))
    lamps = [((226, 52, 44), (92, 36, 34)), ((246, 186, 50), (96, 76, 34)), ((74, 206, 112), (34, 82, 52))]
    body = pick(rng, [(38, 40, 42), (38, 40, 42), (196, 158, 44)])
    parts = [Part(limb((0, 0), (0, 2.6), 0.07), (84, 88, 92), PROP)]
    parts.append(Part(blob([(-0.24, 2.4), (0.24, 2.4), (0.26, 3.5), (-0.26, 3.5)], 5), body))
    for k, (on, off) in enumerate(lamps):
        y = 3.28 - 0.33 * k
        parts.append(Part(disc(0, y, 0.155), shade(body, 0.6)))
        parts.append(Part(disc(0, y - 0.01, 0.13), on if k == lit else off))
    return parts


def bird(rng: Generator, flying: bool = True) -> Silhouette:
    """A bird in flight (any wing beat) or standing."""
    coat = pick(rng, [(238, 238, 236), (92, 96, 104), (44, 44, 50), (176, 122, 78), (120, 150, 176), (206, 196, 180)])
    tip = shade(coat, 0.55)
    if not flying:
        lean = rng.uniform(-0.15, 0.2)
        parts = [Part(limb((x, 0.22), (x + 0.02, 0.0), 0.014), (206, 132, 52)) for x in (-0.03, 0.05)]
        parts += [Part(limb((x + 0.02, 0.008), (x + 0.08, 0.008), 0.012), (206, 132, 52)) for x in (-0.03, 0.05)]
        body = [
            Part(
                blob(
                    [
                        (-0.36, 0.17 + lean * 0.2),
                        (-0.1, 0.17),
                        (0.12, 0.22),
                        (0.2, 0.4),
                        (0.13, 0.5),
                        (0.0, 0.42),
                        (-0.2, 0.33),
                    ]
                ),
                coat,
            )
        ]
        body += [
            Part(disc(0.17, 0.47, 0.085), coat),
            Part(np.array([(0.23, 0.5), (0.36, 0.455), (0.23, 0.44)]), (226, 152, 48)),
        ]
        body += [
            Part(blob([(-0.34, 0.2), (-0.05, 0.22), (0.06, 0.34), (-0.08, 0.37)]), tip),
            Part(disc(0.2, 0.49, 0.014), (20, 20, 20)),
        ]
        return parts + body
    beat = rng.uniform(-0.5, 1.0)
    span = rng.uniform(0.5, 0.62)

    def wing(side: float, colour) -> Part:
        lift = span * np.sin(beat)
        out = side * span * (0.55 + 0.45 * np.cos(beat))
        return Part(
            blob(
                [
                    (0.12, 0.04),
                    (0.08 + 0.45 * out, 0.10 + 0.75 * lift),
                    (out - 0.05, lift),
                    (0.3 * out - 0.04, 0.25 * lift),
                    (-0.12, -0.02),
                ]
            ),
            colour,
        )

    far = wing(0.75, shade(coat, 0.78))
    parts = [far, Part(np.array([(-0.18, 0.02), (-0.44, 0.07), (-0.42, -0.04), (-0.18, -0.04)]), tip)]
    parts.append(Part(blob([(-0.26, 0.0), (-0.05, 0.07), (0.2, 0.07), (0.3, 0.05), (0.22, -0.04), (0.0, -0.08)]), coat))
    parts += [
        Part(disc(0.27, 0.05, 0.068), coat),
        Part(np.array([(0.32, 0.08), (0.43, 0.04), (0.32, 0.02)]), (226, 152, 48)),
    ]
    return [*parts, wing(-1.0, shade(coat, 0.92))]


def dog(rng: Generator) -> Silhouette:
    """A dog from the side, standing or trotting."""
    coat = pick(rng, FUR)
    dark, size = shade(coat, 0.72), rng.uniform(0.75, 1.2)
    gait, long = rng.uniform(0.05, 0.5), rng.uniform(0.85, 1.12)
    parts: Silhouette = []

    def leg(x: float, swing: float, hind: bool, colour) -> None:
        knee = reach((x, 0.36), 0.19, swing + (0.25 if hind else 0))
        foot = reach(knee, 0.18, swing - (0.35 if hind else 0.05))
        parts.append(Part(limb((x, 0.37), knee, 0.075 if hind else 0.06, 0.038), colour))
        parts.append(Part(limb(knee, foot, 0.036, 0.028), colour))
        parts.append(Part(limb(foot, foot + (0.035, 0.0), 0.028, 0.022), colour))

    leg(0.27 * long, -gait, False, dark)
    leg(-0.3 * long, gait, True, dark)
    tail = rng.uniform(0.2, 1.2)
    root = np.array([-0.38 * long, 0.52])
    mid = root + 0.17 * np.array([-np.cos(tail), np.sin(tail)])
    parts += [Part(limb(root, mid, 0.04, 0.03), coat), Part(limb(mid, mid + (-0.07, 0.13), 0.03, 0.015), coat)]
    leg(-0.3 * long, -gait, True, coat)
    leg(0.27 * long, gait, False, coat)
    body = [
        (-0.42, 0.5),
        (-0.3, 0.6),
        (0.0, 0.57),
        (0.24, 0.62),
        (0.38, 0.56),
        (0.36, 0.38),
        (0.2, 0.29),
        (-0.12, 0.34),
        (-0.36, 0.34),
    ]
    parts.append(Part(blob([(x * long, y) for x, y in body]), coat))
    neck, head = np.array([0.33 * long, 0.54]), np.array([0.48 * long, 0.74 + rng.uniform(-0.05, 0.06)])
    parts.append(Part(limb(neck, head, 0.11, 0.085), coat))
    if rng.random() < 0.5:
        parts.append(Part(limb(neck + (-0.02, 0.09), neck + (0.12, -0.0), 0.025), pick(rng, CLOTHES)))
    parts += [
        Part(disc(*head, 0.105, 0.095), coat),
        Part(limb(head + (0.05, -0.02), head + (0.18, -0.045), 0.062, 0.042), shade(coat, 1.08)),
    ]
    parts.append(Part(disc(*(head + (0.215, -0.03)), 0.024), (24, 20, 20)))
    if rng.random() < 0.5:
        parts.append(Part(blob([head + p for p in [(-0.05, 0.07), (0.0, 0.09), (-0.03, -0.09), (-0.11, -0.06)]]), dark))
    else:
        parts.append(Part(np.array([head + (-0.08, 0.06), head + (-0.05, 0.2), head + (0.03, 0.08)]), dark))
    parts.append(Part(disc(*(head + (0.06, 0.025)), 0.016), (22, 18, 18)))
    if rng.random() < 0.4:
        parts.insert(-6, Part(blob([(-0.3, 0.58), (-0.02, 0.56), (-0.05, 0.42), (-0.28, 0.44)]), pick(rng, FUR)))
    return moved(parts, size)


def cat(rng: Generator) -> Silhouette:
    """A cat, sitting."""
    coat = pick(rng, [*FUR, (44, 44, 48), (208, 136, 66), (150, 150, 154)])
    dark, size = shade(coat, 0.75), rng.uniform(0.85, 1.1)
    curl = rng.uniform(-0.3, 0.5)
    parts = [Part(limb((-0.16, 0.05), (-0.34, 0.07 + 0.1 * curl), 0.04, 0.034), dark)]
    parts.append(Part(limb((-0.34, 0.07 + 0.1 * curl), (-0.42, 0.22 + 0.2 * curl), 0.034, 0.026), dark))
    parts.append(
        Part(
            blob(
                [
                    (-0.2, 0.02),
                    (0.08, 0.0),
                    (0.16, 0.1),
                    (0.13, 0.32),
                    (0.1, 0.44),
                    (-0.03, 0.46),
                    (-0.12, 0.32),
                    (-0.24, 0.16),
                ]
            ),
            coat,
        )
    )
    parts.append(Part(blob([(-0.18, 0.0), (0.02, 0.0), (0.02, 0.14), (-0.1, 0.2), (-0.2, 0.12)]), shade(coat, 0.9)))
    parts += [
        Part(limb((0.1, 0.3), (0.12, 0.03), 0.045, 0.032), coat),
        Part(limb((0.11, 0.025), (0.17, 0.022), 0.03), coat),
    ]
    head = np.array([0.08, 0.53])
    for s in (-1, 1):
        parts.append(
            Part(
                np.array([head + (s * 0.11, 0.03), head + (s * 0.1, 0.2), head + (s * 0.01, 0.1)]),
                dark if s < 0 else coat,
            )
        )
    parts.append(Part(disc(*head, 0.13, 0.11), coat))
    parts.append(Part(disc(*(head + (0.03, -0.045)), 0.06, 0.042), shade(coat, 1.18)))
    parts += [Part(disc(*(head + (dx, 0.015)), 0.022, 0.026), (196, 206, 96)) for dx in (-0.03, 0.075)]
    parts += [Part(disc(*(head + (dx, 0.015)), 0.009, 0.022), (20, 20, 20)) for dx in (-0.03, 0.075)]
    return moved([*parts, Part(disc(*(head + (0.03, -0.025)), 0.014), (190, 110, 104))], size)


def elephant(rng: Generator) -> Silhouette:
    """An elephant from the side."""
    hide = pick(rng, [(126, 120, 116), (108, 104, 106), (142, 126, 112)])
    dark, gait = shade(hide, 0.75), rng.uniform(0.04, 0.22)
    size = rng.uniform(0.9, 1.1) if rng.random() > 0.25 else rng.uniform(0.45, 0.65)
    parts: Silhouette = []

    def leg(x: float, swing: float, colour) -> None:
        foot = reach((x, 1.2), 1.05, swing)
        parts.append(Part(limb((x, 1.25), foot, 0.36, 0.25), colour))
        parts.append(
            Part(np.array([foot + p for p in [(-0.26, -0.15), (0.28, -0.15), (0.25, 0.1), (-0.25, 0.1)]]), colour)
        )

    leg(0.75, -gait, dark)
    leg(-0.85, gait, dark)
    parts.append(Part(limb((-1.5, 1.9), (-1.72, 1.1), 0.07, 0.04), dark))
    leg(-1.0, -gait, hide)
    leg(0.62, gait, hide)
    body = [
        (-1.55, 1.75),
        (-1.2, 2.45),
        (-0.3, 2.72),
        (0.6, 2.6),
        (1.2, 2.5),
        (1.3, 1.7),
        (0.7, 1.1),
        (-0.4, 0.98),
        (-1.3, 1.1),
    ]
    parts.append(Part(blob(body), hide))
    lift = rng.uniform(-0.35, 0.35) if rng.random() < 0.75 else rng.uniform(0.9, 1.5)
    joint, angle, radius = np.array([1.95, 1.95]), 0.15 + 0.3 * lift, 0.27
    for _ in range(6):
        tip = reach(joint, 0.33, angle)
        parts.append(Part(limb(joint, tip, radius, radius - 0.034), hide))
        joint, angle, radius = tip, angle + 0.28 * lift + 0.02, radius - 0.034
    parts.append(
        Part(blob([(1.0, 2.5), (1.45, 2.88), (1.95, 2.75), (2.2, 2.2), (2.05, 1.75), (1.5, 1.6), (1.1, 1.8)]), hide)
    )
    if rng.random() < 0.8:
        parts.append(
            Part(
                blob([(1.85, 1.72), (2.02, 1.76), (2.5, 1.42), (2.62, 1.55), (2.42, 1.32), (2.0, 1.5)]), (240, 234, 214)
            )
        )
    flap = rng.uniform(0, 0.22)
    ear = [(1.3, 2.55), (1.0, 2.62 + flap), (0.62 - flap, 2.3), (0.68 - flap, 1.75), (1.0, 1.42), (1.3, 1.75)]
    parts += [Part(blob(ear), shade(hide, 0.87)), Part(disc(1.72, 2.28, 0.06), (28, 24, 24))]
    return moved(parts, size)


def umbrella(rng: Generator, beach: bool = False) -> Silhouette:
    """An open umbrella, its grip at the origin; a parasol stands in the sand."""
    first, second = pick(rng, CLOTHES), pick(rng, [*CLOTHES, (244, 240, 230), (244, 240, 230)])
    width, rise, stem = (1.15, 0.75, 1.75) if beach else (0.62, 0.42, 0.62)
    width *= rng.uniform(0.9, 1.1)
    plain = rng.random() < 0.4
    parts = [Part(limb((0, 0), (0, stem + rise), 0.035 if beach else 0.016), (96, 74, 58))]
    if not beach:
        parts.append(Part(ring(disc(0.045, 0, 0.062, n=16), disc(0.045, 0, 0.03, n=16)), (96, 74, 58)))
    panels = 6
    edges = np.linspace(-1, 1, panels + 1)
    for k, (a, b) in enumerate(zip(edges[:-1], edges[1:], strict=True)):
        t = np.linspace(0, 1, 7)
        arc = lambda e: np.c_[width * e * np.sin(t * np.pi / 2), stem + rise * np.cos(t * np.pi / 2)]  # noqa: E731
        scallop = np.c_[width * (b + (a - b) * t), stem + 0.14 * rise * np.sin(t * np.pi)]
        colour = shade(first if plain or k % 2 else second, 0.86 + 0.05 * (panels - k))
        parts.append(Part(np.vstack([arc(b), scallop[1:], arc(a)[::-1][1:]]), colour))
    return [*parts, Part(limb((0, stem + rise), (0, stem + rise + 0.09), 0.02), (96, 74, 58))]


def kite(rng: Generator) -> Silhouette:
    """A kite with spars, a tail with bows and a string that fades into the sky."""
    first, second = pick(rng, CLOTHES), pick(rng, CLOTHES)
    w, top, low = rng.uniform(0.42, 0.55), rng.uniform(0.45, 0.6), rng.uniform(0.75, 1.0)
    tip, foot, left, right = (0, top), (0, -low), (-w, 0), (w, 0)
    bend = rng.uniform(-0.5, 0.5)
    parts = [Part(limb((0, 0), (0.6, -4.5), 0.012), (236, 236, 232), TRACE)]
    tail = [np.array([0.0, -low])]
    for k in range(4):
        tail.append(tail[-1] + (bend * 0.3 + 0.16 * (-1) ** k, -0.26))
    parts += [Part(limb(a, b, 0.022), shade(second, 0.85)) for a, b in zip(tail[:-1], tail[1:], strict=True)]
    for k, p in enumerate(tail[1:]):
        colour = first if k % 2 else second
        parts += [Part(np.array([p, p + (s * 0.14, 0.08), p + (s * 0.14, -0.08)]), colour) for s in (-1, 1)]
    for (a, b), c in zip(
        [(tip, left), (left, foot), (foot, right), (right, tip)], [first, second, first, second], strict=True
    ):
        parts.append(Part(np.array([(0, 0), a, b], float), c))
    spar = shade(first, 0.5)
    return [*parts, Part(limb(tip, foot, 0.014), spar), Part(limb(left, right, 0.014), spar)]


def bottle(rng: Generator) -> Silhouette:
    """A bottle with a cap and a label."""
    glass = pick(rng, [(52, 98, 62), (104, 60, 36), (176, 206, 214), (214, 228, 232), (44, 60, 48), (198, 120, 60)])
    wide, tall, neck = rng.uniform(0.034, 0.044), rng.uniform(0.24, 0.31), rng.uniform(0.011, 0.016)
    shoulder = tall * rng.uniform(0.52, 0.68)
    right = [
        (wide, 0.004),
        (wide, shoulder),
        (wide * 0.8, shoulder + 0.028),
        (neck * 1.1, shoulder + 0.055),
        (neck, tall),
    ]
    outline = np.array([(0.8 * wide, 0), *right, *[(-x, y) for x, y in right[::-1]], (-0.8 * wide, 0)])
    label = pick(rng, [*CLOTHES, (240, 234, 216), (240, 234, 216)])
    parts = [Part(outline, glass), Part(box(-wide, 0.22 * shoulder, wide, 0.78 * shoulder), label)]
    parts.append(Part(box(-0.6 * wide, 0.44 * shoulder, 0.6 * wide, 0.56 * shoulder), shade(label, 0.6)))
    parts.append(Part(box(-neck * 1.25, tall - 0.008, neck * 1.25, tall + 0.012), pick(rng, CLOTHES)))
    return [*parts, Part(limb((-0.62 * wide, 0.02), (-0.62 * wide, shoulder), 0.003), (250, 250, 250), TRACE)]


def cup(rng: Generator) -> Silhouette:
    """A mug with a handle around a hole, or a paper cup."""
    glaze = pick(rng, [*CLOTHES, (240, 236, 226), (240, 236, 226)])
    w, h, taper = rng.uniform(0.038, 0.046), rng.uniform(0.08, 0.1), rng.uniform(0.75, 1.0)
    tilt = 0.011
    if rng.random() < 0.25:
        w, h, taper, parts = w * 0.95, h * 1.35, 0.7, []
    else:
        parts = [
            Part(
                ring(disc(w * 0.98, h * 0.52, 0.03, h * 0.32, n=20), disc(w * 0.98, h * 0.52, 0.018, h * 0.2, n=20)),
                shade(glaze, 0.85),
            )
        ]
    low = np.linspace(np.pi, 2 * np.pi, 12)
    base = np.c_[taper * w * np.cos(low), 0.008 + 0.008 * np.sin(low)]
    parts.append(Part(np.vstack([base, [(w, h), (-w, h)]]), glaze))
    if rng.random() < 0.5:
        t = rng.uniform(0.3, 0.5)
        edge = lambda y: w * (taper + (1 - taper) * y)  # noqa: E731
        parts.append(
            Part(
                np.array(
                    [
                        (-edge(t), t * h),
                        (edge(t), t * h),
                        (edge(t + 0.2), (t + 0.2) * h),
                        (-edge(t + 0.2), (t + 0.2) * h),
                    ]
                ),
                pick(rng, CLOTHES),
            )
        )
    parts.append(Part(disc(0, h, w, tilt), shade(glaze, 1.1)))
    return [
        *parts,
        Part(disc(0, h - 0.001, w * 0.86, tilt * 0.72), pick(rng, [(74, 44, 28), (112, 70, 42), (160, 92, 40)])),
    ]


def donut(rng: Generator) -> Silhouette:
    """A donut with icing and sprinkles, seen at an angle, its hole open."""
    icing = pick(rng, [(236, 148, 168), (92, 54, 36), (244, 238, 226), (238, 196, 96), (170, 120, 180)])
    flat, hole = rng.uniform(0.55, 0.95), rng.uniform(0.3, 0.38)
    r = rng.uniform(0.048, 0.056)
    y = r * flat
    wave = 1 + 0.045 * np.sin(np.arange(28) * 2 * np.pi / 28 * 7 + rng.uniform(0, 6))
    top = disc(0, y + 0.006, 0.9 * r, 0.9 * r * flat)
    top = (top - (0, y)) * wave[:, None] + (0, y)
    parts = [Part(ring(disc(0, y, r, y), disc(0, y, hole * r, hole * y)), (204, 148, 88))]
    parts.append(Part(ring(top, disc(0, y + 0.003, 1.25 * hole * r, 1.25 * hole * y)), icing))
    for _ in range(int(rng.integers(0, 3)) * 9):
        a, q = rng.uniform(0, 2 * np.pi), rng.uniform(1.45 * hole, 0.8) * r
        p = np.array([q * np.cos(a), y + 0.004 + q * flat * np.sin(a)])
        parts.append(Part(limb(p, reach(p, 0.007, rng.uniform(0, 6)), 0.0018), pick(rng, CLOTHES)))
    return parts


def chair(rng: Generator) -> Silhouette:
    """A chair from the side front: four legs, a seat, a back with gaps."""
    wood = pick(rng, [(150, 100, 60), (98, 64, 42), (214, 178, 128), (232, 228, 220), (58, 60, 66), (172, 62, 52)])
    dark, slant = shade(wood, 0.7), rng.uniform(0.02, 0.07)
    seat, top, half, depth = (
        rng.uniform(0.43, 0.48),
        rng.uniform(0.88, 1.02),
        rng.uniform(0.2, 0.24),
        rng.uniform(0.07, 0.14),
    )
    leg = 0.022
    parts = [Part(limb((x + depth, depth * 0.7), (x + depth * 0.9, seat + 0.05), leg), dark) for x in (-half, half)]
    back = [(-half + depth, seat), (half + depth, seat), (half + depth + slant, top), (-half + depth + slant, top)]
    parts += [Part(limb(back[0], back[3], leg), wood), Part(limb(back[1], back[2], leg), wood)]
    style = pick(rng, ["slats", "rails", "solid"])
    if style == "solid":
        pad = [
            (x + slant * 0.5, y)
            for x, y in [
                (-half + depth, seat + 0.2),
                (half + depth, seat + 0.2),
                (half + depth + slant, top),
                (-half + depth + slant, top),
            ]
        ]
        parts.append(Part(np.array(pad), shade(wood, 0.92)))
    else:
        parts.append(Part(limb((back[3][0], top - 0.02), (back[2][0], top - 0.02), 0.034), wood))
        for k in (1, 2, 3) if style == "slats" else ():
            x = -half + depth + 2 * half * k / 4
            parts.append(Part(limb((x, seat), (x + slant, top), 0.016), wood))
        for k in (1, 2) if style == "rails" else ():
            y = seat + (top - seat) * k / 3
            parts.append(Part(limb((-half + depth + slant * k / 3, y), (half + depth + slant * k / 3, y), 0.024), wood))
    board = np.array(
        [
            (-half - 0.03, seat),
            (half + 0.03, seat),
            (half + depth + 0.02, seat + depth * 0.6),
            (-half + depth - 0.02, seat + depth * 0.6),
        ]
    )
    parts.append(Part(board, shade(wood, 1.15)))
    parts.append(Part(box(-half - 0.03, seat - 0.035, half + 0.03, seat), shade(wood, 0.85)))
    return [*parts, *[Part(limb((x, 0.02), (x, seat), leg), wood) for x in (-half, half)]]


def clock(rng: Generator) -> Silhouette:
    """A wall clock, its centre at the origin."""
    rim, face = pick(rng, [*PAINT, (150, 100, 60)]), pick(rng, [(246, 242, 230), (246, 242, 230), (48, 50, 58)])
    ink = (40, 40, 44) if sum(face) > 380 else (240, 236, 224)
    r = rng.uniform(0.16, 0.22)
    square = rng.random() < 0.25
    parts = [Part(box(-r, -r, r, r) if square else disc(0, 0, r, n=40), rim)]
    parts.append(Part(box(-0.84 * r, -0.84 * r, 0.84 * r, 0.84 * r) if square else disc(0, 0, 0.84 * r, n=40), face))
    for k in range(12):
        a = k * np.pi / 6
        parts.append(
            Part(
                limb(
                    reach((0, 0), 0.66 * r, a), reach((0, 0), 0.76 * r, a), 0.022 * r + (0.012 * r if k % 3 == 0 else 0)
                ),
                ink,
            )
        )
    hour, minute = rng.uniform(0, 2 * np.pi, 2)
    parts += [
        Part(limb((0, 0), reach((0, 0), 0.42 * r, hour), 0.05 * r), ink),
        Part(limb((0, 0), reach((0, 0), 0.64 * r, minute), 0.034 * r), ink),
    ]
    return [*parts, Part(disc(0, 0, 0.07 * r), (196, 61, 52))]


DRAW: dict[str, Callable[..., Silhouette]] = {
    "person": person, "bicycle": bicycle, "car": car, "boat": boat, "traffic light": traffic_light, "bird": bird,
    "cat": cat, "dog": dog, "elephant": elephant, "umbrella": umbrella, "kite": kite, "bottle": bottle, "cup": cup,
    "donut": donut, "chair": chair, "clock": clock,
}  # fmt: skip
