"""A trained model on photos of one's own."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from cocoseg.drawing.pictures import coloured, overlay
from cocoseg.errors import UserError
from cocoseg.models.registry import Model
from cocoseg.models.validation import prediction

SHIPPED = Path(__file__).with_name("shipped")


def shipped() -> Path:
    """The folder of the model that comes with the library; a version that comes without one is a `UserError`."""
    if not (SHIPPED / "model.json").is_file():
        raise UserError("no model comes with this version; name a training of yours with --run")
    return SHIPPED


def check(path: Path | str) -> None:
    """A file that is no photo, or only the beginning of one, is a `UserError`."""
    try:
        with Image.open(path) as file:
            file.load()
    except (OSError, SyntaxError, ValueError):
        why = "no image that can be decoded" if Path(path).is_file() else "not there"
        raise UserError(f"{path} is {why}") from None


def photo(path: Path | str) -> np.ndarray:
    """The photo in a file, uint8 H×W×3 RGB, turned upright as its EXIF orientation says; no photo is a `UserError`."""
    check(path)
    image = cv2.imread(str(path), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise UserError(f"{path} is no image that can be decoded")
    return image


def apply(model: Model, paths: Sequence[Path], folder: Path) -> Iterator[tuple[Path, dict[str, float]]]:
    """Predict photos and write two files for each: `<stem>.png` and `<stem>.overlay.png`.

    The first is the label map: a PNG whose values are classes, and whose palette are their colours, as
    `cocoseg.results.predict.evaluate_stored` takes it. The second is the photo beneath these colours. Both are upright,
    as a viewer shows the photo. Yields the path of each photo, and the share of each class that was found.

    Two photos with the same stem, a photo that would be overwritten and a file that is none are a `UserError` before
    any work.
    """
    targets = {path: folder / f"{path.stem}.png" for path in paths}
    _refuse(targets)
    for path in targets:
        check(path)
    folder.mkdir(parents=True, exist_ok=True)
    for path, target in targets.items():
        image = photo(path)
        label = prediction(model, image)
        _write_label_map(target, label, model.space.classes)
        Image.fromarray(overlay(image, label, model.space.classes)).save(_beside(target))
        share = np.bincount(label.ravel(), minlength=model.space.n) / label.size
        yield path, {name: float(s) for name, s in zip(model.space.classes, share, strict=True) if s}


def _beside(target: Path) -> Path:
    """Where the overlay goes that belongs to a label map."""
    return target.with_suffix(".overlay.png")


def _refuse(targets: dict[Path, Path]) -> None:
    seen: dict[Path, Path] = {}
    taken = {path.resolve() for path in targets}
    for path, target in targets.items():
        written = target, _beside(target)
        if other := next((seen[each] for each in written if each in seen), None):
            raise UserError(f"{other} and {path} have the same name; predict them into different folders")
        seen |= dict.fromkeys(written, path)
        if taken & {each.resolve() for each in written}:
            raise UserError(f"the prediction of {path} would overwrite a photo; give another folder with --out")


def _write_label_map(path: Path, label: np.ndarray, classes: Iterable[str]) -> None:
    classes = list(classes)
    colours = coloured(np.arange(len(classes), dtype=np.uint8)[None], classes)[0, :, :3]
    file = Image.fromarray(label, mode="P")
    file.putpalette(colours.tobytes())
    file.save(path)
