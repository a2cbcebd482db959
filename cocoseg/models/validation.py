"""How a model does on images held out of its training split."""

import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError
from cocoseg.models import labels
from cocoseg.models.registry import Model
from cocoseg.results.labels import label
from cocoseg.runs.fingerprint import digest

SHARE = 10
MOST = 100


def hold_out(samples: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Samples to train on, and a tenth (at most 100) that is held out: always the same, by a hash of the image id."""
    if samples.height < 2:
        raise UserError(f"training needs at least 2 images, one of them held out; this split has {samples.height}")
    order = np.argsort([digest(str(i)) for i in samples["image_id"]])
    held = np.isin(np.arange(samples.height), order[: min(MOST, max(1, samples.height // SHARE))])
    return samples.filter(~held), samples.filter(held)


def prediction(model: Model, image: np.ndarray) -> np.ndarray:
    """The class of every pixel, uint8 H×W, of an image, uint8 H×W×3 (see `cocoseg.results.labels.label`)."""
    return label(model(image), *image.shape[:2])


def validate(model: Model, samples: pl.DataFrame) -> dict[str, float]:
    """Scores over all pixels of the samples that are not void, at the resolution of the annotations.

    `val_pixel_accuracy`, and `val_miou`: the mean, over classes with a pixel in truth or prediction, of intersection
    over union.
    """
    n = model.space.n
    counts = np.zeros((n, n), np.int64)
    for image, path in samples.select("image", "label").iter_rows():
        truth = labels.label_map(path)
        known = truth != VOID
        pairs = truth[known].astype(np.int64) * n + prediction(model, labels.image(image))[known]
        counts += np.bincount(pairs, minlength=n * n).reshape(n, n)
    hits = np.diag(counts)
    union = counts.sum(0) + counts.sum(1) - hits
    return {
        "val_pixel_accuracy": float(hits.sum() / max(1, counts.sum())),
        "val_miou": float(np.mean(hits[union > 0] / union[union > 0])) if union.any() else 0.0,
    }
