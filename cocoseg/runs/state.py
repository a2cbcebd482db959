"""Whether a run still says what its notebook, parameters, code and data would say today."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cocoseg.coco.datasets import dataset
from cocoseg.coco.files import located, located_folder
from cocoseg.errors import UserError
from cocoseg.runs import fingerprint, parameters
from cocoseg.runs.record import RUNS, Run, run

# By convention the parameters with these names say what a notebook reads.
READS = ("training", "trainings", "init_from", "evaluations")
# And these, which file or folder of PNG files it reads beside a split.
FILES, FOLDERS = ("other", "onnx"), ("predictions",)


def reads(values: Mapping[str, Any]) -> list[str]:
    """Names of the runs that parameters refer to.

    >>> reads({"training": "coco-train", "trainings": ["a", "b"], "steps": 3})
    ['coco-train', 'a', 'b']
    """
    named = [values.get(key) for key in READS]
    return [name for value in named for name in (value if isinstance(value, list) else [value]) if name]


def data(values: Mapping[str, Any]) -> str | None:
    """Hash of the split that parameters name, and of what lies beside it (`beside`).

    None without a split, or where one of them is not on this machine.
    """
    if "data" not in values:
        return None
    try:
        source = dataset(values["data"])
        split = fingerprint.data(source.annotations(values["split"]), source.images(values["split"]))
        others = beside(values)
        return fingerprint.digest(split, *others) if others else split
    except UserError:
        return None


def beside(values: Mapping[str, Any]) -> list[str]:
    """Hash of the bytes of each file, or folder of PNG files, that parameters name; a missing one is a `UserError`."""
    hashes = [fingerprint.file(located(values[key])) for key in FILES if values.get(key)]
    for folder in (located_folder(values[key]) for key in FOLDERS if values.get(key)):
        files = sorted(folder.glob("*.png"))
        hashes.append(fingerprint.digest(*(f"{file.name} {fingerprint.file(file)}" for file in files)))
    return hashes


def outputs(name: str) -> str:
    """Hash of all that a finished run wrote."""
    return fingerprint.values(run(name).facts["outputs"])


@dataclass(frozen=True)
class State:
    """One run as it stands.

    `state` is 'current', 'stale', 'missing', 'failed' or 'interrupted'. `why` gives the reasons. `drift` tells what
    changed since a training, which is a fact of its commit and does not become stale by it. `verified` is False
    where the data are not on this machine.
    """

    name: str
    notebook: str
    state: str
    why: tuple[str, ...] = ()
    drift: tuple[str, ...] = ()
    verified: bool = True
    facts: Mapping[str, Any] = field(default_factory=dict)


def _difference(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    changed = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(f"{name} {old.get(name)!r} → {new.get(name)!r}" for name in changed)


def _unfinished(name: str, notebook: str) -> State:
    attempt = RUNS / f"{name}.attempt" / "attempt.json"
    if not attempt.is_file():
        return State(name, notebook, "missing")
    facts = json.loads(attempt.read_text())
    if facts.get("error"):
        return State(name, facts["notebook"], "failed", (facts["error"],), facts=facts)
    return State(name, facts["notebook"], "interrupted", ("has not ended; run it again to continue",), facts=facts)


def _code_changes(facts: Mapping[str, Any]) -> tuple[str, ...]:
    then, now = facts["code"], fingerprint.code(facts["code"])
    changed = [module for module in then if then[module] != now[module]]
    return (f"code changed: {', '.join(changed)}",) if changed else ()


def state(name: str, notebook: str | None = None, given: Mapping[str, Any] | None = None) -> State:
    """The state of the run `name`, which should have been made by `notebook` with the `given` parameters.

    Without them, the run is compared with its own: the notebook and parameters that `run.json` names.
    """
    if not (RUNS / name / "run.json").is_file():
        return _unfinished(name, notebook or "")
    facts = Run(RUNS / name).facts
    if notebook is None:
        notebook, given = facts["notebook"], facts["given"]
    why: list[str] = []
    try:
        source = parameters.path(notebook)
        expected = parameters.resolve(source, dict(given or {}))
    except UserError as error:
        return State(name, notebook, "stale", (str(error),), facts=facts)
    if facts["notebook"] != notebook:
        why.append(f"was made by notebook {facts['notebook']}")
    training = facts["kind"] == "training"
    recorded = dict(facts["parameters"])
    changes = _code_changes(facts)
    if fingerprint.notebook(source) != facts["hashes"]["notebook"]:
        changes = ("notebook changed", *changes)
    if training:
        if new := [name for name in expected if name not in recorded and name not in (given or {})]:
            changes = (f"parameters since added: {', '.join(new)}", *changes)
            recorded |= {name: expected[name] for name in new}
        recorded = {name: value for name, value in recorded.items() if name in expected}
    else:
        why += changes
    if expected != recorded:
        why.insert(0, f"parameters changed: {_difference(recorded, expected)}")
    now = data(expected)
    if now is not None and now != facts["hashes"]["data"]:
        why.append("data changed")
    for other, then in facts["reads"].items():
        try:
            if outputs(other) != then:
                why.append(f"reads run {other}, which changed")
        except UserError:
            why.append(f"reads run {other}, which is not there")
    folder = RUNS / name
    damaged = [f for f, then in facts["outputs"].items() if not _intact(folder / f, then)]
    if damaged:
        why.append(f"not what the run wrote: {', '.join(damaged)}")
    return State(
        name,
        notebook,
        "stale" if why else "current",
        tuple(why),
        changes if training else (),
        verified=now is not None or "data" not in expected,
        facts=facts,
    )


def _intact(file: Path, then: str) -> bool:
    return file.is_file() and fingerprint.file(file) == then
