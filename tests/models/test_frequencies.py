"""How often each class is, and what follows from it."""

import os

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models import frequencies, labels
from cocoseg.models.frequencies import COUNTS, pixels, unseen, weights

PERSON = label_space("person")


@pytest.fixture
def samples(tmp_path):
    """Three label maps: half person, no person, nothing but void."""
    maps = [np.repeat(np.uint8([[0, 1]]), 5, axis=0), np.zeros((4, 5), np.uint8), np.full((3, 3), 255, np.uint8)]
    for k, label in enumerate(maps):
        labels.write(tmp_path / f"{k}.png", label)
    return pl.DataFrame({"image_id": [7, 8, 9], "label": [str(tmp_path / f"{k}.png") for k in range(3)]})


def test_pixels_are_counted_without_void(samples):
    found = pixels(samples, PERSON, workers=1)
    assert found.schema == COUNTS
    assert found.rows() == [(7, 0, 5), (7, 1, 5), (8, 0, 20)]


def test_counts_are_kept_until_a_label_map_changes(samples, monkeypatch):
    before = pixels(samples, PERSON, workers=1)
    with monkeypatch.context() as patch:
        patch.setattr(frequencies, "_count", None)
        assert pixels(samples, PERSON, workers=1).equals(before)
    changed = samples["label"][1]
    labels.write(labels.Path(changed), np.ones((4, 5), np.uint8))
    os.utime(changed, ns=(2**62, 2**62))
    assert pixels(samples, PERSON, workers=1).rows() == [(7, 0, 5), (7, 1, 5), (8, 1, 20)]


def test_other_samples_are_counted_anew(samples):
    pixels(samples, PERSON, workers=1)
    assert pixels(samples[:2], PERSON, workers=1).rows() == [(7, 0, 5), (7, 1, 5), (8, 0, 20)]
    assert pixels(samples[1:], PERSON, workers=1).rows() == [(8, 0, 20)]


def test_an_unknown_class_in_a_label_map_is_refused(samples, tmp_path):
    labels.write(tmp_path / "1.png", np.uint8([[0, 2]]))
    with pytest.raises(UserError, match=r"label map .*1\.png holds index 2; person has 2 classes, and void is 255"):
        pixels(samples, PERSON, workers=1)


def test_classes_that_are_nowhere_are_named(samples):
    assert unseen(pixels(samples, PERSON, workers=1), PERSON) == []
    assert unseen(pixels(samples[1:], PERSON, workers=1), PERSON) == ["person"]


def test_weights_against_their_definitions():
    table = {(1, 0): 30, (1, 1): 10, (2, 0): 40, (3, 0): 15, (3, 3): 5}
    counts = pl.DataFrame([(*key, value) for key, value in table.items()], COUNTS, orient="row")
    assert weights(counts, 4, "none") is None
    share = np.array([85, 10, 0, 5]) / 100
    inverse = weights(counts, 4, "inverse-frequency")
    np.testing.assert_allclose(inverse[[0, 1, 3]], 1 / (3 * share[[0, 1, 3]]))
    assert inverse @ share == pytest.approx(1)
    frequency = np.array([85 / 100, 10 / 40, 5 / 20])
    np.testing.assert_allclose(weights(counts, 4, "median-frequency")[[0, 1, 3]], np.median(frequency) / frequency)
    assert inverse[2] == weights(counts, 4, "median-frequency")[2] == 0
