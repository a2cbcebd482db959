"""Counting pixels: every matrix and table against an independent reference, to the pixel."""

import hypothesis.extra.numpy as hnp
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as rle
from sklearn.metrics import confusion_matrix

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError
from cocoseg.results.counts import CONFUSIONS, COUNTS, confusion, confusions, counts, with_void


@st.composite
def label_maps(draw, n=4):
    """Truth (some of it void) and prediction, uint8 of one size, up to 20×20."""
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=20))
    classes = st.integers(0, n - 1)
    truth = draw(hnp.arrays(np.uint8, shape, elements=classes | st.just(VOID), fill=st.just(0)))
    return truth, draw(hnp.arrays(np.uint8, shape, elements=classes, fill=st.just(0)))


def naive(truth, prediction, n):
    matrix = np.zeros((n, n), np.int64)
    for t, p in zip(truth.ravel(), prediction.ravel(), strict=True):
        if t != VOID:
            matrix[t, p] += 1
    return matrix


@settings(deadline=None)
@given(label_maps())
def test_confusion_is_what_a_loop_over_pixels_counts(maps):
    np.testing.assert_array_equal(confusion(*maps, 4), naive(*maps, 4))


@settings(deadline=None)
@given(label_maps())
def test_counts_are_diagonal_column_and_row_sums_of_the_classes_that_occur(maps):
    matrix = naive(*maps, 4)
    table = counts(confusions([(3, matrix)]))
    assert table.schema == pl.Schema(COUNTS)
    expected = [(3, c, matrix[c, c], matrix[:, c].sum(), matrix[c].sum()) for c in range(4)]
    assert table.rows() == [row for row in expected if row[3] + row[4]]


@pytest.mark.parametrize("n", [2, 81])
def test_confusion_equals_scikit_learn(blobs, n):
    truth, prediction = blobs(n)
    known = truth != VOID
    reference = confusion_matrix(truth[known], prediction[known], labels=np.arange(n))
    np.testing.assert_array_equal(confusion(truth, prediction, n), reference)


def test_confusion_equals_scikit_learn_on_coco(real_maps):
    for truth, prediction in real_maps:
        known = truth != VOID
        reference = confusion_matrix(truth[known], prediction[known], labels=np.arange(81))
        np.testing.assert_array_equal(confusion(truth, prediction, 81), reference)


def test_confusion_is_what_a_loop_counts_on_coco(real_maps):
    for truth, prediction in real_maps[:2]:
        np.testing.assert_array_equal(confusion(truth, prediction, 81), naive(truth, prediction, 81))


def assert_iou_equals_pycocotools(truth, prediction):
    (_, wrong), (missed, both) = confusion(truth, prediction, 2)
    encoded = [rle.encode(np.asfortranarray(labels)) for labels in (prediction, truth)]
    assert both / (both + wrong + missed) == rle.iou(encoded[:1], encoded[1:], [0])[0, 0]


def test_iou_of_binary_masks_equals_pycocotools(blobs):
    assert_iou_equals_pycocotools(*blobs(2, void=False))


def test_iou_of_people_equals_pycocotools(person_maps):
    assert len(person_maps) == 6
    for truth, prediction in person_maps:
        assert_iou_equals_pycocotools(truth, prediction)


def test_views_that_are_not_contiguous_are_counted_like_their_copies(blobs):
    truth, prediction = blobs()
    views = truth[::2, 3::3], prediction[::2, 3::3]
    np.testing.assert_array_equal(confusion(*views, 5), naive(*views, 5))
    np.testing.assert_array_equal(confusion(truth.T, prediction.T, 5), confusion(truth, prediction, 5))


def test_void_is_neither_background_nor_wrong():
    truth = np.uint8([[1, 1, 255, 255]])
    assert confusion(truth, np.uint8([[1, 1, 0, 1]]), 2).tolist() == [[0, 0], [0, 2]]
    assert confusion(truth, np.uint8([[1, 1, 255, 77]]), 2).tolist() == [[0, 0], [0, 2]]


def test_void_of_the_truth_hides_the_prediction(blobs):
    truth, prediction = blobs()
    hidden = with_void(truth, prediction)
    assert (hidden == VOID).tolist() == (truth == VOID).tolist()
    np.testing.assert_array_equal(confusion(truth, hidden, 5), confusion(truth, prediction, 5))


@pytest.mark.parametrize(
    ("truth", "prediction", "message"),
    [
        (np.zeros((2, 3), np.uint8), np.zeros((3, 2), np.uint8), r"truth has \(H, W\) = \(2, 3\), the prediction"),
        (np.zeros((2, 3), np.uint8), np.zeros((2, 3), np.int64), "prediction is int64"),
        (np.zeros((2, 3, 1), np.uint8), np.zeros((2, 3), np.uint8), r"truth is uint8 of shape \(2, 3, 1\)"),
        (np.zeros((1, 2), np.uint8), np.uint8([[1, 4]]), "prediction has label 4; expected 0 to 2"),
        (np.uint8([[1, 3]]), np.zeros((1, 2), np.uint8), "truth has label 3; expected 0 to 2"),
        (np.uint8([[1, 1]]), np.uint8([[1, 255]]), "prediction has label 255"),
    ],
)
def test_maps_that_cannot_be_compared_are_refused(truth, prediction, message):
    with pytest.raises(UserError, match=message):
        confusion(truth, prediction, 3)


def test_no_images_give_empty_tables():
    empty = confusions([])
    assert empty.schema == pl.Schema(CONFUSIONS)
    assert counts(empty).schema == pl.Schema(COUNTS)
    assert counts(confusions([(1, np.zeros((2, 2), np.int64))])).is_empty()
