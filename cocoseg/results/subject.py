"""What is evaluated: a training of ours, a model made elsewhere, or label maps that somebody predicted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from cocoseg.coco.files import located, located_folder
from cocoseg.coco.label_space import LabelSpace, label_space
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.results.predict import evaluate, evaluate_stored
from cocoseg.results.views import views


@dataclass(frozen=True)
class Subject:
    """A name for the tables, the label space of the answers, and the one pass over the images of a file."""

    name: str
    space: LabelSpace
    evaluate: Callable[..., dict[str, pl.DataFrame]]
    """(coco, folder of the images, keep=folder) → tables, as `cocoseg.results.predict.evaluate` returns them."""


def subject(
    *,
    training: str = "",
    predictions: str = "",
    onnx: str = "",
    space: str = "person",
    categories: pl.DataFrame | None = None,
    size: int = 0,
    scales: Sequence[str] = (),
    flip: bool = False,
    window: int = 0,
) -> Subject:
    """What the parameters of the notebook `evaluate` name.

    Exactly one of `training` (a run), `predictions` (a folder as `evaluate_stored` of `cocoseg.results.predict` reads)
    and `onnx` (a file, `cocoseg.results.onnx_file`) is given, else it is a `UserError`. `space` names the label space
    of the last two, over the annotation file's `categories`; a training has its own. The others are those of
    `cocoseg.results.views.views`; `size` 0 is the size that the model was trained for, for an ONNX file the image's.
    """
    sources = {"training": training, "predictions": predictions, "onnx": onnx}
    given = [name for name, value in sources.items() if value]
    if len(given) != 1:
        raise UserError(f"one of training, predictions and onnx says what is evaluated; given: {given or 'none'}")
    factors = _numbers(scales)
    how = {"scales": factors, "flip": flip, "window": window}
    if predictions:
        if size or flip or window or factors != [1.0]:
            raise UserError("size, scales, flip and window are for models; predictions are scored as they are")
        return _stored(located_folder(predictions), label_space(space, categories))
    if onnx:
        return _onnx(located(onnx), label_space(space, categories), size, how)
    return _training(training, size, how)


def _numbers(scales: Sequence[str]) -> list[float]:
    try:
        return [float(scale) for scale in scales] or [1.0]
    except ValueError:
        raise UserError(f"scales {', '.join(scales)}: expected numbers such as 0.75,1,1.25") from None


def _stored(folder: Path, space: LabelSpace) -> Subject:
    def run(coco: Coco, images: Path, **options) -> dict[str, pl.DataFrame]:
        return evaluate_stored(folder, coco, space, **options)

    return Subject(folder.name, space, run)


def _onnx(file: Path, space: LabelSpace, size: int, how: dict) -> Subject:
    from cocoseg.results.onnx_file import OnnxModel

    model = OnnxModel(file, space.n)
    if model.fixed and (size or how["scales"] != [1.0]):
        raise UserError(f"{file.name} takes images of {model.fixed[0]}×{model.fixed[1]} px only: no size, no scales")
    return _predicting(model.name, space, views(model, size, **how))


def _training(name: str, size: int, how: dict) -> Subject:
    from cocoseg.models.storage import load
    from cocoseg.runs.record import run

    model = load(run(name).folder)
    return _predicting(model.name, model.space, views(model.body.predict, size or model.size, **how))


def _predicting(name: str, space: LabelSpace, predict: Callable) -> Subject:
    def run(coco: Coco, images: Path, **options) -> dict[str, pl.DataFrame]:
        return evaluate(predict, coco, images, space, **options)

    return Subject(name, space, run)
