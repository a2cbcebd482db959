"""What the sample draws: each category as a parametric silhouette.

A silhouette is a list of `Part`s in painter's order, in metres, facing right, standing on the origin (or afloat on it,
hung or seated at it, where the function says so). Every call draws other proportions, another pose and other colours.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.random import Generator

from cocoseg.coco.generated.shapes import arc, at, blob, box, disc, limb, path, quad, reach, ring, turn

BODY, PROP, TRACE = "body", "prop", "trace"
Colour = tuple[int, int, int]


class Part(NamedTuple):
    """A filled polygon, its RGB colour, and whose pixels it makes.

    A `BODY` belongs to the object; a `PROP` hides what is behind it but belongs to nobody (the pole of a traffic
    light); a `TRACE` is too fine to own pixels and only tints them (a spoke, a string).
    """

    polygon: np.ndarray
    colour: Colour
    role: str = BODY


class Silhouette(list[Part]):
    """Parts in painter's order."""

    def add(self, colour: Colour, *polygons: np.ndarray, role: str = BODY) -> None:
        """Draws polygons over what is there."""
        self.extend(Part(polygon, colour, role) for polygon in polygons)

    def moved(self, scale: float = 1, dx: float = 0, dy: float = 0, angle: float = 0) -> "Silhouette":
        """The silhouette turned, scaled and shifted."""
        return Silhouette(part._replace(polygon=at(turn(part.polygon, angle) * scale, dx, dy)) for part in self)

    def grounded(self) -> "Silhouette":
        """The silhouette with its lowest point on the ground."""
        return self.moved(dy=-min(float(part.polygon[:, 1].min()) for part in self))


INK, RUBBER, STEEL, WHITE, BEAK = (24, 20, 20), (36, 36, 40), (176, 178, 182), (244, 240, 230), (224, 146, 48)
CLOTH = [
    (196, 61, 52), (37, 84, 138), (232, 181, 71), (70, 126, 92), (236, 231, 219), (45, 47, 58), (141, 98, 152),
    (222, 126, 66), (112, 160, 186), (170, 64, 96), (96, 104, 62), (158, 160, 168),
]  # fmt: skip
PAINT = [
    (178, 40, 44), (38, 74, 128), (226, 226, 222), (58, 60, 66), (150, 156, 162), (214, 168, 54), (52, 104, 92),
    (198, 108, 56), (96, 132, 170),
]  # fmt: skip
TROUSERS = [(48, 58, 84), (39, 40, 46), (122, 106, 84), (86, 98, 116), (66, 52, 46), (176, 166, 146)]
SKIN = [(241, 205, 174), (224, 178, 140), (189, 135, 98), (133, 89, 62), (92, 60, 44)]
HAIR = [(38, 28, 24), (84, 54, 34), (168, 122, 66), (58, 42, 36), (150, 146, 142), (120, 62, 38)]
FUR = [(148, 96, 54), (62, 50, 44), (206, 172, 122), (226, 216, 198), (112, 84, 64), (176, 118, 66)]
PLUMAGE = [(238, 238, 236), (92, 96, 104), (44, 44, 50), (176, 122, 78), (120, 150, 176), (206, 196, 180)]
WOOD = [(150, 100, 60), (98, 64, 42), (214, 178, 128), (232, 228, 220), (58, 60, 66), (172, 62, 52)]
GLASS = [(150, 178, 194), (104, 128, 146), (178, 200, 208)]


def pick(rng: Generator, choices: list):
    """One of the choices, each as likely as the next."""
    return choices[int(rng.integers(len(choices)))]


def chance(rng: Generator, probability: float) -> bool:
    """True with that probability."""
    return bool(rng.random() < probability)


def shade(colour: Colour, factor: float) -> Colour:
    """A colour made darker (factor < 1) or lighter (> 1)."""
    return tuple(int(min(255, c * factor)) for c in colour)


class Pose(NamedTuple):
    """How a person holds themselves, in radians, 0 = hanging down, positive = forward; the far limb first."""

    side: float  # 0 = seen from the front, 1 = from the side
    lean: float
    thighs: tuple[float, float]
    knees: tuple[float, float]
    arms: tuple[float, float]
    elbows: tuple[float, float]


POSES = {
    "stand": Pose(0.25, 0.0, (-0.05, 0.05), (0.0, 0.0), (-0.16, 0.16), (-0.05, 0.12)),
    "walk": Pose(0.8, 0.05, (-0.38, 0.38), (-0.35, -0.06), (0.5, -0.5), (0.35, 0.1)),
    "run": Pose(1.0, 0.2, (-0.65, 0.85), (-1.15, -0.55), (0.85, -0.9), (1.4, 1.2)),
    "cheer": Pose(0.2, 0.0, (-0.12, 0.12), (0.0, 0.0), (-2.5, 2.55), (-0.25, 0.2)),
    "carry": Pose(0.7, 0.0, (-0.2, 0.22), (-0.15, -0.05), (-0.15, 0.7), (0.2, 1.3)),
    "hold": Pose(0.6, -0.05, (-0.1, 0.12), (0.0, 0.0), (-0.1, 1.9), (0.15, 0.5)),
    "ride": Pose(1.0, 0.55, (0.65, 1.25), (-0.75, -1.2), (0.75, 0.9), (0.15, 0.2)),
    "sit": Pose(0.9, -0.05, (1.2, 1.32), (-1.15, -1.2), (0.4, 0.55), (0.75, 0.85)),
}


def person(rng: Generator, pose: str | None = None) -> Silhouette:
    """A person of any age in one of the `POSES`; who rides or sits has the seat at the origin."""
    pose = pose or pick(rng, ["stand", "stand", "walk", "walk", "run", "cheer"])
    side, lean, thighs, knees, arms, elbows = POSES[pose]
    child = pose != "ride" and chance(rng, 0.18)
    size, build = rng.uniform(0.95, 1.3) if child else rng.uniform(1.55, 1.85), rng.uniform(0.9, 1.2)
    vigour = rng.uniform(0.7, 1.2) if pose in ("walk", "run") else 1.0
    shirt, trousers, skin, hair = pick(rng, CLOTH), pick(rng, TROUSERS), pick(rng, SKIN), pick(rng, HAIR)
    skirt = pose in ("stand", "walk", "carry") and chance(rng, 0.28)
    bare = skirt or chance(rng, 0.15)
    sleeve = skin if chance(rng, 0.5) else shirt
    wide, waist = (0.125 * (1 - side) + 0.045 * side) * build, (0.085 - 0.012 * side) * build
    hip, face = np.zeros(2), 1.2 if child else 1.0
    neck = reach(hip, -0.33, -lean)
    head = at(neck, 0.02 * side + 0.04 * lean, 0.095 * face)
    body = Silhouette()

    def leg(which: int, light: float) -> None:
        colour = shade(skin if bare else trousers, light)
        start = at(hip, (2 * which - 1) * (0.055 - 0.043 * side), 0)
        knee = reach(start, 0.25, thighs[which] * vigour)
        foot = reach(knee, 0.235, (thighs[which] + knees[which]) * vigour)
        body.add(colour, limb(start, knee, 0.064 * build, 0.046 * build), limb(knee, foot, 0.045 * build, 0.028))
        body.add(shade((66, 54, 50), light), limb(foot, at(foot, 0.02 + 0.05 * side, -0.012), 0.028, 0.02))

    def arm(which: int, light: float) -> None:
        start = at(neck, (2 * which - 1) * wide, -0.035)
        elbow = reach(start, 0.16, arms[which] * vigour)
        wrist = reach(elbow, 0.15, arms[which] * vigour + elbows[which])
        body.add(shade(shirt, light), limb(start, elbow, 0.04 * build, 0.032))
        body.add(shade(sleeve, light), limb(elbow, wrist, 0.03, 0.022))
        body.add(shade(skin, light), disc(*wrist, 0.026))

    arm(0, 0.78)
    leg(0, 0.78)
    leg(1, 1.0)
    if skirt:
        body.add(shirt, quad((-waist, 0.06), (waist, 0.06), (0.14, -0.2), (-0.14, -0.2)))
    if chance(rng, 0.35):
        body.add(hair, limb(at(head, -0.02 * side, 0), at(neck, -0.06 * side, -0.04), 0.068 * face, 0.06))
    half = np.array(
        [at(hip, waist, -0.02), at((hip + neck) / 2, waist, 0.03), at(neck, wide + 0.02, -0.05), at(neck, 0.03, 0.02)]
    )
    spine = np.array([hip, (hip + neck) / 2, neck, neck])
    body.add(shirt, blob(np.vstack([half, (half + 2 * (spine - half) * (1, 0))[::-1]])))
    body.add(shade(skin, 0.86), limb(neck, head, 0.032))
    body.add(skin, disc(*head, 0.056 * face, 0.071 * face))
    crown = arc(*at(head, 0, 0.01), 0.063 * face, 0.07 * face, 0.1 + 0.35 * side, np.pi + 0.35 + 0.3 * side)
    body.add(hair, crown)
    if chance(rng, 0.14):
        hat = pick(rng, CLOTH)
        body.add(hat, at(crown, 0, 0.015))
        body.add(shade(hat, 0.8), limb(at(head, 0, 0.035), at(head, 0.02 + 0.1 * side, 0.035), 0.013))
    if pose in ("walk", "stand") and chance(rng, 0.15):
        body.add(pick(rng, PAINT), at(blob(path("-.04,0 -.16,-.02 -.17,-.2 -.05,-.22")), *neck))
    arm(1, 1.0 if side > 0.5 else 0.92)
    body = body.moved(size)
    return body if pose in ("ride", "sit") else body.grounded()


def hand(someone: Silhouette) -> np.ndarray:
    """Where a person's near hand is: it is drawn last."""
    return someone[-1].polygon.mean(0)


def bicycle(rng: Generator) -> Silhouette:
    """A bicycle from the side: wheels with holes, a frame of tubes; the saddle is at (−0.22, 0.9)."""
    paint, r, half = pick(rng, PAINT), rng.uniform(0.32, 0.36), rng.uniform(0.5, 0.56)
    rear, front, pedal = (-half, r), (half, r), (-0.06, r - 0.02)
    seat, bars, head = (-0.22, 0.86), (0.36, 0.92), (0.34, 0.72)
    bike = Silhouette()
    for hub in (rear, front):
        spokes = [limb(reach(hub, r, a), reach(hub, -r, a), 0.005) for a in np.arange(5) * np.pi / 5]
        bike.add((206, 206, 206), *spokes, role=TRACE)
        bike.add(RUBBER, ring(disc(*hub, r), disc(*hub, r - 0.055)))
        bike.add(STEEL, disc(*hub, 0.045))
    top = (-0.13, 0.5) if chance(rng, 0.35) else (-0.19, 0.74)
    tubes = [(rear, pedal), (rear, (-0.19, 0.74)), (pedal, seat), (pedal, head), (top, head), (front, bars)]
    bike.add(paint, *[limb(a, b, 0.027) for a, b in tubes])
    bike.add((66, 66, 70), disc(*pedal, 0.085), limb(pedal, (0.04, r - 0.16), 0.02))
    bike.add(INK, limb((-0.34, 0.88), (-0.12, 0.87), 0.038, 0.024))
    bike.add(RUBBER, limb(bars, (0.5, 0.94), 0.022), limb(bars, (0.3, 0.99), 0.022))
    if chance(rng, 0.25):
        bike.add((150, 112, 70), box(0.44, 0.68, 0.72, 0.9))
        bike.add((120, 86, 52), box(0.42, 0.87, 0.74, 0.91))
    return bike


def car(rng: Generator) -> Silhouette:
    """A saloon, a hatchback or a van from the side."""
    paint, glass, kind = pick(rng, PAINT), pick(rng, GLASS), pick(rng, ["saloon", "saloon", "hatch", "hatch", "van"])
    length, height = {"saloon": (4.5, 1.44), "hatch": (3.9, 1.52), "van": (4.8, 2.0)}[kind]
    h, top, front = length / 2 * rng.uniform(0.95, 1.05), height * rng.uniform(0.96, 1.04), rng.uniform(0.72, 0.8)
    hood, screen, rear, tail, deck = {
        "saloon": (0.46, 0.16, -0.4, -0.68, -0.97),
        "hatch": (0.52, 0.18, -0.76, -0.93, -0.99),
        "van": (0.74, 0.46, -0.93, -0.985, -1.0),
    }[kind]
    roof = f"{screen},{top} {(screen + rear) / 2},{top + 0.03} {rear},{top} {tail},{1 if kind != 'van' else top - 0.25}"
    outline = path(f".9,.2 .99,.3 1,.5 .96,{front} {hood},.96 {roof} {deck},.92 -1,.5 -.99,.3 -.9,.2") * (h, 1)
    body = Silhouette()
    body.add(shade(paint, 0.4), limb((-0.9 * h, 0.3), (0.9 * h, 0.3), 0.12))
    body.add(paint, blob(outline, 5))
    low, high, back = 1.02, top - 0.1, tail + 0.06 if kind == "saloon" else rear
    panes = [(hood - 0.06, screen - 0.01, -0.08, -0.08), (-0.13, -0.13, rear + 0.02, back)]
    for a, b, c, d in panes[: 1 if kind == "van" and chance(rng, 0.6) else 2]:
        body.add(glass, quad((a, low), (b, high), (c, high), (d, low)) * (h, 1))
        body.add(shade(glass, 1.15), quad((b - 0.06, high), (b - 0.14, high), (b - 0.08, low), (b, low)) * (h, 1))
    body.add(shade(paint, 0.6), limb((-0.12 * h, 0.86), (-0.2 * h, 0.86), 0.025))
    body.add(shade(paint, 0.66), limb((-0.97 * h, 0.34), (0.97 * h, 0.34), 0.05))
    body.add((252, 244, 208), limb((0.95 * h, 0.66), (0.88 * h, 0.68), 0.06))
    body.add((176, 34, 36), limb((-0.975 * h, 0.76), (-0.95 * h, 0.76), 0.07))
    for x in (-0.6 * h, 0.62 * h):
        body.add(shade(paint, 0.3), arc(x, 0.33, 0.42, 0.42, -0.25, np.pi + 0.25))
        for r, colour in ((0.33, RUBBER), (0.2, STEEL), (0.14, (136, 138, 144)), (0.06, STEEL)):
            body.add(colour, disc(x, 0.33, r))
    return body


def car_ahead(rng: Generator) -> Silhouette:
    """A car from the front or from behind."""
    paint, glass, back = pick(rng, PAINT), pick(rng, GLASS), chance(rng, 0.5)
    w, h = 0.86 * rng.uniform(0.96, 1.08), rng.uniform(1.42, 1.8)
    body = Silhouette()
    body.add(RUBBER, *[box(s * 0.72 * w - 0.13, 0, s * 0.72 * w + 0.13, 0.45) for s in (-1, 1)])
    body.add(paint, blob(path(f"1,.25 1.03,.6 .97,.86 .72,{h} -.72,{h} -.97,.86 -1.03,.6 -1,.25") * (w, 1), 5))
    body.add(glass, path(f"-.8,.92 .8,.92 .62,{h - 0.1} -.62,{h - 0.1}") * (w, 1))
    body.add(shade(glass, 1.15), path(f"-.5,.92 -.2,.92 -.05,{h - 0.1} -.3,{h - 0.1}") * (w, 1))
    body.add(shade(paint, 0.6), box(-0.96 * w, 0.22, 0.96 * w, 0.4))
    if not back:
        body.add((44, 46, 50), box(-0.45 * w, 0.46, 0.45 * w, 0.62))
    body.add((190, 36, 38) if back else (252, 246, 214), *[disc(s * 0.76 * w, 0.68, 0.14, 0.085) for s in (-1, 1)])
    body.add(shade(paint, 0.8), *[limb((s * 1.02 * w, 0.95), (s * 1.12 * w, 0.99), 0.06) for s in (-1, 1)])
    body.add(WHITE, box(-0.22, 0.28, 0.22, 0.38))
    return body


def boat(rng: Generator) -> Silhouette:
    """A sailing boat, a motor boat or a rowing boat, afloat at y = 0."""
    kind, hull, trim = pick(rng, ["sail", "sail", "motor", "row"]), pick(rng, PAINT), pick(rng, CLOTH)
    h, boat = rng.uniform(2.6, 3.6), Silhouette()
    if kind == "row":
        boat.add((138, 88, 52), blob(path("-1.5,.1 -.9,-.1 .9,-.1 1.7,.2 1.9,.6 .8,.42 -.8,.4 -1.7,.52")))
        boat.add((182, 130, 84), limb((-1.55, 0.46), (1.7, 0.5), 0.05))
        boat.add((206, 170, 120), limb((-0.2, 0.55), (-1.4, -0.05), 0.05, 0.07))
        return boat.moved(1.3)
    boat.add(hull, path("-1,.75 -.92,-.05 .72,-.05 1.08,.95 .4,.72") * (h, 1))
    boat.add(trim, path("-.985,.62 -.97,.48 .93,.62 .99,.75") * (h, 1))
    if kind == "sail":
        top, cloth = rng.uniform(6.5, 8.5), pick(rng, [WHITE, WHITE, (214, 92, 66), (232, 196, 104)])
        belly = rng.uniform(-0.42, -0.3)
        boat.add((112, 82, 58), limb((0.05 * h, 0.7), (0.05 * h, top), 0.09, 0.06))
        boat.add(cloth, path(f"-.02,1.25 -.02,{top - 0.1} {belly},{0.5 * top} -.92,1.3") * (h, 1))
        boat.add(shade(cloth, 0.93), path(f".12,{0.92 * top} .62,{0.42 * top} .95,1.15 .16,1.5") * (h, 1))
        boat.add((112, 82, 58), limb((0.05 * h, 1.15), (-0.95 * h, 1.2), 0.06))
    else:
        boat.add(WHITE, path("-.5,.7 .35,.7 .12,1.9 -.45,1.9") * (h, 1))
        boat.add((88, 122, 146), *[box(x * h, 1.2, (x + 0.2) * h, 1.65) for x in (-0.38, -0.12)])
        boat.add(trim, limb((-0.52 * h, 1.95), (0.2 * h, 1.95), 0.07))
        boat.add((90, 90, 94), limb((-0.35 * h, 1.9), (-0.4 * h, 3.0), 0.06))
    return boat


def traffic_light(rng: Generator) -> Silhouette:
    """The lamp box of a traffic light; its pole belongs to nobody, as in COCO."""
    case, wide = pick(rng, [(38, 40, 42), (38, 40, 42), (196, 158, 44)]), rng.uniform(0.22, 0.29)
    lamps = [((236, 52, 44), (92, 36, 34)), ((250, 186, 50), (96, 76, 34)), ((74, 214, 112), (34, 82, 52))]
    if chance(rng, 0.2):
        lamps = lamps[::2]
    pitch, low, lit = wide * rng.uniform(1.25, 1.45), rng.uniform(2.2, 2.6), int(rng.integers(len(lamps)))
    top = low + pitch * (len(lamps) + 0.2)
    light = Silhouette()
    light.add((84, 88, 92), limb((0, 0), (0, low + 0.2), 0.07), role=PROP)
    light.add(case, blob(quad((-wide, low), (wide, low), (1.05 * wide, top), (-1.05 * wide, top)), 5))
    for k, (on, off) in enumerate(lamps):
        y = top - pitch * (k + 0.6)
        light.add(shade(case, 0.6), disc(0, y, 0.62 * wide))
        light.add(on if k == lit else off, disc(0, y - 0.01, 0.52 * wide))
    return light


def bird(rng: Generator) -> Silhouette:
    """A bird in the air, centred at the origin: gliding towards us, or from the side, wings up or down."""
    coat, body = pick(rng, PLUMAGE), Silhouette()
    tip, dark = shade(coat, 0.55), shade(coat, 0.78)
    if chance(rng, 0.35):
        dip, span = rng.uniform(-0.12, 0.2), rng.uniform(0.55, 0.7)
        wing = blob(path(f".02,.06 .24,{0.13 + dip} .5,.16 1,{0.02 - dip} .5,.06 .2,.0 .02,-.05") * (span, 1), 4)
        end = path(f".62,.12 1,{0.02 - dip} .62,.06") * (span, 1)
        body.add(dark, wing * (-1, 1))
        body.add(coat, wing)
        body.add(tip, end, end * (-1, 1))
        body.add(shade(coat, 0.94), disc(0, 0.01, 0.085, 0.1))
        body.add(BEAK, path("-.03,-.01 .03,-.01 0,-.07"))
        return body
    beat, sweep = rng.uniform(0.4, 0.75) * (1 if chance(rng, 0.7) else -0.8), rng.uniform(-0.3, -0.05)
    wing = path(f".15,.03 .13,.4 {0.02 + sweep / 2},.8 {sweep - 0.1},1 {sweep},.55 -.16,0")
    near = blob(wing * (1, beat), 4)
    body.add(dark, blob(at(wing * (0.9, beat * 0.8), 0.1, 0.02), 4))
    body.add(tip, path("-.18,.02 -.46,.08 -.43,-.05 -.18,-.04"))
    body.add(coat, blob(path("-.26,0 -.05,.08 .2,.08 .3,.05 .22,-.05 0,-.09")), disc(0.28, 0.05, 0.07))
    body.add(BEAK, path(".33,.085 .45,.04 .33,.02"))
    body.add(shade(coat, 0.92), near)
    body.add(tip, near[10:17:2])
    body.add(INK, disc(0.3, 0.065, 0.013))
    return body.moved(angle=rng.uniform(-0.2, 0.3))


def standing_bird(rng: Generator) -> Silhouette:
    """A bird on its legs."""
    coat, drop, body = pick(rng, PLUMAGE), rng.uniform(-0.04, 0.04), Silhouette()
    for x in (-0.03, 0.05):
        body.add(BEAK, limb((x, 0.22), (x + 0.02, 0.01), 0.013), limb((x + 0.02, 0.01), (x + 0.08, 0.01), 0.011))
    body.add(
        coat, blob(path(f"-.36,{0.17 + drop} -.1,.17 .12,.22 .2,.4 .13,.5 0,.42 -.2,.33")), disc(0.17, 0.47, 0.085)
    )
    body.add(BEAK, path(".23,.5 .36,.455 .23,.44"))
    body.add(shade(coat, 0.6), blob(path(f"-.34,{0.2 + drop} -.05,.22 .06,.34 -.08,.37")))
    body.add(INK, disc(0.2, 0.49, 0.014))
    return body


def dog(rng: Generator) -> Silhouette:
    """A dog from the side, standing or trotting, its ears up or hanging."""
    coat, size, gait, long = pick(rng, FUR), rng.uniform(0.75, 1.2), rng.uniform(0.05, 0.5), rng.uniform(0.85, 1.12)
    dark, body = shade(coat, 0.72), Silhouette()

    def leg(x: float, swing: float, hind: bool, colour: Colour) -> None:
        knee = reach((x * long, 0.36), 0.19, swing + 0.25 * hind)
        foot = reach(knee, 0.18, swing - (0.35 if hind else 0.05))
        body.add(colour, limb((x * long, 0.37), knee, 0.075 if hind else 0.06, 0.038), limb(knee, foot, 0.036, 0.028))
        body.add(colour, limb(foot, at(foot, 0.035, 0), 0.028, 0.022))

    leg(0.27, -gait, False, dark)
    leg(-0.3, gait, True, dark)
    wag, root = rng.uniform(0.2, 1.2), (-0.38 * long, 0.52)
    bend = at(root, -0.17 * np.cos(wag), 0.17 * np.sin(wag))
    body.add(coat, limb(root, bend, 0.04, 0.03), limb(bend, at(bend, -0.07, 0.13), 0.03, 0.015))
    leg(-0.3, -gait, True, coat)
    leg(0.27, gait, False, coat)
    body.add(coat, blob(path("-.42,.5 -.3,.6 0,.57 .24,.62 .38,.56 .36,.38 .2,.29 -.12,.34 -.36,.34") * (long, 1)))
    if chance(rng, 0.4):
        body.add(pick(rng, FUR), blob(path("-.3,.58 -.02,.56 -.05,.42 -.28,.44") * (long, 1)))
    neck, head = (0.33 * long, 0.54), (0.48 * long, 0.74 + rng.uniform(-0.05, 0.06))
    body.add(coat, limb(neck, head, 0.11, 0.085))
    if chance(rng, 0.5):
        body.add(pick(rng, CLOTH), limb(at(neck, -0.02, 0.1), at(neck, 0.13, 0.02), 0.024))
    body.add(coat, disc(*head, 0.105, 0.095))
    body.add(shade(coat, 1.08), limb(at(head, 0.05, -0.02), at(head, 0.18, -0.045), 0.062, 0.042))
    hanging, upright = blob(path("-.05,.07 0,.09 -.03,-.09 -.11,-.06")), path("-.08,.06 -.05,.2 .03,.08")
    body.add(dark, at(hanging if chance(rng, 0.5) else upright, *head))
    body.add(INK, disc(*at(head, 0.215, -0.03), 0.024), disc(*at(head, 0.06, 0.025), 0.016))
    return body.moved(size)


def cat(rng: Generator) -> Silhouette:
    """A cat, sitting."""
    coat, curl = pick(rng, [*FUR, (44, 44, 48), (208, 136, 66), (150, 150, 154)]), rng.uniform(-0.3, 0.5)
    dark, bend, head, body = shade(coat, 0.75), (-0.34, 0.07 + 0.1 * curl), (0.08, 0.53), Silhouette()
    body.add(dark, limb((-0.16, 0.05), bend, 0.04, 0.034), limb(bend, at(bend, -0.08, 0.15 + 0.1 * curl), 0.034, 0.026))
    body.add(coat, blob(path("-.2,.02 .08,0 .16,.1 .13,.32 .1,.44 -.03,.46 -.12,.32 -.24,.16")))
    body.add(shade(coat, 0.9), blob(path("-.18,0 .02,0 .02,.14 -.1,.2 -.2,.12")))
    body.add(coat, limb((0.1, 0.3), (0.12, 0.03), 0.045, 0.032), limb((0.11, 0.025), (0.17, 0.022), 0.03))
    if chance(rng, 0.4):
        body.add(dark, *[limb((-0.16, y), (-0.02, y + 0.02), 0.014, 0.008) for y in (0.2, 0.27, 0.34)])
    ear = path(".11,.03 .1,.2 .01,.1")
    body.add(dark, at(ear * (-1, 1), *head))
    body.add(coat, at(ear, *head), disc(*head, 0.13, 0.11))
    body.add(shade(coat, 1.18), disc(*at(head, 0.03, -0.045), 0.06, 0.042))
    for dx in (-0.03, 0.075):
        body.add((196, 206, 96), disc(*at(head, dx, 0.015), 0.022, 0.026))
        body.add(INK, disc(*at(head, dx, 0.015), 0.009, 0.022))
    body.add((190, 110, 104), disc(*at(head, 0.03, -0.025), 0.014))
    return body.moved(rng.uniform(0.85, 1.1))


def elephant(rng: Generator) -> Silhouette:
    """An elephant, or a calf, from the side, its trunk hanging or raised."""
    hide, gait = pick(rng, [(126, 120, 116), (108, 104, 106), (142, 126, 112)]), rng.uniform(0.04, 0.22)
    dark, body = shade(hide, 0.75), Silhouette()

    def leg(x: float, swing: float, colour: Colour) -> None:
        foot = reach((x, 1.2), 1.05, swing)
        body.add(colour, limb((x, 1.25), foot, 0.36, 0.25), at(path("-.26,-.15 .28,-.15 .25,.1 -.25,.1"), *foot))
        body.add(shade(colour, 1.2), at(path("0,-.15 .27,-.15 .26,-.06 .02,-.08"), *foot))

    leg(0.75, -gait, dark)
    leg(-0.85, gait, dark)
    body.add(dark, limb((-1.5, 1.9), (-1.72, 1.1), 0.07, 0.04))
    leg(-1.0, -gait, hide)
    leg(0.62, gait, hide)
    body.add(hide, blob(path("-1.55,1.75 -1.2,2.45 -.3,2.72 .6,2.6 1.2,2.5 1.3,1.7 .7,1.1 -.4,.98 -1.3,1.1")))
    lift = rng.uniform(-0.35, 0.35) if chance(rng, 0.75) else rng.uniform(0.9, 1.5)
    joint, angle, r = np.array([1.95, 1.95]), 0.15 + 0.3 * lift, 0.27
    for _ in range(6):
        tip = reach(joint, 0.33, angle)
        body.add(hide, limb(joint, tip, r, r - 0.034))
        joint, angle, r = tip, angle + 0.28 * lift + 0.02, r - 0.034
    body.add(hide, blob(path("1,2.5 1.45,2.88 1.95,2.75 2.2,2.2 2.05,1.75 1.5,1.6 1.1,1.8")))
    if chance(rng, 0.8):
        body.add((240, 234, 214), blob(path("1.85,1.72 2.02,1.76 2.5,1.42 2.62,1.55 2.42,1.32 2,1.5")))
    f = rng.uniform(0, 0.22)
    body.add(shade(hide, 0.86), blob(path(f"1.3,2.55 1,{2.62 + f} {0.62 - f},2.3 {0.68 - f},1.75 1,1.42 1.3,1.75")))
    body.add(INK, disc(1.74, 2.3, 0.06))
    return body.moved(rng.uniform(0.45, 0.65) if chance(rng, 0.25) else rng.uniform(0.9, 1.1)).grounded()


def umbrella(rng: Generator) -> Silhouette:
    """An open umbrella, its grip at the origin."""
    open_ = Silhouette()
    open_.add((96, 74, 58), limb((0, 0), (0, 0.7), 0.016), limb((0, 0), (0.05, -0.04), 0.018))
    _canopy(rng, open_, 0.62 * rng.uniform(0.9, 1.1), 0.62, 0.4)
    return open_


def parasol(rng: Generator) -> Silhouette:
    """A parasol, standing."""
    tall = Silhouette()
    tall.add((214, 206, 190), limb((0, 0), (0, 2.0), 0.035))
    _canopy(rng, tall, 1.2 * rng.uniform(0.9, 1.1), 1.8, 0.68)
    return tall


def _canopy(rng: Generator, under: Silhouette, width: float, base: float, rise: float) -> None:
    first, second = pick(rng, CLOTH), pick(rng, [*CLOTH, WHITE, WHITE, WHITE])
    if chance(rng, 0.4):
        second = first
    rib = arc(0, base, width, rise, np.pi / 2, 0, 7)
    under.add(shade(first, 0.6), limb((0, base + rise), (0, base + 1.2 * rise), 0.02))
    for k, (a, b) in enumerate(pairwise(np.linspace(-1, 1, 7))):
        hem = np.c_[width * np.linspace(b, a, 7), base + 0.14 * rise * np.sin(np.linspace(0, np.pi, 7))]
        panel = np.vstack([rib * (b, 1), hem[1:], (rib * (a, 1))[-2::-1]])
        under.add(shade(second if k % 2 else first, 1.12 - 0.05 * k), panel)


def kite(rng: Generator) -> Silhouette:
    """A diamond or a delta kite with a tail of bows, and a string that fades into the sky."""
    colours, wing = [pick(rng, CLOTH), pick(rng, CLOTH)], Silhouette()
    diamond, bend, w = chance(rng, 0.65), rng.uniform(-0.15, 0.15), rng.uniform(0.42, 0.55)
    low = rng.uniform(0.75, 1.0) if diamond else 0.3
    tail = [(0.0, -low)]
    for k in range(4):
        tail.append(at(tail[-1], bend + 0.16 * (-1) ** k, -0.26))
    wing.add((236, 236, 232), limb((0, 0), (0.6, -4.5), 0.012), role=TRACE)
    wing.add(shade(colours[1], 0.85), *[limb(a, b, 0.022) for a, b in pairwise(tail)])
    for k, p in enumerate(tail[1:]):
        wing.add(colours[k % 2 - 1], at(path("0,0 .14,.08 .14,-.08"), *p), at(path("0,0 -.14,.08 -.14,-.08"), *p))
    if diamond:
        corners = [(0, rng.uniform(0.45, 0.6)), (-w, 0), (0, -low), (w, 0)]
        for k in range(4):
            wing.add(colours[k % 2], quad((0, 0), corners[k], corners[k - 3]))
        spars = [(corners[0], corners[2]), (corners[1], corners[3])]
    else:
        for side, colour in zip((-1, 1), colours, strict=True):
            wing.add(colour, quad((0, 0.55), (side * 1.9 * w, -0.35), (0, -0.2)))
        wing.add(shade(colours[0], 0.7), path("0,.3 .14,-.3 -.14,-.3"))
        spars = [((0, 0.55), (side * 1.9 * w, -0.35)) for side in (-1, 1)]
    wing.add(shade(colours[0], 0.5), *[limb(a, b, 0.014) for a, b in spars])
    return wing


def bottle(rng: Generator) -> Silhouette:
    """A bottle with a cap and a label."""
    glass = pick(rng, [(52, 98, 62), (104, 60, 36), (176, 206, 214), (214, 228, 232), (44, 60, 48), (198, 120, 60)])
    w, tall, neck = rng.uniform(0.034, 0.044), rng.uniform(0.24, 0.31), rng.uniform(0.011, 0.016)
    s, label, flask = tall * rng.uniform(0.52, 0.68), pick(rng, [*CLOTH, WHITE, WHITE, WHITE]), Silhouette()
    half = quad((0.9 * w, 0), (w, 0.006), (w, s), (0.8 * w, s + 0.028), (1.1 * neck, s + 0.055), (neck, tall))
    flask.add(glass, np.vstack([half, half[::-1] * (-1, 1)]))
    flask.add(label, box(-w, 0.22 * s, w, 0.78 * s))
    flask.add(shade(label, 0.6), box(-0.6 * w, 0.44 * s, 0.6 * w, 0.56 * s))
    flask.add(pick(rng, CLOTH), box(-1.25 * neck, tall - 0.008, 1.25 * neck, tall + 0.012))
    flask.add((250, 250, 250), limb((-0.62 * w, 0.02), (-0.62 * w, s), 0.003), role=TRACE)
    return flask


def cup(rng: Generator) -> Silhouette:
    """A mug whose handle encloses a hole, or a paper cup."""
    glaze, drink = pick(rng, [*CLOTH, WHITE, WHITE]), pick(rng, [(74, 44, 28), (112, 70, 42), (160, 92, 40)])
    w, h, taper, mug = rng.uniform(0.038, 0.046), rng.uniform(0.08, 0.1), rng.uniform(0.78, 1.0), Silhouette()
    if chance(rng, 0.25):
        h, taper = 1.35 * h, 0.7
    else:
        x, y = 0.98 * w, 0.52 * h
        mug.add(shade(glaze, 0.85), ring(disc(x, y, 0.03, 0.32 * h), disc(x, y, 0.018, 0.2 * h)))
    mug.add(glaze, np.vstack([arc(0, 0.008, taper * w, 0.008, np.pi, 2 * np.pi), [(w, h), (-w, h)]]))
    if chance(rng, 0.5):
        low = rng.uniform(0.3, 0.5)
        a, b = (w * (taper + (1 - taper) * y) for y in (low, low + 0.2))
        mug.add(pick(rng, CLOTH), quad((-a, low * h), (a, low * h), (b, (low + 0.2) * h), (-b, (low + 0.2) * h)))
    mug.add(shade(glaze, 1.1), disc(0, h, w, 0.011))
    mug.add(drink, disc(0, h - 0.001, 0.86 * w, 0.008))
    return mug


def donut(rng: Generator) -> Silhouette:
    """A donut with icing, lying flat or tilted towards us, its hole open."""
    icing = pick(rng, [(236, 148, 168), (92, 54, 36), (244, 238, 226), (238, 196, 96), (170, 120, 180)])
    r, flat, hole = rng.uniform(0.048, 0.056), rng.uniform(0.55, 0.95), rng.uniform(0.3, 0.38)
    y, cake = r * flat, Silhouette()
    wave = 1 + 0.045 * np.sin(np.arange(28) * np.pi / 2 + rng.uniform(0, 6))
    top = at(disc(0, 0, 0.9 * r, 0.9 * y) * wave[:, None], 0, y + 0.006)
    cake.add((204, 148, 88), ring(disc(0, y, r, y), disc(0, y, hole * r, hole * y)))
    cake.add(icing, ring(top, disc(0, y + 0.003, 1.25 * hole * r, 1.25 * hole * y)))
    for _ in range(9 * int(rng.integers(0, 3))):
        p = at(reach((0, 0), rng.uniform(1.5 * hole, 0.8) * r, rng.uniform(0, 2 * np.pi)) * (1, flat), 0, y + 0.004)
        cake.add(pick(rng, CLOTH), limb(p, reach(p, 0.007, rng.uniform(0, 6)), 0.0018))
    return cake


def chair(rng: Generator) -> Silhouette:
    """A chair, a little from the side: four legs, a seat, a back with gaps or without."""
    wood, style, made = pick(rng, WOOD), pick(rng, ["slats", "rails", "solid"]), Silhouette()
    seat, top, half = rng.uniform(0.43, 0.48), rng.uniform(0.88, 1.02), rng.uniform(0.2, 0.24)
    deep, slant = rng.uniform(0.07, 0.14), rng.uniform(0.02, 0.07)
    left, right = -half + deep, half + deep
    made.add(shade(wood, 0.7), *[limb((x + deep, 0.7 * deep), (x + 0.9 * deep, seat), 0.022) for x in (-half, half)])
    made.add(wood, *[limb((x, seat), (x + slant, top), 0.022) for x in (left, right)])
    if style == "solid":
        made.add(
            shade(wood, 0.92), quad((left, seat + 0.2), (right, seat + 0.2), (right + slant, top), (left + slant, top))
        )
    else:
        made.add(wood, limb((left + slant, top - 0.02), (right + slant, top - 0.02), 0.034))
    if style == "slats":
        made.add(wood, *[limb((x, seat), (x + slant, top), 0.016) for x in np.linspace(left, right, 5)[1:-1]])
    if style == "rails":
        for t in (1 / 3, 2 / 3):
            y, x = seat + (top - seat) * t, slant * t
            made.add(wood, limb((left + x, y), (right + x, y), 0.024))
    a, b = half + 0.03, 0.6 * deep
    made.add(shade(wood, 1.15), quad((-a, seat), (a, seat), (right + 0.02, seat + b), (left - 0.02, seat + b)))
    made.add(shade(wood, 0.85), box(-a, seat - 0.035, a, seat))
    made.add(wood, *[limb((x, 0.02), (x, seat), 0.022) for x in (-half, half)])
    return made


def clock(rng: Generator) -> Silhouette:
    """A wall clock, round or square, its centre at the origin."""
    rim, face = pick(rng, [*PAINT, (150, 100, 60)]), pick(rng, [(246, 242, 230), (246, 242, 230), (48, 50, 58)])
    ink, r, square, dial = (
        WHITE if max(face) < 128 else (40, 40, 44),
        rng.uniform(0.16, 0.22),
        chance(rng, 0.25),
        Silhouette(),
    )
    for a, colour in ((r, rim), (0.84 * r, face)):
        dial.add(colour, box(-a, -a, a, a) if square else disc(0, 0, a, n=40))
    for k, t in enumerate(np.arange(12) * np.pi / 6):
        dial.add(ink, limb(reach((0, 0), 0.64 * r, t), reach((0, 0), 0.75 * r, t), (0.02 if k % 3 else 0.034) * r))
    for long, thick in ((0.42, 0.05), (0.64, 0.034)):
        dial.add(ink, limb((0, 0), reach((0, 0), long * r, rng.uniform(0, 2 * np.pi)), thick * r))
    dial.add((196, 61, 52), disc(0, 0, 0.07 * r))
    return dial


DRAW: dict[str, Callable[[Generator], Silhouette]] = {
    "person": person, "bicycle": bicycle, "car": car, "boat": boat, "traffic light": traffic_light, "bird": bird,
    "cat": cat, "dog": dog, "elephant": elephant, "umbrella": umbrella, "kite": kite, "bottle": bottle, "cup": cup,
    "donut": donut, "chair": chair, "clock": clock,
}  # fmt: skip
