"""What a property costs: a machine that explains shares finds the one that they were made from."""

import numpy as np
import polars as pl
import pytest

from cocoseg.challenges import properties as room
from cocoseg.challenges.curves import reach
from cocoseg.challenges.properties import CURVES, FIT, PROPERTIES, explained, properties
from cocoseg.coco.read import read
from cocoseg.errors import UserError
from cocoseg.masks.anatomy import anatomy
from cocoseg.masks.overlap import overlap_pairs
from cocoseg.masks.shard import decode


@pytest.fixture(scope="module", autouse=True)
def quick():
    """The same machine with fewer bags and rounds: what is tested does not need more."""
    machine = room._machine
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(room, "_machine", lambda seed: machine(seed).set_params(outer_bags=2, max_rounds=400))
        yield


@pytest.fixture(scope="module")
def table(person):
    whole = read(person.annotations("minival"))
    coco = whole.of_images(whole.images["image_id"].sort().to_list()[:80])
    shard = decode(coco)
    return coco, properties(anatomy(shard), overlap_pairs(shard), coco)


@pytest.fixture(scope="module")
def found(table):
    """Shares that are the square root of the size, less a tenth where the border cuts, and a little noise."""
    coco, of = table
    rows = of.join(coco.annotations.select("annotation_id", "image_id", "area"), on="annotation_id")
    noise = np.random.default_rng(0).normal(0, 0.02, rows.height)
    share = (rows["size"].to_numpy() / 400) ** 0.5 - 0.1 * (rows["cut"].to_numpy() > 0) + noise
    visible = np.full(rows.height, 10_000)
    recovered = (share.clip(0, 1) * visible).astype(int)
    instances = rows.select("image_id", "annotation_id", "area").with_columns(
        visible=pl.Series(visible), recovered=pl.Series(recovered), noticed=pl.Series(recovered)
    )
    return instances, explained(instances, of)


def test_every_instance_has_every_property(table):
    coco, of = table
    assert of.columns == ["annotation_id", *PROPERTIES] and of.null_count().sum_horizontal().item() == 0
    assert set(of["annotation_id"]) == set(coco.annotations.filter(~pl.col("iscrowd"))["annotation_id"])
    assert (
        of["covered"].is_between(0, 1).all() and of["cut"].is_between(0, 4).all() and of["place"].is_between(0, 1).all()
    )
    one = coco.annotations.filter(~pl.col("iscrowd")).row(0, named=True)
    mine = of.filter(annotation_id=one["annotation_id"]).row(0, named=True)
    here = coco.annotations.filter(~pl.col("iscrowd"), pl.col("image_id") == one["image_id"])
    assert mine["crowding"] == here.height and mine["size"] ** 2 == pytest.approx(one["area"], rel=0.1)


def test_the_curves_are_those_that_the_shares_were_made_of(found):
    _, tables = found
    curves = tables["curves"]
    assert dict(curves.schema) == CURVES
    assert reach(curves)["property"][0] == "size"
    cut = curves.filter(property="cut").sort("low")
    assert cut["effect"][0] - cut["effect"][1] == pytest.approx(0.1, abs=0.03)
    assert (curves["effect_low"] <= curves["effect"]).all() and (curves["effect"] <= curves["effect_high"]).all()


def test_each_instance_is_in_one_bin_of_each_property(found):
    instances, tables = found
    counts = tables["curves"].group_by("property").agg(pl.col("instances").sum())
    assert set(counts["instances"]) == {instances.height}
    assert "frequency" not in set(counts["property"])  # one category: the same for all


def test_the_fit_is_of_images_that_were_not_seen(found):
    _, tables = found
    assert dict(tables["fit"].schema) == FIT
    fit = {row["model"]: row for row in tables["fit"].iter_rows(named=True)}
    assert fit["mean"]["r2"] == 0 and fit["all properties"]["r2"] > 0.8
    assert fit["all properties"]["r2"] > fit["size"]["r2"] > fit["crowding"]["r2"]


def test_noise_is_not_explained(table, found):
    instances, _ = found
    rng = np.random.default_rng(1)
    noise = instances.with_columns(recovered=pl.Series(rng.integers(0, 10_000, instances.height)))
    assert explained(noise, table[1])["fit"].filter(model="all properties")["r2"][0] < 0.1


def test_too_few_instances_are_refused(table, found):
    with pytest.raises(UserError, match="20 instances; expected 100 or more"):
        explained(found[0].head(20), table[1])
