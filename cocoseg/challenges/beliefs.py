"""What a trained model makes of the labels: how much it believes each, pixel by pixel, and what it sees unlabelled.

*Self-confidence* is the probability that a model gives to the label that is there (Northcutt, Jiang and Chuang 2021,
Confident Learning). It is evidence only for labels that the model did not learn from: audit the validation split with a
model of the training split, and the training split with models that each left a fold out. Images are looked at one by
one and nothing of size H×W×n is made, so neither the number of images nor that of classes is bounded by memory; scores
of images are those of `cleanlab.segmentation` (Lad and Mueller 2023, Estimating label quality and errors in semantic
segmentation data via any model).
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import msgspec
import numpy as np
import polars as pl
from pycocotools import mask as coco_mask

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.models.folds import in_fold
from cocoseg.models.labels import image as photo
from cocoseg.progress import progress
from cocoseg.results.confidence import probabilities
from cocoseg.results.instances import owners
from cocoseg.results.labels import label
from cocoseg.runs.record import Run
from cocoseg.runs.record import run as finished

TEMPERATURE = 0.1  # of the soft minimum, as in cleanlab.segmentation
OPENING = 5  # px; thinner strips along a contour are no objects
SMALLEST = 64  # px

INSTANCES = {
    "training": pl.String,
    "image_id": pl.Int64,
    "annotation_id": pl.Int64,
    "class": pl.Int16,
    "visible": pl.Int64,
    "confidence": pl.Float64,
    "agrees": pl.Float64,
}
IMAGES = {"training": pl.String, "image_id": pl.Int64, "quality": pl.Float64}
UNLABELLED = {
    "training": pl.String,
    "image_id": pl.Int64,
    "class": pl.Int16,
    "x": pl.Float64,
    "y": pl.Float64,
    "w": pl.Float64,
    "h": pl.Float64,
    "pixels": pl.Int64,
    "confidence": pl.Float64,
    "free": pl.Float64,
    "segmentation": pl.String,
}


def left_out(training: Run, data: str, split: str) -> str:
    """The fold of a split that a training left out and may judge; '' if it learned from none of it and may judge all.

    What it started from (`init_from`) counts as learned, and planted defects make no other images of a dataset. A
    training that learned from all of the split is a `UserError`.
    """
    folds, learned = set(), training
    while learned:
        values = learned.parameters
        if (_original(values["data"]), values["split"]) == (_original(data), split):
            folds.add(values.get("fold", ""))
        learned = finished(values["init_from"]) if values.get("init_from") else None
    if "" in folds or len(folds) > 1:
        raise UserError(
            f"{training.name} learned from {data}/{split}, whose labels it would believe; "
            "to judge them, train with a fold, such as 1/2, that is left out"
        )
    return next(iter(folds), "")


def beliefs(
    predictors: Mapping[str, Callable],
    coco: Coco,
    folder: Path | str,
    space: LabelSpace,
    folds: Mapping[str, str] | None = None,
) -> dict[str, pl.DataFrame]:
    """Every image predicted once by each model that may judge it, and its labels judged.

    Args:
        predictors: models by the name of their training; each has a `space`, and gives scores float h×w×n for an image
            uint8 H×W×3 RGB.
        coco: the annotations, as from `cocoseg.coco.check.check` with the folder of the images.
        folder: of the image files.
        space: the label space; a model of another one is a `UserError`.
        folds: by training, the fold of the images that it judges (`left_out`); it judges all if there is none.

    Returns:
        Tables by name, each with `training` str and `image_id` i64, sorted.

        - `beliefs`, one row per instance that shows a pixel: annotation_id i64, class i16, visible i64 (px);
          confidence f64, the mean self-confidence of its visible pixels; agrees f64, the share of them that is
          predicted as its class.
        - `image_beliefs`: quality f64, `softmin` of the self-confidence of all pixels that are not void.
        - `unlabelled`: regions of a predicted class where the label is background (`unlabelled`): class i16; x, y, w, h
          f64 (box), pixels i64; confidence f64 (mean probability of the class there), free f64 (share of the whole
          predicted region, of which it is a part, that is labelled background), segmentation str (compressed RLE as
          JSON).
    """
    for training, predict in predictors.items():
        if predict.space.classes != space.classes:
            raise UserError(
                f"{training} was trained in label space {predict.space.name!r}; expected {space.name!r}, as audited"
            )
    instances, images, found = [], [], []
    for training, predict in predictors.items():
        ids, fold = coco.images["image_id"], (folds or {}).get(training, "")
        part = coco.of_images(ids.filter(in_fold(ids, fold)).to_list()) if fold else coco
        for image, annotations in progress(part.by_image(), total=len(part.images), desc=training, unit="image"):
            height, width, image_id = image["height"], image["width"], image["image_id"]
            scores = predict(photo(Path(folder) / image["file_name"]))
            truth, answer = label_map(annotations, height, width, space), label(scores, height, width)
            chance = probabilities(scores)
            believed = self_confidence(chance, truth)
            images.append((training, image_id, softmin(believed[truth != VOID])))
            instances += [
                (training, image_id, *row)
                for row in _instances(annotations, owners(annotations, truth, space), truth, answer, believed)
            ]
            found += [(training, image_id, *row) for row in unlabelled(chance, truth, answer)]
    return {
        "beliefs": pl.DataFrame(instances, INSTANCES, orient="row").sort("training", "annotation_id"),
        "image_beliefs": pl.DataFrame(images, IMAGES, orient="row").sort("training", "image_id"),
        "unlabelled": pl.DataFrame(found, UNLABELLED, orient="row").sort("training", "image_id", "x", "y", "class"),
    }


def self_confidence(chance: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """The probability of the label of each pixel: float32 H×W, NaN where it is void.

    Args:
        chance: class probabilities, float32 h×w×n, on a grid that covers the whole image; resized bilinearly.
        truth: label map, uint8 H×W.

    >>> self_confidence(np.float32([[[0.25, 0.75]]]), np.uint8([[0, 1, 255]]))
    array([[0.25, 0.75,  nan]], dtype=float32)
    """
    height, width = truth.shape
    believed = np.full(truth.shape, np.nan, np.float32)
    for k in np.unique(truth[truth != VOID]):
        there = truth == k
        believed[there] = _resized(chance[..., k], height, width)[there]
    return believed


def softmin(confidence: np.ndarray, temperature: float = TEMPERATURE) -> float:
    """The mean of values in which low ones weigh most: weights ∝ exp(−value / temperature). NaN of none.

    >>> round(softmin(np.array([0.1, 0.9, 0.9])), 3)
    0.101
    """
    if not confidence.size:
        return float("nan")
    values = confidence.astype(np.float64)
    weights = np.exp((values.min() - values) / temperature)
    return float((values * weights).sum() / weights.sum())


def unlabelled(chance: np.ndarray, truth: np.ndarray, answer: np.ndarray) -> list[tuple]:
    """Regions where a class is predicted and the label is background: rows of `UNLABELLED` from `class` on.

    Strips thinner than `OPENING` px and regions below `SMALLEST` px are left out: along the contour of a labelled
    object model and label never quite agree.

    Args:
        chance: class probabilities, float32 h×w×n.
        truth, answer: label maps, uint8 H×W.
    """
    rows = []
    kernel = np.ones((OPENING, OPENING), np.uint8)
    for k in np.unique(answer[(answer > 0) & (truth == 0)]):
        predicted = (answer == k).view(np.uint8)
        _, wholes = cv2.connectedComponents(predicted, connectivity=8)
        free = predicted & (truth == 0)
        sizes = np.bincount(wholes.ravel(), minlength=2)
        bare = np.bincount(wholes.ravel(), free.ravel(), minlength=2)
        count, parts, stats, _ = cv2.connectedComponentsWithStats(cv2.morphologyEx(free, cv2.MORPH_OPEN, kernel))
        sure = None
        for part in range(1, count):
            x, y, w, h, pixels = (int(v) for v in stats[part])
            if pixels < SMALLEST:
                continue
            if sure is None:
                sure = _resized(chance[..., k], *truth.shape)
            mask = parts == part
            whole = int(wholes[mask][0])
            rle = coco_mask.encode(np.asfortranarray(mask.view(np.uint8)))
            text = msgspec.json.encode({"size": list(truth.shape), "counts": rle["counts"].decode()}).decode()
            box = float(x), float(y), float(w), float(h)
            rows.append((int(k), *box, pixels, float(sure[mask].mean()), float(bare[whole] / sizes[whole]), text))
    return rows


def _original(data: str) -> str:
    return Path(data).name.partition("+")[0]


def _resized(plane: np.ndarray, height: int, width: int) -> np.ndarray:
    if plane.shape == (height, width):
        return plane
    return cv2.resize(np.ascontiguousarray(plane), (width, height), interpolation=cv2.INTER_LINEAR)


def _instances(
    annotations: pl.DataFrame, owner: np.ndarray, truth: np.ndarray, answer: np.ndarray, believed: np.ndarray
) -> list[tuple]:
    shown = owner >= 0
    n = len(annotations)
    visible = np.bincount(owner[shown], minlength=n)
    trust = np.bincount(owner[shown], believed[shown], minlength=n)
    agrees = np.bincount(owner[shown], (answer == truth)[shown], minlength=n)
    number = np.zeros(n, np.int64)
    number[owner[shown]] = truth[shown]
    return [
        (annotation_id, int(number[k]), int(visible[k]), float(trust[k] / visible[k]), float(agrees[k] / visible[k]))
        for k, (annotation_id, crowd) in enumerate(annotations.select("annotation_id", "iscrowd").iter_rows())
        if visible[k] and not crowd
    ]
