"""Simplified polygons, against pycocotools and Shapely."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from cocoseg.coco.read import polygons
from cocoseg.masks.coarseness import TOLERANCES, WAYS, coarseness, douglas_peucker, half, shift
from cocoseg.masks.outlines import rings_of
from cocoseg.masks.shard import decode


@pytest.fixture(scope="module")
def rings(shard):
    """The first 100 real polygons of at most 150 vertices."""
    rows = shard.annotations.filter(encoding="polygon")["segmentation"]
    return [ring for content in rows for ring in polygons(content) if len(ring) <= 150][:100]


@pytest.fixture(scope="module")
def table(coco):
    return coarseness(decode(coco.of_images(coco.images["image_id"][:15].to_list())))


def test_every_polygon_is_simplified_in_every_way(table):
    assert set(table["simplified"]) <= set(WAYS)
    assert len(table) == len(WAYS) * table["annotation_id"].n_unique()
    assert table["iou"].is_between(0, 1).all()
    assert (table["mean_shift"] <= table["max_shift"] + 1e-9).all()


def test_every_vertex_is_within_the_tolerance_of_what_is_left(rings):
    for ring in rings:
        for eps in TOLERANCES:
            left = ring[douglas_peucker(ring, np.array([0, len(ring)]), eps)]
            assert shapely.distance(shapely.points(ring), shapely.LineString([*left, left[0]])).max() <= eps + 1e-9


def test_dropping_nothing_moves_nothing(rings):
    for ring in rings:
        bounds = np.array([0, len(ring)])
        assert shift(ring, bounds, ring, bounds) == (0, 0)


def test_iou_of_every_second_vertex_is_that_of_pycocotools(table, peer):
    for row in table.filter(simplified="half").head(40).iter_rows(named=True):
        annotation = peer.anns[row["annotation_id"]]
        height, width = (peer.imgs[row["image_id"]][side] for side in ("height", "width"))
        flat = [np.reshape(f, (-1, 2)) for f in annotation["segmentation"]]
        left = [ring[::2] if len(ring) > 4 else ring for ring in flat]
        a, b = (
            coco_mask.merge(coco_mask.frPyObjects([r.ravel().tolist() for r in some], height, width))
            for some in (flat, left)
        )
        assert row["vertices"] == sum(map(len, left))
        assert row["iou"] == pytest.approx(coco_mask.iou([a], [b], [0])[0, 0])


def test_largest_shift_is_the_hausdorff_distance_of_shapely(rings):
    for ring in rings[:40]:
        left = ring[half(np.array([0, len(ring)]))]
        ours = shift(*rings_of([ring]), *rings_of([left]))[1]
        lines = [shapely.LinearRing(r) for r in (ring, left)]
        # Both are sampled, each in its own way.
        assert ours == pytest.approx(shapely.hausdorff_distance(*lines, densify=0.02), abs=1)


def chains(ring):
    """The ring, cut at its first vertex and at the one farthest from it."""
    far = np.argmax(((ring - ring[0]) ** 2).sum(1))
    return ring[: far + 1], np.concatenate([ring[far:], ring[:1]])


def test_douglas_peucker_leaves_what_shapely_leaves_of_each_chain(rings):
    for ring in rings:
        for eps in TOLERANCES:
            left = ring[douglas_peucker(ring, np.array([0, len(ring)]), eps)]
            simple = [shapely.LineString(chain).simplify(eps, preserve_topology=False) for chain in chains(ring)]
            expected = {point for line in simple for point in line.coords}
            assert set(map(tuple, left.tolist())) == expected


def sampled(ring, step=0.02):
    """Points along a ring and the length that each stands for."""
    line = shapely.LinearRing(ring)
    n = max(1, round(line.length / step))
    return shapely.line_interpolate_point(line, (np.arange(n) + 0.5) / n, normalized=True), line.length / n


def test_mean_shift_is_that_of_finely_sampled_contours(rings):
    for ring in rings[:8]:
        left = ring[half(np.array([0, len(ring)]))]
        total = length = 0
        for a, b in ((ring, left), (left, ring)):
            points, weight = sampled(a)
            total += shapely.distance(points, shapely.LinearRing(b)).sum() * weight
            length += weight * len(points)
        assert shift(*rings_of([ring]), *rings_of([left]))[0] == pytest.approx(total / length, rel=0.02, abs=1e-3)


@given(st.data())
def test_shift_of_any_contours_is_symmetric_and_its_largest_that_of_every_sample(data):
    point = st.tuples(st.integers(-20, 20), st.integers(-20, 20))
    some_ring = st.lists(point, min_size=1, max_size=9).map(lambda points: np.array(points, float))
    contour = st.lists(some_ring, min_size=1, max_size=2)
    a, b = data.draw(contour), data.draw(contour)
    mean, largest = shift(*rings_of(a), *rings_of(b))
    assert (mean, largest) == pytest.approx(shift(*rings_of(b), *rings_of(a)))
    assert 0 <= mean <= largest + 1e-9
    assert largest == pytest.approx(max(*distances(a, b), *distances(b, a)))


def distances(a, b):
    """From the vertices of `a` and samples of its edges, at most 1 px apart, to `b`."""
    edges = [(p, q) for ring in b for p, q in zip(ring, np.roll(ring, -1, 0), strict=True)]
    target = shapely.multilinestrings(np.array(edges))
    for ring in a:
        for p, q in zip(ring, np.roll(ring, -1, 0), strict=True):
            steps = max(1, int(np.ceil(np.hypot(*(q - p)))))
            points = shapely.points(p + np.arange(steps + 1)[:, None] / steps * (q - p))
            yield from shapely.distance(points, target)


def test_a_triangle_that_collapses_has_no_pixels(made):
    table = coarseness(decode(made.build([(1, 9, 9)], [(1, 3, [[1, 1, 8, 1, 8, 2.5]])])))
    left = dict(table.select("simplified", "iou").iter_rows())
    assert left["half"] == left["dp 0.5"] == 1
    assert left["dp 4"] == 0
    assert dict(table.select("simplified", "vertices").iter_rows())["dp 4"] == 2


def test_masks_that_are_no_polygons_and_those_without_pixels_are_left_out(made):
    shapes = [(1, 3, np.ones((4, 4), bool)), (1, 3, [[1, 1, 3, 1]])]
    assert coarseness(decode(made.build([(1, 4, 4)], shapes))).height == 0


@given(st.data())
def test_any_polygon_can_be_simplified(made, data):
    table = coarseness(decode(data.draw(made.some_coco())))
    assert table["iou"].is_between(0, 1).all()
    assert table["mean_shift"].is_finite().all()
