"""The photographs themselves: light, sharpness, colour, and near-duplicates."""

from pathlib import Path

import cv2
import imagehash
import numpy as np
import polars as pl
from PIL import Image

from cocoseg.coco.read import Coco
from cocoseg.dataset.images import frequencies

SCHEMA = {
    "image_id": pl.Int64,
    "status": pl.String,
    **dict.fromkeys(("brightness", "contrast", "sharpness"), pl.Float64),
    "grey": pl.Boolean,
    "phash": pl.String,
}
UNREADABLE = (OSError, SyntaxError, ValueError, Image.DecompressionBombError)


def photos(shard: Coco, folder: Path) -> pl.DataFrame:
    """One row per image of the shard, from its file in `folder`.

    Light and sharpness are of the luma Y (ITU-R BT.601, as Pillow's mode 'L') at the size of the file.

    Returns:
        `image_id` i64, `status` str ('read', 'missing' or 'unreadable'; all else is null unless read) and

        - `brightness` f64: mean of Y, 0…1.
        - `contrast` f64: standard deviation of Y, 0…0.5 (RMS contrast, Peli 1990).
        - `sharpness` f64: variance of the Laplacian of Y in 0…255 (Pech-Pacheco et al. 2000); low for blurred and for
          flat pictures; it depends on resolution and compression.
        - `grey` bool: red, green and blue are equal in every pixel.
        - `phash` str: the perceptual hash of ImageHash, 64 signs of low frequencies of the DCT, in 16 hexadecimal
          digits.
    """
    rows = [
        (image_id, *_measures(folder / name))
        for image_id, name in shard.images.select("image_id", "file_name").iter_rows()
    ]
    return pl.DataFrame(rows, SCHEMA, orient="row")


def kinds(photos: pl.DataFrame) -> pl.DataFrame:
    """How many photographs are in colour, grey, missing or unreadable: `kind` str, `images` i64, `share` f64.

    >>> table = pl.DataFrame({"status": ["read", "read", "missing"], "grey": [True, False, None]})
    >>> kinds(table).select("kind", "images").rows()
    [('colour', 1), ('grey', 1), ('missing', 1), ('unreadable', 0)]
    """
    grey = pl.when(pl.col("grey")).then(pl.lit("grey")).otherwise(pl.lit("colour"))
    kind = pl.when(pl.col("status") == "read").then(grey).otherwise(pl.col("status"))
    return frequencies(photos.select(kind=kind), ("colour", "grey", "missing", "unreadable"))


def near_duplicates(a: pl.DataFrame, b: pl.DataFrame | None = None, distance: int = 6) -> pl.DataFrame:
    """Pairs of photographs whose perceptual hashes differ in at most `distance` of 64 bits.

    Between two splits they are leakage. All pairs are compared, 64 bits at once. In COCO images, the same photograph
    compressed again differs in at most 2 bits, and of half a million pairs of different ones none in fewer than 10;
    in far larger sets look at what is found.

    Args:
        a, b: `photos(…)`; without `b`, the pairs within `a`, each once.

    Returns:
        `first`, `second` i64 (image ids of a and of b), `distance` i64, nearest first.

    >>> hashed = pl.DataFrame({"image_id": [1, 2, 3], "phash": ["ff00ff00ff00ff00", "ff00ff00ff00ff01", "0"*16]})
    >>> near_duplicates(hashed).rows()
    [(1, 2, 1)]
    """
    ids_a, bits_a = _bits(a)
    ids_b, bits_b = (ids_a, bits_a) if b is None else _bits(b)
    found = []
    for i, bits in enumerate(bits_a):
        start = i + 1 if b is None else 0
        apart = np.bitwise_count(bits_b[start:] ^ bits)
        near = np.nonzero(apart <= distance)[0]
        found += [(int(ids_a[i]), int(ids_b[start + j]), int(apart[j])) for j in near]
    schema = dict.fromkeys(("first", "second", "distance"), pl.Int64)
    return pl.DataFrame(found, schema, orient="row").sort("distance", "first", "second")


def _measures(path: Path) -> tuple:
    if not path.is_file():
        return ("missing", None, None, None, None, None)
    try:
        with Image.open(path) as file:
            image = file.convert("RGB")
    except UNREADABLE:
        return ("unreadable", None, None, None, None, None)
    luma = image.convert("L")
    y = np.asarray(luma)
    mean, deviation = (float(v[0, 0]) for v in cv2.meanStdDev(y))
    edges = float(cv2.meanStdDev(cv2.Laplacian(y, cv2.CV_64F))[1][0, 0]) ** 2
    red, green, blue = cv2.split(np.asarray(image))
    grey = np.array_equal(red, green) and np.array_equal(green, blue)
    return ("read", mean / 255, deviation / 255, edges, grey, str(imagehash.phash(luma)))


def _bits(photos: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    known = photos.drop_nulls("phash")
    return known["image_id"].to_numpy(), np.array([int(text, 16) for text in known["phash"]], np.uint64)
