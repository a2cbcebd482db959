"""Images as evaluations saw them: photo, truth and predictions, for pages that show them.

Predicted label maps of photographs stay on the machine that made them. Those of the generated sample are a table of the
run, `predictions`: nobody else has rights in its photos.
"""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import polars as pl

from cocoseg.coco.check import check
from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.errors import UserError
from cocoseg.results.predict import label_file
from cocoseg.runs.record import Run

FOLDER, TABLE = Path("local", "predictions"), "predictions.parquet"  # in a run's folder
PREDICTIONS = {"image_id": pl.Int64, "png": pl.Binary}


class Seen(NamedTuple):
    """An image: RGB uint8 H×W×3; the true label map uint8 H×W; a predicted one for each evaluation."""

    photo: np.ndarray
    truth: np.ndarray
    predictions: list[np.ndarray]


def packed(folder: Path, images: pl.DataFrame) -> pl.DataFrame:
    """The label maps of a folder (`cocoseg.results.predict.label_file`) as a table: image_id i64, png bytes.

    `images` are those of a `cocoseg.coco.read.Coco`; what was not predicted is left out.
    """
    files = {number: folder / label_file(name) for number, name in images["image_id", "file_name"].iter_rows()}
    rows = [(image_id, file.read_bytes()) for image_id, file in files.items() if file.is_file()]
    return pl.DataFrame(rows, PREDICTIONS, orient="row")


def seen(runs: Sequence[Run], space: str, image_ids: Iterable[int]) -> dict[int, Seen]:
    """Those of the images whose photo and whose predictions by all the evaluations are at hand, in the order asked for.

    Args:
        runs: evaluations of one split.
        space: the name of their label space.
        image_ids: of the split.
    """
    if not all((run.folder / FOLDER).is_dir() or (run.folder / TABLE).is_file() for run in runs):
        return {}
    values = runs[0].parameters
    try:
        source = dataset(values["data"])
        whole, _ = check(source.annotations(values["split"]))
    except UserError:  # the dataset is on another machine
        return {}
    asked = list(dict.fromkeys(image_ids))
    coco = whole.of_images(asked)
    photos = {
        image_id: source.images(values["split"]) / name
        for image_id, name in coco.images["image_id", "file_name"].iter_rows()
    }
    predicted = [_predicted(run, coco.images) for run in runs]
    truths = dict(label_maps(coco, label_space(space, coco.categories)))
    there = (k for k in asked if k in photos and photos[k].is_file() and all(k in maps for maps in predicted))
    return {
        image_id: Seen(
            cv2.imread(str(photos[image_id]), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION),
            truths[image_id],
            [cv2.imdecode(np.frombuffer(maps[image_id], np.uint8), cv2.IMREAD_UNCHANGED) for maps in predicted],
        )
        for image_id in there
    }


def _predicted(run: Run, images: pl.DataFrame) -> dict[int, bytes]:
    """The predicted label maps of a run, as PNG, by image id."""
    table = run.folder / TABLE
    return dict((pl.read_parquet(table) if table.is_file() else packed(run.folder / FOLDER, images)).iter_rows())
