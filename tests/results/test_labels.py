"""Labels from scores: what resizing all scores and taking the argmax gives, without making them."""

import cv2
import numpy as np
import pytest

from cocoseg.errors import UserError
from cocoseg.results.labels import label


def smooth(height, width, n, seed=0):
    noise = np.random.default_rng(seed).standard_normal((n, height, width)).astype(np.float32)
    return np.stack([cv2.GaussianBlur(plane, (0, 0), 2) for plane in noise], -1)


@pytest.mark.parametrize("n", [1, 2, 21, 81])
@pytest.mark.parametrize("grid", [(1, 1), (1, 7), (15, 20), (60, 80), (7, 130), (120, 160), (140, 190)])
def test_labels_equal_the_argmax_of_resized_scores(grid, n):
    scores = smooth(*grid, n)
    resized = cv2.resize(scores, (160, 120), interpolation=cv2.INTER_LINEAR).reshape(120, 160, n)
    labels, expected = label(scores, 120, 160), resized.argmax(-1)
    # Where the two best scores are equal but for rounding, either may win.
    top = np.take_along_axis(resized, expected[..., None], -1) - np.take_along_axis(
        resized, labels[..., None].astype(int), -1
    )
    assert labels.dtype == np.uint8 and top.max() <= 1e-6
    assert (labels != expected).mean() < 1e-3


def test_a_class_that_is_second_at_every_corner_wins_between_them():
    corners = np.float32([[[5, 4, 0], [0, 4, 5]]])
    assert 1 in label(corners, 1, 16)


def test_equal_scores_give_the_first_class():
    assert not label(np.zeros((3, 4, 5), np.float32), 30, 40).any()


def test_resizing_labels_instead_of_scores_would_place_the_boundary_elsewhere():
    scores = np.float32([[[9, 0], [0, 1]]])
    nearest = cv2.resize(scores.argmax(-1).astype(np.uint8), (20, 1), interpolation=cv2.INTER_NEAREST)
    assert label(scores, 1, 20).sum() < nearest.sum()


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        (np.zeros((4, 5)), "expected"),
        (np.zeros((0, 5, 2)), "expected"),
        (np.zeros((4, 5, 300)), "n at most 254"),
        (np.full((2, 2, 2), np.nan), "not finite"),
        (np.full((2, 2, 2), np.inf), "not finite"),
    ],
)
def test_scores_that_are_none_are_refused(scores, message):
    with pytest.raises(UserError, match=message):
        label(scores, 8, 8)
