"""A trained model as a folder: `model.json` says what it is, `weights.npz` holds its arrays in float16.

`layers.parquet` lists what it is made of (`cocoseg.models.cost.layers`).
"""

import json
from pathlib import Path

import numpy as np

from cocoseg.coco.label_space import LabelSpace
from cocoseg.errors import UserError
from cocoseg.models.encoder import untrained
from cocoseg.models.registry import Model, build

LARGEST = np.finfo(np.float16).max


def half(array: np.ndarray) -> np.ndarray:
    """An array of floats as float16, unless it has a number that float16 has not."""
    floats = np.issubdtype(array.dtype, np.floating)
    return array.astype(np.float16) if floats and np.abs(array).max(initial=0) <= LARGEST else array


def save(model: Model, folder: Path | str) -> None:
    """Write a model to a folder, `model.json` last."""
    from cocoseg.models import cost  # not above: a prediction does not depend on how costs are counted

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "weights.npz", **{key: half(array) for key, array in model.body.arrays.items()})
    cost.layers_of(model).write_parquet(folder / "layers.parquet")
    space = model.space
    content = {
        "name": model.name,
        "encoder": model.encoder,
        "size": model.size,
        "label_space": {"name": space.name, "classes": space.classes, "category_ids": space.category_ids},
        **cost.describe(model),
    }
    (folder / "model.json").write_text(json.dumps(content, indent=1) + "\n")


def load(folder: Path | str) -> Model:
    """The model in a folder, ready to predict; no model, or weights that do not fit it, is a `UserError`."""
    content, arrays = _read(folder)
    space = content["label_space"]
    pairs = tuple((i, k) for i, k in space["category_ids"])
    space = LabelSpace(space["name"], tuple(space["classes"]), pairs)
    name = content.get("encoder", "")
    model = build(content["name"], space, content["size"], encoder=untrained(name))
    model.encoder = name
    fresh = model.body.arrays
    if {key: array.shape for key, array in arrays.items()} != {key: array.shape for key, array in fresh.items()}:
        raise UserError(f"the weights in {folder} do not fit {model.name} with {space.n} classes")
    model.body.arrays = arrays
    return model


def start_from(model: Model, folder: Path | str) -> int:
    """Give a model the weights of the one in a folder, where they have the same place and shape.

    With another label space, the layers that know the classes stay as they are. Returns how many arrays were taken. A
    model of another architecture or encoder is a `UserError`.
    """
    content, arrays = _read(folder)
    given = (content["name"], content.get("encoder", "")), (model.name, model.encoder)
    if len({(name, untrained(encoder)) for name, encoder in given}) > 1:
        described = [f"{name} on {encoder}" if encoder else name for name, encoder in given]
        raise UserError(f"the model in {folder} is {described[0]}; its weights do not fit {described[1]}")
    fresh = model.body.arrays
    taken = {key: array for key, array in arrays.items() if key in fresh and array.shape == fresh[key].shape}
    model.body.arrays = fresh | taken
    return len(taken)


def _read(folder: Path | str) -> tuple[dict, dict[str, np.ndarray]]:
    """`model.json` and the arrays; weights that are too large for git are in the run's `local/`."""
    folder = Path(folder)
    weights = folder / "weights.npz"
    if not weights.exists() and (folder / "local" / weights.name).exists():
        weights = folder / "local" / weights.name
    try:
        content = json.loads((folder / "model.json").read_text())
        with np.load(weights) as file:
            return content, dict(file)
    except OSError as error:
        raise UserError(f"no model in {folder}: {error.strerror} ({Path(error.filename).name})") from None
