"""The grid of trainings with planted defects, and what is read of it."""

from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest
import yaml
from scipy import stats

from cocoseg.challenges.matter import COSTS, OUTCOMES, block, costs, outcomes, thresholds
from cocoseg.challenges.noise import KINDS, RATES, SEEDS
from cocoseg.coco import derived
from cocoseg.errors import UserError
from cocoseg.results.confidence import CONFIDENCES, STEP, confidence_table, confidences
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


def test_costs_are_the_differences_from_training_on_sound_labels():
    made = entries()
    trained = [run_of(e, 0) for e in made if e.notebook == "train"]
    hit = {"missing20": 7, "missing40": 5, "coarsened20": 9, "coarsened40": 9}

    def pixels(entry):
        kind = next((k for k in hit if k in entry.name), None)
        return (hit[kind] if kind else 9) - int(entry.parameters["training"][-1])

    judged = [run_of(e, pixels(e)) for e in made if e.notebook == "evaluate"]
    found = costs(outcomes(trained, judged), judged)
    assert dict(found.schema) == COSTS
    assert found.select("kind", "rate").rows() == [
        ("coarsened", 0.2),
        ("coarsened", 0.4),
        ("missing", 0.2),
        ("missing", 0.4),
    ]
    assert (found["seeds_a"] == len(SEEDS)).all() and (found["seeds_b"] == len(SEEDS)).all()
    assert (found["about"] == "architectures").all()
    by = {row["kind"] + str(row["rate"]): row for row in found.iter_rows(named=True)}
    scores = [sum(value / (20 - value) for value in (k, k - 1, k - 2)) / 3 for k in (9, 5)]
    assert abs(by["missing0.4"]["difference"] - (scores[1] - scores[0])) < 1e-12
    assert by["missing0.4"]["low"] < by["missing0.4"]["difference"] < by["missing0.4"]["high"] < 0
    adjusted = stats.false_discovery_control(found["p"])
    assert found["q"].to_list() == adjusted.tolist() and found["differ"].to_list() == (adjusted < 0.05).tolist()
    assert by["coarsened0.4"]["difference"] == 0 and not by["coarsened0.4"]["differ"]


def test_without_trainings_on_sound_labels_nothing_is_said_of_costs():
    made = [e for e in entries() if "sound" not in e.name]
    trained = [run_of(e, 0) for e in made if e.notebook == "train"]
    judged = [run_of(e, 5) for e in made if e.notebook == "evaluate"]
    found = outcomes(trained, judged)
    assert found.height and costs(found, judged).equals(pl.DataFrame(schema=COSTS))


def test_scores_at_other_thresholds_are_those_of_the_label_maps_with_these_thresholds():
    rng = np.random.default_rng(0)
    images = []
    for _ in range(3):
        truth = rng.choice(np.uint8([0, 0, 1, 255]), (60, 80))
        person = (rng.random((60, 80)) + (truth == 1)).clip(0, 1.6) / 1.7
        images.append((np.stack([1 - person, person], -1).astype(np.float32), truth))
    found = thresholds(confidence_table({i: confidences(*pair) for i, pair in enumerate(images)}))
    assert found["threshold"].is_sorted() and found.height == 15
    for threshold, miou in found.iter_rows():
        shared = np.zeros((2, 2))
        for scores, truth in images:
            seen, true = (
                scores[STEP // 2 :: STEP, STEP // 2 :: STEP, 1] > threshold,
                truth[STEP // 2 :: STEP, STEP // 2 :: STEP],
            )
            np.add.at(shared, (true[true != 255], seen[true != 255].astype(int)), 1)
        ious = np.diag(shared) / (shared.sum(0) + shared.sum(1) - np.diag(shared))
        assert miou == pytest.approx(ious.mean()), threshold


def test_a_threshold_divides_two_classes_not_three():
    rows = [(1, 2, 14, 10, 10, 10.0)]
    with pytest.raises(UserError, match="divides two classes; the table has class 2"):
        thresholds(pl.DataFrame(rows, CONFIDENCES, orient="row"))
