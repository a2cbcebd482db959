"""Do defects in the labels matter: the same training on labels with more and more planted defects, judged on both.

`block` writes the grid of runs for an edition, `outcomes` reads what came of it, `costs` says what is more than chance,
`thresholds` what of it is only that a pixel needs half of the probability.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
from scipy import stats

from cocoseg.challenges.noise import KINDS, RATES, SEEDS
from cocoseg.coco.derived import Name, defect_of
from cocoseg.errors import UserError
from cocoseg.results.claims import CLAIMS, claims
from cocoseg.results.confidence import BINS
from cocoseg.results.intervals import LEVEL, interval
from cocoseg.runs.chapter import recipe
from cocoseg.runs.record import Run

OUTCOMES = {
    "data": pl.String,
    "kind": pl.String,
    "rate": pl.Float64,
    "seed": pl.Int64,
    "judged": pl.String,
    "miou": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
    "run": pl.String,
}
HALF = BINS // 2 + 1  # bins of the confidence that are of one half or more: the middle one begins there
COSTS = {name: OUTCOMES[name] for name in ("data", "kind", "rate")} | CLAIMS | {"q": pl.Float64}


def block(training: Mapping[str, Any], split: str) -> str:
    """The grid of trainings and evaluations for `book/editions/<name>.yml`, under `runs`.

    Each seed trains on defects of its own draw, and on sound labels; each training is judged on sound labels of `split`
    and, where it learned from defects, on labels with as many defects of the same kind.

    Args:
        training: parameters of a run of the notebook train; but for data, split and seed they are kept.
        split: on which the trainings are judged.
    """
    kinds, seeds = ", ".join(KINDS), ", ".join(map(str, SEEDS))
    rates = ", ".join(f"{rate:.0%}".rstrip("%") for rate in RATES)
    data, spoiled = training["data"], f"{training['data']}+{{kind}}{{rate}}@{{seed}}"
    kept = {name: value for name, value in training.items() if name not in ("data", "split", "seed")}
    recipe = ", ".join(f"{name}: {json.dumps(value)}" for name, value in kept.items())
    grid = f"{{kind: [{kinds}], rate: [{rates}], seed: [{seeds}]}}"
    return f"""\
  train-sound-{{seed}}:
    notebook: train
    parameters: {{data: {data}, split: {training["split"]}, {recipe}, seed: "{{seed}}"}}
    grid: {{seed: [{seeds}]}}
  train-{{kind}}{{rate}}-{{seed}}:
    notebook: train
    parameters: {{data: "{spoiled}", split: {training["split"]}, {recipe}, seed: "{{seed}}"}}
    grid: {grid}
  evaluate-sound-{{seed}}:
    notebook: evaluate
    parameters: {{data: {data}, split: {split}, training: "train-sound-{{seed}}"}}
    grid: {{seed: [{seeds}]}}
  evaluate-{{kind}}{{rate}}-{{seed}}:
    notebook: evaluate
    parameters: {{data: {data}, split: {split}, training: "train-{{kind}}{{rate}}-{{seed}}"}}
    grid: {grid}
  evaluate-{{kind}}{{rate}}-{{seed}}-on-the-same:
    notebook: evaluate
    parameters: {{data: "{spoiled}", split: {split}, training: "train-{{kind}}{{rate}}-{{seed}}"}}
    grid: {grid}
"""


def outcomes(trainings: Iterable[Run], evaluations: Iterable[Run]) -> pl.DataFrame:
    """What came of trainings with planted defects and of those with the same recipe on sound labels.

    Args:
        trainings, evaluations: finished runs of the notebooks train and evaluate; what does not belong to such a grid
            is left out.

    Returns:
        data str (the dataset with sound labels), kind str, rate f64 (0: sound labels, for each kind), seed i64, judged
        str ('sound labels' or 'labels with as many defects'), miou f64 with its bootstrap interval over images, low,
        high f64, run str (the evaluation); sorted. Empty without a training with defects.
    """
    learned = {run.name: (defect_of(run.parameters["data"]), run) for run in trainings}
    recipes = {_recipe(run, defect) for defect, run in learned.values() if defect}
    rows = []
    for run in evaluations:
        defect, training = learned.get(run.parameters["training"], (None, None))
        if training is None or _recipe(training, defect) not in recipes:
            continue
        on = defect_of(run.parameters["data"])
        if on is not None and on != defect:
            continue
        base, seed = defect.base if defect else training.parameters["data"], training.parameters["seed"]
        if (on.base if on else run.parameters["data"]) != base:
            continue
        score = interval(run.table("counts"), "miou_d", resamples=2_000).row(0, named=True)
        found = [score[key] for key in ("estimate", "low", "high")]
        judged = "labels with as many defects" if on else "sound labels"
        if defect:
            rows.append((base, defect.kind, defect.rate, seed, judged, *found, run.name))
        else:
            rows += [(base, kind, 0.0, seed, judged, *found, run.name) for kind in KINDS]
    table = pl.DataFrame(rows, OUTCOMES, orient="row")
    return table.sort("data", "kind", "judged", "rate", "seed")


def costs(outcomes: pl.DataFrame, evaluations: Iterable[Run]) -> pl.DataFrame:
    """What learning from defects costs on sound labels: each kind and rate against training on sound labels.

    Args:
        outcomes: of the function of that name.
        evaluations: the finished runs that it was made of.

    Returns:
        data, kind str, rate f64, then the columns of `cocoseg.results.claims.claims`: a is 'sound', b is 'defects', and
        the difference's interval covers both other seeds (with two or more) and other images; then q f64, p adjusted by
        Benjamini and Hochberg (1995) over all rows, by which they `differ`. Sorted; nothing for a dataset without
        trainings on sound labels.
    """
    counts = {run.name: run.table("counts") for run in evaluations}
    judged = outcomes.filter(judged="sound labels")
    rows = []
    for (data, kind, rate), part in judged.filter(pl.col("rate") > 0).group_by("data", "kind", "rate"):
        sound = judged.filter(data=data, kind=kind, rate=0.0)
        if sound.height:
            sides = {"sound": sound, "defects": part}
            found = claims({side: [counts[run] for run in table["run"]] for side, table in sides.items()})
            rows.append({"data": data, "kind": kind, "rate": rate, **found.row(0, named=True)})
    table = pl.DataFrame(rows, COSTS)
    if rows:
        table = table.with_columns(q=stats.false_discovery_control(table["p"].to_numpy()))
    return table.with_columns(differ=pl.col("q") < 1 - LEVEL).sort("data", "kind", "rate")


def thresholds(confidences: pl.DataFrame) -> pl.DataFrame:
    """mIoU of two classes if a pixel is class 1 from another probability on than one half.

    Where objects lack their labels at random, a share r of them, what learns probabilities learns (1 − r) times that of
    the class: one half is reached too rarely, and the threshold that asks for the same pixels as before is (1 − r) / 2
    (`fair`).

    Args:
        confidences: the table of an evaluation in a label space of two classes (`cocoseg.results.confidence`); its
            pixels are every fourth of every fourth row.

    Returns:
        threshold f64 (1/2 and the edges of the bins of confidence), miou f64 (over the dataset); sorted. Another
        class is a `UserError`.

    Source: Elkan and Noto 2008, Learning Classifiers from Only Positive and Unlabeled Data, lemma 1.

    >>> from cocoseg.results.confidence import CONFIDENCES
    >>> rows = [(1, 0, 9, 10, 2, 6.2), (1, 0, 14, 80, 80, 80.0), (1, 1, 14, 10, 10, 10.0)]
    >>> found = thresholds(pl.DataFrame(rows, CONFIDENCES, orient="row"))
    >>> found.filter(pl.col("threshold").is_in([0.5, 5 / 15]))["miou"].round(3).to_list()
    [0.938, 0.733]
    """
    if strangers := set(confidences["class"]) - {0, 1}:
        raise UserError(f"a threshold divides two classes; the table has class {min(strangers)} too")
    pixels, persons = np.zeros(2 * HALF), np.zeros(2 * HALF)
    for label, bin, count, correct in confidences.select("class", "bin", "pixels", "correct").iter_rows():
        at = HALF + bin - BINS // 2 if label else BINS - 1 - bin
        pixels[at] += count
        persons[at] += correct if label else count - correct
    predicted, found = (np.cumsum(x[::-1])[::-1][1:] for x in (pixels, persons))
    every, true = pixels.sum(), persons.sum()
    edges = [*(k / BINS for k in range(1, HALF)), 0.5, *(k / BINS for k in range(HALF, BINS))]
    with np.errstate(invalid="ignore"):
        ious = found / (predicted + true - found), (every - predicted - true + found) / (every - found)
    return pl.DataFrame({"threshold": edges, "miou": np.mean(ious, 0)}).fill_nan(None)


def fair(curve: pl.DataFrame, missing: float) -> float:
    """The mIoU at the threshold (1 − missing) / 2 of a curve of `thresholds`, between its points linearly.

    >>> fair(pl.DataFrame({"threshold": [0.25, 0.5], "miou": [0.75, 0.5]}), 0.25)
    0.625
    """
    return float(np.interp((1 - missing) / 2, curve["threshold"], curve["miou"]))


def _recipe(run: Run, defect: Name | None) -> str:
    return repr(recipe(run) | {"data": defect.base if defect else run.parameters["data"]})
