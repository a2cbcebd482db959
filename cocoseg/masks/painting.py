"""What a label map shows of each annotation: the rules of `cocoseg.coco.rasterise.label_map` on stretches."""

import numba
import numpy as np

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.masks.shard import Shard

ORDERS = ("small-on-top", "large-on-top", "file-order")


def labels(shard: Shard, space: LabelSpace) -> np.ndarray:
    """What each annotation is painted as: its class, 255 for a crowd, -1 outside the label space; i16."""
    classes = space.lookup(shard.annotations["category_id"].to_numpy())
    return np.where(shard.annotations["iscrowd"].to_numpy() & (classes >= 0), VOID, classes).astype(np.int16)


def rank(labels: np.ndarray, pixels: np.ndarray, order: str) -> np.ndarray:
    """How high each annotation of an image lies, i64: 0 at the bottom, -1 if it is not painted.

    Args:
        labels: as `labels`; crowds lie below instances.
        pixels: of each mask.
        order: one of `ORDERS`; of equals, the later one is on top.

    >>> rank(np.array([1, 2, 255, -1]), np.array([2, 9, 5, 7]), "small-on-top")
    array([ 2,  1,  0, -1])
    """
    height = {"small-on-top": -pixels, "large-on-top": pixels, "file-order": np.zeros_like(pixels)}[order]
    bottom_up = np.lexsort((height, labels != VOID))
    bottom_up = bottom_up[labels[bottom_up] >= 0]
    ranks = np.full(len(labels), -1)
    ranks[bottom_up] = np.arange(len(bottom_up))
    return ranks


def shown(labels: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The label of each stretch whose top row is `rows` (-1: none, background); i16."""
    return np.append(labels, 0)[rows].astype(np.int16)


@numba.njit(cache=True)
def paint(cut, values, size):
    """The image of `size` pixels, in column-major order, that has `values` on its stretches and 0 elsewhere: uint8."""
    canvas = np.zeros(size, np.uint8)
    for i in range(len(values)):
        canvas[cut.starts[i] : cut.ends[i]] = values[i]
    return canvas
