"""A project in miniature: the package copied beside two notebooks that take no time, driven by its command line."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]

MEASURE = """
import polars as pl
from cocoseg.masks import measured
from cocoseg.runs.record import Recorder

notes = Recorder()
if word == "boom":
    raise ValueError("the cell went wrong")
notes.table("values", pl.DataFrame({"value": [measured.twice(number)]}))
notes.scores(twice=measured.twice(number))
notes.done()
"""
TRAIN = """
import time
from cocoseg.runs.record import Recorder

notes = Recorder()
state = notes.folder / "checkpoint" / "step"
state.parent.mkdir(exist_ok=True)
first = int(state.read_text()) if state.is_file() else 0
for step in range(first, steps):
    state.write_text(str(step + 1))
    time.sleep(pause)
notes.scores(started_at=first, steps=steps)
notes.done()
"""


def notebook(path: Path, parameters: str, code: str, kind: str) -> None:
    cells = [
        nbformat.v4.new_markdown_cell(f"# {path.stem}"),
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code.strip()),
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel | {"cocoseg": {"kind": kind}}), path)


class Project:
    """A folder with a copy of the package; `cocoseg(...)` runs its command line there."""

    def __init__(self, root: Path):
        self.root = root
        shutil.copytree(ROOT / "cocoseg", root / "cocoseg", ignore=shutil.ignore_patterns("__pycache__"))
        self.module("def twice(number):\n    return 2 * number\n")
        at = root / "book" / "notebooks"
        notebook(
            at / "measure.ipynb",
            "number: int = 1  # what is doubled [0, 100]\nword: str = 'no'  # whether to fail {no, boom}\n",
            MEASURE,
            "measurement",
        )
        notebook(at / "train.ipynb", "steps: int = 2  # steps\npause: float = 0.0  # seconds\n", TRAIN, "training")
        notebook(
            at / "judge.ipynb",
            "training: str = ''  # the run that is judged\n",
            "from cocoseg.runs.record import Recorder\nfrom cocoseg.runs.record import run as finished\n"
            "notes = Recorder()\nnotes.scores(steps=finished(training).scores['steps'])\nnotes.done()",
            "measurement",
        )
        self.edition(
            "runs:\n  measure: {notebook: measure, parameters: {number: 3}}\n"
            "  train: {notebook: train, parameters: {steps: 2}}\n"
            "  judge: {notebook: judge, parameters: {training: train}}\n"
        )

    @property
    def runs(self) -> Path:
        return self.root / "book" / "runs"

    def module(self, text: str) -> None:
        (self.root / "cocoseg" / "masks" / "measured.py").write_text(text)

    def edition(self, runs: str, name: str = "coco") -> None:
        file = self.root / "book" / "editions" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"title: Test\ndataset: none\nabout: A test.\n{runs}")

    def facts(self, name: str) -> dict:
        return json.loads((self.runs / name / "run.json").read_text())

    def scores(self, name: str) -> dict:
        return json.loads((self.runs / name / "scores.json").read_text())

    def start(self, *arguments: str) -> subprocess.Popen:
        environment = {k: v for k, v in os.environ.items() if not k.startswith("COCOSEG_")}
        environment |= {"PYTHONPATH": str(self.root), "PYTHONDONTWRITEBYTECODE": "1"}
        return subprocess.Popen(
            [sys.executable, "-m", "cocoseg", *arguments],
            cwd=self.root,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )

    def cocoseg(self, *arguments: str, fails: int = 0) -> str:
        process = self.start(*arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == fails, out + err
        return out if not fails else err

    def killed(self, *arguments: str, when: Path) -> None:
        """Run a command and kill it, and all that it started, as soon as `when` exists."""
        process = self.start(*arguments)
        end = time.monotonic() + 60
        while not when.exists():
            assert time.monotonic() < end and process.poll() is None, process.communicate()
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@pytest.fixture
def project(tmp_path):
    return Project(tmp_path / "project")
