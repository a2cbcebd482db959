"""Models by name, and the one way to build them."""

import importlib
import inspect
import pkgutil
from dataclasses import dataclass
from typing import Any

import numpy as np

from cocoseg.coco.label_space import LabelSpace
from cocoseg.errors import UserError, nearest
from cocoseg.models import architectures
from cocoseg.models import encoder as encoders


@dataclass
class Model:
    """An architecture for one label space and input scale; calling it predicts.

    - `name`: as on the command line.
    - `space`: the label space of its classes.
    - `size`: the short side, in px, to which it resizes an image before it looks.
    - `body`: what the architecture's `build` made. It has `arrays` (its weights: a dict of NumPy arrays) and
      `predict(image, size)`, and either learns by gradient (`cocoseg.models.network.Network`) or by
      `fit(labels, images)`, iterators over label maps and their images.
    - `encoder`: the name of the encoder within (`cocoseg.models.encoder`), empty if it has none.
    """

    name: str
    space: LabelSpace
    size: int
    body: Any
    encoder: str = ""

    def __call__(self, image: np.ndarray) -> np.ndarray:
        """Logits or probabilities, float32 h×w×n at the model's own resolution, of an image, uint8 H×W×3 RGB.

        The h×w grid covers the whole image: resize it bilinearly to H×W, then take the argmax.
        """
        return self.body.predict(image, self.size)


def names() -> list[str]:
    """Names of all architectures.

    >>> names()
    ['background', 'class-prior', 'deeplabv3plus', 'fpn', 'pixel-classifier', 'seed-cnn', 'unet']
    """
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(architectures.__path__))


def build(name: str, space: LabelSpace, size: int, seed: int = 0, encoder: str = "") -> Model:
    """A model that has not learned its task yet: what is not learned before is drawn by `seed`.

    `encoder` names the encoder of a model that has one; empty, it is the architecture's own choice. An unknown name, an
    encoder for a model that takes none, and a size that is no positive number are a `UserError`.

    >>> from cocoseg.coco.label_space import label_space
    >>> build("background", label_space("person"), 128)(np.zeros((48, 64, 3), np.uint8))
    array([[[1., 0.]]], dtype=float32)
    """
    encoder = chosen_encoder(name, encoder)
    if size < 1:
        raise UserError(f"size is the short side of the model's input in px, at least 1; got {size}")
    options = {"encoder": encoder} if encoder else {}
    return Model(name, space, size, _architecture(name).build(space.n, seed, **options), encoder)


def chosen_encoder(name: str, encoder: str = "") -> str:
    """The encoder that a model gets: the one that is asked for, else its own choice, empty if it takes none.

    >>> chosen_encoder("deeplabv3plus"), chosen_encoder("unet")
    ('efficientnet-lite0', '')
    """
    if name not in names():
        raise UserError(f"no model {name!r}; {nearest(name, names())}")
    parameter = inspect.signature(_architecture(name).build).parameters.get("encoder")
    if parameter is None and encoder:
        raise UserError(f"{name} takes no encoder; got {encoder!r}")
    chosen = encoder or (parameter.default if parameter else "")
    if chosen:
        encoders.check(chosen)
    return chosen


def _architecture(name: str):
    return importlib.import_module(f"{architectures.__name__}.{name.replace('-', '_')}")
