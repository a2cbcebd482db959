"""Annotation errors planted on purpose, so that a detector of errors, or their cost, can be measured.

The kinds follow the errors that re-annotations of COCO report (Sama-COCO, COCO-ReM, the LVIS paper's comparison):
objects left out or annotated twice, contours moved, too coarse or cut off, neighbours taken for one, a wrong name.
"""

import copy
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

    Each annotation that is not a crowd meets each kind with the given probability, and at most one kind. Chance
    depends on the seed and the annotation's id alone: other annotations do not matter, and with one kind, the
    annotations that are hit at a rate are among those hit at any higher rate. An annotation to which the kind
    cannot happen (a triangle cannot be coarsened, an object without a touching neighbour of its category cannot
    be merged) stays as it is.

    Args:
        coco: the content of an instances file; it is not changed.
        rates: probability for each kind of `KINDS`.
        seed: another seed hits others.

    Returns:
        The dataset with defects, and one row for each: `kind`; `annotation_id`, for a duplicate that of the copy;
        `other_id`, the annotation that was copied or swallowed, or None; `image_id`; `category_id` and `area` of the
        object as first annotated; `size` (COCO's small, medium, large); `severity`, which is 1 − IoU of the
        masks before and after where the mask changed, and 1 elsewhere.

    >>> square = {"id": 7, "image_id": 1, "category_id": 1, "iscrowd": 0, "area": 64.0, "bbox": [2, 2, 8, 8],
    ...           "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]}
    >>> coco = {"images": [{"id": 1, "height": 20, "width": 20}], "annotations": [square],
    ...         "categories": [{"id": 1, "name": "person", "supercategory": "person"}]}
    >>> planted, defects = plant(coco, {"missing": 1.0})
    >>> planted["annotations"], defects[0]["kind"], defects[0]["annotation_id"], defects[0]["size"]
    ([], 'missing', 7, 'small')
    """
    for kind, rate in rates.items():
        if kind not in KINDS:
            raise UserError(f"no defect {kind!r}; {nearest(kind, KINDS)}")
        if not 0 <= rate <= 1:
            raise UserError(f"the rate of {kind!r} is {rate}, expected 0 to 1")
    if sum(rates.values()) > 1:
        raise UserError(f"the rates sum to {sum(rates.values()):.3g}, expected at most 1")
    if rates.get("wrong category") and len(coco["categories"]) < 2:
        raise UserError("'wrong category' needs a dataset of at least two categories, this one has one")

    planted = {**coco, "annotations": [copy.copy(a) for a in coco["annotations"]]}
    images = {image["id"]: image for image in coco["images"]}
    by_image: dict[int, list[dict]] = {}
    for annotation in planted["annotations"]:
        by_image.setdefault(annotation["image_id"], []).append(annotation)
    next_id = max((a["id"] for a in coco["annotations"]), default=0) + 1
    thresholds = np.cumsum([rates.get(kind, 0.0) for kind in KINDS])
    gone, touched, copies, rows = set(), set(), [], []
    for annotation in planted["annotations"]:
        rng = Generator(PCG64([seed, annotation["id"], 1]))
        hit = int(np.searchsorted(thresholds, rng.random(), side="right"))
        whole = not annotation.get("iscrowd") and isinstance(annotation.get("segmentation"), list)
        if hit == len(KINDS) or not whole or annotation["id"] in touched:
            continue
        kind, image, before = KINDS[hit], images[annotation["image_id"]], dict(annotation)
        rings = [np.asarray(ring, float).reshape(-1, 2) for ring in annotation["segmentation"]]
        other, severity = None, 1.0
        if kind == "missing":
            gone.add(annotation["id"])
        elif kind == "wrong category":
            annotation["category_id"] = _confusion(rng, coco["categories"], annotation["category_id"])
        elif kind == "duplicated":
            other = annotation["id"]
            again = [np.clip(r + rng.normal(0, 0.6, r.shape), 0, (image["width"], image["height"])) for r in rings]
            annotation = {**annotation, "id": next_id}
            annotation.update(outlined(again))
            copies.append(annotation)
            next_id += 1
        elif kind == "merged":
            near = _neighbour(annotation, by_image[annotation["image_id"]], touched | gone)
            if near is None:
                continue
            other = near["id"]
            annotation.update(outlined(rings + [np.asarray(r, float).reshape(-1, 2) for r in near["segmentation"]]))
            gone.add(other)
            severity = 1 - _iou(before, annotation, image)
        else:
            bad = _worsen(rng, _GEOMETRY[kind], rings, before, image)
            if bad is None:
                continue
            annotation.update(outlined(bad))
            severity = 1 - _iou(before, annotation, image)
        touched |= {annotation["id"], before["id"], other}
        size = "small" if before["area"] < SMALL else "medium" if before["area"] < MEDIUM else "large"
        rows.append(
            {
                "image_id": before["image_id"], "annotation_id": annotation["id"], "other_id": other, "kind": kind,
                "severity": round(float(severity), 4), "size": size, "category_id": before["category_id"],
                "area": before["area"],
            }
        )  # fmt: skip
    planted["annotations"] = [a for a in planted["annotations"] if a["id"] not in gone] + copies
    return planted, rows


def _iou(one: dict, two: dict, image: dict) -> float:
    masks = [
        coco_mask.merge(coco_mask.frPyObjects(a["segmentation"], image["height"], image["width"])) for a in (one, two)
    ]
    return float(coco_mask.iou(masks[:1], masks[1:], [0])[0, 0])


def _worsen(rng: Generator, change: Callable, rings: Rings, before: dict, image: dict) -> Rings | None:
    """Changes the contour more and more until at least a tenth of the object is wrong; None where nothing does it."""
    state = rng.bit_generator.state
    target = rng.uniform(0.1, 0.3)
    for strength in np.geomspace(0.06, 0.6, 14):
        rng.bit_generator.state = state
        bad = change(rng, rings, strength * np.sqrt(before["area"]))
        bad = [np.clip(r, 0, (image["width"], image["height"])) for r in bad]
        bad = [r for r in bad if len(r) >= 3 and extent([r])[0] > 0.5]
        if bad and 1 - _iou(before, outlined(bad), image) >= target:
            return bad
    return None


def _shifted(rng: Generator, rings: Rings, length: float) -> Rings:
    angle = rng.uniform(0, 2 * np.pi)
    return [ring + length * np.array([np.cos(angle), np.sin(angle)]) for ring in rings]


def _coarsened(_: Generator, rings: Rings, length: float) -> Rings:
    return [cv2.approxPolyDP(r.astype(np.float32)[:, None], length, True)[:, 0].astype(float) for r in rings]


def _cut_off(rng: Generator, rings: Rings, length: float) -> Rings:
    """Takes away what lies beyond an upright or level line, from one side."""
    points = np.vstack(rings)
    axis, upper = int(rng.integers(2)), bool(rng.integers(2))
    edge = points[:, axis].max() - length if upper else points[:, axis].min() + length
    limit = np.minimum if upper else np.maximum
    cut = [ring.copy() for ring in rings]
    for ring in cut:
        ring[:, axis] = limit(ring[:, axis], edge)
    return cut


_GEOMETRY: dict[str, Callable] = {"shifted": _shifted, "coarsened": _coarsened, "cut off": _cut_off}


def _neighbour(annotation: dict, others: list[dict], taken: set) -> dict | None:
    """The nearest annotation of the same category whose box touches this one's, if it is free."""
    x, y, w, h = annotation["bbox"]
    found = []
    for other in others:
        same = other["category_id"] == annotation["category_id"] and other["id"] != annotation["id"]
        if not same or other.get("iscrowd") or other["id"] in taken or not isinstance(other["segmentation"], list):
            continue
        u, v, a, b = other["bbox"]
        gap = max(max(x, u) - min(x + w, u + a), max(y, v) - min(y + h, v + b))
        if gap <= 3:
            found.append((gap, other["id"], other))
    return min(found, key=lambda f: f[:2])[2] if found else None


def _confusion(rng: Generator, categories: list[dict], category_id: int) -> int:
    """Another category, most often one of the same supercategory."""
    true = next(c for c in categories if c["id"] == category_id)
    others = [c["id"] for c in categories if c["id"] != category_id]
    kin = [c["id"] for c in categories if c["id"] != category_id and c["supercategory"] == true["supercategory"]]
    choices = kin if kin and rng.random() < 0.8 else others
    return choices[int(rng.integers(len(choices)))]
