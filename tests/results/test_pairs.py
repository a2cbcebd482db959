"""All pairs at once say what `compare` says of each."""

import numpy as np
import polars as pl
import pytest
from scipy import stats

from cocoseg.errors import UserError
from cocoseg.results.counts import COUNTS
from cocoseg.results.intervals import compare
from cocoseg.results.pairs import PAIRS, pairs


def model(skill, seed):
    """Counts of background and three classes in 40 images of one truth."""
    truth, errors = np.random.default_rng(3), np.random.default_rng(seed)
    true = truth.integers(0, 900, (40, 4))
    found = (true * np.clip(errors.normal(skill, 0.2, true.shape), 0, 1)).astype(int)
    spilt = errors.integers(0, 200, true.shape)
    rows = [(i, c, found[i, c], found[i, c] + spilt[i, c], true[i, c]) for i in range(40) for c in range(4)]
    return pl.DataFrame(rows, COUNTS, orient="row")


MODELS = {"low": model(0.5, 1), "middle": model(0.52, 2), "high": model(0.8, 3)}


@pytest.mark.parametrize("name", ["miou_d", "miou_i", "pixel_accuracy"])
@pytest.mark.parametrize("background", [True, False])
def test_each_pair_is_as_compared_alone(name, background):
    rows = pairs(MODELS, name, background=background, resamples=600)
    assert [(r["a"], r["b"]) for r in rows.iter_rows(named=True)] == [
        ("low", "middle"),
        ("low", "high"),
        ("middle", "high"),
    ]
    for r in rows.iter_rows(named=True):
        alone = compare(MODELS[r["a"]], MODELS[r["b"]], name, background=background, resamples=600).row(0, named=True)
        assert all(r[key] == pytest.approx(alone[key], abs=1e-12) for key in ("difference", "low", "high", "p"))


def test_the_adjustment_is_for_the_pairs_that_were_asked_for():
    rows = pairs(MODELS, only={"low": "middle", "middle": "high"}, resamples=300)
    assert rows["q"].to_list() == stats.false_discovery_control(rows["p"].to_numpy()).tolist()
    assert rows.filter(a="middle")["q"].item() < 0.05 < rows.filter(a="low")["q"].item()


def test_two_equal_models_differ_by_nothing():
    row = pairs({"a": MODELS["low"], "b": MODELS["low"]}, resamples=100).row(0, named=True)
    assert (row["difference"], row["low"], row["high"], row["p"]) == (0, 0, 0, 1)


def test_one_model_alone_makes_no_pair():
    assert pairs({"a": MODELS["low"]}).is_empty() and pairs({}).schema == PAIRS


def test_other_images_and_strangers_are_refused():
    with pytest.raises(UserError, match="images"):
        pairs({"a": MODELS["low"], "b": MODELS["low"].filter(pl.col("image_id") > 3)})
    with pytest.raises(UserError, match="no counts of 'hihg'"):
        pairs(MODELS, only={"low": "hihg"})
