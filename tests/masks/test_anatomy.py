"""One row per annotation, against what other libraries make of the same JSON."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from cocoseg.masks.anatomy import anatomy, encodings
from cocoseg.masks.shard import decode


@pytest.fixture(scope="module")
def rows(shard, peer, masks):
    """(our row, the annotation of the JSON, pycocotools' mask)."""
    mask_of = dict(zip(shard.annotations["annotation_id"], masks, strict=True))
    table = anatomy(shard)
    assert table["annotation_id"].to_list() == sorted(mask_of)
    return [(row, peer.anns[i := row["annotation_id"]], mask_of[i]) for row in table.iter_rows(named=True)]


def box(x, y, w, h):
    return [x, y, x + w, y, x + w, y + h, x, y + h]


def test_pixels_and_box_are_those_of_the_mask(rows):
    for row, _, mask in rows:
        y, x = ndimage.find_objects(mask)[0]
        assert row["pixels"] == mask.sum()
        assert (row["left"], row["top"]) == (x.start, y.start)
        assert (row["width"], row["height"]) == (x.stop - x.start, y.stop - y.start)
        assert row["extent"] == pytest.approx(mask[y, x].mean())


def test_vertices_are_counted_in_the_json_and_lengths_measured_by_shapely(rows):
    for row, annotation, _ in rows:
        if isinstance(annotation["segmentation"], dict):
            drawn = ("polygons", "vertices", "outline", "spacing", "enclosed", "repeated", "crossings")
            assert {row[name] for name in drawn} == {None}
            continue
        rings = [np.reshape(flat, (-1, 2)) for flat in annotation["segmentation"]]
        assert row["polygons"] == len(rings)
        assert row["vertices"] == sum(map(len, rings))
        assert row["repeated"] == sum(len(ring) - len(np.unique(ring, axis=0)) for ring in rings)
        assert row["outline"] == pytest.approx(sum(shapely.LinearRing(ring).length for ring in rings))
        assert row["spacing"] == pytest.approx(row["outline"] / row["vertices"])
        assert row["enclosed"] == pytest.approx(sum(shapely.Polygon(ring).area for ring in rings))


def test_edges_that_cross_are_those_of_shapely(rows):
    for row, annotation, _ in rows:
        if isinstance(annotation["segmentation"], dict):
            continue
        count, simple = 0, True
        for flat in annotation["segmentation"]:
            ring = np.reshape(flat, (-1, 2))
            simple &= shapely.LinearRing(ring).is_simple
            if not shapely.LinearRing(ring).is_simple:
                edges = [shapely.LineString(pair) for pair in zip(ring, np.roll(ring, -1, 0), strict=True)]
                count += sum(shapely.crosses(a, b) for a, b in combinations(edges, 2))
        assert row["crossings"] == count
        assert not (simple and row["crossings"])


def test_the_field_area_of_a_polygon_is_the_area_it_encloses(rows):
    for row, annotation, _ in rows:
        if row["encoding"] == "polygon":
            assert annotation["area"] == pytest.approx(row["enclosed"])


def of(made, *polygons, width=12, height=10):
    return anatomy(decode(made.build([(1, width, height)], [(1, 3, list(polygons))]))).row(0, named=True)


def test_a_rectangle(made):
    row = of(made, box(0, 2, 6, 4))
    assert (row["left"], row["top"], row["width"], row["height"]) == (0, 2, 6, 4)
    assert (row["pixels"], row["enclosed"], row["outline"], row["spacing"]) == (24, 24, 20, 5)
    assert (row["parts"], row["holes"], row["solidity"], row["extent"], row["thickness"]) == (1, 0, 1, 1, 3)
    assert row["border"] == 4 / 20


def test_two_polygons_that_meet_at_a_corner_are_one_part(made):
    assert of(made, box(0, 0, 2, 2), box(2, 2, 2, 2))["parts"] == 1
    assert of(made, box(0, 0, 2, 2), box(3, 2, 2, 2))["parts"] == 2


def test_a_bow_tie_crosses_itself_once_and_a_closed_ring_repeats_a_vertex(made):
    assert of(made, [0, 0, 8, 8, 8, 0, 0, 8])["crossings"] == 1
    closed = of(made, [*box(1, 1, 5, 5), 1, 1])
    assert (closed["repeated"], closed["crossings"]) == (1, 0)


def test_four_bars_enclose_a_hole(made):
    bars = box(0, 0, 6, 1), box(0, 5, 6, 1), box(0, 0, 1, 6), box(5, 0, 1, 6)
    row = of(made, *bars)
    assert (row["pixels"], row["holes"], row["hole_pixels"], row["thickness"]) == (20, 1, 16, 1)
    assert row["solidity"] == 20 / 36


def test_the_whole_image_has_only_border(made):
    row = of(made, box(0, 0, 12, 10))
    assert (row["border"], row["extent"], row["pixels"]) == (1, 1, 120)


def test_a_polygon_that_covers_nothing_has_an_outline_but_no_shape(made):
    row = of(made, [1, 1, 4, 1])
    assert (row["pixels"], row["vertices"], row["parts"], row["extent"]) == (0, 2, None, None)


@given(st.data())
def test_whatever_has_pixels_has_a_shape(made, data):
    table = anatomy(decode(data.draw(made.some_coco())))
    assert table.filter(pl.col("pixels") == 0)["parts"].is_not_null().sum() == 0
    seen = table.filter(pl.col("pixels") > 0)
    assert (seen["parts"] > 0).all() and (seen["holes"] >= 0).all() and (seen["thickness"] > 0).all()
    assert (seen["largest_part"] <= seen["pixels"]).all()
    for name in ("extent", "solidity"):
        assert ((seen[name] > 0) & (seen[name] <= 1)).all()
    assert seen["border"].is_between(0, 1).all()


def test_encodings_are_counted_apart_for_crowds(made):
    pixels = np.ones((2, 3), bool)
    drawn = [(1, 3, [box(0, 0, 2, 2)]), (1, 5, [box(0, 0, 1, 1)]), (2, 3, pixels), (2, 3, pixels, True)]
    table = encodings(anatomy(decode(made.build([(1, 4, 4), (2, 3, 2)], drawn))))
    assert table.rows() == [(False, "polygon", 2, 1, 5), (False, "rle-counts", 1, 1, 6), (True, "rle-counts", 1, 1, 6)]
