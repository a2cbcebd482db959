"""Kinds of mistakes: every wrong pixel has exactly one, by the definition in words, one pixel at a time."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from scipy import ndimage

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError
from cocoseg.results.boundaries import band_width
from cocoseg.results.counts import cells, confusion, with_void
from cocoseg.results.mistakes import KINDS, MISTAKES, NOTICED, mistake_counts, mistake_table, mistakes, objects

from .test_counts import label_maps

MISSED, INVENTED, BOUNDARY, CONFUSED, CONFUSED_ELSEWHERE, PART, SPILL = range(1, 8)


def naive_objects(labels):
    """Components of one class at a time."""
    found, n = np.full(labels.shape, -1), 0
    for c in set(np.unique(labels).tolist()) - {0, VOID}:
        parts, k = ndimage.label(labels == c, np.ones((3, 3)))
        found[parts > 0] = parts[parts > 0] + n - 1
        n += k
    return found


def noticed(object_pixels, other):
    known = object_pixels & (other != VOID)
    return (known & (other != 0)).sum() >= NOTICED * known.sum()


def naive(truth, prediction):
    prediction = with_void(truth, prediction)
    true_objects, found_objects = naive_objects(truth), naive_objects(prediction)
    d, kinds = band_width(*truth.shape), np.zeros(truth.shape, np.uint8)
    for y, x in np.argwhere(truth != prediction):
        t, p = truth[y, x], prediction[y, x]
        around = truth[max(0, y - d) : y + d + 1, max(0, x - d) : x + d + 1]
        if p == 0 and not noticed(true_objects == true_objects[y, x], prediction):
            kinds[y, x] = MISSED
        elif t == 0 and not noticed(found_objects == found_objects[y, x], truth):
            kinds[y, x] = INVENTED
        elif (around == p).any():
            kinds[y, x] = BOUNDARY
        elif t and p:
            kinds[y, x] = CONFUSED if (truth == p).any() else CONFUSED_ELSEWHERE
        else:
            kinds[y, x] = PART if t else SPILL
    return kinds


@settings(deadline=None)
@given(label_maps())
def test_each_pixel_has_the_kind_that_the_definition_gives_it(maps):
    np.testing.assert_array_equal(mistakes(*maps), naive(*maps))


def test_each_pixel_of_larger_maps_too(blobs):
    truth, prediction = blobs(4)
    truth[60:110, 10:60] = np.where(truth[60:110, 10:60] == 2, 0, truth[60:110, 10:60])
    prediction[90:, 90:] = 0
    kinds = mistakes(truth, prediction)
    np.testing.assert_array_equal(kinds, naive(truth, prediction))
    assert len(np.unique(kinds)) >= 5


def test_the_wrong_pixels_are_those_off_the_diagonal_of_the_confusion_matrix(blobs, real_maps):
    for truth, prediction, n in ((*blobs(6), 6), *((*pair, 81) for pair in real_maps[:4])):
        pixels = mistake_counts(mistakes(truth, prediction), truth, prediction, n)
        matrix = confusion(truth, prediction, n)
        np.fill_diagonal(matrix, 0)
        np.testing.assert_array_equal(pixels.sum(0), matrix)


def scene():
    """A large true object of class 1 in the middle of 200×200 px (d = 6 px)."""
    truth = np.zeros((200, 200), np.uint8)
    truth[60:140, 60:140] = 1
    return truth, truth.copy()


def kinds_of(truth, prediction):
    kinds, pixels = np.unique(mistakes(truth, prediction), return_counts=True)
    return {int(k): int(n) for k, n in zip(kinds, pixels, strict=True) if k}


def test_a_perfect_prediction_has_no_mistakes():
    truth, prediction = scene()
    truth[:20] = VOID
    assert kinds_of(truth, prediction) == {}


def test_an_object_that_is_not_noticed_is_missed_even_where_it_is_small_enough_to_be_all_boundary():
    truth, prediction = scene()
    truth[10:15, 10:15] = 2
    assert kinds_of(truth, prediction) == {MISSED: 25}
    prediction[10:12, 10:12] = 2  # 16 % of it are found
    assert kinds_of(truth, prediction) == {BOUNDARY: 21}


def test_an_object_taken_for_another_is_confused_and_neither_missed_nor_invented():
    truth, prediction = scene()
    prediction[60:140, 60:140] = 2
    assert kinds_of(truth, prediction) == {CONFUSED_ELSEWHERE: 6400}
    truth[0, 0] = prediction[0, 0] = 2
    assert kinds_of(truth, prediction) == {CONFUSED: 6400}


def test_an_object_on_background_is_invented_and_one_that_touches_a_true_one_spills():
    truth, prediction = scene()
    prediction[170:190, 170:190] = 1
    assert kinds_of(truth, prediction) == {INVENTED: 400}
    prediction[170:190, 170:190] = 0
    prediction[60:140, 140:170] = 1
    spilled = kinds_of(truth, prediction)
    assert spilled == {BOUNDARY: 80 * 6, SPILL: 80 * 24}


def test_background_within_an_object_is_a_missed_part_beyond_d():
    truth, prediction = scene()
    prediction[90:110, 90:110] = 0
    assert kinds_of(truth, prediction) == {PART: 400}


def test_with_instances_known_a_missed_one_is_missed_though_it_touches_one_that_is_found():
    truth, prediction = scene()
    prediction[60:140, 100:140] = 0
    people = np.where(truth == 1, (np.arange(200) >= 100).astype(np.int32), -1)
    assert MISSED not in kinds_of(truth, prediction)
    kinds = mistakes(truth, prediction, people.astype(np.int32))
    assert (kinds == MISSED).sum() == 80 * 40 and set(np.unique(kinds)) == {0, MISSED}


def test_void_is_no_mistake_and_belongs_to_no_object():
    truth, prediction = scene()
    truth[:, 100:] = VOID
    prediction[:, 100:] = 3
    assert kinds_of(truth, prediction) == {}
    assert (objects(truth)[:, 100:] == -1).all()


def test_the_table_names_the_kinds(blobs):
    truth, prediction = blobs(3)
    pixels = mistake_counts(mistakes(truth, prediction), truth, prediction, 3)
    rows = mistake_table([cells(7, pixels[..., None])])
    assert rows.schema == pl.Schema(MISTAKES)
    for kind, true, predicted, n in rows.drop("image_id").iter_rows():
        assert pixels[KINDS.index(kind), true, predicted] == n
    assert rows["pixels"].sum() == pixels.sum()
    assert mistake_table([]).schema == pl.Schema(MISTAKES)


def test_maps_of_another_size_are_refused():
    with pytest.raises(UserError, match="expected one size"):
        mistakes(np.zeros((3, 4), np.uint8), np.zeros((4, 3), np.uint8))
