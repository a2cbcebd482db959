"""Label maps to measure on: COCO's, and predictions that are as wrong as a network's."""

import cv2
import numpy as np

from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read

STRIDE = 8


def pairs(images: int = 100) -> list[tuple[np.ndarray, np.ndarray]]:
    """(truth, prediction) of the first images of `instances/val2017` with 81 classes.

    The prediction is the truth as a network of stride 8 might see it: coarse and smoothed. In every third image one
    of its classes is taken for another.
    """
    coco = read(dataset("instances").annotations("val2017"))
    some = coco.of_images(coco.images["image_id"].sort().head(images))
    rng = np.random.default_rng(0)
    made = []
    for k, (_, truth) in enumerate(label_maps(some, label_space("coco81"))):
        known = np.where(truth == VOID, 0, truth).astype(np.uint8)
        prediction = cv2.medianBlur(_coarse(known), 9)
        if k % 3 == 0:
            prediction[prediction == rng.choice(np.unique(prediction))] = rng.integers(81)
        made.append((truth, prediction))
    return made


def _coarse(labels: np.ndarray) -> np.ndarray:
    small = cv2.resize(labels, None, fx=1 / STRIDE, fy=1 / STRIDE, interpolation=cv2.INTER_NEAREST)
    return cv2.resize(small, labels.shape[::-1], interpolation=cv2.INTER_NEAREST)
