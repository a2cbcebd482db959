"""Encoders by name: the part of a network that was, or was not, trained on ImageNet before."""

import importlib
import pkgutil

from cocoseg.errors import UserError, nearest
from cocoseg.models import encoders

UNTRAINED = ":random"


def names() -> list[str]:
    """Names of all encoders.

    >>> names()
    ['efficientnet-lite0', 'efficientnetv2', 'mobilenetv3', 'resnet50']
    """
    return sorted(m.name.replace("_", "-") for m in pkgutil.iter_modules(encoders.__path__))


def check(name: str) -> None:
    """An unknown encoder is a `UserError`; `NAME:random` is the encoder NAME with weights that are drawn."""
    if name.removesuffix(UNTRAINED) not in names():
        raise UserError(f"no encoder {name!r}; {nearest(name.removesuffix(UNTRAINED), names())}")


def untrained(name: str) -> str:
    """The same encoder without the weights that it learned before.

    >>> untrained("efficientnet-lite0")
    'efficientnet-lite0:random'
    """
    return name.removesuffix(UNTRAINED) + UNTRAINED if name else name


def features(name: str, image, start, stride: int = 32) -> list:
    """Feature maps of an image, a Keras tensor B×H×W×3 in 0–255, at strides 4, 8, 16 and 32 px.

    With an output `stride` of 16 px, the last one is at 16 px: efficientnet-lite0 goes on with dilations, of the others
    the part at 32 px is left out. Weights that are not learned before are drawn by `start`, a Keras initialiser.
    """
    check(name)
    module = importlib.import_module(f"{encoders.__name__}.{name.removesuffix(UNTRAINED).replace('-', '_')}")
    return module.build(image, stride, not name.endswith(UNTRAINED), start)
