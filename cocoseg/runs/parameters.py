"""A notebook's parameters: read from its `parameters` cell, checked before anything starts.

Every entry of that cell is one line, `name: type = default  # meaning`. The comment may end in the valid values,
`{a, b}` or the function that knows them, `{package.module:function}`, or in the valid range, `[1, 512]`; they are
enforced.
"""

import ast
import logging
import re
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from cocoseg.coco.datasets import HOME
from cocoseg.errors import UserError, nearest

NOTEBOOKS = HOME / "book" / "notebooks"
TYPES = {"str": str, "int": int, "float": float, "bool": bool, "list[str]": list}


@dataclass(frozen=True)
class Parameter:
    """One entry of a parameters cell."""

    name: str
    type: str
    default: Any
    meaning: str
    choices: tuple[str, ...] = ()
    bounds: tuple[float, float] | None = None

    @property
    def valid(self) -> str:
        """The valid values in words, '' if any value of the type is."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        return " to ".join(f"{b:,.0f}" if b >= 1e5 else f"{b:g}" for b in self.bounds) if self.bounds else ""

    def check(self, value) -> Any:
        """The value in this parameter's type; one that does not fit is a `UserError`.

        >>> batch = Parameter("batch", "int", 8, "crops per step", bounds=(1, 512))
        >>> batch.check("16")
        16
        >>> batch.check("0")
        Traceback (most recent call last):
        ...
        cocoseg.errors.UserError: parameter batch: 0 is out of range; valid: 1 to 512
        """
        value = self._parsed(value)
        for item in value if isinstance(value, list) else [value]:
            if self.choices and item not in self.choices:
                raise UserError(f"parameter {self.name}: unknown value {item!r}; {nearest(str(item), self.choices)}")
            if self.bounds and not self.bounds[0] <= item <= self.bounds[1]:
                raise UserError(f"parameter {self.name}: {item} is out of range; valid: {self.valid}")
        return value

    def _parsed(self, value):
        wrong = UserError(f"parameter {self.name}: {value!r} is not of type {self.type} (default {self.default!r})")
        if self.type == "str":
            if isinstance(value, str):
                return value
            raise wrong
        if self.type == "list[str]":
            items = value.split(",") if isinstance(value, str) else value
            if isinstance(items, list) and all(isinstance(item, str) for item in items):
                return [item.strip() for item in items if item.strip()]
            raise wrong
        if isinstance(value, str):
            try:
                value = ast.literal_eval(value.title() if self.type == "bool" else value)
            except (ValueError, SyntaxError):
                raise wrong from None
        if self.type == "float" and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if type(value) is not TYPES[self.type]:
            raise wrong
        return value


def path(notebook: str) -> Path:
    """The file of a notebook given by name (`survey`) or path; an unknown one is a `UserError`."""
    known = {file.stem: file for file in sorted(NOTEBOOKS.glob("*.ipynb"))}
    if notebook in known:
        return known[notebook]
    if notebook.endswith(".ipynb") and Path(notebook).is_file():
        return Path(notebook).resolve()
    raise UserError(f"no notebook {notebook!r}; {nearest(notebook, known)}")


def _parse(name: str, type_: str, default: str, comment: str) -> Parameter:
    choices, bounds = (), None
    if match := re.search(r"\s*\{([^}]+)\}\s*$", comment):
        module, colon, function = match[1].partition(":")
        given = getattr(import_module(module), function)() if colon else match[1].split(",")
        choices = tuple(choice.strip() for choice in given)
    elif match := re.search(r"\s*\[([^,\]]+),([^\]]+)\]\s*$", comment):
        bounds = (float(match[1]), float(match[2]))
    meaning = comment[: match.start()] if match else comment
    if type_ not in TYPES:
        raise UserError(f"parameter {name}: its type must be written as one of {', '.join(TYPES)}, not {type_!r}")
    return Parameter(name, type_, ast.literal_eval(default), meaning.strip(), choices, bounds)


@cache
def parameters(notebook: Path) -> dict[str, Parameter]:
    """The parameters of a notebook by name, in its own order."""
    import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)
    found = papermill.inspect_notebook(str(notebook))
    return {
        name: _parse(name, entry["inferred_type_name"], entry["default"], entry["help"])
        for name, entry in found.items()
    }


def resolve(notebook: Path, given: dict[str, Any]) -> dict[str, Any]:
    """Every parameter's value: the given ones, checked, over the defaults."""
    known = parameters(notebook)
    for name in given:
        if name not in known:
            raise UserError(f"notebook {notebook.stem} has no parameter {name!r}; {nearest(name, known)}")
    return {name: p.check(given[name]) if name in given else p.default for name, p in known.items()}
