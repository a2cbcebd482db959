"""A trained network as a file for use elsewhere, through Keras's own export."""

import importlib.util
import warnings
from pathlib import Path

from cocoseg.errors import UserError, nearest
from cocoseg.models import backend
from cocoseg.models.registry import Model

ENDINGS = {"onnx": ".onnx", "litert": ".tflite", "keras": ".keras"}
PACKAGES = {"onnx": ("onnx", "tf2onnx")}


def export(model: Model, kind: str, path: Path | str) -> str:
    """Write the network of a model to a file, and say what this takes and gives.

    - `onnx`: for images of any size whose sides are multiples of the network's stride.
    - `litert`: TensorFlow's format for phones (`.tflite`), for one image whose sides are the model's size, rounded up
      to a multiple of the stride.
    - `keras`: the network itself, to be loaded by `keras.saving.load_model`.

    An unknown kind, another ending of the file, a package that is not installed and a model that is no network are a
    `UserError`.
    """
    path = Path(path)
    if kind not in ENDINGS:
        raise UserError(f"no export {kind!r}; {nearest(kind, ENDINGS)}")
    if path.suffix != ENDINGS[kind]:
        raise UserError(f"the file of {kind} ends in {ENDINGS[kind]}; got {path.name}")
    if missing := [name for name in PACKAGES.get(kind, ()) if importlib.util.find_spec(name) is None]:
        raise UserError(f"an export as {kind} needs: pip install {' '.join(missing)}")
    network = getattr(model.body, "network", None)
    if network is None:
        raise UserError(f"{model.name} is no network: there is nothing to export")
    stride, sides = model.body.stride, "h×w"
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}{ENDINGS[kind]}")
    if kind == "keras":
        network.save(unfinished)
    elif kind == "onnx":
        network(backend.keras().ops.zeros((1, stride, stride, 3)))  # Keras exports no network that was never called
        with warnings.catch_warnings():  # tf2onnx asks NumPy for types that it has no more
            warnings.simplefilter("ignore", FutureWarning)
            network.export(str(unfinished), format="onnx", verbose=False)
    else:
        tf, side = backend.tensorflow(), model.size + -model.size % stride
        signature = [tf.TensorSpec((1, side, side, 3), tf.float32)]
        network.export(str(unfinished), format="litert", verbose=False, input_signature=signature)
        sides = f"{side}×{side}"
    unfinished.replace(path)
    where = f" (h and w: multiples of {stride})" if sides == "h×w" and stride > 1 else ""
    return (
        f"in: RGB in 0–255, float32 1×{sides}×3{where}; out: logits, float32 1×{sides}×{model.space.n}, "
        f"of {', '.join(model.space.classes)}"
    )
