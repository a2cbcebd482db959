"""Label maps as PNG files, painted once and kept in a cache."""

import inspect
import os
import uuid
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from cocoseg.coco import rasterise
from cocoseg.coco.datasets import Dataset
from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.read import Coco, read
from cocoseg.errors import UserError
from cocoseg.runs import fingerprint, parallel

SHARD = 256


def default_cache() -> Path:
    """`$COCOSEG_CACHE`, or `~/.cache/cocoseg`."""
    return Path(os.environ.get("COCOSEG_CACHE", "~/.cache/cocoseg")).expanduser()


def prepare(
    data: Dataset, split: str, space: LabelSpace, *, cache: Path | None = None, workers: int | None = None
) -> pl.DataFrame:
    """Paint the label maps of every image of a split that is on this machine, except those already painted.

    Returns one row per image, by id: image_id i64, image str and label str (paths), height i32, width i32 (px). Label
    maps follow `cocoseg.coco.rasterise.label_map` with its default rules. A file appears whole or not at all, so an
    interrupted call continues; a file whose size is not what was written is painted again. The cache folder is named
    by a hash of the annotations, the label space and the painting code. A split without images is a `UserError`.
    """
    annotations = data.annotations(split)
    coco = read(annotations)
    rules = fingerprint.source(inspect.getsource(rasterise))
    folder = (
        (cache or default_cache()) / "labels" / fingerprint.digest(fingerprint.file(annotations), repr(space), rules)
    )
    folder.mkdir(parents=True, exist_ok=True)

    root = data.images(split)
    present = {name for name in coco.images["file_name"] if (root / name).is_file()}
    images = coco.images.filter(pl.col("file_name").is_in(list(present))).sort("image_id")
    if images.is_empty():
        raise UserError(
            f"none of the {coco.images.height} images of {data.name}/{split} is in {root}; "
            "`cocoseg data download` fetches COCO's"
        )
    todo = [i for i in images["image_id"] if not intact(folder / f"{i}.png")]
    shards = [coco.of_images(shard) for shard in parallel.shards(todo, SHARD)]
    parallel.over(partial(_paint, space=space, folder=folder), shards, workers=workers, desc="label maps")
    return images.select(
        "image_id",
        image=f"{root}/" + pl.col("file_name"),
        label=f"{folder}/" + pl.col("image_id").cast(pl.String) + ".png",
        height="height",
        width="width",
    )


def _paint(coco: Coco, *, space: LabelSpace, folder: Path) -> None:
    for image_id, label in rasterise.label_maps(coco, space):
        write(folder / f"{image_id}.png", label)


def write(path: Path, label: np.ndarray) -> None:
    """Write a label map, uint8 H×W, as a PNG that appears whole or not at all."""
    unfinished = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    unfinished.write_bytes(cv2.imencode(".png", label)[1].tobytes())
    unfinished.replace(path)


def intact(path: Path) -> bool:
    """Whether a PNG is there and whole: it begins as a PNG and ends with the chunk that ends one."""
    try:
        with path.open("rb") as stream:
            start = stream.read(8)
            stream.seek(-12, os.SEEK_END)
            return start == b"\x89PNG\r\n\x1a\n" and stream.read()[4:8] == b"IEND"
    except OSError:
        return False


def label_map(path: str | Path) -> np.ndarray:
    """The label map in a PNG file, uint8 H×W."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def image(path: str | Path) -> np.ndarray:
    """The photo in a file, uint8 H×W×3 RGB, its orientation tag ignored as COCO's annotations do."""
    return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
