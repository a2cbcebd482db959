"""How sure a model says it is, counted beside how often it is right: what calibration is computed from.

The confidence of a pixel is the largest of its class probabilities. They are taken at every fourth pixel of every
fourth row: a softmax at all pixels of 81 classes would cost more than all other counts together, and neighbours say
the same.
"""

import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID

STEP = 4
BINS = 15  # as in Guo et al. 2017
CONFIDENCES = {
    "image_id": pl.Int64,
    "class": pl.Int16,
    "bin": pl.Int8,
    "pixels": pl.Int64,
    "correct": pl.Int64,
    "confidence": pl.Float64,
}


def probabilities(scores: np.ndarray) -> np.ndarray:
    """Class probabilities, float32 (…, n), of scores (…, n): their softmax, unless they are probabilities already.

    Scores are probabilities where none is negative and they sum to 1 at every position (to one part in a thousand).

    >>> probabilities(np.float32([[0, 0], [0, 30]])).round(2).tolist()
    [[0.5, 0.5], [0.0, 1.0]]
    >>> probabilities(np.float32([[0.25, 0.75]])).tolist()
    [[0.25, 0.75]]
    """
    scores = np.asarray(scores, np.float32)
    if scores.min() >= 0 and np.abs(scores.sum(-1) - 1).max() < 1e-3:
        return scores
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def confidences(scores: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """How sure and how right the scores of an image are, in `BINS` equally wide bins of the confidence.

    The scores, float h×w×n, are resized bilinearly to the size of the truth (uint8 H×W), as for the label map
    (`cocoseg.results.labels.label`), at every `STEP`-th pixel of every `STEP`-th row; then probabilities are made of
    them. A confidence on the edge between two bins is in the lower one; bin 0 begins at 0.

    Returns arrays (n, BINS) by predicted class and bin: pixels i64 (without those that are void in the truth), of them
    the correct ones i64, and the sum of their confidences f64.

    Source: Guo et al. 2017, On Calibration of Modern Neural Networks, section 2.

    >>> pixels, correct, sums = confidences(np.float32([[[0.25, 0.75]]]), np.uint8([[1]]))
    >>> pixels[1].nonzero()[0], correct[1].sum(), sums[1].sum()
    (array([11]), np.int64(1), np.float64(0.75))
    """
    n = scores.shape[2]
    chance = probabilities(_sampled(scores, *truth.shape))
    predicted, sure, true = chance.argmax(-1), chance.max(-1), truth[np.ix_(*map(lattice, truth.shape))]
    known = true != VOID
    predicted, sure, true = predicted[known], sure[known].astype(np.float64), true[known]
    at = predicted * BINS + np.clip(np.ceil(sure * BINS).astype(np.int64) - 1, 0, BINS - 1)
    sums = (np.bincount(at, weights, n * BINS) for weights in (None, predicted == true, sure))
    pixels, correct, sure = (column.reshape(n, BINS) for column in sums)
    return pixels.astype(np.int64), correct.astype(np.int64), sure


def confidence_table(counted: dict[int, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> pl.DataFrame:
    """`confidences` by image id as a table: one row per image, predicted class and bin that has a pixel.

    Columns: image_id i64, class i16 (predicted), bin i8, pixels, correct i64, confidence f64 (their sum).
    """
    columns = [[np.zeros(0)] for _ in CONFIDENCES]
    for image_id, arrays in counted.items():
        at = arrays[0].nonzero()
        row = (np.full(len(at[0]), image_id), *at, *(array[at] for array in arrays))
        for column, values in zip(columns, row, strict=True):
            column.append(values)
    joined = (np.concatenate(column[1:] or column) for column in columns)
    return pl.DataFrame([pl.Series(name, column) for name, column in zip(CONFIDENCES, joined, strict=True)]).cast(
        CONFIDENCES
    )


def lattice(length: int) -> np.ndarray:
    """The positions, of `length`, at which confidences are taken: every `STEP`-th, the first in the middle of a step.

    >>> lattice(10).tolist(), lattice(1).tolist()
    ([2, 6], [0])
    """
    return np.arange(min(STEP // 2, length - 1), length, STEP)


def _sampled(scores: np.ndarray, height: int, width: int) -> np.ndarray:
    scores = np.asarray(scores, np.float32)
    return _between(_between(scores, height, 0), width, 1)


def _between(scores: np.ndarray, length: int, axis: int) -> np.ndarray:
    """The scores at every `STEP`-th of `length` positions along an axis, between the two nearest of its own."""
    size = scores.shape[axis]
    at = ((lattice(length) + 0.5) * (size / length) - 0.5).clip(0, size - 1)
    first = np.floor(at).astype(np.int64)
    later = (at - first).astype(np.float32).reshape([-1 if k == axis else 1 for k in range(3)])
    here = np.take(scores, first, axis)
    if not later.any():
        return here
    return here * (1 - later) + np.take(scores, np.minimum(first + 1, size - 1), axis) * later
