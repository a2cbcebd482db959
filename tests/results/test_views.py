"""Several views of an image: averaged where they should be, each as large as asked, and refused out of range."""

import cv2
import numpy as np
import pytest

from cocoseg.errors import UserError
from cocoseg.results.confidence import probabilities
from cocoseg.results.views import _starts, views


def photo(height=120, width=160, seed=0):
    noise = np.random.default_rng(seed).random((6, 8, 3)).astype(np.float32)
    return (255 * cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC).clip(0, 1)).astype(np.uint8)


class Looking:
    """Scores that are the colours at the size that was asked for; it remembers what it saw."""

    def __init__(self, shrink=1):
        self.seen, self.shrink = [], shrink

    def __call__(self, image, size):
        assert image.flags.c_contiguous
        self.seen.append((image.shape[:2], size))
        scale = size / min(image.shape[:2]) / self.shrink
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
        return small.astype(np.float32) / 25


def test_one_view_is_what_the_model_says():
    look = Looking()
    np.testing.assert_array_equal(views(look, 60)(photo()), Looking()(photo(), 60))
    assert look.seen == [((120, 160), 60)]


def test_size_0_is_the_images_own():
    look = Looking()
    views(look)(photo())
    assert look.seen == [((120, 160), 120)]


def test_scales_are_factors_of_the_size_and_the_mean_is_of_probabilities_on_the_finest_grid():
    look = Looking()
    scores = views(look, 60, scales=[0.5, 1, 1.5])(photo())
    assert [size for _, size in look.seen] == [30, 60, 90]
    expected = [cv2.resize(probabilities(Looking()(photo(), size)), (120, 90)) for size in (30, 60, 90)]
    np.testing.assert_allclose(scores, np.mean(expected, 0), rtol=1e-5)
    np.testing.assert_allclose(scores.sum(-1), 1, rtol=1e-5)


def test_the_mirror_image_is_mirrored_back():
    scores = views(Looking(), 60, flip=True)(photo())
    np.testing.assert_allclose(scores, probabilities(Looking()(photo(), 60)), atol=0.02)
    one_sided = views(lambda image, size: np.float32([[[0, 0], [9, 0]]]), flip=True)(photo())
    np.testing.assert_allclose(one_sided[0, 0], one_sided[0, 1])


@pytest.mark.parametrize("shrink", [1, 4])
def test_a_sliding_window_sees_all_of_the_image_at_full_detail(shrink):
    look = Looking(shrink)
    scores = views(look, window=64)(photo())
    assert {shape for shape, _ in look.seen} == {(64, 64)} and {size for _, size in look.seen} == {64}
    assert len(look.seen) == 3 * 4
    assert scores.shape == (120, 160, 3)
    np.testing.assert_allclose(scores, photo() / 25, atol=1e-5 if shrink == 1 else 1.5)


def test_an_image_that_fits_the_window_is_seen_whole():
    look = Looking()
    views(look, 60, window=80)(photo())
    assert look.seen == [((120, 160), 60)]


def test_windows_overlap_by_half_and_reach_both_ends():
    for length in (64, 65, 100, 128, 333):
        starts = _starts(length, 64)
        assert starts[0] == 0 and starts[-1] + 64 == length and np.diff(starts).max(initial=0) <= 32


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 15}, "size 15 is out of range; valid: 16 to 4096 px, or 0"),
        ({"size": 5000}, "size 5000"),
        ({"window": -3}, "window -3 is out of range"),
        ({"scales": [1, 5]}, r"scale 5 is out of range; valid: 0\.25 to 4"),
        ({"scales": [0]}, "scale 0 is"),
        ({"scales": [float("nan")]}, "scale nan is"),
        ({"scales": []}, "no scales"),
    ],
)
def test_what_is_out_of_range_is_refused_before_anything_is_predicted(options, message):
    with pytest.raises(UserError, match=message):
        views(Looking(), **options)
