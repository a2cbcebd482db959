"""A canvas: whose pixels are whose."""

import numpy as np
import pytest
from numpy.random import PCG64, Generator

from cocoseg.coco.generated.painting import FINE, Canvas, grain
from cocoseg.coco.generated.scenes import SCENES, compose
from cocoseg.coco.generated.shapes import box
from cocoseg.coco.generated.silhouettes import DRAW, PROP, TRACE, Silhouette


@pytest.fixture
def rng():
    return Generator(PCG64(0))


def plain(height=30, width=40) -> Canvas:
    return Canvas(np.full((height, width, 3), 200, np.uint8))


def square(size: float, role: str = "body") -> Silhouette:
    silhouette = Silhouette()
    silhouette.add((10, 120, 10), box(0, 0, size, size), role=role)
    return silhouette


def test_what_is_painted_later_is_in_front(rng):
    canvas = plain()
    canvas.paint(rng, square(1), 1, 10, 20, 10)
    canvas.paint(rng, square(1), 2, 15, 20, 10)
    owners = canvas.owners()
    assert (owners[11:20, 11:15] == 1).all() and (owners[11:20, 16:25] == 2).all() and owners[5, 5] == 0


def test_props_hide_and_own_nothing_and_traces_only_tint(rng):
    canvas = plain()
    canvas.paint(rng, square(2), 1, 10, 25, 10)
    before = canvas.picture()
    canvas.paint(rng, square(1, TRACE), 2, 12, 22, 10)
    assert 2 not in canvas.owners() and (canvas.picture()[15, 15] != before[15, 15]).any()
    canvas.paint(rng, square(1, PROP), 2, 12, 22, 10)
    assert (canvas.owners()[13:21, 14:20] == 0).all() and set(np.unique(canvas.owners())) == {0, 1}


def test_a_trace_on_a_body_makes_no_hole_in_it(rng):
    canvas, both = plain(), square(2)
    both.add((255, 255, 255), box(0.5, 0.5, 1, 1), role=TRACE)
    canvas.paint(rng, both, 1, 10, 25, 10)
    assert (canvas.owners()[7:24, 12:29] == 1).all()


def test_what_is_outside_is_cut_off(rng):
    canvas = plain()
    for x, y in ((-100, 10), (100, 10), (10, -50), (10, 500)):
        canvas.paint(rng, square(1), 1, x, y, 10)
        canvas.shadow(x, y, 5, 2)
    assert not canvas.owners().any()
    canvas.paint(rng, square(100), 1, -5, 35, 10)
    assert canvas.owners().all()


@pytest.mark.parametrize("seed", range(6))
def test_owners_are_the_most_frequent_of_the_sub_pixels(seed):
    canvas, objects, _ = compose(Generator(PCG64([7, seed])))
    fine = canvas.owner.reshape(canvas.height, FINE, canvas.width, FINE)
    shares = np.stack([(fine == k).sum((1, 3)) for k in range(len(objects) + 1)])
    expected = len(objects) - (shares[::-1] == shares.max(0)).argmax(0)
    np.testing.assert_array_equal(canvas.owners(), expected)


@pytest.mark.parametrize("name", DRAW)
def test_every_category_is_drawn_upright_and_never_the_same(name):
    one, two = (DRAW[name](Generator(PCG64(seed))) for seed in (1, 2))
    points = [np.vstack([part.polygon for part in silhouette]) for silhouette in (one, two)]
    assert all(np.isfinite(p).all() and (np.ptp(p, 0) > 0.05).all() for p in points)
    assert points[0].shape != points[1].shape or not np.allclose(*points)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_every_scene_can_be_staged_from_many_seeds(scene, monkeypatch):
    monkeypatch.setattr("cocoseg.coco.generated.scenes.SCENES", {scene: 1.0})
    for seed in range(4):
        canvas, objects, _ = compose(Generator(PCG64(seed)))
        assert set(np.unique(canvas.owners())) <= {0, *(thing.owner for thing in objects)}
        assert len(objects) < 100, "annotation ids leave room for 99 objects in an image"


def test_grain_larger_than_the_tile_is_mirrored(rng):
    assert grain(rng, 700, 900, 2).shape == (700, 900)
