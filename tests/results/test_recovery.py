"""How much of the objects is found: means over instances, intervals over images."""

import numpy as np
import polars as pl
import pytest

from cocoseg.results.instances import INSTANCES
from cocoseg.results.recovery import recovery, with_shares


@pytest.fixture
def instances():
    rng = np.random.default_rng(0)
    rows = []
    for k in range(200):
        visible = int(rng.integers(20, 20_000))
        found = int(visible * rng.beta(2, 1)) if k % 5 else 0
        rows.append((int(rng.integers(40)), k, 1 + k % 3, visible, found, found, float(visible)))
    return with_shares(pl.DataFrame(rows, INSTANCES | {"area": pl.Float64}, orient="row"))


def test_groups_have_the_means_of_their_instances(instances):
    rows = recovery(instances, ["size", "class"], resamples=50)
    assert rows["instances"].sum() == 200
    for row in rows.iter_rows(named=True):
        part = instances.filter(size=row["size"], **{"class": row["class"]})
        assert row["share"] == pytest.approx((part["recovered"] / part["visible"]).mean())
        assert row["pixel_share"] == pytest.approx(part["recovered"].sum() / part["visible"].sum())
        assert row["missed"] == pytest.approx((part["noticed"] / part["visible"] < 0.1).mean())
        assert (row["instances"], row["images"]) == (part.height, part["image_id"].n_unique())


def test_size_is_the_class_of_the_annotations_area(instances):
    assert (instances.filter(size="small")["area"] < 32**2).all()
    assert (instances.filter(size="large")["area"] >= 96**2).all()
    unknown = with_shares(instances.with_columns(area=pl.lit(None, pl.Float64)))
    assert unknown["size"].null_count() == 200 and recovery(unknown, resamples=10).is_empty()


def test_an_interval_is_that_of_the_means_of_resampled_images(instances):
    rows = recovery(instances, ["class"], resamples=2000)
    assert (rows["low"] < rows["share"]).all() and (rows["share"] < rows["high"]).all()
    rng, means = np.random.default_rng(1), []
    mine = instances.filter(**{"class": 1})
    images = [part["share"].to_list() for _, part in mine.group_by("image_id")]
    for _ in range(2000):
        drawn = rng.integers(0, 40, 40)
        values = [value for k in drawn if k < len(images) for value in images[k]]
        means.append(np.mean(values))
    low, high = np.quantile(means, [0.025, 0.975])
    assert rows["low"][0] == pytest.approx(low, abs=0.03) and rows["high"][0] == pytest.approx(high, abs=0.03)


def test_what_a_survey_knows_of_an_instance_makes_groups_too(instances):
    anatomy = pl.DataFrame({"annotation_id": range(100), "touches": [k % 2 == 0 for k in range(100)]})
    rows = recovery(instances.join(anatomy, on="annotation_id"), ["touches"], resamples=20)
    assert rows["touches"].to_list() == [False, True] and rows["instances"].to_list() == [50, 50]
