"""A trained model as a folder: `model.json` says what it is, `weights.npz` holds its arrays in float16."""

import json
from pathlib import Path

import numpy as np

from cocoseg.coco.label_space import LabelSpace
from cocoseg.errors import UserError
from cocoseg.models.registry import Model, build

LARGEST = np.finfo(np.float16).max


def half(array: np.ndarray) -> np.ndarray:
    """An array of floats as float16, unless it has a number that float16 has not."""
    floats = np.issubdtype(array.dtype, np.floating)
    return array.astype(np.float16) if floats and np.abs(array).max(initial=0) <= LARGEST else array


def save(model: Model, folder: Path | str) -> None:
    """Write a model to a folder, `model.json` last."""
    from cocoseg.models.cost import describe  # not above: a prediction does not depend on how costs are counted

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "weights.npz", **{key: half(array) for key, array in model.body.arrays.items()})
    space = model.space
    content = {
        "name": model.name,
        "size": model.size,
        "label_space": {"name": space.name, "classes": space.classes, "category_ids": space.category_ids},
        **describe(model),
    }
    (folder / "model.json").write_text(json.dumps(content, indent=1) + "\n")


def load(folder: Path | str) -> Model:
    """The model in a folder, ready to predict; no model, or weights that do not fit it, is a `UserError`."""
    folder = Path(folder)
    try:
        content = json.loads((folder / "model.json").read_text())
        with np.load(folder / "weights.npz") as file:
            arrays = dict(file)
    except OSError as error:
        raise UserError(f"no model in {folder}: {error.strerror} ({Path(error.filename).name})") from None
    space = content["label_space"]
    pairs = tuple((i, k) for i, k in space["category_ids"])
    model = build(content["name"], LabelSpace(space["name"], tuple(space["classes"]), pairs), content["size"])
    fresh = model.body.arrays
    if {key: array.shape for key, array in arrays.items()} != {key: array.shape for key, array in fresh.items()}:
        raise UserError(f"the weights in {folder} do not fit {model.name} with {model.space.n} classes")
    model.body.arrays = arrays
    return model
