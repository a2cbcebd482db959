"""Label maps as PNG files, painted once and kept in a cache."""

import inspect
import os
import uuid
import warnings
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import polars as pl
from PIL import Image

from cocoseg.coco import rasterise
from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.runs import fingerprint, parallel

SHARD = 256


def default_cache() -> Path:
    """`$COCOSEG_CACHE`, or `~/.cache/cocoseg`."""
    return Path(os.environ.get("COCOSEG_CACHE", "~/.cache/cocoseg")).expanduser()


def prepare(
    coco: Coco, photos: Path, space: LabelSpace, *, cache: Path | None = None, workers: int | None = None
) -> pl.DataFrame:
    """Paint the label map of every image of a checked file that is in the folder `photos` and not painted yet.

    Returns one row per image, by id: image_id i64, image str and label str (paths), height i32, width i32 (px). Label
    maps follow `cocoseg.coco.rasterise.label_map` with its default rules. A file appears whole or not at all, so an
    interrupted call continues; a file that is not whole is painted again. The cache folder is named by a hash of all
    that is painted, the label space and the painting code. Images that are missing, unreadable or of another size than
    their annotation says are left out, and a warning counts them; if none remains, it is a `UserError`.
    """
    folder = (cache or default_cache()) / "labels" / _key(coco, space)
    folder.mkdir(parents=True, exist_ok=True)
    images = coco.images.sort("image_id").select(
        "image_id",
        image=f"{photos}/" + pl.col("file_name"),
        label=f"{folder}/" + pl.col("image_id").cast(pl.String) + ".png",
        height="height",
        width="width",
    )
    present = images.filter([os.path.isfile(path) for path in images["image"]])
    todo = present.filter([not intact(path) for path in present["label"]])
    shards = [(coco.of_images(shard["image_id"]), shard) for shard in todo.iter_slices(SHARD)]
    parallel.over(partial(_paint, space), shards, workers=workers, desc="label maps")
    painted = present.filter([os.path.isfile(path) for path in present["label"]])
    if painted.height == images.height > 0:
        return painted
    counted = (
        f"{images.height - present.height} missing, "
        f"{present.height - painted.height} unreadable or not of the annotated size"
    )
    if painted.is_empty():
        raise UserError(
            f"no image in {photos} can be used: of {images.height}, {counted}; `cocoseg data download` fetches COCO's"
        )
    warnings.warn(
        f"{images.height - painted.height} of {images.height} images in {photos} left out: {counted}; "
        "`cocoseg data check` lists them",
        stacklevel=2,
    )
    return painted


def _key(coco: Coco, space: LabelSpace) -> str:
    images = coco.images.select("image_id", "height", "width")
    annotations = coco.annotations.select("image_id", "category_id", "iscrowd", "segmentation")
    rows = [table.hash_rows().to_numpy().tobytes() for table in (images, annotations)]
    return fingerprint.digest(*rows, repr(space), fingerprint.source(inspect.getsource(rasterise)))


def _paint(space: LabelSpace, shard: tuple[Coco, pl.DataFrame]) -> None:
    coco, files = shard
    paths = {row["image_id"]: row for row in files.iter_rows(named=True)}
    for image_id, label in rasterise.label_maps(coco, space):
        if _decodes(paths[image_id]["image"], label.shape):
            write(Path(paths[image_id]["label"]), label)


def _decodes(path: str, shape: tuple[int, int]) -> bool:
    """Whether TensorFlow will read an image of this shape from a file: it refuses half a JPEG as PIL does."""
    try:
        with Image.open(path) as photo:
            photo.load()
            return photo.size[::-1] == shape
    except (OSError, SyntaxError, ValueError):
        return False


def write(path: Path, label: np.ndarray) -> None:
    """Write a label map, uint8 H×W, as a PNG that appears whole or not at all."""
    unfinished = path.with_name(f"{path.stem}.{uuid.uuid4().hex}.part")
    unfinished.write_bytes(cv2.imencode(".png", label)[1].tobytes())
    unfinished.replace(path)


def intact(path: Path | str) -> bool:
    """Whether a PNG is there and whole: it begins as a PNG and ends with the chunk that ends one."""
    try:
        with open(path, "rb") as stream:
            start = stream.read(8)
            stream.seek(-12, os.SEEK_END)
            return start == b"\x89PNG\r\n\x1a\n" and stream.read()[4:8] == b"IEND"
    except OSError:
        return False


def label_map(path: str | Path) -> np.ndarray:
    """The label map in a PNG file, uint8 H×W."""
    return cv2.imread(str(path), cv2.IMREAD_UNCHANGED)


def image(path: str | Path) -> np.ndarray:
    """The photo in a file, uint8 H×W×3 RGB; its orientation tag is ignored, as COCO's annotations do."""
    return cv2.imread(str(path), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
