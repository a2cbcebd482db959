"""Polygons as drawn, against Shapely and brute force."""

from itertools import combinations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from cocoseg.coco.read import polygons
from cocoseg.masks import outlines


def ring(*points):
    vertices = np.array(points, float).reshape(-1, 2)
    return vertices, np.array([0, len(vertices)])


def edges(vertices):
    return list(zip(vertices, np.roll(vertices, -1, axis=0), strict=True))


def crossing(vertices):
    """Pairs of edges that cross, by Shapely."""
    lines = shapely.linestrings([np.stack(edge) for edge in edges(vertices)])
    return sum(shapely.crosses(a, b) for a, b in combinations(lines, 2))


@pytest.fixture(scope="module")
def drawn(shard):
    rows = shard.annotations.select("encoding", "segmentation").iter_rows()
    return [polygons(content) for encoding, content in rows if encoding == "polygon"]


def test_length_and_area_of_real_polygons_are_shapelys(drawn):
    for rings in drawn:
        vertices, bounds = outlines.rings_of(rings)
        assert outlines.length(vertices, bounds) == pytest.approx(sum(shapely.linearrings(r).length for r in rings))
        assert outlines.enclosed(vertices, bounds) == pytest.approx(sum(shapely.polygons(r).area for r in rings))


def test_crossings_and_repeated_vertices_of_real_polygons_are_those_of_brute_force(drawn):
    for vertices in sorted((r for rings in drawn for r in rings), key=len)[:200]:
        bounds = np.array([0, len(vertices)])
        assert outlines.crossings(vertices, bounds) == crossing(vertices)
        assert outlines.repeated(vertices, bounds) == len(vertices) - len(np.unique(vertices, axis=0))


def test_a_polygon_that_crosses_itself_is_not_simple(drawn):
    for vertices in (r for rings in drawn for r in rings):
        if outlines.crossings(vertices, np.array([0, len(vertices)])):
            assert not shapely.is_simple(shapely.linearrings(vertices))


@given(st.lists(st.integers(-9, 9), min_size=6, max_size=30))
def test_crossings_of_any_polygon_are_those_of_brute_force(flat):
    vertices, bounds = ring(*flat[: len(flat) // 2 * 2])
    assert outlines.crossings(vertices, bounds) == crossing(vertices)


def test_touching_is_not_crossing():
    pinched = ring((0, 0), (4, 0), (2, 2), (4, 4), (0, 4), (2, 2))
    assert outlines.crossings(*pinched) == 0
    assert outlines.repeated(*pinched) == 1
    assert not shapely.is_simple(shapely.linearrings(pinched[0]))


def test_a_line_through_a_vertex_that_rounding_moves_is_not_crossing():
    third = 1 / 3
    assert outlines.crossings(*ring((0, 0), (1, third), (3, 1), (1, third), (0.5, 9))) == 0


def test_each_ring_counts_on_its_own():
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    vertices, bounds = outlines.rings_of([square, square + 2])
    assert outlines.length(vertices, bounds) == 32
    assert outlines.enclosed(vertices, bounds) == 32
    assert outlines.crossings(vertices, bounds) == outlines.repeated(vertices, bounds) == 0


@pytest.mark.parametrize("n", [0, 1, 2])
def test_rings_of_few_points_enclose_nothing(n):
    vertices, bounds = np.arange(2.0 * n).reshape(n, 2), np.array([0, n])
    assert outlines.enclosed(vertices, bounds) == outlines.crossings(vertices, bounds) == 0
