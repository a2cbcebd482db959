"""What kind of mistake each wrong pixel is: every one is exactly one of seven, in the spirit of TIDE.

Bolya et al. 2020 (TIDE) tell the errors of an object detector apart by what would mend each. Here it is done for label
maps. A pixel is wrong where the truth is known and the prediction differs. In this order, the first that holds is it:

1. *missed object*: background is predicted on an object that was not noticed: less than `NOTICED` of its pixels are
   predicted as anything but background.
2. *invented object*: an object is predicted on background, and less than `NOTICED` of that predicted object lies on
   true objects, of whatever class.
3. *boundary*: the class predicted is the true one at most d px away (chessboard distance; d as in boundary IoU): a
   boundary is in the wrong place.
4. *confusion, in the image*: one object's class is predicted for another's, and is elsewhere in the image's truth.
5. *confusion, not in the image*: the same, and it is nowhere in the image's truth.
6. *missed part*: background is predicted on an object that was noticed.
7. *spill*: an object is predicted on background, farther than d px over its true boundary.

A true object is an annotated instance where they are known, else a connected component of its class; a predicted
object is a connected component of its class (eight neighbours, void left out). Class 0 is background.

Source of the threshold: Bolya et al. 2020, TIDE: A General Toolbox for Identifying Object Detection Errors, section
2.2, whose background error is an IoU of at most 0.1 with any object.
"""

from collections.abc import Iterable

import cv2
import numba
import numpy as np
import polars as pl
from skimage.measure import label as components

from cocoseg.coco.label_space import VOID
from cocoseg.results.boundaries import band_width
from cocoseg.results.counts import table, with_void

KINDS = (
    "missed object",
    "invented object",
    "boundary",
    "confusion, in the image",
    "confusion, not in the image",
    "missed part",
    "spill",
)
NOTICED = 0.1
MISTAKES = {
    "image_id": pl.Int64,
    "kind": pl.String,
    "true_class": pl.Int16,
    "predicted_class": pl.Int16,
    "pixels": pl.Int64,
}


def objects(labels: np.ndarray) -> np.ndarray:
    """The connected components of each class but background in a label map (uint8 H×W): int32 H×W, -1 for none.

    Pixels that touch by a corner are connected; void belongs to no object.

    >>> objects(np.uint8([[1, 0, 2], [2, 1, 255]]))
    array([[ 0, -1,  1],
           [ 2,  0, -1]], dtype=int32)
    """
    things = np.where(labels == VOID, np.uint8(0), labels)
    return components(things, background=0, connectivity=2).astype(np.int32) - 1


def mistakes(truth: np.ndarray, prediction: np.ndarray, true_objects: np.ndarray | None = None) -> np.ndarray:
    """The kind of mistake of every pixel, uint8 H×W: its place in `KINDS` counted from 1, 0 where there is none.

    The maps are uint8 H×W. `true_objects` (int32 H×W) has the object of each pixel of the truth or -1; default
    `objects(truth)`.

    >>> truth, prediction = np.zeros((2, 20, 200), np.uint8)
    >>> truth[5:15, 50:90] = 1; prediction[5:15, 40:70] = 1; prediction[:5, 190:] = 1
    >>> kinds = mistakes(truth, prediction)
    >>> [(KINDS[k - 1], int((kinds == k).sum())) for k in np.unique(kinds) if k]
    [('invented object', 50), ('boundary', 208), ('missed part', 32), ('spill', 60)]
    """
    prediction = with_void(truth, prediction)
    true_objects = objects(truth) if true_objects is None else true_objects
    found_objects = objects(prediction)
    kinds = np.empty(truth.shape, np.uint8)
    _decide(
        truth,
        prediction,
        true_objects,
        found_objects,
        _unnoticed(true_objects, prediction),
        _unnoticed(found_objects, truth),
        _displaced(truth, prediction),
        np.isin(np.arange(256), np.unique(truth)),
        kinds,
    )
    return kinds


def mistake_counts(kinds: np.ndarray, truth: np.ndarray, prediction: np.ndarray, n: int) -> np.ndarray:
    """Wrong pixels of each kind, true class and predicted class: int64 (7, n, n), from `mistakes(…)`.

    Summed over kinds it is the confusion matrix without its diagonal.
    """
    pixels = np.zeros((len(KINDS), n, n), np.int64)
    _count(kinds.ravel(), truth.ravel(), prediction.ravel(), pixels)
    return pixels


def mistake_table(parts: Iterable[np.ndarray]) -> pl.DataFrame:
    """The `cells` of many images' `mistake_counts` as one table, with the kinds' names."""
    numbered = table(parts, MISTAKES | {"kind": pl.Int64})
    return numbered.with_columns(pl.col("kind").replace_strict(dict(enumerate(KINDS)), return_dtype=pl.String))


@numba.njit(cache=True, nogil=True)
def _count(kinds, truth, prediction, pixels):
    for i in range(kinds.size):
        if kinds[i]:
            pixels[kinds[i] - 1, truth[i], prediction[i]] += 1


def _unnoticed(objects: np.ndarray, other: np.ndarray) -> np.ndarray:
    """For each object, bool: whether less than `NOTICED` of its pixels that are not void have an object in `other`."""
    pixels = np.zeros((objects.max() + 1, 2), np.int64)
    _overlap(objects.ravel(), other.ravel(), pixels)
    return pixels[:, 1] < NOTICED * pixels[:, 0]


@numba.njit(cache=True, nogil=True)
def _overlap(objects, other, pixels):
    for i in range(objects.size):
        if objects[i] >= 0 and other[i] != VOID:
            pixels[objects[i], 0] += 1
            pixels[objects[i], 1] += other[i] != 0


def _displaced(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Where the predicted class is true at most d px away: uint8 H×W, known for wrong pixels only."""
    side = 2 * band_width(*truth.shape) + 1
    square, wrong = np.ones((side, side), np.uint8), truth != prediction
    near = np.zeros(truth.shape, np.uint8)
    for c in np.intersect1d(prediction[wrong], truth):
        near |= cv2.dilate((truth == c).view(np.uint8), square) & (prediction == c)
    return near


@numba.njit(cache=True, nogil=True)
def _decide(truth, prediction, true_objects, found_objects, missed, invented, displaced, in_truth, kinds):
    for i in range(truth.shape[0]):
        for j in range(truth.shape[1]):
            t, p = truth[i, j], prediction[i, j]
            if t == p:
                kinds[i, j] = 0
            elif p == 0 and true_objects[i, j] >= 0 and missed[true_objects[i, j]]:
                kinds[i, j] = 1
            elif t == 0 and found_objects[i, j] >= 0 and invented[found_objects[i, j]]:
                kinds[i, j] = 2
            elif displaced[i, j]:
                kinds[i, j] = 3
            elif t and p:
                kinds[i, j] = 4 if in_truth[p] else 5
            else:
                kinds[i, j] = 6 if t else 7
