"""Images as evaluations saw them: photo, truth and predictions, for pages that show them.

Predicted label maps of photographs stay on the machine that made them. Those of the generated sample are a table of the
run, `predictions`: nobody else has rights in its photos.
"""

from collections.abc import Callable, Iterable, Sequence
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
from cocoseg.runs.record import Run

FOLDER = Path("local", "predictions")  # of a run's folder
PREDICTIONS = {"image_id": pl.Int64, "png": pl.Binary}


class Seen(NamedTuple):
    """An image: RGB uint8 H×W×3; the true label map uint8 H×W; a predicted one for each evaluation."""

    photo: np.ndarray
    truth: np.ndarray
    predictions: list[np.ndarray]


def packed(folder: Path, images: pl.DataFrame) -> pl.DataFrame:
    """The label maps of a folder, `<stem of the file name>.png`, as the table `predictions`: image_id i64, png bytes.

    `images` are those of a `cocoseg.coco.read.Coco`; what was not predicted is left out.
    """
    files = {
        image_id: folder / f"{Path(name).stem}.png" for image_id, name in images["image_id", "file_name"].iter_rows()
    }
    rows = [(image_id, file.read_bytes()) for image_id, file in files.items() if file.is_file()]
    return pl.DataFrame(rows, PREDICTIONS, orient="row")


def seen(runs: Sequence[Run], space: str, image_ids: Iterable[int]) -> dict[int, Seen]:
    """Those of the images whose photo and whose predictions by all the evaluations are at hand, in the order asked for.

    Args:
        runs: evaluations of one split.
        space: the name of their label space.
        image_ids: of the split.
    """
    stored = [_stored(run) for run in runs]
    if not all(stored):
        return {}
    values = runs[0].parameters
    try:
        source = dataset(values["data"])
        whole, _ = check(source.annotations(values["split"]))
    except UserError:  # the dataset is on another machine
        return {}
    asked = list(dict.fromkeys(image_ids))
    coco = whole.of_images(asked)
    files = {
        image_id: source.images(values["split"]) / name
        for image_id, name in coco.images["image_id", "file_name"].iter_rows()
    }
    truths = dict(label_maps(coco, label_space(space, coco.categories)))
    found = {}
    for image_id in asked:
        file = files.get(image_id)
        maps = [of(image_id, file.stem) for of in stored] if file and file.is_file() else [None]
        if all(png is not None for png in maps):
            photo = cv2.imread(str(file), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
            decoded = [cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_UNCHANGED) for png in maps]
            found[image_id] = Seen(photo, truths[image_id], decoded)
    return found


def _stored(run: Run) -> Callable[[int, str], bytes | None] | None:
    """(image id, stem of its file) → the predicted label map as PNG, None for an image without; None without any."""
    folder, table = run.folder / FOLDER, run.folder / "predictions.parquet"
    if table.is_file():
        maps = dict(pl.read_parquet(table).iter_rows())
        return lambda image_id, stem: maps.get(image_id)

    def read(image_id: int, stem: str) -> bytes | None:
        file = folder / f"{stem}.png"
        return file.read_bytes() if file.is_file() else None

    return read if folder.is_dir() else None
