"""Annotation errors planted on purpose, so that a detector of errors, or what they cost, can be measured.

The kinds are those that re-annotations of COCO report (LVIS's comparison, Sama-COCO, COCO-ReM): objects left out or
annotated twice, contours moved, too coarse or cut off, neighbours taken for one, a wrong name.
"""

from collections.abc import Callable, Mapping

import cv2
import numpy as np
import polars as pl
from numpy.random import PCG64, Generator
from pycocotools import mask as coco_mask

from cocoseg.coco.generated.annotating import Rings, extent, outlined
from cocoseg.errors import UserError, nearest

KINDS = ("shifted", "coarsened", "cut off", "merged", "missing", "duplicated", "wrong category")
SMALL, MEDIUM = 32**2, 96**2
SCHEMA = {
    "image_id": pl.Int64, "annotation_id": pl.Int64, "other_id": pl.Int64, "kind": pl.String, "severity": pl.Float64,
    "size": pl.String, "category_id": pl.Int64, "area": pl.Float64,
}  # fmt: skip


def plant(coco: dict, rates: Mapping[str, float], seed: int = 0) -> tuple[dict, list[dict]]:
    """Plants defects into a dataset in COCO's format.

    Each annotation by polygons that is not a crowd meets each kind with the given probability, and one kind at most.
    Chance depends on the seed and the annotation's id alone, so other annotations do not matter; and with a single
    kind, whatever is hit at one rate is hit at every higher rate. Where a kind cannot happen (no neighbour of the same
    category close enough to be merged; no coarser polygon that differs by a tenth), the annotation stays as it is.

    Args:
        coco: the content of an instances file; it is left as it is.
        rates: probability of each kind of `KINDS`.
        seed: another seed hits others.

    Returns:
        The dataset with defects, and the defects, one row each, columns as in `SCHEMA`: `annotation_id`, of a
        duplicate that of the copy; `other_id`, what was copied or swallowed, or None; `category_id`, `area` and
        `size` (COCO's small, medium, large) before the defect; `severity`, which is 1 − IoU of the masks before and
        after where the mask changed, and 1 elsewhere.

    Raises:
        UserError: an unknown kind, an impossible rate.

    >>> square = {"id": 7, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 64.0, "bbox": [2, 2, 8, 8],
    ...           "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]}
    >>> coco = {"images": [{"id": 1, "height": 20, "width": 20}], "annotations": [square],
    ...         "categories": [{"id": 1, "name": "person", "supercategory": "person"}]}
    >>> planted, defects = plant(coco, {"missing": 1.0})
    >>> planted["annotations"], defects[0]["kind"], defects[0]["annotation_id"], defects[0]["size"]
    ([], 'missing', 7, 'small')
    """
    _refuse(rates, coco)
    annotations = [dict(annotation) for annotation in coco["annotations"]]
    images = {image["id"]: image for image in coco["images"]}
    by_image: dict[int, list[dict]] = {}
    for annotation in annotations:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    ids = np.array([annotation["id"] for annotation in annotations], np.uint64)
    hits = np.searchsorted(np.cumsum([rates.get(kind, 0) for kind in KINDS]), _lots(ids, seed), side="right")
    gone, touched, copies, rows = set(), set(), [], []
    for k in np.flatnonzero(hits < len(KINDS)):
        annotation, kind = annotations[k], KINDS[hits[k]]
        if annotation["id"] in touched or not _by_polygons(annotation):
            continue
        rng, image, before = (
            Generator(PCG64([seed, annotation["id"], 1])),
            images[annotation["image_id"]],
            dict(annotation),
        )
        rings, number, other, severity = _rings(annotation), annotation["id"], None, 1.0
        if kind == "missing":
            gone.add(number)
        elif kind == "wrong category":
            annotation["category_id"] = _confusion(rng, coco["categories"], annotation["category_id"])
        elif kind == "duplicated":
            number, other = int(ids.max()) + 1 + len(copies), number
            again = [_inside(ring + rng.normal(0, 0.6, ring.shape), image) for ring in rings]
            copies.append({**annotation, "id": number, **outlined(again)})
        elif kind == "merged":
            near = _neighbour(annotation, by_image[annotation["image_id"]], touched)
            if near is None:
                continue
            other = near["id"]
            gone.add(other)
            annotation.update(outlined(rings + _rings(near)))
            severity = 1 - _iou(before, annotation, image)
        else:
            worse = _worsened(rng, _GEOMETRY[kind], before, image)
            if worse is None:
                continue
            annotation.update(worse)
            severity = 1 - _iou(before, annotation, image)
        touched |= {number, before["id"], other}
        size = "small" if before["area"] < SMALL else "medium" if before["area"] < MEDIUM else "large"
        row = (before["image_id"], number, other, kind, round(severity, 4), size, before["category_id"], before["area"])
        rows.append(dict(zip(SCHEMA, row, strict=True)))
    return {**coco, "annotations": [a for a in annotations if a["id"] not in gone] + copies}, rows


def _refuse(rates: Mapping[str, float], coco: dict) -> None:
    for kind, rate in rates.items():
        if kind not in KINDS:
            raise UserError(f"no defect {kind!r}; {nearest(kind, KINDS)}")
        if not 0 <= rate <= 1:
            raise UserError(f"the rate of {kind!r} is {rate}, expected 0 to 1")
    if sum(rates.values()) > 1 + 1e-9:
        raise UserError(f"the rates add up to {sum(rates.values()):.3g}, expected at most 1")
    if rates.get("wrong category") and len(coco["categories"]) < 2:
        raise UserError("a 'wrong category' needs another category, expected a dataset of two or more")


def _lots(ids: np.ndarray, seed: int) -> np.ndarray:
    """A number in [0, 1) for each uint64 id, by splitmix64 (Steele, Lea, Flood, 2014)."""
    z = (ids + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(seed * 0xD1342543DE82EF95 % 2**64)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = (z ^ (z >> np.uint64(shift))) * np.uint64(factor)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)) / 2.0**53


def _by_polygons(annotation: dict) -> bool:
    return not annotation.get("iscrowd") and isinstance(annotation.get("segmentation"), list)


def _rings(annotation: dict) -> Rings:
    return [np.asarray(ring, float).reshape(-1, 2) for ring in annotation["segmentation"]]


def _inside(ring: np.ndarray, image: dict) -> np.ndarray:
    return np.clip(ring, 0, (image["width"], image["height"]))


def _iou(one: dict, two: dict, image: dict) -> float:
    size = image["height"], image["width"]
    first, second = (coco_mask.merge(coco_mask.frPyObjects(a["segmentation"], *size)) for a in (one, two))
    return float(coco_mask.iou([first], [second], [0])[0, 0])


def _worsened(rng: Generator, change: Callable, before: dict, image: dict) -> dict | None:
    """The annotation with as little change as makes a tenth to three tenths of it wrong; None if none does."""
    seed, target = int(rng.integers(2**32)), rng.uniform(0.1, 0.3)
    for strength in np.geomspace(0.04, 0.6, 20) * np.sqrt(before["area"]):
        rings = [_inside(ring, image) for ring in change(Generator(PCG64(seed)), _rings(before), strength)]
        rings = [ring for ring in rings if len(ring) >= 3 and extent([ring])[0] >= 0.5]
        if rings and 1 - _iou(before, after := outlined(rings), image) >= target:
            return after
    return None


def _shifted(rng: Generator, rings: Rings, length: float) -> Rings:
    angle = rng.uniform(0, 2 * np.pi)
    return [ring + length * np.array([np.cos(angle), np.sin(angle)]) for ring in rings]


def _coarsened(_: Generator, rings: Rings, length: float) -> Rings:
    return [cv2.approxPolyDP(ring.astype(np.float32), length, True)[:, 0].astype(float) for ring in rings]


def _cut_off(rng: Generator, rings: Rings, length: float) -> Rings:
    """Without what lies beyond an upright or a level line, from one side."""
    axis, from_above = int(rng.integers(2)), bool(rng.integers(2))
    values = np.vstack(rings)[:, axis]
    bounds = (values.min(), values.max() - length) if from_above else (values.min() + length, values.max())
    cut = [ring.copy() for ring in rings]
    for ring in cut:
        ring[:, axis] = np.clip(ring[:, axis], *bounds)
    return cut


_GEOMETRY: dict[str, Callable] = {"shifted": _shifted, "coarsened": _coarsened, "cut off": _cut_off}


def _neighbour(annotation: dict, others: list[dict], taken: set, reach: float = 3.0) -> dict | None:
    """The nearest free annotation of the same category whose box is at most `reach` px away."""
    x, y, w, h = annotation["bbox"]
    found = []
    for other in others:
        if other["category_id"] != annotation["category_id"] or other["id"] in {annotation["id"], *taken}:
            continue
        u, v, a, b = other["bbox"]
        gap = max(x - u - a, u - x - w, y - v - b, v - y - h)
        if gap <= reach and _by_polygons(other):
            found.append((gap, other["id"], other))
    return min(found, key=lambda each: each[:2])[2] if found else None


def _confusion(rng: Generator, categories: list[dict], category_id: int) -> int:
    """Another category, four times out of five one of the same supercategory where there is one."""
    group = next(c["supercategory"] for c in categories if c["id"] == category_id)
    others = [c for c in categories if c["id"] != category_id]
    kin = [c for c in others if c["supercategory"] == group]
    choices = kin if kin and rng.random() < 0.8 else others
    return choices[int(rng.integers(len(choices)))]["id"]
