"""The grid of trainings with planted defects, and what is read of it."""

from types import SimpleNamespace

import polars as pl
import yaml

from cocoseg.challenges.matter import OUTCOMES, block, outcomes
from cocoseg.challenges.noise import KINDS, RATES, SEEDS
from cocoseg.coco import derived
from cocoseg.results.metrics import score
from cocoseg.runs import edition, parameters

TRAINING = {
    "data": "sample",
    "split": "train",
    "space": "person",
    "model": "seed-cnn",
    "size": 64,
    "steps": 300,
    "colour": 0.3,
    "seed": 7,
}
N = len(KINDS) * len(RATES) * len(SEEDS)


def entries():
    runs = yaml.safe_load("runs:\n" + block(TRAINING, "val"))["runs"]
    return [made for role, entry in runs.items() for made in edition._entries("mine", role, entry)]


def test_the_block_is_a_grid_that_an_edition_and_the_notebooks_accept():
    made = entries()
    assert len(made) == 2 * len(SEEDS) + 3 * N and len({e.name for e in made}) == len(made)
    names = {e.name for e in made}
    for entry in made:
        values = parameters.resolve(parameters.path(entry.notebook), dict(entry.parameters))
        if entry.notebook == "train":
            assert {k: values[k] for k in TRAINING if k not in ("data", "split", "seed")}.items() <= TRAINING.items()
            assert values["colour"] == 0.3 and values["seed"] in SEEDS
        if "+" in values["data"]:
            assert derived.parse(values["data"]).kind in KINDS
        if entry.notebook == "evaluate":
            assert values["training"] in names


def run_of(entry, pixels):
    counts = pl.DataFrame(
        {
            "image_id": [i for i in range(12) for _ in range(2)],
            "class": pl.Series([0, 1] * 12, dtype=pl.Int16),
            "intersection": [pixels] * 24,
            "predicted": [10] * 24,
            "true": [10] * 24,
        }
    )
    values = parameters.resolve(parameters.path(entry.notebook), dict(entry.parameters))
    facts = {"notebook": entry.notebook}
    return SimpleNamespace(name=entry.name, parameters=values, facts=facts, table=lambda name: counts)


def test_outcomes_are_the_scores_by_kind_rate_seed_and_labels():
    made = entries()
    trained = [run_of(e, 0) for e in made if e.notebook == "train"]
    judged = [run_of(e, k % 10) for k, e in enumerate(e for e in made if e.notebook == "evaluate")]
    table = outcomes(trained, judged)
    assert dict(table.schema) == OUTCOMES
    assert table.height == len(KINDS) * len(SEEDS) + 2 * N  # what was sound stands beside each kind
    assert set(table.filter(judged="sound labels")["rate"]) == {0, *RATES}
    assert set(table.filter(judged="labels with as many defects")["rate"]) == set(RATES)
    by_name = {run.name: run for run in judged}
    for row in table.iter_rows(named=True):
        assert row["miou"] == score(by_name[row["run"]].table("counts"), "miou_d")
        assert row["low"] <= row["miou"] <= row["high"]


def test_what_is_no_part_of_the_grid_is_left_out():
    made = entries()
    trained = [run_of(e, 0) for e in made if e.notebook == "train"]
    judged = [run_of(e, 5) for e in made if e.notebook == "evaluate"]
    whole = outcomes(trained, judged)
    for run in trained:
        if run.name == "mine-train-sound-0":
            run.parameters["steps"] = 7
    assert whole.height - outcomes(trained, judged).height == len(KINDS)
    sound = [run for run in trained if "+" not in run.parameters["data"]]
    assert outcomes(sound, judged).height == outcomes([], []).height == outcomes(trained, []).height == 0
