"""Intervals and tests: equal to resampling image by image, and right where the answer is known."""

from itertools import product

import numpy as np
import polars as pl
import pytest

from cocoseg.errors import UserError
from cocoseg.results.counts import COUNTS
from cocoseg.results.intervals import class_intervals, compare, compare_classes, draws, interval
from cocoseg.results.metrics import METRICS, score


def model(skill=0.6, images=40, rare=3, seed=0, noise=0.2):
    """Counts of a model with about this IoU per class: class 0 in every image, 1 in half, 2 in `rare` of them."""
    truth, errors = np.random.default_rng(5), np.random.default_rng((seed, 1))
    rows = []
    for image in range(images):
        for c in (0, 1, 2):
            if c == 0 or (c == 1 and image % 2) or (c == 2 and image < rare):
                true = int(truth.integers(50, 500))
                found = int(true * np.clip(errors.normal(skill, noise), 0, 1))
                rows.append((image + 100, c, found, found + int(errors.integers(20)), true))
    return pl.DataFrame(rows, COUNTS, orient="row")


def repeated(counts, weights):
    """The counts of a resample, written out: each image as often as drawn, under new ids."""
    ids = counts["image_id"].unique().sort().to_list()
    parts = [
        counts.filter(image_id=image).with_columns(image_id=pl.lit(1000 * image + k, pl.Int64))
        for image, times in zip(ids, weights, strict=True)
        for k in range(int(times))
    ]
    return pl.concat(parts)


@pytest.mark.parametrize("name", [m.name for m in METRICS])
def test_a_bootstrap_is_the_score_of_resampled_images(name):
    counts = model(rare=15)
    row = interval(counts, name, resamples=60).row(0, named=True)
    resampled = [score(repeated(counts, weights), name) for chunk in draws(40, 60, 0) for weights in chunk]
    assert row["estimate"] == pytest.approx(score(counts, name))
    assert [row["low"], row["high"]] == pytest.approx(np.quantile(resampled, [0.025, 0.975]))


def test_an_interval_of_a_mean_is_what_the_normal_theory_says():
    rng = np.random.default_rng(1)
    found = rng.binomial(100, 0.7, 400)
    counts = pl.DataFrame({"image_id": range(400), "class": 0, "intersection": found, "predicted": found, "true": 100})
    row = interval(counts, "pixel_accuracy").row(0, named=True)
    half = 1.96 * found.std() / 100 / 20
    assert [row["low"], row["high"]] == pytest.approx([row["estimate"] - half, row["estimate"] + half], abs=half / 20)


def test_a_class_in_fewer_than_ten_images_has_counts_and_no_interval():
    rows = class_intervals(model(rare=3), resamples=200)
    assert rows["class"].to_list() == [0, 1, 2] and rows["images"].to_list() == [40, 20, 3]
    assert rows["iou"].null_count() == 0
    assert rows["low"].is_null().to_list() == rows["high"].is_null().to_list() == [False, False, True]
    known = rows.drop_nulls()
    assert (known["low"] < known["iou"]).all() and (known["iou"] < known["high"]).all()


def test_the_classes_of_a_mean_are_fixed_by_the_truth():
    counts = model(rare=3)
    row = interval(counts, resamples=50).row(0, named=True)
    assert row["classes"] == 2
    assert row["estimate"] == pytest.approx(score(counts.filter(pl.col("class") < 2), "miou_d"))
    assert interval(counts, min_images=1, resamples=50)["classes"].item() == 3
    invented = pl.concat([counts, pl.DataFrame([(100, 7, 0, 50, 0)], COUNTS, orient="row")])
    assert interval(invented, min_images=1, resamples=50)["classes"].item() == 3


def test_a_score_over_images_or_pixels_uses_every_class():
    counts = model(rare=3)
    for name in ("miou_i", "pixel_accuracy"):
        assert interval(counts, name, resamples=50)["estimate"].item() == pytest.approx(score(counts, name))


def test_nothing_to_estimate_is_null():
    row = interval(model(images=5), resamples=50).row(0, named=True)
    assert (row["classes"], row["estimate"], row["low"], row["high"]) == (0, None, None, None)
    assert compare(model(images=5), model(images=5), resamples=50)["difference"].item() is None
    assert compare_classes(model(images=5), model(images=5), resamples=50).is_empty()


def test_a_model_does_not_differ_from_itself():
    row = compare(model(), model(), resamples=200).row(0, named=True)
    assert (row["difference"], row["low"], row["high"], row["p"], row["images_needed"]) == (0, 0, 0, 1, None)
    assert compare_classes(model(), model(), resamples=200)["q"].to_list() == [1, 1]


def test_a_much_better_model_is_told_apart_and_needs_few_images():
    worse, better = model(0.4), model(0.7, seed=1)
    row = compare(worse, better, resamples=500).row(0, named=True)
    assert row["difference"] == pytest.approx(row["b"] - row["a"]) and 0 < row["low"] < row["difference"] < row["high"]
    assert row["p"] == pytest.approx(1 / 501) and row["images_needed"] < 40
    back = compare(better, worse, resamples=500).row(0, named=True)
    assert back["difference"] == -row["difference"]
    assert (compare_classes(worse, better, resamples=500)["q"] < 0.05).all()


def test_the_permutation_test_agrees_with_every_swap():
    a, b = model(0.5, images=9), model(0.6, images=9, seed=1)
    ids = a["image_id"].unique().sort()
    seen = score(b, "miou_d") - score(a, "miou_d")
    larger = 0
    for swaps in product([False, True], repeat=9):
        swapped = pl.col("image_id").is_in(ids.filter(list(swaps)).implode())
        c, d = (pl.concat([x.filter(swapped), y.filter(~swapped)]) for x, y in ((a, b), (b, a)))
        larger += abs(score(c, "miou_d") - score(d, "miou_d")) >= abs(seen) - 1e-12
    p = compare(a, b, min_images=1, resamples=20_000)["p"].item()
    assert p == pytest.approx(larger / 2**9, abs=0.01)


def test_models_of_equal_skill_are_told_apart_as_rarely_as_stated():
    found = [compare(model(seed=2 * k), model(seed=2 * k + 1), resamples=199)["p"].item() <= 0.1 for k in range(100)]
    assert 3 <= sum(found) <= 18


def test_pairing_makes_the_interval_of_the_difference_narrow():
    a = model(0.6)
    b = a.with_columns((pl.col("intersection") * 0.97).cast(pl.Int64))
    row = compare(a, b, resamples=500).row(0, named=True)
    alone = interval(a, resamples=500).row(0, named=True)
    assert row["high"] - row["low"] < (alone["high"] - alone["low"]) / 4


def test_a_class_only_one_model_invents_counts_in_the_union():
    a = model()
    b = pl.concat([a, pl.DataFrame([(100, 9, 0, 50, 0)], COUNTS, orient="row")])
    row = compare(a, b, "miou_i_union", resamples=50).row(0, named=True)
    assert row["b"] == pytest.approx(score(b, "miou_i_union")) and row["b"] < row["a"]


def test_models_on_other_images_or_another_truth_are_not_compared():
    with pytest.raises(UserError, match=r"1 images are in one counts table only \(first: 139\)"):
        compare(model(), model(images=39))
    other = model().with_columns(pl.when(image_id=107).then(pl.col("true") + 1).otherwise("true").alias("true"))
    with pytest.raises(UserError, match=r"different truths \(first: image 107, class 0\)"):
        compare(model(), other)
    with pytest.raises(UserError, match="different truths"):
        compare_classes(model(rare=3), model(rare=4))
