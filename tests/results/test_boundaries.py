"""Boundary counts: all classes at once equal to one mask at a time, and a perfect prediction scores 1."""

import cv2
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from scipy import ndimage

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError
from cocoseg.results.boundaries import (
    BANDS,
    CONTOURS,
    REACH,
    TRIMAPS,
    band_width,
    bands,
    contour,
    contours,
    inner_band,
    trimaps,
)
from cocoseg.results.boundary_scores import boundary_f, boundary_f_interval, trimap_curve
from cocoseg.results.counts import cells, confusion, table, with_void
from cocoseg.results.metrics import score

from .test_counts import label_maps

N = 6


def eroded_band(mask, d):
    """The inner band of one mask by d erosions with 3×3, nothing outside the image."""
    framed = np.pad(mask.astype(np.uint8), 1)
    return mask & ~cv2.erode(framed, np.ones((3, 3), np.uint8), iterations=d)[1:-1, 1:-1].astype(bool)


def naive_bands(truth, prediction, n, d):
    prediction = with_void(truth, prediction)
    counts = []
    for c in range(n):
        t, p = eroded_band(truth == c, d), eroded_band(prediction == c, d)
        counts.append(((t & p).sum(), p.sum(), t.sum()))
    return np.array(counts)


def naive_contour(labels):
    """Pixel by pixel: another class among the neighbours that are in the image and known."""
    found = np.zeros(labels.shape, bool)
    for y, x in np.argwhere(labels != VOID):
        around = labels[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2]
        found[y, x] = np.any((around != labels[y, x]) & (around != VOID))
    return found


def naive_contours(truth, prediction, n, radii):
    """One class and tolerance at a time, by exact Euclidean distance transforms."""
    maps = truth, with_void(truth, prediction)
    lines = [naive_contour(labels) for labels in maps]
    counts = np.zeros((len(radii), n, 4), np.int64)
    for c in range(n):
        t, p = (line & (labels == c) for line, labels in zip(lines, maps, strict=True))
        to_t, to_p = (
            ndimage.distance_transform_edt(~line) if line.any() else np.full(line.shape, np.inf) for line in (t, p)
        )
        for k, r in enumerate(radii):
            counts[k, c] = (p & (to_t <= r)).sum(), p.sum(), (t & (to_p <= r)).sum(), t.sum()
    return counts


def perfect(truth):
    return np.where(truth == VOID, 3, truth).astype(np.uint8)


@pytest.mark.parametrize("d", [1, 2, 5, 40, 200])
def test_bands_equal_eroding_one_mask_at_a_time(blobs, d):
    truth, prediction = blobs(N)
    np.testing.assert_array_equal(bands(truth, prediction, N, d), naive_bands(truth, prediction, N, d))


def test_bands_equal_eroding_one_mask_at_a_time_on_coco(real_maps):
    for truth, prediction in real_maps[:4]:
        d = band_width(*truth.shape)
        np.testing.assert_array_equal(bands(truth, prediction, 81), naive_bands(truth, prediction, 81, d))


@settings(deadline=None)
@given(label_maps())
def test_bands_equal_eroding_one_mask_at_a_time_on_any_maps(maps):
    for d in (1, 2, 3):
        np.testing.assert_array_equal(bands(*maps, 4, d), naive_bands(*maps, 4, d))


@pytest.mark.parametrize("size", [(1, 1), (1, 64), (3, 63), (5, 64), (70, 65), (64, 128), (130, 200)])
@pytest.mark.parametrize("d", [1, 3, 32, 33, 64, 150])
def test_bands_equal_eroding_whatever_the_size_of_the_image(size, d):
    rng = np.random.default_rng(0)
    truth, prediction = (np.kron(rng.integers(0, 3, size), np.ones((4, 4))).astype(np.uint8) for _ in range(2))
    truth, prediction = truth[: size[0], : size[1]].copy(), prediction[: size[0], : size[1]].copy()
    truth[rng.random(size) < 0.001] = VOID
    np.testing.assert_array_equal(bands(truth, prediction, 3, d), naive_bands(truth, prediction, 3, d))
    np.testing.assert_array_equal(
        bands(truth, prediction, 3, d)[:, 2], np.bincount(inner_band(truth, d)[truth != VOID], minlength=256)[:3]
    )


def test_the_width_of_the_band_is_two_percent_of_the_diagonal():
    assert [band_width(480, 640), band_width(427, 640), band_width(3, 4)] == [16, 15, 1]


def test_the_border_of_the_image_is_a_boundary_of_bands():
    full = np.ones((9, 9), np.uint8)
    assert bands(full, full, 2, d=1)[1].tolist() == [32, 32, 32]


def test_bands_do_not_depend_on_which_numbers_the_classes_have(blobs):
    """Eroding the label map itself, and taking differences of labels as bands, would."""
    truth, prediction = blobs(N)
    other = np.uint8([3, 80, 1, 79, 2, 40])
    t, p = (np.where(labels == VOID, VOID, other[labels % VOID % N]) for labels in (truth, prediction))
    np.testing.assert_array_equal(bands(t, p, 81, d=3)[other], bands(truth, prediction, N, d=3))
    window = np.ones((7, 7), np.uint8)
    differences = [(labels - cv2.erode(labels, window))[truth == 0].sum() for labels in (truth, t)]
    assert differences[0] != differences[1]


@settings(deadline=None)
@given(label_maps())
def test_trimap_is_the_confusion_within_r_of_the_naive_contour(maps):
    truth, prediction = maps
    line = naive_contour(truth)
    away = ndimage.distance_transform_cdt(~line, "chessboard") if line.any() else np.full(line.shape, 99)
    for r, counts in enumerate(trimaps(*maps, 4)):
        matrix = confusion(np.where(away < r, truth, VOID).astype(np.uint8), prediction, 4)
        expected = np.stack([matrix.diagonal(), matrix.sum(0), matrix.sum(1)], -1)
        np.testing.assert_array_equal(counts, expected)


def test_trimap_takes_both_sides_of_a_class_boundary_and_none_of_the_image_border():
    truth = np.uint8([[0] * 20 + [1] * 20] * 5)
    per_radius = trimaps(truth, truth, 2)
    assert per_radius[:, 0, 2].tolist() == per_radius[:, 1, 2].tolist() == [5 * r for r in range(REACH + 1)]


def test_the_end_of_void_is_no_contour():
    truth = np.uint8([[1, 1, 1, 1, VOID, VOID, 0, 0, 0]] * 9)
    assert not contour(truth).any()
    assert not trimaps(truth, perfect(truth), 4).any()
    assert not contours(truth, perfect(truth), 4).any()


@settings(deadline=None)
@given(label_maps())
def test_a_contour_is_found_pixel_by_pixel(maps):
    for labels in maps:
        np.testing.assert_array_equal(contour(labels), naive_contour(labels))


def test_matched_contours_equal_distance_transforms_of_one_class_at_a_time(blobs):
    truth, prediction = (labels[:60, :80] for labels in blobs(N))
    np.testing.assert_array_equal(
        contours(truth, prediction, N), naive_contours(truth, prediction, N, range(REACH + 1))
    )


@settings(deadline=None, max_examples=30)
@given(label_maps())
def test_matched_contours_equal_distance_transforms_on_any_maps(maps):
    np.testing.assert_array_equal(contours(*maps, 4), naive_contours(*maps, 4, range(REACH + 1)))


def test_a_perfect_prediction_scores_exactly_1(blobs):
    truth, _ = blobs(N)
    assert (truth == VOID).any()
    prediction = perfect(truth)
    assert score(table([cells(1, bands(truth, prediction, N))], BANDS), "miou_d") == 1
    assert (trimap_curve(table([cells(1, trimaps(truth, prediction, N))], TRIMAPS))["value"] == 1).all()
    f = boundary_f(table([cells(1, contours(truth, prediction, N))], CONTOURS))
    assert (f["f"] == 1).all() and (f["image_f"] == 1).all()


def test_bands_taken_before_the_void_is_copied_would_deny_a_perfect_prediction_its_1():
    truth = np.uint8([[1] * 10 + [VOID] * 10] * 20)
    prediction = np.ones_like(truth)
    known = truth != VOID
    t, p = ((inner_band(labels, 2) != VOID) & known for labels in (truth, prediction))
    assert (t & p).sum() < t.sum()
    assert bands(truth, prediction, 2, d=2)[1].tolist() == [t.sum()] * 3


def test_boundary_scores_see_what_iou_does_not():
    """A large square, one pixel off: IoU 0.98, boundary IoU far lower (Cheng et al. 2021, figure 1)."""
    truth = np.zeros((300, 300), np.uint8)
    truth[50:250, 50:250] = 1
    prediction = np.roll(truth, 2, 1)
    both, predicted, true = bands(truth, prediction, 2)[1]
    (_, wrong), (missed, found) = confusion(truth, prediction, 2)
    assert found / (found + wrong + missed) > 0.98
    assert both / (predicted + true - both) < 0.8


def test_tables_are_sparse_and_typed(blobs):
    truth, prediction = blobs(3)
    images = [(7, (truth, prediction)), (9, (np.zeros_like(truth), np.zeros_like(truth)))]
    band = table((cells(k, bands(*maps, N)) for k, maps in images), BANDS)
    assert band.schema == pl.Schema(BANDS) and band.select("image_id", "class").rows()[-1] == (9, 0)
    trimap = table((cells(k, trimaps(*maps, N)) for k, maps in images), TRIMAPS)
    assert trimap.schema == pl.Schema(TRIMAPS)
    assert set(trimap["image_id"]) == {7} and trimap["r"].unique().sort().to_list() == list(range(1, REACH + 1))
    line = table((cells(k, contours(*maps, N)) for k, maps in images), CONTOURS)
    assert line.schema == pl.Schema(CONTOURS)
    assert line.filter(r=4, **{"class": 1}).row(0)[3:] == tuple(contours(truth, prediction, N)[4, 1])


def test_boundary_f_over_the_dataset_and_as_the_mean_of_images():
    matched, missed = (cells(k, np.array([[row]])) for k, row in enumerate([[10, 10, 10, 10], [0, 0, 0, 30]]))
    row = boundary_f(table([matched, missed], CONTOURS)).row(0, named=True)
    assert (row["precision"], row["recall"]) == (1, 0.25)
    assert (row["f"], row["image_f"]) == (pytest.approx(0.4), 0.5)
    row = boundary_f(table([missed], CONTOURS)).row(0, named=True)
    assert (row["precision"], row["recall"], row["f"], row["image_f"]) == (None, 0, 0, 0)


@pytest.mark.parametrize("measure", [bands, trimaps, contours])
def test_maps_of_different_size_are_refused(measure):
    with pytest.raises(UserError, match="expected one size"):
        measure(np.zeros((4, 5), np.uint8), np.zeros((5, 4), np.uint8), 2)


@pytest.mark.parametrize("measure", [bands, trimaps, contours])
@pytest.mark.parametrize("name", ["truth", "prediction"])
def test_labels_beyond_the_classes_are_refused(measure, name):
    maps = {key: np.uint8([[0, 0, 1, 1]] * 4) for key in ("truth", "prediction")}
    maps[name] = maps[name] * 9
    with pytest.raises(UserError, match=f"the {name} has label 9; expected 0 to 1"):
        measure(maps["truth"], maps["prediction"], 2)


def test_the_interval_of_boundary_f_is_around_the_mean_of_common_classes():
    rng = np.random.default_rng(2)
    rows = []
    for image in range(14):
        for number, images in ((0, 14), (1, 14), (2, 12), (3, 2)):
            if image < images:
                predicted, true = rng.integers(20, 90, 2).tolist()
                rows += [(image, r, number, predicted // (6 - r), predicted, true // (6 - r), true) for r in (1, 3)]
    table, ids = pl.DataFrame(rows, CONTOURS, orient="row"), pl.Series(range(16))
    found = boundary_f_interval(table, ids, resamples=300)
    mean = boundary_f(table).filter(pl.col("class").is_in([1, 2])).group_by("r").agg(pl.col("f").mean()).sort("r")
    assert found["f"].to_list() == pytest.approx(mean["f"].to_list())
    assert found["classes"].to_list() == [2, 2] and found["r"].to_list() == [1, 3]
    assert (found["low"] < found["f"]).all() and (found["f"] < found["high"]).all()
    assert boundary_f_interval(table, ids, min_images=15, resamples=50)["f"].to_list() == [None, None]
