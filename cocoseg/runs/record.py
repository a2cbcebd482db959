"""What a notebook writes down, and what a chapter reads: the folder of one run.

A run is `book/runs/<name>/` with the executed notebook, tables (Parquet), scores and `run.json`. While it is being
made it is `book/runs/<name>.attempt/`; it gets its name when it is whole.
"""

import json
import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from cocoseg.coco.datasets import HOME
from cocoseg.errors import UserError, nearest
from cocoseg.runs import parallel

RUNS = Path(os.environ.get("COCOSEG_RUNS", HOME / "book" / "runs"))


class Recorder:
    """The run that a notebook is making.

    Under `cocoseg run` its folder is the attempt's; in a notebook opened by hand it is a draft that no chapter reads.

    >>> from tempfile import mkdtemp
    >>> run = Recorder(Path(mkdtemp()))
    >>> run.table("classes", pl.DataFrame({"class": ["person"], "iou": [0.5]}))
    >>> run.scores(miou=0.5)
    """

    def __init__(self, folder: Path | None = None):
        self.folder = folder or Path(os.environ.get("COCOSEG_ATTEMPT", RUNS / "draft.attempt"))
        self.folder.mkdir(parents=True, exist_ok=True)

    def table(self, name: str, table: pl.DataFrame) -> None:
        """Write a table of the run."""
        table.write_parquet(self.folder / f"{name}.parquet", compression="zstd", compression_level=9)

    def tables(self, tables: dict[str, pl.DataFrame]) -> None:
        """Write several tables of the run."""
        for name, table in tables.items():
            self.table(name, table)

    def scores(self, **values: Any) -> None:
        """Write down single values (numbers, strings, small lists): the run's headline."""
        (self.folder / "scores.json").write_text(json.dumps(values, indent=1) + "\n")

    def picture(self, name: str, figure):
        """Save a Matplotlib figure that shows photos, where git does not see it.

        Returns what the cell displays: the figure where a person runs the notebook, and the place of the picture in
        a recorded run, whose notebook may be published while the photos may not.
        """
        file = self.folder / "local" / f"{name}.png"
        file.parent.mkdir(exist_ok=True)
        figure.savefig(file, dpi=144, bbox_inches="tight")
        return f"picture: local/{name}.png" if "COCOSEG_ATTEMPT" in os.environ else figure

    def done(self) -> None:
        """Declare that all cells ran, and note the code that they used. The last call of every notebook."""
        (self.folder / "modules.json").write_text(json.dumps(parallel.modules()))


@dataclass(frozen=True)
class Run:
    """A finished run, read only."""

    folder: Path

    @property
    def name(self) -> str:
        return self.folder.name

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What `run.json` says."""
        return json.loads((self.folder / "run.json").read_text())

    @property
    def parameters(self) -> dict[str, Any]:
        return self.facts["parameters"]

    @cached_property
    def scores(self) -> dict[str, Any]:
        return json.loads((self.folder / "scores.json").read_text())

    def table(self, name: str) -> pl.DataFrame:
        """A table of the run; an unknown one, and one too large for git on another machine, is a `UserError`."""
        files = {file.stem: file for at in ("local", "") for file in (self.folder / at).glob("*.parquet")}
        if name in files:
            return pl.read_parquet(files[name])
        if f"{name}.parquet" in self.facts["too_large_for_git"]:
            raise UserError(f"table {name!r} of run {self.name} is too large for git; to have it, make the run here")
        raise UserError(f"run {self.name} has no table {name!r}; {nearest(name, list(files))}")

    def pictures(self) -> list[Path]:
        """Pictures with photos that were drawn on this machine, none elsewhere."""
        return sorted((self.folder / "local").glob("*.png"))


def run(name: str) -> Run:
    """The finished run of that name; a missing one is a `UserError`."""
    folder = RUNS / name
    if not (folder / "run.json").is_file():
        names = [file.parent.name for file in RUNS.glob("*/run.json") if file.parent.suffix != ".attempt"]
        raise UserError(f"no finished run {name!r}; {nearest(name, names)}")
    return Run(folder)
