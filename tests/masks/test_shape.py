"""The shape of a mask, against scikit-image, SciPy and Shapely."""

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage
from skimage import measure, morphology

from cocoseg.masks.shape import shape


def expected(mask):
    """Each measure by another way."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    on_border = mask[0].sum() + mask[-1].sum() + mask[:, 0].sum() + mask[:, -1].sum()
    mask = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    framed = np.pad(mask, 1)
    parts = np.bincount(measure.label(mask, connectivity=2).ravel())[1:]
    outside = measure.label(framed == 0, connectivity=1)
    holes = np.bincount(outside.ravel())[2:]
    crofton = measure.perimeter_crofton(framed, directions=4)
    y, x = np.nonzero(mask > ndimage.binary_erosion(mask))
    hull = shapely.convex_hull(shapely.multipoints(corners(x, y))).area
    sides = sum((np.diff(framed.astype(int), axis=axis) != 0).sum() for axis in (0, 1))
    return {
        "left": columns[0],
        "top": rows[0],
        "width": columns[-1] - columns[0] + 1,
        "height": rows[-1] - rows[0] + 1,
        "parts": len(parts),
        "largest_part": parts.max(),
        "holes": len(parts) - measure.euler_number(mask, connectivity=2),
        "hole_pixels": holes.sum(),
        "perimeter": crofton,
        "compactness": 4 * np.pi * mask.sum() / crofton**2,
        "solidity": mask.sum() / hull,
        "thickness": 2 * ndimage.distance_transform_edt(framed).max() - 1,
        "border": on_border / sides,
    }


def corners(x, y):
    return np.concatenate([np.column_stack([x + i, y + j]) for i in (0, 1) for j in (0, 1)])


def test_every_measure_of_real_masks_is_that_of_other_libraries(shard, masks):
    for runs, mask in list(zip(shard.runs, masks, strict=True))[::2]:
        assert shape(runs, *mask.shape)._asdict() == pytest.approx(expected(mask))


@given(st.data())
def test_every_measure_of_any_pixels_is_that_of_other_libraries(made, data):
    mask = data.draw(made.some_mask().filter(np.any))
    assert shape(made.runs_of(mask), *mask.shape)._asdict() == pytest.approx(expected(mask.astype(np.uint8)))


@pytest.mark.parametrize("radius", [5, 20, 60])
def test_a_disc_is_compact_solid_and_as_thick_as_its_diameter(made, radius):
    found = shape(made.runs_of(morphology.disk(radius)), 2 * radius + 1, 2 * radius + 1)
    assert found.compactness == pytest.approx(1, abs=0.12)
    assert found.solidity > 0.85
    assert found.thickness == pytest.approx(2 * radius, abs=1)


def test_one_pixel(made):
    found = shape(np.array([[0, 1]]), 1, 1)
    assert found[:8] == (0, 0, 1, 1, 1, 1, 0, 0)
    assert (found.solidity, found.thickness, found.border) == (1, 1, 1)


def test_pixels_that_touch_by_a_corner_are_one_part_and_leave_no_hole(made):
    ring = np.array([[0, 1, 0], [1, 0, 1], [0, 1, 0]])
    found = shape(made.runs_of(ring), 3, 3)
    assert (found.parts, found.holes, found.hole_pixels) == (1, 1, 1)


def test_a_bar_is_as_thick_as_its_odd_width_wherever_it_lies(made):
    for width in (1, 3, 5, 17, 33):
        for turn in (0, 1):
            bar = np.rot90(np.pad(np.ones((width, 70), bool), 40), turn)
            assert shape(made.runs_of(bar), *bar.shape).thickness == width
