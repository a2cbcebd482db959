"""Which annotated object each pixel of a label map shows, and how much of every object a prediction finds."""

import numba
import numpy as np
import polars as pl

from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.rasterise import area, runs

INSTANCES = {
    "image_id": pl.Int64,
    "annotation_id": pl.Int64,
    "class": pl.Int16,
    "visible": pl.Int64,
    "recovered": pl.Int64,
    "noticed": pl.Int64,
}


def owners(annotations: pl.DataFrame, truth: np.ndarray, space: LabelSpace) -> np.ndarray:
    """The annotation that each pixel of a label map shows: int32 H×W, its row in `annotations`, or -1.

    Of the annotations that cover a pixel and have the class that the label map (uint8 H×W) has there, it is the one of
    fewest pixels; an instance goes before a crowd. Background and void show none.

    >>> from cocoseg.coco.label_space import label_space
    >>> square = b"[[1, 0, 3, 0, 3, 2, 1, 2]]"
    >>> person = pl.DataFrame({"category_id": [1], "iscrowd": [False], "segmentation": [square]})
    >>> owners(person, np.uint8([[0, 1, 1, 0], [0, 1, 255, 0]]), label_space("person"))
    array([[-1,  0,  0, -1],
           [-1,  0, -1, -1]], dtype=int32)
    """
    height, width = truth.shape
    classes = space.lookup(annotations["category_id"].to_numpy())
    crowds = annotations["iscrowd"].to_list()
    masks = {row: runs(annotations["segmentation"][row], height, width) for row in np.flatnonzero(classes > 0).tolist()}
    labels = np.ascontiguousarray(truth.T).ravel()  # runs go down the columns
    owner = np.full(labels.size, -1, np.int32)
    for row in sorted(masks, key=lambda row: (not crowds[row], -area(masks[row]))):
        _claim(owner, labels, masks[row], classes[row], row)
    return np.ascontiguousarray(owner.reshape(width, height).T)


@numba.njit(cache=True, nogil=True)
def _claim(owner, labels, runs, number, row):
    for start, end in runs:
        for i in range(start, end):
            if labels[i] == number:
                owner[i] = row


def instances(owner: np.ndarray, truth: np.ndarray, prediction: np.ndarray, k: int) -> np.ndarray:
    """Pixels of each of `k` objects, int64 (k, 3): visible in the label map, recovered, noticed.

    *recovered* are those whose predicted class is the true one, *noticed* those predicted as anything but background.
    `owner` (int32 H×W) has the object of each pixel, or -1; the maps are uint8 H×W.

    >>> owner = np.int32([[0, 0, 0, 1, -1]])
    >>> instances(owner, np.uint8([[1, 1, 1, 2, 0]]), np.uint8([[1, 2, 0, 2, 2]]), 2)
    array([[3, 1, 2],
           [1, 1, 1]])
    """
    pixels = np.zeros((k, 3), np.int64)
    _count(owner.ravel(), truth.ravel(), prediction.ravel(), pixels)
    return pixels


@numba.njit(cache=True, nogil=True)
def _count(owner, truth, prediction, pixels):
    for i in range(owner.size):
        row = owner[i]
        if row >= 0:
            pixels[row, 0] += 1
            pixels[row, 1] += prediction[i] == truth[i]
            pixels[row, 2] += prediction[i] != 0


def instance_rows(annotations: pl.DataFrame, pixels: np.ndarray, space: LabelSpace) -> np.ndarray:
    """The rows of an image in the table `INSTANCES`, int64 (r, 6): one per instance that shows a pixel, no crowds.

    `pixels` as from `instances`, one row per annotation.
    """
    ids = annotations.select("image_id", "annotation_id").to_numpy()
    classes = space.lookup(annotations["category_id"].to_numpy()).astype(np.int64)
    shown = (pixels[:, 0] > 0) & ~annotations["iscrowd"].to_numpy()
    return np.column_stack([ids, classes, pixels])[shown]
