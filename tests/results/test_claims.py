"""What may be claimed: about weights with one training each, about architectures with several."""

import numpy as np
import polars as pl
import pytest

from cocoseg.errors import UserError
from cocoseg.results.claims import claims, seed_scores
from cocoseg.results.counts import COUNTS
from cocoseg.results.intervals import compare
from cocoseg.results.metrics import score

IMAGES = 60


def training(skill, seed, spread=0.0, noise=0.2):
    """Counts of one class; trainings of an architecture vary by `spread`."""
    truth, errors = np.random.default_rng(5), np.random.default_rng((seed, 1))
    skill = skill + spread * errors.standard_normal()
    rows = []
    for image in range(IMAGES):
        true = int(truth.integers(500, 5000))
        found = int(true * np.clip(errors.normal(skill, noise), 0, 1))
        rows.append((image, 1, found, found, true))
    return pl.DataFrame(rows, COUNTS, orient="row")


def test_with_one_training_each_the_claim_is_about_these_weights():
    a, b = training(0.5, 0), training(0.7, 1)
    row = claims({"a": [a], "b": [b]}, resamples=500).row(0, named=True)
    expected = compare(a, b, resamples=500).row(0, named=True)
    assert row["about"] == "weights" and row["differ"]
    assert all(row[key] == expected[key] for key in ("difference", "low", "high", "p"))


def test_one_training_of_one_of_them_is_not_enough_for_the_architectures():
    rows = claims({"a": [training(0.5, 0)], "b": [training(0.7, k) for k in (1, 2, 3)]}, resamples=100)
    assert rows["about"].item() == "weights" and (rows["seeds_a"].item(), rows["seeds_b"].item()) == (1, 3)


def test_a_clear_difference_between_architectures_is_claimed_with_its_interval():
    a, b = ([training(skill, seed + k, 0.01) for k in range(3)] for skill, seed in ((0.5, 10), (0.75, 20)))
    row = claims({"a": a, "b": b}, resamples=500).row(0, named=True)
    assert row["about"] == "architectures" and row["differ"] and row["low"] > 0.1
    assert row["score_a"] == pytest.approx(np.mean([score(t, "miou_d") for t in a]))
    assert row["difference"] == pytest.approx(row["score_b"] - row["score_a"])


def test_a_difference_within_what_seeds_do_is_not_claimed_though_the_weights_differ():
    a, b = [training(0.5, 1), training(0.7, 2)], [training(0.75, 3), training(0.55, 4)]
    assert claims({"a": a[:1], "b": b[:1]}, resamples=500)["differ"].item()
    row = claims({"a": a, "b": b}, resamples=500).row(0, named=True)
    assert not row["differ"] and row["low"] < 0 < row["high"]


def test_equal_architectures_are_told_apart_as_rarely_as_stated():
    found = []
    for k in range(60):
        a, b = ([training(0.6, 100 * k + 10 * side + s, 0.05) for s in range(3)] for side in (0, 1))
        found.append(claims({"a": a, "b": b}, resamples=100, level=0.9)["differ"].item())
    assert sum(found) <= 12


def test_every_pair_is_compared_once_and_identical_trainings_do_not_differ():
    t = training(0.5, 0)
    rows = claims({"a": [t, t], "b": [t, t], "c": [t]}, resamples=50)
    assert rows.select("a", "b").rows() == [("a", "b"), ("a", "c"), ("b", "c")]
    assert rows["p"].to_list() == [1, 1, 1] and not rows["differ"].any()


def test_scores_over_seeds_are_summed_up():
    tables = [training(0.5, k, 0.05) for k in range(4)]
    values = [score(t, "miou_d") for t in tables]
    row = seed_scores({"a": tables, "b": tables[:1]}).rows()
    assert row[0][0] == "a"
    assert row[0][1:] == pytest.approx((4, np.mean(values), min(values), max(values), np.std(values, ddof=1)))
    assert row[1] == ("b", 1, values[0], values[0], values[0], None)


def test_what_cannot_be_compared_is_refused():
    with pytest.raises(UserError, match="two architectures or more"):
        claims({"a": [training(0.5, 0)]})
    with pytest.raises(UserError, match="each with at least one"):
        claims({"a": [training(0.5, 0)], "b": []})
    other = training(0.5, 0).filter(pl.col("image_id") < 10)
    with pytest.raises(UserError, match="50 images are in one counts table only"):
        claims({"a": [training(0.5, 0)] * 2, "b": [other] * 2})
