"""Read an annotation file in COCO's format into three tables.

Only ids, names, sizes and boxes are decoded. Segmentations, nine tenths of the bytes, stay the JSON they were
written in and are decoded when asked for (`polygons`, `cocoseg.coco.rasterise`).
"""

import gc
import json
import mmap
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import polars as pl
from msgspec import Meta, Raw, Struct

from cocoseg.errors import UserError

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


@dataclass(frozen=True, eq=False)
class Coco:
    """An annotation file as three tables, rows in the order of the file.

    - `images`: image_id i64, file_name str, height and width i32 (px), license i32 or null.
    - `categories`: category_id i64, name str, supercategory str ('none' where the file has none).
    - `annotations`: annotation_id, image_id, category_id i64, iscrowd bool, area f64 (px²), bbox x, y, w, h f64
      (px; these five null where the file has none), encoding str ('polygon', 'rle' compressed, 'rle-counts'
      uncompressed, or 'none'), segmentation binary (the JSON in the file; `null` where it has none).
    """

    images: pl.DataFrame
    categories: pl.DataFrame
    annotations: pl.DataFrame

    def of_images(self, image_ids: Iterable[int]) -> "Coco":
        """The same file with only these images and their annotations: a shard, or a subset."""
        wanted = pl.lit(pl.Series(list(image_ids), dtype=pl.Int64)).implode()
        return Coco(
            self.images.filter(pl.col("image_id").is_in(wanted)),
            self.categories,
            self.annotations.filter(pl.col("image_id").is_in(wanted)),
        )

    def by_image(self) -> Iterator[tuple[dict[str, Any], pl.DataFrame]]:
        """Each image (a row of `images` as a dict) with its annotations, both in the order of the file."""
        rows = self.annotations.sort("image_id", maintain_order=True)
        spans = rows.with_row_index("start").group_by("image_id").agg(pl.min("start"), pl.len().alias("count"))
        spans = self.images.join(spans, "image_id", "left", maintain_order="left").select(
            pl.col("start", "count").fill_null(0)
        )
        for image, (start, count) in zip(self.images.iter_rows(named=True), spans.iter_rows(), strict=True):
            yield image, rows.slice(start, count)


def polygons(segmentation: bytes) -> list[np.ndarray]:
    """The vertices of a polygon annotation: one f64 array (V, 2) of x, y in px for each polygon.

    >>> polygons(b"[[0, 0, 4, 0, 4, 2.5]]")
    [array([[0. , 0. ],
           [4. , 0. ],
           [4. , 2.5]])]
    """
    return [np.array(flat, np.float64).reshape(-1, 2) for flat in _polygons.decode(segmentation)]


def read(path: Path | str) -> Coco:
    """Read an instances file (polygons, compressed and uncompressed RLE, crowds) as tables.

    What COCO's tools can do without (license, area, bbox, iscrowd, supercategory, file_name, info) may be missing,
    and other keys are ignored. A file that is not in COCO's format, or an object in it without an id or with a
    field of another type, is a `UserError`. Whether ids are unique and masks sound, `cocoseg.coco.check` says.

    >>> read("pyproject.toml")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: pyproject.toml: ... expected a COCO instances file: ...
    """
    return parse(path)


Refuse = Callable[[str, int, str], None]
"""Told of an object that cannot be a row: the table, its position in the file's list, the reason."""


def parse(path: Path | str, refuse: Refuse | None = None) -> Coco:
    """`read`; with `refuse`, an object that cannot be a row is left out and told to it instead of being an error."""
    path = Path(path)
    collecting = gc.isenabled()
    gc.disable()  # nothing here is cyclic, and the collector would visit a million new objects again and again
    try:
        data = _content(path)
        file = _decode(path.name, data, refuse)
        return Coco(_images(file.images), _categories(file.categories), _annotations(file.annotations, data))
    finally:
        if collecting:
            gc.enable()


Id = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


# Fields in the order in which COCO writes them: there msgspec finds them at once.
class _Annotation(Struct, gc=False, kw_only=True):
    segmentation: Raw = Raw(b"null")
    area: float | None = None
    iscrowd: int | bool | None = None
    image_id: Id
    bbox: Raw = Raw(b"null")
    category_id: Id
    id: Id


class _Image(Struct, kw_only=True):
    license: Any = None  # a number in COCO, a name or a list elsewhere
    file_name: str | None = None
    height: Int32 | None = None
    width: Int32 | None = None
    id: Id


class _Category(Struct, kw_only=True):
    supercategory: str | None = None
    id: Id
    name: str | None = None


class _File(Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


class _Pieces(Struct):
    images: list[Raw]
    annotations: list[Raw]
    categories: list[Raw]


_Box = tuple[float | None, float | None, float | None, float | None]

_polygons = msgspec.json.Decoder(list[list[float]])


def _content(path: Path) -> memoryview:
    """The file's bytes, mapped: pages that were decoded can be given back before the last one is."""
    try:
        with path.open("rb") as file:
            empty = file.seek(0, 2) == 0
            data = b"" if empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    return memoryview(data)[3 if data[:3] == b"\xef\xbb\xbf" else 0 :]


def _decode(name: str, data: memoryview, refuse: Refuse | None) -> _File:
    try:
        try:
            return msgspec.json.decode(data, type=_File)
        except msgspec.ValidationError:
            if refuse is None:
                raise
            return _decode_each(data, refuse)
        except msgspec.DecodeError:
            # Python writes NaN and Infinity, which JSON has not; they become null.
            return _decode(name, memoryview(msgspec.json.encode(json.loads(bytes(data)))), refuse)
    except (ValueError, RecursionError) as error:
        raise UserError(
            f"{name}: {' '.join(str(error).split())}; expected a COCO instances file: a JSON object with the lists "
            "'images', 'annotations' and 'categories'"
        ) from None


def _decode_each(data: memoryview, refuse: Refuse) -> _File:
    pieces = msgspec.json.decode(data, type=_Pieces)
    rows = {}
    for table, kind in {"images": _Image, "annotations": _Annotation, "categories": _Category}.items():
        decoder = msgspec.json.Decoder(kind)
        rows[table] = []
        for position, piece in enumerate(getattr(pieces, table)):
            try:
                rows[table].append(decoder.decode(piece))
            except (ValueError, RecursionError) as error:
                refuse(table, position, str(error))
    return _File(**rows)


def _images(rows: list[_Image]) -> pl.DataFrame:
    table = {
        "image_id": [row.id for row in rows],
        "file_name": [row.file_name or f"{row.id:012d}.jpg" for row in rows],  # COCO names files by id
        "height": [row.height for row in rows],
        "width": [row.width for row in rows],
        "license": [row.license if type(row.license) is int and 0 <= row.license < 2**31 else None for row in rows],
    }
    return pl.DataFrame(table, IMAGES)


def _categories(rows: list[_Category]) -> pl.DataFrame:
    table = {
        "category_id": [row.id for row in rows],
        "name": [row.name or f"category {row.id}" for row in rows],
        "supercategory": [row.supercategory or "none" for row in rows],
    }
    return pl.DataFrame(table, CATEGORIES)


def _annotations(rows: list[_Annotation], data: memoryview) -> pl.DataFrame:
    chunks = [pl.DataFrame(schema=ANNOTATIONS)]
    while rows:
        chunks.append(_annotation_chunk(rows[: 1 << 16]))
        del rows[: 1 << 16]
        if isinstance(data.obj, mmap.mmap):
            data.obj.madvise(mmap.MADV_DONTNEED)
    return pl.concat(chunks, rechunk=False)


def _annotation_chunk(rows: list[_Annotation]) -> pl.DataFrame:
    boxes = _boxes([row.bbox for row in rows])
    texts = [bytes(row.segmentation) for row in rows]
    segmentations = pl.Series(texts, dtype=pl.Binary)
    encodings = ["polygon"] * len(rows)
    for i in (~segmentations.bin.starts_with(b"[[")).arg_true():
        encodings[i] = _encoding(texts[i])
    table = {
        "annotation_id": [row.id for row in rows],
        "image_id": [row.image_id for row in rows],
        "category_id": [row.category_id for row in rows],
        "iscrowd": [bool(row.iscrowd) for row in rows],
        "area": [row.area for row in rows],
        **dict(zip("xywh", zip(*boxes, strict=True), strict=True)),
        "encoding": encodings,
        "segmentation": segmentations,
    }
    return pl.DataFrame(table, ANNOTATIONS)


def _boxes(pieces: list[Raw]) -> list[tuple[float | None, ...]]:
    try:
        return msgspec.json.decode(b"[" + b",".join(pieces) + b"]", type=list[_Box])
    except ValueError:
        return [_box(piece) for piece in pieces]


def _box(piece: Raw) -> tuple[float | None, ...]:
    try:
        return msgspec.json.decode(piece, type=_Box)
    except (ValueError, RecursionError):
        return (None,) * 4


def _encoding(segmentation: bytes) -> str:
    match segmentation[:1]:
        case b"{":
            return "rle" if re.search(rb'"counts"\s*:\s*"', segmentation) else "rle-counts"
        case b"[" if segmentation[1:-1].strip():
            return "polygon"
        case _:
            return "none"
