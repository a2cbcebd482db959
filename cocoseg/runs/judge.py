"""An edition about models made elsewhere, so that one command gives them the whole part of the book on results."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from cocoseg.coco.datasets import dataset
from cocoseg.errors import UserError
from cocoseg.runs import parameters
from cocoseg.runs.edition import EDITIONS


def content(models: Sequence[str], data: str, split: str, space: str) -> dict[str, Any]:
    """What the file of an edition says that evaluates each of `models` on a split: a folder of label maps as PNG files
    named as the images, or an ONNX file.

    Their paths are made absolute, so that the edition means the same wherever it is built from. Two models of one name,
    and what is neither a folder nor an ONNX file, are a `UserError`.
    """
    asked = {"data": data, "split": split, "space": space}
    runs: dict[str, Any] = {}
    for model in models:
        path = Path(model).expanduser().resolve()
        if not path.is_dir() and path.suffix != ".onnx":
            raise UserError(f"{model} is neither a folder of label maps nor an ONNX file")
        role = f"evaluate-{_word(path.stem)}"
        if role in runs:
            raise UserError(f"two models are named {path.stem}; rename one")
        kind = "predictions" if path.is_dir() else "onnx"
        runs[role] = {"notebook": "evaluate", "parameters": asked | {kind: str(path)}}
    return {
        "title": f"Models made elsewhere, on {data}/{split}",
        "dataset": data,
        "about": f"Models made elsewhere, judged on {data}/{split} in the label space {space}.",
        "runs": runs,
    }


def write(name: str, models: Sequence[str], data: str, split: str, space: str) -> Path:
    """The file of an edition of that name, written if it is not there.

    An edition that is there and says anything else is left as it is, and is a `UserError`; so are an unknown dataset,
    split or label space and what `content` refuses.
    """
    dataset(data).annotations(split)
    if name != _word(name):
        raise UserError(f"{name!r} cannot be the name of an edition; {_word(name)!r} can")
    file, new = EDITIONS / f"{name}.yml", content(models, data, split, space)
    for run in new["runs"].values():
        parameters.resolve(parameters.path(run["notebook"]), run["parameters"])
    if not file.exists():
        file.write_text(yaml.safe_dump(new, sort_keys=False, allow_unicode=True))
    elif yaml.safe_load(file.read_text()) != new:
        raise UserError(
            f"book/editions/{file.name} is there and says something else; give another --name, or remove it"
        )
    return file


def _word(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
