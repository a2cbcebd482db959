"""An image cut into stretches, against its pixels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from cocoseg.masks.runs import common
from cocoseg.masks.stretches import stretches, top


def claimed(cut, pixels):
    """The rows that claim each pixel."""
    rows = [set() for _ in range(pixels)]
    for i, (start, end) in enumerate(zip(cut.starts, cut.ends, strict=True)):
        for pixel in range(start, end):
            assert not rows[pixel]
            rows[pixel] = set(cut.rows[cut.bounds[i] : cut.bounds[i + 1]].tolist())
    return rows


@given(st.data())
def test_each_pixel_is_in_the_stretch_of_those_that_claim_it(made, data):
    height, width, n = (data.draw(st.integers(1, 8)) for _ in range(3))
    masks = [data.draw(made.some_mask(height, width)) for _ in range(n)]
    cut = stretches([made.runs_of(mask) for mask in masks])
    flat = np.array([mask.T.reshape(-1) for mask in masks])
    assert claimed(cut, height * width) == [set(np.flatnonzero(column).tolist()) for column in flat.T]
    assert (cut.starts[1:] >= cut.ends[:-1]).all()


def test_no_masks_and_empty_masks_make_no_stretches():
    for masks in ([], [np.empty((0, 2), np.int64)]):
        cut = stretches(masks)
        assert len(cut.starts) == len(cut.rows) == 0
        assert len(top(cut, np.zeros(len(masks), np.int64))) == 0


def test_real_masks_are_whole(shard, masks):
    for image in shard.by_image():
        pixels = np.zeros(image.rows.stop - image.rows.start, np.int64)
        lengths = np.repeat(image.cut.ends - image.cut.starts, np.diff(image.cut.bounds))
        np.add.at(pixels, image.cut.rows, lengths)
        assert pixels.tolist() == [int(mask.sum()) for mask in masks[image.rows]]


@given(st.data())
def test_common_pixels_are_those_of_both(made, data):
    height, width = data.draw(st.integers(1, 8)), data.draw(st.integers(1, 8))
    a, b = (data.draw(made.some_mask(height, width)) for _ in range(2))
    assert common(made.runs_of(a), made.runs_of(b)) == (a & b).sum()
