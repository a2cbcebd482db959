"""Some images of an annotation file, as an annotation file of their own."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from cocoseg.errors import UserError


class Image(msgspec.Struct, frozen=True):
    """What an annotation file says of an image, as far as a download needs it."""

    id: int
    file_name: str
    width: int
    height: int
    coco_url: str | None = None


class _Annotation(msgspec.Struct):
    image_id: int


def images(annotations: str | Path, ids: Iterable[int]) -> list[Image]:
    """The images `ids` of an annotation file, in its order; an id that it does not have is a `UserError`."""
    return [image for image, _ in _choose(_read(Path(annotations)), set(ids), annotations)]


def subset(annotations: str | Path, ids: Iterable[int], target: str | Path) -> Path:
    """Write to `target` what the file `annotations` says of the images `ids`, in its own order.

    Each image and annotation is kept byte for byte, and so is all else in the file (categories, licences). A
    `UserError` refuses ids that the file does not have, and a `target` with images beside `ids`, which would be
    lost. Returns `target`.
    """
    annotations, target, ids = Path(annotations), Path(target), set(ids)
    document = _read(annotations)
    chosen = _choose(document, ids, annotations)
    if target.exists() and (others := {image.id for image, _ in _read(target)["images"]} - ids):
        raise UserError(f"{target} holds {len(others):,} images that are not chosen; write to another file")
    document["images"] = [row for _, row in chosen]
    document["annotations"] = [
        row for row in document["annotations"] if msgspec.json.decode(row, type=_Annotation).image_id in ids
    ]
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f"{target.name}.part")
    part.write_bytes(msgspec.json.encode(document))
    return part.replace(target)


def _read(annotations: Path) -> dict:
    """The file's top level, undecoded, but for its lists: images (decoded, undecoded) and annotations."""
    try:
        document = msgspec.json.decode(annotations.read_bytes(), type=dict[str, msgspec.Raw])
        for name in ("images", "annotations"):
            document[name] = msgspec.json.decode(document[name], type=list[msgspec.Raw])
        document["images"] = [(msgspec.json.decode(row, type=Image), row) for row in document["images"]]
    except OSError as error:
        raise UserError(f"cannot read {annotations}: {error.strerror}") from None
    except KeyError as error:
        raise UserError(f"{annotations} is no instances file of COCO: it has no {error}") from None
    except msgspec.DecodeError as error:
        raise UserError(f"{annotations} is no instances file of COCO: {error}") from None
    return document


def _choose(document: dict, ids: set[int], annotations: str | Path) -> list[tuple[Image, msgspec.Raw]]:
    chosen = [(image, row) for image, row in document["images"] if image.id in ids]
    if unknown := sorted(ids - {image.id for image, _ in chosen}):
        some = ", ".join(map(str, unknown[:5])) + (", …" if len(unknown) > 5 else "")
        raise UserError(f"{len(unknown):,} of {len(ids):,} image ids are not in {annotations}: {some}")
    return chosen
