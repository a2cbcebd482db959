"""Calibration: the textbook formula over pixels, and what is right when the answer is known."""

import numpy as np
import polars as pl
import pytest

from cocoseg.results.calibration import (
    classwise_ece,
    ece,
    ece_difference,
    ece_interval,
    ece_per_class,
    ece_per_image,
    known,
    reliability,
)
from cocoseg.results.confidence import BINS, CONFIDENCES, confidence_table


def pixels_of(sure, honest=1.0, images=20, seed=0):
    """Pixels with a confidence each, right with `honest` times that probability: (image, class, confidence, right)."""
    rng = np.random.default_rng(seed)
    image = rng.integers(0, images, len(sure))
    return image, rng.integers(0, 3, len(sure)), sure, rng.random(len(sure)) < honest * sure


def tabulate(image, classes, sure, right):
    counted = {}
    for k in np.unique(image).tolist():
        arrays = [np.zeros((3, BINS)) for _ in range(3)]
        for c, s, r in zip(classes[image == k], sure[image == k], right[image == k], strict=True):
            at = c, min(BINS - 1, int(np.ceil(s * BINS)) - 1)
            for array, value in zip(arrays, (1, r, s), strict=True):
                array[at] += value
        counted[k] = (arrays[0].astype(int), arrays[1].astype(int), arrays[2])
    return confidence_table(counted)


def textbook(sure, right):
    """Guo et al. 2017, equation 3."""
    total, n = 0.0, len(sure)
    for m in range(BINS):
        members = (sure > m / BINS) & (sure <= (m + 1) / BINS)
        if members.any():
            total += members.sum() / n * abs(right[members].mean() - sure[members].mean())
    return total


@pytest.fixture
def some():
    return pixels_of(np.random.default_rng(1).uniform(0.34, 1, 4000), honest=0.8)


def test_ece_is_the_textbooks(some):
    image, classes, sure, right = some
    table = tabulate(*some)
    assert ece(table) == pytest.approx(textbook(sure, right))
    images = ece_per_image(table)
    assert images["image_id"].to_list() == list(range(20)) and images["pixels"].sum() == len(sure)
    for k, value in images.select("image_id", "ece").iter_rows():
        assert value == pytest.approx(textbook(sure[image == k], right[image == k]))
    by_class = ece_per_class(table)
    for c, value, gap in by_class.select("class", "ece", "gap").iter_rows():
        mine = classes == c
        assert value == pytest.approx(textbook(sure[mine], right[mine]))
        assert gap == pytest.approx(sure[mine].mean() - right[mine].mean())
    assert classwise_ece(table) == pytest.approx(by_class["ece"].mean())


def test_a_calibrated_model_has_no_error_but_chance():
    table = tabulate(*pixels_of(np.random.default_rng(1).uniform(0.34, 1, 20_000)))
    assert ece(table) < 0.02 and reliability(table).filter(pl.col("pixels") > 500)["gap"].abs().max() < 0.05


def test_a_model_that_is_too_sure_has_positive_gaps(some):
    rows = reliability(tabulate(*some))
    assert (rows["gap"] > 0).all() and ece(tabulate(*some)) == pytest.approx(0.2 * 0.67, abs=0.02)
    assert (rows["low"] < rows["confidence"]).all() and (rows["confidence"] <= rows["high"] + 1e-9).all()


def test_errors_of_images_that_make_up_for_each_other_show_per_image():
    rows = [(1, 0, 14, 100, 100, 95.0), (2, 0, 14, 100, 90, 95.0)]
    table = pl.DataFrame(rows, CONFIDENCES, orient="row")
    assert ece(table) == 0 and ece_per_image(table)["ece"].mean() == pytest.approx(0.05)


def test_the_interval_is_that_of_resampled_images(some):
    row = ece_interval(tabulate(*some), resamples=300).row(0, named=True)
    assert row["images"] == 20 and row["low"] < row["estimate"] < row["high"] and row["high"] - row["low"] < 0.1


def test_label_maps_that_do_not_say_how_sure_they_are_have_no_calibration():
    nothing = confidence_table({})
    assert not known(nothing) and np.isnan(ece(nothing)) and np.isnan(classwise_ece(nothing))
    assert reliability(nothing).is_empty() and ece_per_image(nothing).is_empty() and ece_per_class(nothing).is_empty()
    assert ece_interval(nothing).row(0, named=True) == {
        "estimate": None,
        "low": None,
        "high": None,
        "level": 0.95,
        "images": 0,
    }


def test_a_difference_is_between_the_errors_and_certain_only_where_they_differ():
    sure = np.random.default_rng(5).uniform(0.4, 1, 20_000)
    honest, boastful = (tabulate(*pixels_of(sure, honest=h)) for h in (1.0, 0.7))
    row = ece_difference(honest, boastful, resamples=300).row(0, named=True)
    assert row["difference"] == pytest.approx(ece(boastful) - ece(honest))
    assert 0 < row["low"] < row["difference"] < row["high"]
    row = ece_difference(honest, honest, resamples=300).row(0, named=True)
    assert row["difference"] == row["low"] == row["high"] == 0
