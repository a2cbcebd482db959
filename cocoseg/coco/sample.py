"""The sample: a small generated dataset in COCO's format whose truth is known exactly.

It is drawn (`silhouettes`, `painting`, `scenes`), then annotated the way COCO's annotators work, then spoiled in known
places (`defects`). A folder holds

- `annotations/instances_{train,val}.json` and `{train,val}/<image id, 12 digits>.jpg`: the dataset as a user meets it;
- `exact/instances_{train,val}.json`: every object's visible mask, to the pixel, as RLE in the same format;
- `defects.json`: the planted annotation errors.

Everything follows from the seed, and each image from the seed and its id alone.
"""

import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from filelock import FileLock
from numpy.random import PCG64, Generator
from PIL import Image
from pycocotools import mask as coco_mask

from cocoseg.coco.defects import Rings, extent, flat, plant
from cocoseg.coco.painting import FINE
from cocoseg.coco.scenes import picture
from cocoseg.errors import UserError

VERSION = 1  # of what is generated: another version is made anew
TRAIN, VAL = 320, 120
RATES = {
    "shifted": 0.025, "coarsened": 0.025, "cut off": 0.02, "merged": 0.02, "missing": 0.03, "duplicated": 0.02,
    "wrong category": 0.025,
}  # fmt: skip
CATEGORIES = [
    {"supercategory": supercategory, "id": number, "name": name}
    for number, name, supercategory in [
        (1, "person", "person"), (2, "bicycle", "vehicle"), (3, "car", "vehicle"), (9, "boat", "vehicle"),
        (10, "traffic light", "outdoor"), (16, "bird", "animal"), (17, "cat", "animal"), (18, "dog", "animal"),
        (22, "elephant", "animal"), (28, "umbrella", "accessory"), (38, "kite", "sports"), (44, "bottle", "kitchen"),
        (47, "cup", "kitchen"), (60, "donut", "food"), (62, "chair", "furniture"), (85, "clock", "indoor"),
    ]
]  # fmt: skip
_ID = {c["name"]: c["id"] for c in CATEGORIES}
_SEEN = 6  # px: of what shows less, nothing is known, as in any annotation
_STAMP = "sample.json"


def ensure(root: Path) -> None:
    """Makes the default sample in `root` unless this version is there; whole or not at all, also if two processes try."""
    root = Path(root)
    if _version(root) == VERSION:
        return
    root.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(root.with_name(f".{root.name}.lock")):
        if _version(root) == VERSION:
            return
        if root.exists() and _version(root) is None and any(root.iterdir()):
            raise UserError(
                f"{root} is not a generated sample and is left alone; move it away to make the sample there"
            )
        for left in root.parent.glob(f".{root.name}.part*"):
            shutil.rmtree(left)
        part = root.with_name(f".{root.name}.part")
        make(part)
        if root.exists():
            root.rename(part.with_suffix(".part-old"))
        part.rename(root)
        shutil.rmtree(part.with_suffix(".part-old"), ignore_errors=True)


def make(folder: Path, *, train: int = TRAIN, val: int = VAL, seed: int = 0) -> None:
    """Generates a sample of `train` and `val` images into a folder.

    Image k of a split is the same whatever the number of images.
    """
    folder = Path(folder)
    if min(train, val) < 0 or seed < 0:
        raise UserError(f"train={train}, val={val}, seed={seed}: expected numbers that are not negative")
    if folder.exists() and any(folder.iterdir()):
        raise UserError(f"{folder} is not empty; the sample is made in a new folder")
    for name in ("annotations", "exact"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    found = []
    for split, ids in (("train", range(1, train + 1)), ("val", range(500_001, 500_001 + val))):
        good, exact = _split(folder / split, ids, seed)
        spoiled, defects = plant(good, RATES, seed)
        _write(folder / "annotations" / f"instances_{split}.json", spoiled)
        _write(folder / "exact" / f"instances_{split}.json", exact)
        found += [{"split": split, **row} for row in defects]
    _write(folder / "defects.json", found)
    _write(folder / _STAMP, {"version": VERSION, "train": train, "val": val, "seed": seed})


def defects(root: Path) -> pl.DataFrame:
    """The planted defects, one row each: split and the columns of `cocoseg.coco.defects.plant`."""
    schema = {
        "split": pl.String, "image_id": pl.Int64, "annotation_id": pl.Int64, "other_id": pl.Int64, "kind": pl.String,
        "severity": pl.Float64, "size": pl.String, "category_id": pl.Int64, "area": pl.Float64,
    }  # fmt: skip
    return pl.DataFrame(json.loads((Path(root) / "defects.json").read_text()), schema=schema)


def _version(root: Path) -> int | None:
    stamp = root / _STAMP
    return json.loads(stamp.read_text())["version"] if stamp.is_file() else None


def _write(path: Path, content) -> None:
    path.write_text(json.dumps(content, separators=(",", ":")) + "\n")


def _split(folder: Path, ids: range, seed: int) -> tuple[dict, dict]:
    """Draws and annotates the images of a split; its good annotations and its exact ones."""
    folder.mkdir()
    images, good, exact = [], [], []
    for number in ids:
        rng = Generator(PCG64([seed, number]))
        image, canvas, objects = picture(rng)
        name = f"{number:012d}.jpg"
        Image.fromarray(image).save(folder / name, quality=90)
        height, width = image.shape[:2]
        images.append({"license": 1, "file_name": name, "height": height, "width": width, "id": number})
        owners = canvas.owners()
        for thing in objects:
            mask = (owners == thing.owner).astype(np.uint8)
            if np.count_nonzero(mask) < _SEEN:
                continue
            common = {
                "iscrowd": int(thing.crowd), "image_id": number, "category_id": _ID[thing.category],
                "id": number * 100 + thing.owner,
            }  # fmt: skip
            truth = coco_mask.encode(np.asfortranarray(mask))
            exact.append({**_described(truth), **common})
            if thing.crowd:
                good.append({**_circled(mask), **common})
            else:
                rings = trace(rng, canvas.owner == thing.owner)
                if rings:
                    area, bbox = extent(rings)
                    good.append({"segmentation": flat(rings), "area": area, "bbox": bbox, **common})
    head = {
        "info": {
            "description": "cocoseg sample: a generated dataset in COCO's format", "url": "", "version": str(VERSION),
            "year": 2025, "contributor": "cocoseg", "date_created": "2025/01/01",
        },
        "licenses": [{"url": "https://creativecommons.org/publicdomain/zero/1.0/", "id": 1, "name": "CC0 1.0"}],
        "images": images,
    }  # fmt: skip
    return tuple({**head, "annotations": rows, "categories": CATEGORIES} for rows in (good, exact))


def _described(rle: dict) -> dict:
    """An RLE with its area and bbox."""
    text = {"size": [int(s) for s in rle["size"]], "counts": rle["counts"].decode()}
    bbox = [float(v) for v in coco_mask.toBbox(rle)]
    return {"segmentation": text, "area": int(coco_mask.area(rle)), "bbox": bbox}


def _circled(mask: np.ndarray) -> dict:
    """A crowd as COCO's annotators mark it: the region, gaps closed, as uncompressed RLE."""
    region = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    flips = np.flatnonzero(np.diff(region.ravel(order="F"), prepend=0, append=2)) if region.any() else []
    counts = [int(n) for n in np.diff(flips, prepend=0)]
    described = _described(coco_mask.encode(np.asfortranarray(region)))
    return {**described, "segmentation": {"counts": counts, "size": list(mask.shape)}}


def trace(rng: Generator, visible: np.ndarray) -> Rings:
    """The polygons that a careful annotator draws around an object: a little simplified, a little unsteady.

    Args:
        visible: bool (FINE·height, FINE·width), the object's sub-pixels.

    Returns:
        float64 (n, 2) polygons in pixels. Parts and holes too small to click around are left out; larger holes are
        cut in by walking to them and back along the same line.
    """
    rows, columns = np.flatnonzero(visible.any(1)), np.flatnonzero(visible.any(0))
    if not len(rows):
        return []
    top, left = rows[0], columns[0]
    crop = visible[top : rows[-1] + 1, left : columns[-1] + 1].astype(np.uint8)
    # Dilating to the lower right puts the contour of pixel centres onto the original pixels' edges.
    crop = cv2.dilate(np.pad(crop, ((0, 1), (0, 1))), np.ones((2, 2), np.uint8), anchor=(1, 1))
    contours, hierarchy = cv2.findContours(crop, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE)
    area = np.count_nonzero(visible) / FINE**2
    tolerance = FINE * np.clip(0.028 * np.sqrt(area), 0.3, 0.8)
    unsteady = np.clip(0.012 * np.sqrt(area), 0.08, 0.3)
    limit = np.array([visible.shape[1], visible.shape[0]]) / FINE

    def drawn(contour: np.ndarray) -> np.ndarray | None:
        ring = cv2.approxPolyDP(contour, tolerance, True)[:, 0].astype(float)
        ring = (ring + (left, top)) / FINE
        inside = (ring > 0) & (ring < limit)
        ring = np.clip(ring + rng.normal(0, unsteady, ring.shape) * inside, 0, limit)
        return ring if len(ring) >= 3 else None

    rings = []
    for k, contour in enumerate(contours):
        size = cv2.contourArea(contour) / FINE**2
        if hierarchy[0, k, 3] >= 0 or size < min(4, 0.3 * area):
            continue
        ring = drawn(contour)
        child = hierarchy[0, k, 2]
        while ring is not None and child >= 0:
            if cv2.contourArea(contours[child]) / FINE**2 >= 10 and (hole := drawn(contours[child])) is not None:
                ring = _slit(ring, hole)
            child = hierarchy[0, child, 0]
        if ring is not None:
            rings.append(np.round(ring, 2))
    return rings


def _slit(ring: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """A polygon around a hole, as one polygon through the shortest slit."""
    gap = np.linalg.norm(ring[:, None] - hole[None], axis=2)
    i, j = np.unravel_index(gap.argmin(), gap.shape)
    inner = np.roll(hole, -j, 0)
    return np.vstack([ring[: i + 1], inner, inner[:1], ring[i:]])
