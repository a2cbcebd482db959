"""Simplified polygons, against pycocotools and Shapely."""

import numpy as np
import pytest
import shapely
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
    assert set(table["simplified"]) == set(WAYS)
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
        size = (peer.imgs[row["image_id"]][side] for side in ("height", "width"))
        height, width = size
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
