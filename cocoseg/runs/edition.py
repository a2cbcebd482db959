"""An edition: the book about one dataset, and the runs that belong to it.

`book/editions/<name>.yml` holds a title, what the dataset is, and under `runs` a notebook and parameters for each
role. A `grid` gives a role for each combination of values, which stand in braces in the role and the parameters.
The run of a role is named `<edition>-<role>`; parameters that name runs name roles of the same edition.
"""

import itertools
import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import Any

import yaml

from cocoseg.coco.datasets import HOME
from cocoseg.errors import UserError, nearest
from cocoseg.runs.record import RUNS, Run
from cocoseg.runs.state import READS, State, reads, state

EDITIONS = HOME / "book" / "editions"


@dataclass(frozen=True)
class Entry:
    """One run that an edition asks for."""

    name: str
    role: str
    notebook: str
    parameters: Mapping[str, Any]

    @property
    def command(self) -> str:
        """What a person types to make this run."""
        words = ["cocoseg", "run", self.notebook]
        for key, value in self.parameters.items():
            words += ["-p", key, ",".join(value) if isinstance(value, list) else str(value)]
        return shlex.join([*words, "--name", self.name])

    @cached_property
    def state(self) -> State:
        return state(self.name, self.notebook, self.parameters)

    @property
    def usable(self) -> bool:
        """Whether there is a finished run, current or stale."""
        return self.state.state in ("current", "stale")

    def has(self, table: str) -> bool:
        """Whether there is a finished run, and it wrote that table; one made by older code may not have."""
        folder = RUNS / self.name
        return self.usable and any((folder / at / f"{table}.parquet").is_file() for at in ("", "local"))


def _filled(value, choice: Mapping[str, Any]):
    """`value` with `{key}` replaced; a value that is nothing but `{key}` keeps the choice's type."""
    if isinstance(value, list):
        return [_filled(item, choice) for item in value]
    if not isinstance(value, str):
        return value
    whole = value.strip("{}")
    return choice[whole] if value == f"{{{whole}}}" and whole in choice else value.format(**choice)


def _entries(edition: str, role: str, entry: Mapping[str, Any]) -> list[Entry]:
    grid = entry.get("grid", {})
    made = []
    for combination in itertools.product(*grid.values()):
        choice = dict(zip(grid, combination, strict=True))
        values = {key: _filled(value, choice) for key, value in entry.get("parameters", {}).items()}
        for key in READS:
            if isinstance(values.get(key), list):
                values[key] = [f"{edition}-{item}" for item in values[key]]
            elif values.get(key):
                values[key] = f"{edition}-{values[key]}"
        filled = role.format(**choice)
        made.append(Entry(f"{edition}-{filled}", filled, entry["notebook"], values))
    return made


@dataclass(frozen=True)
class Edition:
    """A committed list of runs about one dataset."""

    name: str
    title: str
    dataset: str
    about: str
    entries: tuple[Entry, ...]

    def ordered(self) -> list[Entry]:
        """The entries, each after those that it reads."""
        by_name = {entry.name: entry for entry in self.entries}
        graph = {e.name: [other for other in reads(e.parameters) if other in by_name] for e in self.entries}
        try:
            return [by_name[name] for name in TopologicalSorter(graph).static_order()]
        except CycleError as error:
            raise UserError(f"edition {self.name}: runs read each other in a circle: {error.args[1]}") from None

    def entry(self, role: str) -> Entry:
        """The entry of a role; an unknown one is a `UserError`."""
        for entry in self.entries:
            if entry.role == role:
                return entry
        roles = [entry.role for entry in self.entries]
        raise UserError(f"edition {self.name} has no run {role!r}; {nearest(role, roles)}")

    def run(self, role: str) -> Run:
        """The finished run of a role."""
        entry = self.entry(role)
        if not entry.usable:
            raise UserError(f"run {entry.name} is {entry.state.state}; make it with: {entry.command}")
        return Run(RUNS / entry.name)

    def runs(self, notebook: str) -> list[Run]:
        """All finished runs of a notebook, in the edition's order."""
        return [Run(RUNS / e.name) for e in self.entries if e.notebook == notebook and e.usable]


def names() -> list[str]:
    """The names of all editions."""
    return sorted(file.stem for file in EDITIONS.glob("*.yml"))


def edition(name: str | None = None) -> Edition:
    """The edition of that name, by default the one that is being built: `$COCOSEG_EDITION`, else `coco`."""
    name = name or os.environ.get("COCOSEG_EDITION", "coco")
    file = EDITIONS / f"{name}.yml"
    if not file.is_file():
        raise UserError(f"no edition {name!r}; {nearest(name, names())}")
    try:
        content = yaml.safe_load(file.read_text())
        entries = [made for role, entry in content["runs"].items() for made in _entries(name, role, entry)]
        return Edition(name, content["title"], content["dataset"], content["about"], tuple(entries))
    except (yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"book/editions/{file.name} cannot be read: {error!r:.200}") from None


def everywhere() -> list[Entry]:
    """The entries of all editions."""
    return [entry for name in names() for entry in edition(name).entries]
