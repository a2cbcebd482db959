"""The sample: a small generated dataset in COCO's format whose truth is known exactly.

It is composed and painted (`scenes`, `silhouettes`, `painting`), annotated (`annotating`), and then spoiled in known
places (`defects`). Its folder holds

- `annotations/instances_{train,val}.json` and `{train,val}/<image id, 12 digits>.jpg`: the dataset as a user meets it;
- `exact/instances_{train,val}.json`: the visible mask of every object, to the pixel, in the same format and under the
  same ids, those whose annotations are missing included; masks never overlap;
- `defects.json`: the planted annotation errors, see `defects`.

Three of the 120 validation images show the scene of a training image again under another exposure, as leaked
near-duplicates; `info.near_duplicates` of the validation file lists the pairs.

Everything follows from the seed, and each image from the seed and its id alone.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
from filelock import FileLock
from numpy.random import PCG64, Generator
from PIL import Image

from cocoseg.coco import defects as planting
from cocoseg.coco.generated.annotating import exactly, outlined, region, trace
from cocoseg.coco.generated.scenes import compose, photograph
from cocoseg.errors import UserError

VERSION = 6  # of what is generated; a folder of another version is made anew
TRAIN, VAL = 320, 120
FIRST = {"train": 1, "val": 500_001}  # image ids
RATES = {
    "shifted": 0.03, "coarsened": 0.03, "cut off": 0.03, "merged": 0.06, "missing": 0.03, "duplicated": 0.02,
    "wrong category": 0.025,
}  # fmt: skip
CATEGORIES = {
    "person": (1, "person"), "bicycle": (2, "vehicle"), "car": (3, "vehicle"), "boat": (9, "vehicle"),
    "traffic light": (10, "outdoor"), "bird": (16, "animal"), "cat": (17, "animal"), "dog": (18, "animal"),
    "elephant": (22, "animal"), "umbrella": (28, "accessory"), "kite": (38, "sports"), "bottle": (44, "kitchen"),
    "cup": (47, "kitchen"), "donut": (60, "food"), "chair": (62, "furniture"), "clock": (85, "indoor"),
}  # fmt: skip
SEEN = 6  # px; what shows less of itself is nobody's, in the truth too
_STAMP = "sample.json"


def ensure(root: Path) -> None:
    """Makes the default sample in `root` unless this version of it is there; whole or not at all, once for all who ask.

    Raises:
        UserError: there is something else in `root`.
    """
    root = Path(root)
    if _version(root) == VERSION:
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root.with_name(f".{root.name}.lock")):
        if _version(root) == VERSION:
            return
        if root.exists() and _version(root) is None and any(root.iterdir()):
            raise UserError(f"{root} is not a generated sample, expected one or nothing there; move it elsewhere")
        making = root.with_name(f".{root.name}.part")
        shutil.rmtree(making, ignore_errors=True)
        make(making / "new")
        if root.exists():
            root.rename(making / "old")
        (making / "new").rename(root)
        shutil.rmtree(making)


def make(folder: Path, *, train: int = TRAIN, val: int = VAL, seed: int = 0) -> None:
    """Generates a sample of `train` and `val` images into a new folder.

    The first images of a larger sample are those of a smaller one.
    """
    folder = Path(folder)
    if min(train, val, seed) < 0:
        raise UserError(f"train={train}, val={val}, seed={seed}: expected numbers from 0 up")
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty, expected a new folder")
    for name in ("annotations", "exact"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    planted = []
    for split, count in (("train", train), ("val", val)):
        good, exact = _draw(folder, split, count, seed, train)
        spoiled, rows = planting.plant(good, RATES, seed)
        _write(folder / "annotations" / f"instances_{split}.json", spoiled)
        _write(folder / "exact" / f"instances_{split}.json", exact)
        planted += [{"split": split, **row} for row in rows]
    _write(folder / "defects.json", planted)
    _write(folder / _STAMP, {"version": VERSION, "train": train, "val": val, "seed": seed})


def defects(root: Path) -> pl.DataFrame:
    """The planted defects of a sample, one row each: `split` and the columns of `defects.plant`."""
    return pl.DataFrame(
        json.loads((Path(root) / "defects.json").read_text()), schema={"split": pl.String, **planting.SCHEMA}
    )


def _version(root: Path) -> int | None:
    stamp = root / _STAMP
    return json.loads(stamp.read_text())["version"] if stamp.is_file() else None


def _write(path: Path, content) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _draw(folder: Path, split: str, count: int, seed: int, train: int) -> tuple[dict, dict]:
    """Draws the images of a split; its annotations before any defect, and the exact ones."""
    (folder / split).mkdir()
    images, twins, good, exact = [], [], [], []
    for k in range(count):
        number, scene = FIRST[split] + k, FIRST[split] + k
        if split == "val" and k % 40 == 17:
            scene = FIRST["train"] + k
            if k < train:
                twins.append([number, scene])
        canvas, objects, mood = compose(Generator(PCG64([seed, scene])))
        rng = Generator(PCG64([seed, number, 1]))
        name = f"{number:012d}.jpg"
        Image.fromarray(photograph(rng, canvas, mood)).save(folder / split / name, quality=90)
        images.append({"license": 1, "file_name": name, "height": canvas.height, "width": canvas.width, "id": number})
        owners = canvas.owners()
        for thing in objects:
            mask = (owners == thing.owner).astype(np.uint8)
            if np.count_nonzero(mask) < SEEN:
                continue
            ids = {
                "iscrowd": int(thing.crowd), "image_id": number, "category_id": CATEGORIES[thing.category][0],
                "id": 100 * number + thing.owner,
            }  # fmt: skip
            exact.append({**exactly(mask), **ids})
            if thing.crowd:
                good.append({**region(mask), **ids})
            elif rings := trace(rng, canvas.owner == thing.owner):
                good.append({**outlined(rings), **ids})
    info = {
        "description": "cocoseg sample: a generated dataset in COCO's format", "url": "", "version": str(VERSION),
        "year": 2026, "contributor": "cocoseg", "date_created": "2026/01/01",
    }  # fmt: skip
    head = {
        "info": info if split == "train" else {**info, "near_duplicates": twins},
        "licenses": [{"url": "https://creativecommons.org/publicdomain/zero/1.0/", "id": 1, "name": "CC0 1.0"}],
        "images": images,
    }
    categories = [{"supercategory": s, "id": number, "name": name} for name, (number, s) in CATEGORIES.items()]
    return tuple({**head, "annotations": rows, "categories": categories} for rows in (good, exact))
