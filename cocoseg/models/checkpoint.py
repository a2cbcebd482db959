"""The state of a training in one file, that is there whole or not at all."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cocoseg.errors import UserError


@dataclass(frozen=True)
class Checkpoint:
    """A training after `len(rows)` steps: its settings, a row of its learning curve per step, and its variables."""

    settings: dict
    rows: list[dict]
    variables: list[np.ndarray]


def write(path: Path, checkpoint: Checkpoint) -> None:
    """Replace the checkpoint at `path` by this one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".part")
    text = json.dumps({"settings": checkpoint.settings, "rows": checkpoint.rows})
    with unfinished.open("wb") as stream:
        np.savez(stream, text=np.array(text), **{f"v{i:04d}": v for i, v in enumerate(checkpoint.variables)})
        stream.flush()
        os.fsync(stream.fileno())
    unfinished.replace(path)


def read(path: Path, settings: dict) -> Checkpoint | None:
    """The checkpoint at `path`, or None; a checkpoint of a training with other settings is a `UserError`."""
    if not path.exists():
        return None
    with np.load(path) as file:
        text = json.loads(str(file["text"]))
        variables = [file[key] for key in sorted(file.files) if key != "text"]
    theirs = text["settings"]
    other = [f"{key} {theirs.get(key)!r}, now {value!r}" for key, value in settings.items() if theirs.get(key) != value]
    if other:
        raise UserError(
            f"{path} is of a training with other settings ({'; '.join(other)}); delete it or give another folder"
        )
    return Checkpoint(theirs, text["rows"], variables)
