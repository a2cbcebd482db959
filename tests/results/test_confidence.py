"""Confidences: equal to a softmax of the resized scores, and to counting one bin at a time."""

import cv2
import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import VOID
from cocoseg.results.confidence import BINS, CONFIDENCES, STEP, confidence_table, confidences, lattice, probabilities
from cocoseg.results.labels import label

from .test_labels import smooth


def resized(scores, height, width):
    return cv2.resize(scores, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)


def softmax(scores):
    powers = np.exp(np.float64(scores) - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


@pytest.mark.parametrize("grid", [(1, 1), (15, 20), (60, 83), (120, 160), (240, 320)])
@pytest.mark.parametrize("n", [2, 7])
def test_confidences_are_those_of_the_resized_scores(grid, n):
    scores, truth = 4 * smooth(*grid, n), np.random.default_rng(0).integers(0, n, (120, 160)).astype(np.uint8)
    truth[:30] = VOID
    pixels, correct, sums = confidences(scores, truth)
    at = np.ix_(lattice(120), lattice(160))
    chance, true = softmax(resized(scores, 120, 160))[at], truth[at]
    known = true != VOID
    assert pixels.sum() == known.sum()
    for c in range(n):
        mine = known & (chance.argmax(-1) == c)
        assert pixels[c].sum() == pytest.approx(mine.sum(), abs=2)  # where two are equal but for rounding
        assert correct[c].sum() == pytest.approx((mine & (true == c)).sum(), abs=2)
        assert sums[c].sum() == pytest.approx(chance.max(-1)[mine].sum(), abs=1.5)
    edges = np.histogram(chance.max(-1)[known], np.linspace(0, 1, BINS + 1))[0]
    assert np.abs(pixels.sum(0) - edges).max() <= 3


def test_the_class_that_is_counted_is_that_of_the_label_map():
    scores, truth = smooth(30, 40, 5), np.zeros((120, 160), np.uint8)
    labels = label(scores, 120, 160)[np.ix_(lattice(120), lattice(160))]
    pixels, _, _ = confidences(scores, truth)
    assert np.abs(pixels.sum(1) - np.bincount(labels.ravel(), minlength=5)).max() <= 1


def test_the_mean_confidence_of_a_bin_lies_in_it():
    pixels, correct, sums = confidences(3 * smooth(60, 80, 4), np.zeros((60, 80), np.uint8))
    used = pixels > 0
    low, high = (np.arange(BINS)[None] + k for k in (0, 1))
    mean = sums / np.maximum(pixels, 1) * BINS
    assert ((mean >= low - 1e-6) & (mean <= high + 1e-6))[used].all()
    assert (correct <= pixels).all() and not pixels[:, : BINS // 4].any()  # four classes: at least a quarter sure


def test_probabilities_are_taken_as_they_are_and_everything_else_is_a_score():
    chance = softmax(np.random.default_rng(0).standard_normal((3, 4, 5))).astype(np.float32)
    np.testing.assert_array_equal(probabilities(chance), chance)
    for scores in (np.log(chance), 2 * chance, chance - 0.2, -chance):
        np.testing.assert_allclose(probabilities(scores), softmax(scores), rtol=1e-5)
    np.testing.assert_allclose(probabilities(np.float32([[1e4, 0], [-1e4, 0]])), [[1, 0], [0, 1]], atol=1e-6)


def test_one_pixel_in_sixteen_is_looked_at_and_at_least_one():
    assert STEP**2 == 16
    for size in ((1, 1), (2, 3), (16, 16), (37, 41)):
        pixels, _, _ = confidences(np.zeros((1, 1, 2), np.float32), np.zeros(size, np.uint8))
        assert pixels.sum() == len(lattice(size[0])) * len(lattice(size[1])) >= 1


def test_an_image_that_is_all_void_counts_nothing():
    pixels, correct, sums = confidences(np.zeros((2, 2, 3), np.float32), np.full((8, 8), VOID, np.uint8))
    assert pixels.sum() == correct.sum() == sums.sum() == 0


def test_the_table_has_a_row_for_each_bin_with_pixels():
    first = confidences(smooth(8, 8, 3), np.zeros((32, 32), np.uint8))
    second = confidences(smooth(8, 8, 3, seed=1), np.ones((32, 32), np.uint8))
    rows = confidence_table({7: first, 3: second})
    assert rows.schema == pl.Schema(CONFIDENCES)
    for image_id, (pixels, correct, sums) in ((7, first), (3, second)):
        mine = rows.filter(image_id=image_id)
        assert mine.height == (pixels > 0).sum()
        at = mine["class"].to_numpy(), mine["bin"].to_numpy()
        for column, array in (("pixels", pixels), ("correct", correct), ("confidence", sums)):
            np.testing.assert_array_equal(mine[column].to_numpy(), array[at])
    assert confidence_table({}).schema == pl.Schema(CONFIDENCES)
