"""Pixels of truth and prediction, counted: the one table from which every score is computed.

A confusion matrix is counted once per image. Stored as sparse cells (`confusions`), it gives the counts table
(`counts`), and that gives every metric, interval and comparison: nothing is predicted, or counted, twice.
"""

from collections.abc import Iterable

import numba
import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError

CONFUSIONS = {"image_id": pl.Int64, "true_class": pl.Int16, "predicted_class": pl.Int16, "pixels": pl.Int64}
COUNTS = {
    "image_id": pl.Int64,
    "class": pl.Int16,
    "intersection": pl.Int64,
    "predicted": pl.Int64,
    "true": pl.Int64,
}


def with_void(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """The prediction (uint8 H×W) with the truth's void copied into it, as it is to be seen by every measure.

    Void is where the truth is not known. A measure that looks at neighbours (a boundary's band) must find the same
    void in both maps, or a perfect prediction would not score 1.

    >>> with_void(np.uint8([[0, 1, 255]]), np.uint8([[0, 2, 2]]))
    array([[  0,   2, 255]], dtype=uint8)
    """
    same_shape(truth, prediction)
    return void_where(truth == VOID, prediction)


def void_where(mask: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The label map (uint8) with void where the mask (bool) is true, else as it is."""
    void = mask * np.uint8(VOID)  # which has all bits set
    void |= labels
    return void


def same_shape(truth: np.ndarray, prediction: np.ndarray) -> None:
    """A `UserError` unless both are label maps (uint8 H×W) of one size."""
    for name, labels in (("truth", truth), ("prediction", prediction)):
        if labels.dtype != np.uint8 or labels.ndim != 2:
            raise UserError(
                f"the {name} is {labels.dtype} of shape {labels.shape}; expected a label map, uint8 of shape (H, W)"
            )
    if truth.shape != prediction.shape:
        raise UserError(f"the truth has (H, W) = {truth.shape}, the prediction {prediction.shape}; expected one size")


def confusion(truth: np.ndarray, prediction: np.ndarray, n: int) -> np.ndarray:
    """Pixels of each true class (rows) predicted as each class (columns): int64 (n, n).

    Both maps are uint8 H×W. Pixels where the truth is void (255) are in no cell, whatever was predicted there;
    elsewhere a label of n or more, in either map, is a `UserError`. Equal to scikit-learn's `confusion_matrix`
    over the pixels that are not void.

    >>> truth = np.uint8([[0, 0, 1, 255]])
    >>> confusion(truth, np.uint8([[0, 1, 1, 1]]), n=2)
    array([[1, 1],
           [0, 1]])
    """
    same_shape(truth, prediction)
    matrix = pairs(truth, prediction)[:VOID]
    refuse_labels("truth", matrix.any(1), n)
    refuse_labels("prediction", matrix.any(0), n)
    return matrix[:n, :n].astype(np.int64)


def refuse_labels(name: str, used: np.ndarray, n: int) -> None:
    """A `UserError` if a label of n or more is used; `used` is bool, one for each label."""
    if used[n:].any():
        label = n + used[n:].argmax()
        raise UserError(f"the {name} has label {label}; expected 0 to {n - 1}, or 255 for void in the truth")


def pairs(truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """How often each label of one map (rows) meets each of the other (columns): int32 (256, 256), void included.

    Both maps are uint8 of one shape.
    """
    t, p = np.ascontiguousarray(truth).ravel(), np.ascontiguousarray(prediction).ravel()
    words = t.size // 8 * 8
    met = np.zeros((2, 256, 256), np.int32)
    _count(t, p, t[:words].view(np.uint64), p[:words].view(np.uint64), met)
    return met[0] + met[1]


@numba.njit(cache=True, nogil=True)
def _count(truth, prediction, truth_words, prediction_words, met):
    # Label maps are mostly constant over eight pixels, which one comparison of 64-bit words tells. Elsewhere
    # neighbours take turns between two matrices, or each addition would wait for the one before to be stored.
    ones, low = np.uint64(0x0101010101010101), np.uint64(255)
    for i in range(truth_words.size):
        t, p = truth_words[i] & low, prediction_words[i] & low
        if truth_words[i] == t * ones and prediction_words[i] == p * ones:
            met[0, t, p] += 8
        else:
            for j in range(8 * i, 8 * i + 8, 2):
                met[0, truth[j], prediction[j]] += 1
                met[1, truth[j + 1], prediction[j + 1]] += 1
    for j in range(8 * truth_words.size, truth.size):
        met[0, truth[j], prediction[j]] += 1


def cells(image_id: int, array: np.ndarray) -> np.ndarray:
    """The cells of an image's counts that are not all zero, as rows: int64 (cells, 1 + axes + k).

    `array`: integers (axes…, k). A row is the image's id, the cell's position along each axis, and its k counts.
    """
    at = array.any(-1).nonzero()
    return np.column_stack([np.full(len(at[0]), image_id), *at, array[at]])


def table(parts: Iterable[np.ndarray], schema: dict[str, pl.DataType]) -> pl.DataFrame:
    """The `cells` of many images as one table, whose columns `schema` names."""
    return pl.DataFrame(np.concatenate([np.zeros((0, len(schema)), np.int64), *parts]), schema, orient="row")


def confusions(matrices: Iterable[tuple[int, np.ndarray]]) -> pl.DataFrame:
    """Confusion matrices of images as a table: one row per image and cell that has pixels.

    `matrices`: pairs of an image id and its `confusion` (n, n). Columns: image_id i64, true_class i16,
    predicted_class i16, pixels i64.

    >>> confusions([(7, np.array([[1, 1], [0, 1]]))]).rows()
    [(7, 0, 0, 1), (7, 0, 1, 1), (7, 1, 1, 1)]
    """
    return table((cells(image_id, matrix[..., None]) for image_id, matrix in matrices), CONFUSIONS)


def counts(confusions: pl.DataFrame) -> pl.DataFrame:
    """The counts table: one row per image and class that has a pixel in truth or prediction.

    Columns: image_id i64, class i16, and in pixels (i64) intersection (truth and prediction agree on the class),
    predicted, true. Pixels that are void in the truth count nowhere. Rows are sorted by image and class.

    >>> counts(confusions([(7, np.array([[1, 1], [0, 1]]))])).rows()
    [(7, 0, 1, 1, 2), (7, 1, 1, 2, 1)]
    """
    cell, zero = pl.col("pixels"), pl.lit(0, pl.Int64)
    agree = pl.col("true_class") == pl.col("predicted_class")
    by_truth = confusions.select(
        "image_id",
        pl.col("true_class").alias("class"),
        pl.when(agree).then(cell).otherwise(zero).alias("intersection"),
        zero.alias("predicted"),
        cell.alias("true"),
    )
    by_prediction = confusions.select(
        "image_id",
        pl.col("predicted_class").alias("class"),
        zero.alias("intersection"),
        cell.alias("predicted"),
        zero.alias("true"),
    )
    return (
        pl.concat([by_truth, by_prediction])
        .group_by("image_id", "class")
        .agg(pl.col("intersection", "predicted", "true").sum())
        .sort("image_id", "class")
    )
