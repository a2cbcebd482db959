"""One notebook becomes one run: executed by papermill, published whole or not at all."""

import json
import os
import re
import shutil
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nbformat
from filelock import FileLock, Timeout

from cocoseg.coco.datasets import HOME, dataset
from cocoseg.errors import UserError
from cocoseg.runs import edition, fingerprint, machine, parameters
from cocoseg.runs.record import RUNS, Run, run
from cocoseg.runs.state import beside, data, outputs, reads, state

GIT_LIMIT = 10 * 2**20  # bytes; a larger file stays on the machine that made it


class RunFailed(Exception):
    """A cell of the notebook raised; the text ends in its error."""


def _write(file: Path, facts: dict[str, Any]) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n")
    part.replace(file)


def default_name(notebook: str, values: dict[str, Any]) -> str:
    """The name that an edition gives to this run, or else one made of the notebook and its parameters."""
    for entry in edition.everywhere():
        if entry.notebook == notebook and parameters.resolve(parameters.path(notebook), entry.parameters) == values:
            return entry.name
    return f"{notebook}-{fingerprint.values(values)[:8]}"


def _split_in_full(values: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """What was given, with the whole name of the split: `train` is `train2017` where no other split's name holds it."""
    if "data" not in values:
        return given
    splits = dataset(values["data"]).splits
    meant = [split for split in splits if values["split"] in split]
    return given | {"split": meant[0]} if values["split"] not in splits and len(meant) == 1 else given


def _check_inputs(values: dict[str, Any]) -> None:
    if "data" in values:
        dataset(values["data"]).annotations(values["split"])
    beside(values)
    for name in reads(values):
        run(name)


def _refuse_loss(attempt: Path, facts: dict[str, Any]) -> None:
    """What there is of a training that is not this one took long: a `UserError` rather than its end."""
    final, ours = attempt.with_suffix(""), facts["parameters"]
    found = {"an unfinished": attempt / "attempt.json"} if (attempt / "checkpoint").is_dir() else {}
    if facts["kind"] == "training":
        found["a finished"] = final / "run.json"
    for what, file in found.items():
        theirs = json.loads(file.read_text()) if file.is_file() else facts
        changed = [f"{key} {value!r}" for key, value in theirs["parameters"].items() if ours.get(key, value) != value]
        begun_elsewhere = what == "an unfinished" and any(theirs[key] != facts[key] for key in ("hashes", "reads"))
        if changed or begun_elsewhere:
            different = f"with {', '.join(changed)}" if changed else "by another notebook or from other data"
            raise UserError(
                f"{final.name} is {what} training {different}; give another --name, or --force to replace it"
            )


def _prepare(attempt: Path, facts: dict[str, Any], fresh: bool) -> None:
    """An attempt of the same work goes on from its checkpoint; any other starts from nothing."""
    note = attempt / "attempt.json"
    before = json.loads(note.read_text()) if note.is_file() else {}
    same = not fresh and all(before.get(key) == facts[key] for key in ("hashes", "reads"))
    for item in attempt.glob("*"):
        if not (same and item.name == "checkpoint"):
            shutil.rmtree(item) if item.is_dir() else item.unlink()
    attempt.mkdir(parents=True, exist_ok=True)
    if same and (attempt / "checkpoint").is_dir():
        facts["continues"] = [*before.get("continues", []), {"started": before["started"], **before["git"]}]
    _write(note, facts)


def _execute(notebook: Path, attempt: Path, given: dict[str, Any]) -> None:
    import papermill
    from papermill.exceptions import PapermillExecutionError

    terminal = os.ttyname(2) if sys.stderr.isatty() else ""
    before = dict(os.environ)
    os.environ.update(
        COCOSEG_ATTEMPT=str(attempt),
        COCOSEG_TERMINAL=terminal,
        COCOSEG_HOME=str(HOME),
        TF_CPP_MIN_LOG_LEVEL="3",
        PYDEVD_DISABLE_FILE_VALIDATION="1",
    )
    written = attempt / "notebook.ipynb"
    try:
        papermill.execute_notebook(
            str(notebook),
            str(written),
            given,
            kernel_name="python3",
            cwd=str(HOME),
            progress_bar=bool(terminal),
            extra_arguments=["--log-level=ERROR"],
        )
    except PapermillExecutionError as error:
        last = f"{error.ename}: {error.evalue}".strip()
        trace = "" if error.ename == "UserError" else "\n".join(error.traceback) + "\n"
        raise RunFailed(f"{trace}{notebook.stem}, cell {error.exec_count}: {last}") from None
    finally:
        os.environ.clear()
        os.environ.update(before)
        if written.is_file():
            _forget_paths(written)


def _forget_paths(notebook: Path) -> None:
    content = nbformat.read(notebook, as_version=4)
    for key in ("input_path", "output_path"):
        content.metadata.get("papermill", {}).pop(key, None)
    nbformat.write(content, notebook)


def _publish(attempt: Path, facts: dict[str, Any]) -> Run:
    """Complete `run.json` and give the folder its name."""
    modules = attempt / "modules.json"
    if not modules.is_file():
        raise RunFailed(f"{facts['notebook']}: the notebook ended without run.done()")
    facts["code"] = fingerprint.code(json.loads(modules.read_text()))
    modules.unlink()
    (attempt / "attempt.json").unlink()
    shutil.rmtree(attempt / "checkpoint", ignore_errors=True)
    files = [file for file in attempt.rglob("*") if file.is_file() and "local" not in file.relative_to(attempt).parts]
    facts["outputs"] = {
        file.relative_to(attempt).as_posix(): fingerprint.file(file)
        for file in sorted(files)
        if file.stat().st_size <= GIT_LIMIT
    }
    facts["too_large_for_git"] = {}
    for file in files:
        if file.stat().st_size > GIT_LIMIT:
            facts["too_large_for_git"][file.name] = fingerprint.file(file)
            (attempt / "local").mkdir(exist_ok=True)
            file.rename(attempt / "local" / file.name)
    _write(attempt / "run.json", facts)
    final = attempt.with_suffix("")
    replaced = RUNS / f"{final.name}.replaced.attempt"
    shutil.rmtree(replaced, ignore_errors=True)
    if final.exists():
        final.rename(replaced)
    attempt.rename(final)
    shutil.rmtree(replaced, ignore_errors=True)
    return Run(final)


def from_parent(given: dict[str, Any]) -> dict[str, Any]:
    """What was given; of a training that goes on from another (`init_from`), the rest is the parent's.

    That is the model with its encoder, the data with its split and fold, the label space and the size of crops.
    """
    if not given.get("init_from"):
        return given
    parent = run(given["init_from"]).parameters
    groups = ("model", "encoder"), ("data", "split", "fold"), ("space",), ("size",)
    rest = [name for group in groups if group[0] not in given for name in group]
    return {name: parent[name] for name in rest if name in parent} | given


def execute(
    notebook: str, given: dict[str, Any], name: str | None = None, *, force: bool = False, replace: bool = False
) -> tuple[Run, bool]:
    """Run a notebook with the given parameters, unless nothing has changed since it last was.

    Returns the run and whether it was executed now. Bad parameters are a `UserError` before anything starts; a cell
    that raises is a `RunFailed`, which leaves the attempt with the notebook up to the error, and an earlier run of
    this name untouched. Of the name of a split, a part that no other split's name holds is enough. A training of this
    name with other parameters, finished or begun, is a `UserError`, unless `force` or `replace` gives it up.
    """
    source = parameters.path(notebook)
    given = _split_in_full(parameters.resolve(source, given), given)
    values = parameters.resolve(source, given)
    name = name or default_name(source.stem, values)
    if not re.fullmatch(r"[\w-][\w.-]*", name) or name.endswith(".attempt"):
        raise UserError(f"{name!r} cannot be the name of a run: use letters, digits, '-', '_' and '.'")
    _check_inputs(values)
    if not force and state(name, notebook, given).state == "current":
        return run(name), False
    locks = RUNS / ".locks"
    locks.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(locks / name, timeout=0):
            return _attempt(name, source, given, values, force, replace), True
    except Timeout:
        raise UserError(f"run {name} is being made by another process") from None


def _attempt(name: str, source: Path, given: dict, values: dict, force: bool, replace: bool) -> Run:
    attempt = RUNS / f"{name}.attempt"
    replaced = RUNS / f"{name}.replaced.attempt"
    if replaced.exists() and not (RUNS / name).exists():  # killed between the two renames of _publish
        replaced.rename(RUNS / name)
    facts = {
        "notebook": source.stem,
        "kind": nbformat.read(source, as_version=4).metadata.get("cocoseg", {}).get("kind", "measurement"),
        "given": {key: values[key] for key in given},
        "parameters": values,
        "hashes": {
            "notebook": fingerprint.notebook(source),
            "parameters": fingerprint.values(values),
            "data": data(values),
        },
        "reads": {other: outputs(other) for other in reads(values)},
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "git": machine.commit(HOME),
        "machine": machine.machine(),
    }
    if not force and not replace:
        _refuse_loss(attempt, facts)
    _prepare(attempt, facts, force)
    start = time.monotonic()
    try:
        _execute(source, attempt, values)
        facts["seconds"] = round(time.monotonic() - start, 1)
        return _publish(attempt, facts)
    except RunFailed as error:
        _write(attempt / "attempt.json", {**facts, "error": str(error).splitlines()[-1]})
        raise
