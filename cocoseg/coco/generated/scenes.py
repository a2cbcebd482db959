"""The sample's scenes: what is likely to be where, and with whom."""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator

from cocoseg.coco.generated import backdrops, silhouettes
from cocoseg.coco.generated.backdrops import ASPHALT, GREENS, INTERIORS, LINE, SAND, TABLES, WALLS, WATERS
from cocoseg.coco.generated.painting import Canvas, grain
from cocoseg.coco.generated.place import CLEAR, Mood, Place
from cocoseg.coco.generated.shapes import box, disc, limb, quad
from cocoseg.coco.generated.silhouettes import DRAW, WOOD, Silhouette, chance, pick, shade


class Object(NamedTuple):
    """An annotated object, `owner` being its number on the canvas."""

    category: str
    owner: int
    crowd: bool


def _people(place: Place, mean: float, far: float, near: float) -> None:
    """People on their own, with an umbrella or with a dog."""
    rng = place.rng
    for _ in place.some(mean):
        (x, y), company, flip = place.spot(far, near), rng.random(), chance(rng, 0.5)
        someone = silhouettes.person(rng, "carry" if company < 0.12 else None)
        place.stand("person", someone, x, y, flip=flip, shadow=0.6)
        if company < 0.12:
            held = silhouettes.umbrella(rng).moved(1, *silhouettes.hand(someone))
            place.stand("umbrella", held, x, y, flip=flip, depth=y + 0.01)
        elif company < 0.22:
            ahead = (-1 if flip else 1) * place.between(0.8, 1.3) * place.scale(y)
            place.stand("dog", silhouettes.dog(rng), x + ahead, y + place.between(-2, 3), flip=flip, shadow=0.8)


def _cyclist(place: Place, y: float) -> None:
    """A bicycle, mostly with its rider."""
    rng, x, flip = place.rng, place.between(0.05, 0.95, place.width), chance(place.rng, 0.5)
    place.stand("bicycle", silhouettes.bicycle(rng), x, y, flip=flip, shadow=1.5)
    if chance(rng, 0.6):
        rider = silhouettes.person(rng, "ride").moved(1, -0.2, 0.95)
        place.stand("person", rider, x, y, flip=flip, depth=y + 0.01)


def _birds(place: Place, count: range, crowd: int = 0) -> None:
    """Birds in the air, near ones in front."""
    sky = max(30.0, place.horizon)
    x, y = place.between(0.2, 0.8, place.width), place.between(0.2, 0.6, sky)
    scale = place.between(6, 10) if crowd else place.apart(9, 70)
    for _ in count:
        dx, dy = place.rng.normal(size=2) * (0.15 * place.width, 0.14 * sky)
        one = scale * place.between(0.7, 1.3)
        place.hang("bird", silhouettes.bird(place.rng), x + dx, y + dy, one, depth=one - 200, crowd=crowd)


def _pigeons(place: Place, count: range) -> None:
    for _ in count:
        place.stand("bird", silhouettes.standing_bird(place.rng), *place.spot(0.3, 0.95, 1.0), shadow=0.5)


def _gathering(place: Place, share: float = 0.11) -> None:
    """People too many and too small to be annotated one by one."""
    rng, x, y = place.rng, place.between(0.25, 0.75, place.width), place.row(share + place.between(-0.04, 0.05))
    for _ in place.few(14, 26):
        someone = silhouettes.person(rng, pick(rng, ["stand", "stand", "walk", "cheer"]))
        place.stand("person", someone, rng.normal(x, 0.17 * place.width), y + place.between(0, 8), crowd=1)


def _kites(place: Place) -> None:
    """Kites in the air, and who flies them."""
    rng = place.rng
    for _ in place.few(1, 3):
        x, y, scale = (
            place.between(0.05, 0.95, place.width),
            place.between(0.12, 0.7, place.horizon),
            place.apart(7, 45),
        )
        place.hang("kite", silhouettes.kite(rng), x, y, scale, angle=place.between(-0.7, 0.7), depth=scale - 100)
        if chance(rng, 0.7):
            place.stand("person", silhouettes.person(rng, "hold"), *place.spot(0.12, 0.9), shadow=0.6)


def _post(place: Place, far: float, near: float) -> None:
    """A lamp post, which is not annotated."""
    post = Silhouette()
    post.add((70, 74, 78), limb((0, 0), (0, 4.6), 0.06), limb((0, 4.6), (0.7, 4.8), 0.05))
    post.add((240, 232, 200), limb((0.6, 4.75), (1.0, 4.78), 0.09))
    place.stand(None, post, *place.spot(far, near), shadow=0.3)


def _fence(place: Place, y: float) -> None:
    """A fence across the picture, which is not annotated: it cuts what is behind it into parts."""
    wood, long, fence = pick(place.rng, WOOD), place.width / place.scale(y) + 1, Silhouette()
    fence.add(wood, *[limb((-0.5, h), (long, h), 0.035) for h in (0.35, 0.75)])
    fence.add(shade(wood, 0.85), *[limb((x, -0.3), (x, 0.95), 0.05) for x in np.arange(0.2, long, 1.15)])
    place.stand(None, fence, -place.between(0, 0.4, place.scale(y)), y, flip=False)


def _meal(place: Place, x: float, y: float, chairs: range, dishes: range, sitting: float) -> None:
    """A table, which is not annotated, with chairs around, dishes upon, people at it."""
    rng, scale, top, half = place.rng, place.scale(y), 0.74, place.between(0.5, 0.75)
    for k in chairs:
        side = 1 if k % 2 else -1
        u, v = x + side * place.between(0.45, 0.95, scale), y + place.between(-0.12, 0.1, scale)
        seen_from_behind = v > y + 0.05 * scale
        place.stand("chair", silhouettes.chair(rng), u, v, flip=(side > 0) != seen_from_behind, shadow=0.5)
        if chance(rng, sitting):
            place.stand("person", silhouettes.person(rng, "sit"), u, v, lift=0.5, flip=side > 0, depth=v + 0.01)
    wood, table = pick(rng, WOOD[:3]), Silhouette()
    table.add(shade(wood, 0.7), *[limb((s * 0.82 * half, 0), (s * 0.82 * half, top), 0.035) for s in (-1, 1)])
    table.add(shade(wood, 1.15), quad((-half, top), (half, top), (0.88 * half, top + 0.13), (-0.88 * half, top + 0.13)))
    table.add(wood, box(-half, top - 0.05, half, top))
    place.stand(None, table, x, y, shadow=2 * half)
    for _ in dishes:
        kind, back = pick(rng, ["cup", "cup", "cup", "bottle", "bottle", "donut"]), place.between(0.01, 0.11)
        u = x + place.between(-0.85, 0.85, half * scale)
        place.stand(kind, DRAW[kind](rng).moved(1.3), u, y, lift=top + back, depth=y + 0.3 - back)


def street(place: Place) -> None:
    """A road along a row of houses: traffic in two lanes, people on both pavements."""
    rng, horizon = place.rng, round(place.between(0.34, 0.48, place.height))
    road, stone = shade(ASPHALT, place.between(0.9, 1.15)), (180, 174, 164)
    far, middle, near = (round((place.height - horizon) * share) for share in (0.26, 0.52, 0.22))
    place.lay(
        horizon, place.apart(0.9, 2.1), place.sky(horizon), place.ground(far + 2, shade(stone, 0.95), stone, 0.05),
        place.ground(middle, road, shade(road, 0.92), 0.09), place.ground(near + 3, stone, shade(stone, 1.04), 0.05),
    )  # fmt: skip
    backdrops.houses(place)
    for share in (0.26, 0.78):
        place.canvas.fill(box(0, place.row(share) - 1, place.width, place.row(share) + 1.5), LINE)
    for x in np.arange(place.between(-40, 0), place.width, 46):
        y = place.row(0.5)
        place.canvas.fill(quad((x, y), (x + 22, y), (x + 24, y + 3), (x, y + 3)), LINE)
    for _ in place.some(0.9):
        backdrops.tree(place, place.between(0, 1, place.width), place.row(0.24), 4.5 * place.scale(place.row(0.24)))
    for share, flip in ((0.42, True), (0.72, False)):
        y, x = place.row(share + place.between(-0.03, 0.03)), place.between(-0.3, 0.9, place.width)
        while x < 1.15 * place.width and chance(rng, 0.72):
            place.stand("car", silhouettes.car(rng), x, y, flip=flip, shadow=4.4)
            x += place.between(4.9, 9, place.scale(y))
    if chance(rng, 0.35):
        _cyclist(place, place.row(place.between(0.5, 0.85)))
    _people(place, 1.8, 0.06, 0.25)
    _people(place, 1.1, 0.8, 1.2)
    for _ in place.some(0.4):
        x, share = place.between(0.03, 0.97, place.width), pick(rng, [0.25, 0.8])
        place.stand("traffic light", silhouettes.traffic_light(rng), x, place.row(share), flip=False)
    if chance(rng, 0.5):
        _post(place, 0.22, 0.82)
    _birds(place, place.few(1, 4, 0.2))


def avenue(place: Place) -> None:
    """A road that runs away from us: cars from the front and from behind, people crossing."""
    rng, stone = place.rng, pick(place.rng, [(176, 170, 160), (190, 180, 164), (150, 152, 156)])
    place.outdoors(round(place.between(0.4, 0.5, place.height)), place.apart(1.0, 2.2), stone, shade(stone, 0.95), 0.06)
    centre = place.between(0.35, 0.65, place.width)
    backdrops.canyon(place, centre)
    for side in (-1, 1):
        for _ in place.some(1.3):
            y = place.row(place.apart(0.07, 0.95))
            x = centre + side * place.between(1.8, 2.6, place.scale(y))
            place.stand("car", silhouettes.car_ahead(rng), x, y, shadow=1.9)
        if chance(rng, 0.25):
            y = place.row(place.between(0.25, 0.7))
            x = centre + side * 4.9 * place.scale(y)
            place.stand("traffic light", silhouettes.traffic_light(rng), x, y, flip=False)
    _people(place, 2.8, 0.08, 1.1)
    if chance(rng, 0.3):
        _cyclist(place, place.row(place.between(0.3, 0.8)))


def square(place: Place) -> None:
    """A paved square before a hall with a clock: people, a gathering, pigeons."""
    rng, stone = place.rng, pick(place.rng, [(196, 184, 164), (176, 172, 168)])
    place.outdoors(round(place.between(0.4, 0.5, place.height)), place.apart(0.8, 2.0), shade(stone, 0.94), stone, 0.07)
    for t in np.linspace(0, 1, 9)[1:] ** 1.7:
        place.canvas.fill(box(0, place.row(t), place.width, place.row(t) + 0.5 + t), shade(stone, 0.88))
    backdrops.houses(place)
    middle = place.between(0.3, 0.7, place.width)
    y, half = backdrops.hall(place, middle)
    if chance(rng, 0.6):
        place.hang("clock", silhouettes.clock(rng), middle, y, 3.2 * half, flip=False)
    if chance(rng, 0.55):
        _gathering(place)
    _people(place, 3.4, 0.1, 1.15)
    _pigeons(place, place.few(2, 5, 0.4))
    if chance(rng, 0.3):
        _cyclist(place, place.row(place.between(0.25, 0.8)))
    if chance(rng, 0.3):
        _post(place, 0.3, 0.9)


def terrace(place: Place) -> None:
    """Tables before a café, under parasols."""
    rng, foot = place.rng, round(place.between(0.5, 0.58, place.height))
    wall, stone = pick(rng, WALLS), pick(rng, [(186, 172, 150), (170, 168, 164)])
    pavement = place.ground(place.height - foot, shade(stone, 0.94), stone, 0.07)
    place.lay(
        foot - 0.3 * place.height, place.between(1.3, 2.0), place.gradient(foot, shade(wall, 1.05), wall), pavement
    )
    backdrops.facade(place, foot, wall)
    for _ in place.few(1, 3):
        x, y = place.between(0.1, 0.9, place.width), place.row(place.between(0.62, 0.98))
        if chance(rng, 0.5):
            place.stand("umbrella", silhouettes.parasol(rng), x, y, depth=y - 0.5)
        _meal(place, x, y, place.few(1, 3), place.few(0, 3), 0.5)
    _people(place, 0.9, 0.55, 0.95)
    _pigeons(place, place.few(1, 2, 0.2))


def park(place: Place) -> None:
    """Grass, trees and hills: people, dogs, kites, birds."""
    rng = place.rng
    place.outdoors(round(place.between(0.34, 0.5, place.height)), place.apart(0.7, 2.0), *pick(rng, GREENS), 0.15)
    backdrops.hills(place, (120, 146, 136), (104, 138, 98))
    if chance(rng, 0.4):
        backdrops.trodden(place)
    backdrops.trees(place, int(rng.integers(2, 8)))
    if chance(rng, 0.25):
        _gathering(place)
    _people(place, 2.8, 0.07, 1.1)
    if chance(rng, 0.2):
        place.stand("dog", silhouettes.dog(rng), *place.spot(0.2, 0.95), shadow=0.8)
    if chance(rng, 0.25):
        _cyclist(place, place.row(place.between(0.15, 0.7)))
    if chance(rng, 0.22):
        _kites(place)
    _birds(place, place.few(1, 4, 0.25))
    _pigeons(place, place.few(1, 3, 0.15))
    if chance(rng, 0.12):
        _fence(place, place.row(place.between(0.8, 1.0)))


def savanna(place: Place) -> None:
    """Dry grass with elephants."""
    rng, horizon = place.rng, round(place.between(0.36, 0.5, place.height))
    place.outdoors(horizon, place.apart(1.5, 3.2), (206, 184, 128), (178, 142, 82), 0.14)
    backdrops.hills(place, (158, 150, 140))
    for _ in place.some(2):
        backdrops.acacia(place, place.between(0, 1, place.width), place.between(0.15, 0.3, place.height))
    for _ in place.few(1, 3):
        place.stand("elephant", silhouettes.elephant(rng), *place.spot(0.22, 0.95, 1.0), shadow=3.6)
    _birds(place, place.few(1, 4, 0.5))


def harbour(place: Place) -> None:
    """Water with boats and gulls, sometimes from a pier."""
    rng, horizon, (far, near) = place.rng, round(place.between(0.38, 0.54, place.height)), pick(place.rng, WATERS)
    far = tuple((a + b) // 2 for a, b in zip(far, place.mood.bottom, strict=True))
    place.outdoors(horizon, place.between(3.0, 6.0), far, near, 0.16, 3.0)
    if chance(rng, 0.6):
        backdrops.hills(place, (122, 142, 150))
    marina = place.between(0.3, 0.7, place.width)
    for _ in place.few(10, 15, 0.2):
        x, one = rng.normal(marina, 0.15 * place.width), place.between(1.8, 3.2)
        place.hang("boat", silhouettes.boat(rng), x, horizon + 2 * one, one, depth=horizon + one, crowd=3)
    for _ in place.few(1, 4):
        place.stand(
            "boat", silhouettes.boat(rng), *place.spot(0.08, 0.85, 1.5), angle=place.between(-0.04, 0.04), shadow=6
        )
    if chance(rng, 0.45):
        _birds(place, place.few(16, 29), crowd=2)
    else:
        _birds(place, place.few(1, 5, 0.5))
    if chance(rng, 0.3):
        pier, bottom = place.row(0.82), place.height
        place.canvas.fill(box(0, pier, place.width, bottom), (150, 118, 88))
        for x in np.arange(place.between(-20, 0), place.width, 26):
            place.canvas.fill(quad((x, pier), (x + 1.5, pier), (x - 4, bottom), (x - 6, bottom)), (112, 84, 62))
        place.eye = 1.6
        _people(place, 2, 0.88, 1.15)


def beach(place: Place) -> None:
    """Sand before the sea: people, parasols, kites, far boats."""
    rng, horizon = place.rng, round(place.between(0.3, 0.42, place.height))
    sea = round(0.17 * (place.height - horizon))
    water, sand = (
        place.ground(sea, (112, 164, 184), (92, 160, 172), 0.1, 4.0),
        place.ground(place.height - horizon - sea, *SAND, 0.09),
    )
    place.lay(horizon, place.apart(0.8, 2.2), place.sky(horizon), water, sand)
    xs = np.linspace(-4, place.width + 4, 30)
    shore = horizon + sea + 1.5 * np.sin(xs / place.between(9, 20))
    place.canvas.fill(np.vstack([np.c_[xs, shore - 1.5], np.c_[xs, shore + 2][::-1]]), (238, 240, 232))
    for _ in place.some(1.2):
        x, scale = place.between(0, 1, place.width), place.between(1.2, 3.5)
        place.hang("boat", silhouettes.boat(rng), x, horizon + 2, scale, depth=horizon, haze=0.2)
    if chance(rng, 0.15):
        _gathering(place, 0.24)
    _people(place, 3.4, 0.24, 1.1)
    for _ in place.some(0.9):
        place.stand(
            "umbrella", silhouettes.parasol(rng), *place.spot(0.3, 0.95), angle=place.between(-0.2, 0.2), shadow=1.4
        )
    if chance(rng, 0.3):
        _kites(place)
    _birds(place, place.few(1, 4, 0.25))


def room(place: Place) -> None:
    """A dining room: chairs at a table, cups and bottles on it, a clock, people, a cat."""
    rng, free = place.rng, backdrops.indoors(place, place.between(1.1, 1.8))
    if free and chance(rng, 0.6):
        place.hang("clock", silhouettes.clock(rng), *free, place.between(60, 110), flip=False)
    x, y = place.between(0.25, 0.75, place.width), place.row(place.between(0.78, 0.95))
    _meal(place, x, y, place.few(1, 4), place.few(1, 5), 0.3)
    if chance(rng, 0.2):
        place.stand("cat", silhouettes.cat(rng), *place.spot(0.7, 0.98), shadow=0.4)
    if chance(rng, 0.4):
        place.stand("person", silhouettes.person(rng, "stand"), *place.spot(0.66, 0.9), shadow=0.6)


def table(place: Place) -> None:
    """A table top seen closely: cups, bottles, donuts."""
    rng, edge = place.rng, round(place.between(0.3, 0.45, place.height))
    wood, wall = pick(rng, TABLES), pick(rng, INTERIORS)
    place.mood = CLEAR
    top = place.ground(place.height - edge, shade(wood, 0.86), wood, 0.06, 2.5)
    eye = place.apart(0.18, 0.42)
    place.lay(edge - 0.5 * place.height, eye, place.gradient(edge, shade(wall, 0.75), shade(wall, 0.9)), top)
    for _ in place.few(0, 3):
        blur = disc(place.between(0, 1, place.width), place.between(0, 1, edge), place.between(8, 22))
        place.canvas.fill(blur, shade(wall, place.between(0.8, 0.97)))
    place.canvas.fill(box(0, edge - 1, place.width, edge + 1), shade(wood, 0.6))
    favourite = pick(rng, ["cup", "cup", "bottle", "bottle", "donut"])
    for _ in place.few(1, 6):
        kind = favourite if chance(rng, 0.6) else pick(rng, ["cup", "bottle", "donut"])
        x, y = place.between(0.03, 0.97, place.width), edge + place.between(0.1, 1.02, place.height - edge)
        place.stand(kind, DRAW[kind](rng), x, y, shadow=0.09)


def portrait(place: Place) -> None:
    """A person or an animal close by, outdoors or in."""
    rng = place.rng
    kind, eye = pick(
        rng, [("person", 1.1), ("person", 0.8), ("person", 0.9), ("dog", 0.62), ("cat", 0.42), ("bird", 0.36)]
    )
    eye *= place.between(0.75, 1.25)
    if kind == "cat" or chance(rng, 0.25):
        backdrops.indoors(place, eye)
    else:
        land = pick(rng, [*GREENS, SAND, ((176, 172, 164), (160, 156, 150))])
        place.outdoors(round(place.between(0.4, 0.55, place.height)), eye, *land, 0.12)
        backdrops.hills(place, (120, 146, 136), (104, 138, 98))
        backdrops.trees(place, int(rng.integers(0, 6)))
    x, y = place.between(0.3, 0.7, place.width), place.row(place.between(0.85, 1.05))
    place.stand(kind, silhouettes.standing_bird(rng) if kind == "bird" else DRAW[kind](rng), x, y, shadow=0.6 * eye)
    if kind == "person" and chance(rng, 0.4):
        beside = x + pick(rng, [-1, 1]) * place.between(40, 90)
        place.stand("person", silhouettes.person(rng), beside, y - place.between(0, 8), shadow=0.6)


SCENES: dict[Callable[[Place], None], float] = {
    street: 0.19, park: 0.17, beach: 0.11, room: 0.1, avenue: 0.1, square: 0.09, harbour: 0.07, portrait: 0.06,
    terrace: 0.05, table: 0.05, savanna: 0.02,
}  # fmt: skip
EMPTY = 0.03  # share of scenes that nobody has entered yet


def compose(rng: Generator) -> tuple[Canvas, list[Object], Mood]:
    """A scene, painted: its canvas, its objects, and the light."""
    place = Place(rng)
    shares = np.cumsum(list(SCENES.values()))
    list(SCENES)[int(np.searchsorted(shares, rng.random() * shares[-1], side="right"))](place)
    things = [] if chance(rng, EMPTY) else sorted(place.things, key=lambda thing: thing.depth)
    objects: dict[tuple, Object] = {}
    for number, thing in enumerate(things):
        if thing.shadow:
            wide = 0.5 * thing.shadow * thing.scale
            place.canvas.shadow(thing.x, thing.y, wide, 0.18 * wide + 0.6)
        owner = 0
        if thing.category:
            key = (thing.category, thing.crowd) if thing.crowd else (number,)
            owner = objects.setdefault(key, Object(thing.category, len(objects) + 1, bool(thing.crowd))).owner
        place.canvas.paint(
            rng, thing.silhouette, owner, thing.x, thing.y, thing.scale,
            flip=thing.flip, angle=thing.angle, haze=thing.haze, air=place.mood.bottom,
        )  # fmt: skip
    return place.canvas, list(objects.values()), place.mood


def photograph(rng: Generator, canvas: Canvas, mood: Mood) -> np.ndarray:
    """What a camera makes of a canvas, uint8 (height, width, 3) RGB; a few are grey, a few blurred."""
    height, width = canvas.height, canvas.width
    v, u = np.linspace(-1, 1, height)[:, None], np.linspace(-1, 1, width)
    vignette = (1 - 0.06 * (u**2 + v**2))[..., None]
    light = np.array(mood.tint) * rng.uniform(0.97, 1.03, 3) * rng.uniform(0.88, 1.1)
    image = canvas.picture() * (vignette * light)
    if chance(rng, 0.04):
        image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.6, 1.1))
    if chance(rng, 0.03):
        image = np.repeat(image @ np.array([[0.299], [0.587], [0.114]]), 3, 2)
    return (image + rng.uniform(1.5, 4) * grain(rng, height, width, 0)[..., None]).clip(0, 255).astype(np.uint8)
