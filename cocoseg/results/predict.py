"""One pass over the images of a split: predict each once, count, keep the counts.

Everything the book says about a model is computed from the tables that come out of here. Images that cannot be
scored are findings, and the score is one of the images that remain.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import polars as pl
from PIL import Image

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.progress import progress
from cocoseg.results import boundaries
from cocoseg.results.confidence import confidence_table, confidences
from cocoseg.results.counts import CONFUSIONS, cells, confusion, counts, table
from cocoseg.results.instances import INSTANCES, instance_rows, instances, owners
from cocoseg.results.labels import label
from cocoseg.results.mistakes import mistake_counts, mistake_table, mistakes

IMAGES = {
    "image_id": pl.Int64,
    "height": pl.Int32,
    "width": pl.Int32,
    "ignored": pl.Int64,
    "seconds": pl.Float64,
}
FINDINGS = {"code": pl.String, "message": pl.String, "ids": pl.List(pl.Int64), "action": pl.String}

Predictor = Callable[[np.ndarray], np.ndarray]


def label_file(name: str) -> Path:
    """Where the label map of the image with that file name is, in a folder of predictions.

    >>> label_file("0001.jpg").as_posix(), label_file("night/0001.jpg").as_posix()
    ('0001.png', 'night/0001.png')
    """
    return Path(name).with_suffix(".png")


def evaluate(
    predict: Predictor,
    coco: Coco,
    folder: Path | str,
    space: LabelSpace,
    *,
    keep: Path | str | None = None,
    **rules: str,
) -> dict[str, pl.DataFrame]:
    """Predict every image of a file once, at its original resolution, and count.

    Args:
        predict: image, uint8 H×W×3 RGB → scores, float h×w×n on a grid of its own that covers the whole image. They are
            resized bilinearly to the image's size, then the largest is taken (`cocoseg.results.labels.label`).
        coco: the annotations, as from `cocoseg.coco.check.check`, which leaves only what can be painted.
        folder: of the image files.
        space: the label space of the scores' last axis.
        keep: a folder for the predicted label maps, named as `evaluate_stored` reads them.
        rules: `overlap` and `crowd` of `cocoseg.coco.rasterise.label_map`, which paints the truth.

    Returns:
        Tables by name.

        - `images`: image_id i64, height and width i32, ignored i64 (px that are void in the truth), seconds f64 (from
          the image to its label map; the first call may include compilation). One row per image that was scored.
        - `confusions` and `counts` (`cocoseg.results.counts`), `bands`, `trimaps` and `contours`
          (`cocoseg.results.boundaries`).
        - `mistakes`: image_id i64, kind str, true_class i16, predicted_class i16, pixels i64: every wrong pixel
          (`cocoseg.results.mistakes`).
        - `instances`: image_id, annotation_id i64, class i16; visible, recovered, noticed i64 (px,
          `cocoseg.results.instances`); area f64 (px², of the annotation). One row per instance that is visible.
        - `confidences`: image_id i64, class i16 (predicted), bin i8, pixels, correct i64, confidence f64 (their sum,
          `cocoseg.results.confidence`).
        - `findings`, as from `check`: code str, message str, ids list[i64], action str. Codes: 'image-missing',
          'image-unreadable', 'image-size-differs'; such an image is dropped.

    Scores of another number of classes, and a split of which no image can be scored, are a `UserError`.
    """
    folder = Path(folder)

    def load(image: dict[str, Any]) -> np.ndarray:
        path = folder / image["file_name"]
        if not path.is_file():
            raise _Unusable("image-missing", f"{image['file_name']} is not in the folder of images")
        photo = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
        if photo is None:
            raise _Unusable("image-unreadable", f"{image['file_name']} is no image that can be decoded")
        return _sized(photo, image, "image")

    def predicted(photo: np.ndarray, image: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
        scores = predict(photo)
        if scores.shape[-1] != space.n:
            raise UserError(
                f"the model scores {scores.shape[-1]} classes; expected the {space.n} of label space {space.name!r}"
            )
        return label(scores, image["height"], image["width"]), scores

    return _evaluate(load, predicted, coco, space, keep, rules)


def evaluate_stored(
    folder: Path | str, coco: Coco, space: LabelSpace, *, keep: Path | str | None = None, **rules: str
) -> dict[str, pl.DataFrame]:
    """`evaluate` for label maps predicted elsewhere: a folder of PNG files.

    For each image there is a PNG named after it (`label_file`), of the image's size, grey or with a palette, whose
    values are the classes of `space`. Findings' codes are 'prediction-missing', 'prediction-unreadable' and
    'prediction-size-differs'; `seconds` is null, and `confidences` is empty: a label map does not say how sure it is.
    """
    folder = Path(folder)

    def load(image: dict[str, Any]) -> np.ndarray:
        path = folder / label_file(image["file_name"])
        if not path.is_file():
            raise _Unusable("prediction-missing", f"{path.name} is not in the folder of predictions")
        try:
            with Image.open(path) as file:  # OpenCV would turn the numbers of a palette into colours
                labels, mode = np.asarray(file), file.mode
        except (OSError, SyntaxError):  # PIL's words for a PNG that is cut off, or none
            raise _Unusable("prediction-unreadable", f"{path.name} is no image that can be decoded") from None
        if mode not in ("L", "P"):
            raise UserError(f"{path.name} has mode {mode}; expected a label map: one channel of 8 bits, or a palette")
        return _sized(labels, image, "prediction")

    tables = _evaluate(load, lambda labels, image: (labels, None), coco, space, keep, rules)
    return tables | {"images": tables["images"].with_columns(seconds=pl.lit(None, pl.Float64))}


def _evaluate(
    load: Callable, predicted: Callable, coco: Coco, space: LabelSpace, keep: Path | str | None, rules: dict
) -> dict[str, pl.DataFrame]:
    images, found, sure = [], [], {}
    tallies = {name: [] for name in ("confusions", "bands", "trimaps", "contours", "mistakes", "instances")}
    keep = keep and Path(keep)
    if keep:
        keep.mkdir(parents=True, exist_ok=True)

    def sample(item: tuple[dict[str, Any], pl.DataFrame]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        image, annotations = item
        given = load(image)
        truth = label_map(annotations, image["height"], image["width"], space, **rules)
        return given, truth, owners(annotations, truth, space)

    ahead = _ahead(sample, coco.by_image())
    for (image, annotations), loading in progress(ahead, total=len(coco.images), desc="evaluate", unit="image"):
        image_id = image["image_id"]
        try:
            given, truth, owner = loading.result()
        except _Unusable as reason:
            found.append((reason.code, str(reason), [image_id], "dropped"))
            continue
        try:
            start = time.perf_counter()
            prediction, scores = predicted(given, image)
            seconds = time.perf_counter() - start
            arrays = {
                "confusions": confusion(truth, prediction, space.n)[..., None],
                "bands": boundaries.bands(truth, prediction, space.n),
                "trimaps": boundaries.trimaps(truth, prediction, space.n),
                "contours": boundaries.contours(truth, prediction, space.n),
            }
            kinds = mistakes(truth, prediction, owner)
            arrays["mistakes"] = mistake_counts(kinds, truth, prediction, space.n)[..., None]
        except UserError as error:
            raise UserError(f"image {image_id}: {error}") from None
        images.append((image_id, *truth.shape, int((truth == VOID).sum()), seconds))
        for name, array in arrays.items():
            tallies[name].append(cells(image_id, array))
        pixels = instances(owner, truth, prediction, len(annotations))
        tallies["instances"].append(instance_rows(annotations, pixels, space))
        if scores is not None:
            sure[image_id] = confidences(scores, truth)
        if keep:
            file = keep / label_file(image["file_name"])
            file.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(file), prediction)
    if not images:
        first = f" (first: {found[0][1]})" if found else ""
        raise UserError(f"none of the {len(coco.images)} images can be scored{first}")
    confusions = table(tallies["confusions"], CONFUSIONS)
    areas = coco.annotations.select("annotation_id", "area")
    return {
        "images": pl.DataFrame(images, IMAGES, orient="row"),
        "confusions": confusions,
        "counts": counts(confusions),
        "bands": table(tallies["bands"], boundaries.BANDS),
        "trimaps": table(tallies["trimaps"], boundaries.TRIMAPS),
        "contours": table(tallies["contours"], boundaries.CONTOURS),
        "mistakes": mistake_table(tallies["mistakes"]),
        "instances": table(tallies["instances"], INSTANCES).join(areas, on="annotation_id", how="left"),
        "confidences": confidence_table(sure),
        "findings": pl.DataFrame(found, FINDINGS, orient="row"),
    }


class _Unusable(Exception):
    """An image that cannot be scored; `code` is that of its finding."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code = code


def _sized(pixels: np.ndarray, image: dict[str, Any], what: str) -> np.ndarray:
    size = image["height"], image["width"]
    if pixels.shape[:2] != size:
        raise _Unusable(
            f"{what}-size-differs",
            f"the {what} of {image['file_name']} has (H, W) = {pixels.shape[:2]}, its annotations {size}",
        )
    return pixels


def _ahead(function: Callable, items: Iterable) -> Iterator[tuple[Any, Future]]:
    """(item, future of `function(item)`), where the next one is computed in a thread while this one is used."""
    with ThreadPoolExecutor(1) as pool:
        previous = None
        for item in items:
            current = item, pool.submit(function, item)
            if previous:
                yield previous
            previous = current
        if previous:
            yield previous
