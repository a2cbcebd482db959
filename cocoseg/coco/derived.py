"""Datasets with planted defects, by name: `person+missing20` is `person` without a fifth of its objects.

A name is `<dataset>+<kind><percent>`, or `<dataset>+<kind><percent>@<seed>` for another draw; kinds are those of
`cocoseg.coco.defects`, with a hyphen for a blank (`cut-off10`). All splits are there, their photos are links to the
originals', and `defects.json` lists what was planted. The files follow from the name and the original alone; they are
made when asked for, and again when the original has changed.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import polars as pl
from filelock import FileLock

from cocoseg.coco.check import check
from cocoseg.coco.defects import KINDS, SCHEMA, plant
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError, nearest

VERSION = 1
_STAMP = "derived.json"


class Name(NamedTuple):
    """The parts of a name; the rate is a share."""

    base: str
    kind: str
    rate: float
    seed: int


def parse(name: str) -> Name:
    """What a name says; one that does not fit is a `UserError`.

    >>> parse("person+cut-off20@1")
    Name(base='person', kind='cut off', rate=0.2, seed=1)
    >>> parse("person+mising20")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: dataset 'person+mising20': no defect 'mising'; did you mean 'missing'? Valid: ...
    """
    found = re.fullmatch(r"(?P<base>.+)\+(?P<kind>[a-z-]+)(?P<percent>\d{1,3})(?:@(?P<seed>\d{1,9}))?", name)
    if not found:
        raise UserError(f"dataset {name!r}: expected <dataset>+<kind><percent> or <dataset>+<kind><percent>@<seed>")
    kinds = {kind.replace(" ", "-"): kind for kind in KINDS}
    if found["kind"] not in kinds:
        raise UserError(f"dataset {name!r}: no defect {found['kind']!r}; {nearest(found['kind'], kinds)}")
    if int(found["percent"]) > 100:
        raise UserError(f"dataset {name!r}: {found['percent']} % of the objects; expected at most 100")
    return Name(found["base"], kinds[found["kind"]], int(found["percent"]) / 100, int(found["seed"] or 0))


def defect_of(data: str) -> Name | None:
    """What the name of a dataset says of planted defects, None if it says nothing.

    >>> defect_of("person+missing20").rate, defect_of("person"), defect_of("folder/c++")
    (0.2, None, None)
    """
    try:
        return parse(data)
    except UserError:
        return None


def ensure(base: Path, name: Name, root: Path) -> None:
    """Makes the derived dataset in `root` from the dataset in `base`, unless it is there; whole or not at all.

    A file that is not in COCO's format, and a `root` that is something else, are a `UserError`.
    """
    stamp = _stamp(base, name)
    if _read_stamp(root) == stamp:
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root.with_name(f".{root.name}.lock")):
        if _read_stamp(root) == stamp:
            return
        if root.exists() and _read_stamp(root) is None:
            raise UserError(f"{root} is not a dataset made by name; move it elsewhere")
        making = root.with_name(f".{root.name}.part")
        shutil.rmtree(making, ignore_errors=True)
        _make(base, name, making)
        (making / _STAMP).write_text(json.dumps(stamp) + "\n")
        if root.exists():
            shutil.rmtree(root)
        making.rename(root)


def measured(annotations: list[dict], coco: Coco) -> list[dict]:
    """The annotations of a file that are left in `coco`, each with an area and a bbox, those of its mask where it has
    none.

    Args:
        annotations: as in COCO's format.
        coco: the same file by `cocoseg.coco.check.check`, or some of its images.
    """
    rows = coco.annotations.select("annotation_id", "area", "x", "y", "w", "h").iter_rows()
    known = {number: {"area": area, "bbox": box} for number, area, *box in rows}
    there = [(annotation, known[annotation["id"]]) for annotation in annotations if annotation.get("id") in known]
    return [annotation | {k: v for k, v in own.items() if annotation.get(k) is None} for annotation, own in there]


def planted(root: Path) -> pl.DataFrame:
    """The planted defects of a derived dataset, one row each: `split` and the columns of `defects.plant`."""
    return pl.DataFrame(json.loads((root / "defects.json").read_text()), schema={"split": pl.String, **SCHEMA})


def _files(base: Path) -> list[Path]:
    return sorted((base / "annotations").glob("instances_*.json"))


def _stamp(base: Path, name: Name) -> dict:
    files = {file.name: [file.stat().st_size, file.stat().st_mtime_ns] for file in _files(base)}
    return {"version": VERSION, "name": [*name], "files": files}


def _read_stamp(root: Path) -> dict | None:
    file = root / _STAMP
    return json.loads(file.read_text()) if file.is_file() else None


def _make(base: Path, name: Name, folder: Path) -> None:
    (folder / "annotations").mkdir(parents=True)
    listed = []
    for file in _files(base):
        split = file.stem.removeprefix("instances_")
        try:
            content = json.loads(file.read_text())
            content["annotations"] = measured(content["annotations"], check(file)[0])
            spoiled, rows = plant(content, {name.kind: name.rate}, name.seed)
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(f"{file.name} cannot be read: {error!r:.100}; see: cocoseg data check {file}") from None
        (folder / "annotations" / file.name).write_text(json.dumps(spoiled, separators=(",", ":")) + "\n")
        listed += [{"split": split, **row} for row in rows]
        if (base / split).is_dir():
            os.symlink((base / split).resolve(), folder / split, target_is_directory=True)
    (folder / "defects.json").write_text(json.dumps(listed, separators=(",", ":")) + "\n")
