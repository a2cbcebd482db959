"""Read an annotation file in COCO's format into three tables.

Only ids, names, sizes and boxes are decoded. Segmentations, nine tenths of the bytes, stay as the JSON they
were written in and are decoded when asked for (`polygons`, `cocoseg.coco.rasterise`).
"""

import gc
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import polars as pl
from msgspec import Meta, Raw, Struct

from cocoseg.errors import UserError

ENCODINGS = ("polygon", "rle", "rle-counts", "none")

IMAGES = {
    "image_id": pl.Int64,
    "file_name": pl.String,
    "height": pl.Int32,
    "width": pl.Int32,
    "license": pl.Int32,
}
CATEGORIES = {"category_id": pl.Int64, "name": pl.String, "supercategory": pl.String}
ANNOTATIONS = {
    "annotation_id": pl.Int64,
    "image_id": pl.Int64,
    "category_id": pl.Int64,
    "iscrowd": pl.Boolean,
    "area": pl.Float64,
    "x": pl.Float64,
    "y": pl.Float64,
    "w": pl.Float64,
    "h": pl.Float64,
    "encoding": pl.String,
    "segmentation": pl.Binary,
}

Refuse = Callable[[str, str, int, str], None]
"""What to do with an object that cannot be a row: (finding's code, table, position in the file, reason)."""


@dataclass(frozen=True, eq=False)
class Coco:
    """An annotation file as three tables, rows in the order of the file.

    - `images`: image_id i64, file_name str, height i32, width i32 (px), license i32 or null.
    - `categories`: category_id i64, name str, supercategory str ("none" where the file has none).
    - `annotations`: annotation_id, image_id, category_id i64, iscrowd bool, area f64 (px²) and bbox x, y, w, h f64
      (px; null where the file has none), encoding str (one of `ENCODINGS`: 'polygon', compressed 'rle',
      uncompressed 'rle-counts', 'none'), segmentation binary (JSON; null where encoding is 'none').
    """

    images: pl.DataFrame
    categories: pl.DataFrame
    annotations: pl.DataFrame

    def of_images(self, image_ids: Sequence[int]) -> "Coco":
        """The same file with only these images and their annotations: a shard, or a subset."""
        wanted = pl.Series("image_id", image_ids, pl.Int64).implode()
        return Coco(
            self.images.filter(pl.col("image_id").is_in(wanted)),
            self.categories,
            self.annotations.filter(pl.col("image_id").is_in(wanted)),
        )


Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Pixels = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class _Image(Struct):
    id: Id | None = None
    file_name: str | None = None
    coco_url: str | None = None
    height: Pixels | None = None
    width: Pixels | None = None
    license: Any = None  # some tools write a name or a list


class _Category(Struct):
    id: Id | None = None
    name: str | None = None
    supercategory: str | None = None


class _Annotation(Struct):
    id: Id | None = None
    image_id: Id | None = None
    category_id: Id | None = None
    iscrowd: int | bool | None = None
    area: float | None = None
    bbox: list[float | None] | None = None
    segmentation: Raw = Raw(b"null")


class _File(Struct):
    images: list[Raw]
    categories: list[Raw]
    annotations: list[Raw]


_polygons = msgspec.json.Decoder(list[list[float]])


def polygons(segmentation: bytes) -> list[np.ndarray]:
    """The vertices of a polygon annotation: one f64 array (V, 2) of x, y in px for each polygon.

    >>> polygons(b"[[0, 0, 4, 0, 4, 2.5]]")
    [array([[0. , 0. ],
           [4. , 0. ],
           [4. , 2.5]])]
    """
    return [np.array(flat, np.float64).reshape(-1, 2) for flat in _polygons.decode(segmentation)]


def read(path: Path | str) -> Coco:
    """Read an instances file (polygons, compressed or uncompressed RLE, crowds) as tables.

    Optional fields (license, area, bbox, iscrowd, supercategory, info) may be missing, other keys are ignored. A
    file that is not COCO's format, and an object without an id or with a field of the wrong type, is a
    `UserError`; whether ids are unique and masks are sound is for `cocoseg.coco.check` to say.
    """
    path = Path(path)

    def refuse(code: str, table: str, position: int, reason: str) -> None:
        raise UserError(
            f"{path.name}: {table}[{position}]: {reason}; `cocoseg data check` lists such objects"
        )

    return parse(path, refuse)


def parse(path: Path, refuse: Refuse) -> Coco:
    """`read`, where `refuse` is told of every object that cannot be a row, and the object left out."""
    collecting = gc.isenabled()
    gc.disable()  # nothing here is cyclic, and the collector would visit a million objects again and again
    try:
        file = _file(path)
        return Coco(
            _images(file.images, refuse),
            _categories(file.categories, refuse),
            _annotations(file.annotations, refuse),
        )
    finally:
        if collecting:
            gc.enable()


def _file(path: Path) -> _File:
    try:
        data = path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    expected = (
        "expected a COCO instances file: a JSON object with lists 'images', 'annotations' and 'categories'"
    )
    try:
        try:
            return msgspec.json.decode(data, type=_File)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:
            # Python writes NaN and Infinity, which JSON has not: re-written as null, they are found where they are.
            return msgspec.json.decode(msgspec.json.encode(json.loads(data)), type=_File)
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path.name}: {' '.join(str(error).split())}; {expected}") from None


def _decode(
    raws: Sequence[Raw], decoder: msgspec.json.Decoder, table: str, refuse: Refuse, start: int = 0
) -> list:
    rows = []
    for position, raw in enumerate(raws, start):
        try:
            rows.append(decoder.decode(raw))
        except (ValueError, RecursionError) as error:
            refuse("malformed", table, position, str(error))
    return rows


def _without_nulls(rows: pl.DataFrame, columns: list[str], table: str, refuse: Refuse) -> pl.DataFrame:
    missing = pl.any_horizontal(pl.col(columns).is_null())
    for row in rows.with_row_index("position").filter(missing).iter_rows(named=True):
        absent = next(column for column in columns if row[column] is None)
        refuse("id-missing", table, row["position"], f"{absent} is missing")
    return rows.filter(~missing)


def _images(raws: list[Raw], refuse: Refuse) -> pl.DataFrame:
    rows = _decode(raws, msgspec.json.Decoder(_Image), "images", refuse)
    table = {
        "image_id": [row.id for row in rows],
        "file_name": [
            row.file_name or (row.coco_url or f"{row.id or 0:012d}.jpg").rpartition("/")[2] for row in rows
        ],
        "height": [row.height for row in rows],
        "width": [row.width for row in rows],
        "license": [
            row.license if type(row.license) is int and row.license < 2**31 else None for row in rows
        ],
    }
    return _without_nulls(pl.DataFrame(table, IMAGES), ["image_id"], "images", refuse)


def _categories(raws: list[Raw], refuse: Refuse) -> pl.DataFrame:
    rows = _decode(raws, msgspec.json.Decoder(_Category), "categories", refuse)
    table = {
        "category_id": [row.id for row in rows],
        "name": [row.name or f"category {row.id}" for row in rows],
        "supercategory": [row.supercategory or "none" for row in rows],
    }
    return _without_nulls(pl.DataFrame(table, CATEGORIES), ["category_id"], "categories", refuse)


def _annotations(raws: list[Raw], refuse: Refuse) -> pl.DataFrame:
    decoder = msgspec.json.Decoder(_Annotation)
    chunks = [pl.DataFrame(schema=ANNOTATIONS)]
    for start in range(0, len(raws), 1 << 16):
        rows = _decode(raws[start : start + (1 << 16)], decoder, "annotations", refuse, start)
        boxes = [row.bbox if row.bbox and len(row.bbox) == 4 else (None,) * 4 for row in rows]
        table = {
            "annotation_id": [row.id for row in rows],
            "image_id": [row.image_id for row in rows],
            "category_id": [row.category_id for row in rows],
            "iscrowd": [bool(row.iscrowd) for row in rows],
            "area": [row.area for row in rows],
            **{side: [box[i] for box in boxes] for i, side in enumerate("xywh")},
            "encoding": None,
            "segmentation": [bytes(row.segmentation) for row in rows],
        }
        chunks.append(
            pl.DataFrame(table, ANNOTATIONS).with_columns(_encoding()).with_columns(_absent_is_null())
        )
    table = pl.concat(chunks, rechunk=False)
    return _without_nulls(table, ["annotation_id", "image_id", "category_id"], "annotations", refuse)


def _encoding() -> pl.Expr:
    json_text = pl.col("segmentation").bin
    is_dict = json_text.starts_with(b"{")
    return (
        pl.when(is_dict & json_text.contains(b'"counts":"') | is_dict & json_text.contains(b'"counts": "'))
        .then(pl.lit("rle"))
        .when(is_dict)
        .then(pl.lit("rle-counts"))
        .when(pl.col("segmentation").is_in([b"null", b"[]"]))
        .then(pl.lit("none"))
        .otherwise(pl.lit("polygon"))
        .alias("encoding")
    )


def _absent_is_null() -> pl.Expr:
    return pl.when(pl.col("encoding") != "none").then(pl.col("segmentation")).alias("segmentation")
