"""Apply corrections to an annotation file: annotations to drop, to replace and to add.

A corrections file is JSON whose annotations are in COCO's format; each of its three lists may be missing:

    {"drop": [908400474265],
     "replace": [{"id": 1247, "image_id": 42, "category_id": 18, "segmentation": [[…]], "area": …, "bbox": […]}],
     "add": [{"image_id": 42, "category_id": 1, "segmentation": {"size": […], "counts": "…"}}]}

A replacement takes the place of the annotation with its id. What is added gets an id where it has none; area, bbox and
iscrowd may be missing in both and are then the mask's (and 0). All else in the file is kept byte for byte.

It may also be the sheet of a run of the notebook quality, `suspects.csv`, in which a person has written a `verdict`
(`VERDICTS`) in the rows that are to change something; rows without one change nothing.
"""

import csv
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
from pycocotools import mask as coco_mask

from cocoseg.coco.rasterise import SegmentationError, rle
from cocoseg.errors import UserError, nearest

VERDICTS = {
    "keep": "the annotation is right",
    "drop": "take annotation_id out",
    "drop other": "take other_id out, of a pair",
    "add": "annotate region as category",
}
_COLUMNS = ("verdict", "image_id", "annotation_id", "other_id", "category", "region")


class _Known(msgspec.Struct):
    id: int
    height: int | None = None
    width: int | None = None


class _Given(msgspec.Struct, kw_only=True):
    """What an annotation in a corrections file must have."""

    id: int | None = None
    image_id: int
    category_id: int
    segmentation: msgspec.Raw


class _File(msgspec.Struct, forbid_unknown_fields=True):
    drop: list[int] = []
    replace: list[msgspec.Raw] = []
    add: list[msgspec.Raw] = []
    info: Any = None


def correct(annotations: Path | str, corrections: Path | str, target: Path | str) -> dict[str, int]:
    """Write to `target` the file `annotations` with the corrections applied: how many were dropped, replaced and added.

    `corrections` is a JSON file, or a sheet with verdicts if its name ends in `.csv`.

    A corrections file that does not fit (another format; an unknown verdict, or one about what its row does not have;
    an id that is not there, or is there already, or is named twice; an unknown image or category; a segmentation that
    is no mask, or is empty) is a `UserError`, and nothing is written.
    """
    annotations, corrections, target = Path(annotations), Path(corrections), Path(target)
    document = _document(annotations)
    if corrections.suffix.lower() == ".csv":
        wanted, places = _marked(corrections, document, annotations.name)
    else:
        wanted = _decoded(corrections, _File, "a JSON object with the lists drop, replace and add")
        places = [f"add[{k}]" for k in range(len(wanted.add))]
    images, categories = ({row.id: row for row in document[name][0]} for name in ("images", "categories"))
    known, rows = document["annotations"]
    there = {row.id for row in known}

    def refuse(what: str) -> UserError:
        return UserError(f"{corrections.name}: {what}")

    def checked(where: str, piece: msgspec.Raw) -> tuple[int | None, dict[str, Any]]:
        try:
            given, content = msgspec.json.decode(piece, type=_Given), msgspec.json.decode(piece)
        except msgspec.MsgspecError as error:
            raise refuse(f"{where}: {error}; expected an annotation in COCO's format") from None
        if given.image_id not in images:
            raise refuse(f"{where}: image {given.image_id} is not in {annotations.name}")
        if given.category_id not in categories:
            raise refuse(f"{where}: category {given.category_id} is not in {annotations.name}")
        image = images[given.image_id]
        try:
            mask = rle(bytes(given.segmentation), image.height or 0, image.width or 0)
        except SegmentationError as error:
            raise refuse(f"{where}: {error}") from None
        if not (area := int(coco_mask.area(mask))):
            raise refuse(f"{where}: the mask covers no pixel")
        measured = {"area": area, "bbox": coco_mask.toBbox(mask).tolist(), "iscrowd": 0}
        return given.id, measured | content

    replaced = {}
    for position, piece in enumerate(wanted.replace):
        number, row = checked(f"replace[{position}]", piece)
        if number is None:
            raise refuse(f"replace[{position}]: it has no id, so what it replaces is not known")
        if number in replaced:
            raise refuse(f"replace[{position}]: annotation {number} is replaced twice")
        replaced[number] = row
    named = [*wanted.drop, *replaced]
    if unknown := [number for number in named if number not in there]:
        raise refuse(f"annotation {unknown[0]} is not in {annotations.name}")
    if twice := [number for number, times in Counter(named).items() if times > 1]:
        raise refuse(f"annotation {twice[0]} is named twice, to drop or to replace")
    added, free = [], max(there, default=0) + 1
    for where, piece in zip(places, wanted.add, strict=True):
        number, row = checked(where, piece)
        if number is None:
            number, free = free, free + 1
        if number in there:
            raise refuse(f"{where}: annotation {number} is in {annotations.name}; to change it, replace it")
        there.add(number)
        free = max(free, number + 1)
        added.append(row | {"id": number})
    gone = set(wanted.drop)
    kept = [
        msgspec.Raw(msgspec.json.encode(replaced[row.id])) if row.id in replaced else piece
        for row, piece in zip(known, rows, strict=True)
        if row.id not in gone
    ]
    whole = document["all"] | {"annotations": kept + [msgspec.Raw(msgspec.json.encode(row)) for row in added]}
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(msgspec.json.encode(whole))
    part.replace(target)
    return {"dropped": len(gone), "replaced": len(replaced), "added": len(added)}


def _document(path: Path) -> dict[str, Any]:
    """The file's top level, undecoded ('all'), and of its three lists what is known of each row, and the row itself."""
    expected = "a COCO instances file"
    whole = _decoded(path, dict[str, msgspec.Raw], expected)
    document = {"all": whole}
    for name in ("images", "categories", "annotations"):
        if name not in whole:
            raise UserError(f"{path.name}: it has no list {name!r}; expected {expected}")
        try:
            rows = msgspec.json.decode(whole[name], type=list[msgspec.Raw])
            document[name] = [msgspec.json.decode(row, type=_Known) for row in rows], rows
        except msgspec.MsgspecError as error:
            raise UserError(f"{path.name}: {name}: {error}; expected {expected}") from None
    return document


def _marked(sheet: Path, document: dict[str, Any], name: str) -> tuple[_File, list[str]]:
    """What the verdicts of a sheet say, and the line of each annotation that they add."""
    there = {row.id for row in document["annotations"][0]}
    categories = {row["name"]: row["id"] for row in msgspec.json.decode(document["all"]["categories"])}
    drop, add, places = {}, [], []
    for line, row in _rows(sheet):
        verdict, where = row["verdict"].strip().lower(), f"{sheet.name}: line {line}"
        if verdict not in ("", *VERDICTS):
            raise UserError(f"{where}: unknown verdict {verdict!r}; {nearest(verdict, VERDICTS)}")
        if verdict in ("drop", "drop other"):
            key = "annotation_id" if verdict == "drop" else "other_id"
            number = _whole(row[key], f"{where}: {verdict!r} needs {key}")
            if number not in there:
                raise UserError(f"{where}: annotation {number} is not in {name}")
            drop[number] = None
        if verdict == "add":
            if not row["region"]:
                raise UserError(f"{where}: 'add' needs a region, which only what is unlabelled has")
            if row["category"] not in categories:
                raise UserError(
                    f"{where}: no category {row['category']!r} in {name}; {nearest(row['category'], categories)}"
                )
            image_id = _whole(row["image_id"], f"{where}: 'add' needs image_id")
            try:
                region = msgspec.Raw(msgspec.json.encode(msgspec.json.decode(row["region"])))
            except msgspec.MsgspecError as error:
                raise UserError(f"{where}: region: {error}; expected RLE as JSON") from None
            given = {"image_id": image_id, "category_id": categories[row["category"]], "segmentation": region}
            add.append(msgspec.Raw(msgspec.json.encode(given)))
            places.append(f"line {line}")
    return _File(drop=list(drop), add=add), places


def _rows(sheet: Path) -> list[tuple[int, dict[str, str]]]:
    """The rows of a sheet, each with the line on which it ends."""
    try:
        with sheet.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, restval="")
            if missing := [column for column in _COLUMNS if column not in (reader.fieldnames or ())]:
                raise UserError(f"{sheet.name}: no column {missing[0]!r}; expected {', '.join(_COLUMNS)}")
            return [(reader.line_num, row) for row in reader]
    except OSError as error:
        raise UserError(f"cannot read {sheet}: {error.strerror}") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"{sheet.name}: {error}; expected a table in CSV, in UTF-8") from None


def _whole(text: str, needed: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{needed}; got {text!r}") from None


def _decoded(path: Path, kind, expected: str):
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise UserError(f"{path.name}: {error}; expected {expected}") from None
