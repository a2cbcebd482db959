"""How the sample is annotated: on shapes whose area is known."""

import numpy as np
import pytest
from numpy.random import PCG64, Generator
from pycocotools import mask as coco_mask

from cocoseg.coco.generated.annotating import exactly, extent, outlined, region, trace
from cocoseg.coco.generated.painting import FINE

SIZE = 80


def fine(shape) -> np.ndarray:
    """The sub-pixels whose centres fulfil shape(x, y), in pixels."""
    v, u = (np.mgrid[: SIZE * FINE, : SIZE * FINE] + 0.5) / FINE
    return shape(u, v)


def drawn(visible: np.ndarray) -> tuple[np.ndarray, list]:
    rings = trace(Generator(PCG64(1)), visible)
    rles = coco_mask.frPyObjects(outlined(rings)["segmentation"], SIZE, SIZE)
    return coco_mask.decode(coco_mask.merge(rles)), rings


def iou(one: np.ndarray, two: np.ndarray) -> float:
    return (one & two).sum() / (one | two).sum()


def pixels(visible: np.ndarray) -> np.ndarray:
    return (visible.reshape(SIZE, FINE, SIZE, FINE).mean((1, 3)) > 0.5).astype(np.uint8)


def test_a_disc_is_drawn_with_few_corners_and_little_error():
    disc = fine(lambda x, y: (x - 40) ** 2 + (y - 38) ** 2 < 30**2)
    mask, (ring,) = drawn(disc)
    assert 8 < len(ring) < 40
    assert iou(mask, pixels(disc)) > 0.95
    assert extent([ring])[0] == pytest.approx(np.pi * 30**2, rel=0.04)


def test_contours_are_not_biased_inwards():
    """cv2.findContours follows pixel centres: taken as they are, they would lose half a pixel all around."""
    box = fine(lambda x, y: (x > 10) & (x < 30) & (y > 20) & (y < 70))
    areas = [extent(trace(Generator(PCG64(seed)), box))[0] for seed in range(40)]
    assert np.mean(areas) == pytest.approx(1000, rel=0.005)


def test_holes_are_walked_to_and_parts_are_polygons_of_their_own():
    ring = fine(lambda x, y: (abs((x - 25) ** 2 + (y - 25) ** 2 - 250) < 150) | ((x > 60) & (x < 70) & (y > 40)))
    mask, rings = drawn(ring)
    assert len(rings) == 2
    assert mask[25, 25] == 0 and iou(mask, pixels(ring)) > 0.88


def test_what_is_too_small_to_click_around_is_left_out():
    specks = fine(
        lambda x, y: ((x - 40) ** 2 + (y - 40) ** 2 < 20**2) & ((x - 40) ** 2 + (y - 40) ** 2 > 1) | ((x < 2) & (y < 2))
    )
    _, (ring,) = drawn(specks)
    assert len(ring) < 40


def test_along_the_edge_of_the_picture_the_hand_is_steady():
    half = fine(lambda x, y: x < 20)
    _, (ring,) = drawn(half)
    assert ring.min() == 0 and ring[:, 1].max() == SIZE


def test_nothing_has_no_polygons():
    assert trace(Generator(PCG64(0)), np.zeros((30, 30), bool)) == []


def test_rle_is_that_of_pycocotools():
    mask = Generator(PCG64(3)).integers(0, 2, (17, 23), np.uint8)
    fields = exactly(mask)
    rle = {**fields["segmentation"], "counts": fields["segmentation"]["counts"].encode()}
    assert (coco_mask.decode(rle) == mask).all() and fields["area"] == mask.sum()


@pytest.mark.parametrize("corner", [0, 1])
def test_a_region_closes_gaps_and_counts_from_a_zero_run(corner):
    mask = np.zeros((40, 50), np.uint8)
    mask[10:30, 10:14] = mask[10:30, 16:20] = 1
    mask[0, 0] = corner
    fields = region(mask)
    decoded = coco_mask.decode(coco_mask.frPyObjects(fields["segmentation"], 40, 50))
    assert sum(fields["segmentation"]["counts"]) == mask.size
    assert (fields["segmentation"]["counts"][0] == 0) == bool(corner)
    assert (decoded >= mask).all() and decoded[10:30, 14:16].all() and not decoded[35:, 40:].any()
    assert fields["area"] == decoded.sum()
