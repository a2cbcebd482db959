"""What a model costs, numbers to keep and multiply-adds, and how far it sees."""

import math

import polars as pl

from cocoseg.models import backend
from cocoseg.models.network import of_size

LAYERS = {
    "name": pl.String,
    "kind": pl.String,
    "inputs": pl.List(pl.String),
    "stride": pl.Int64,
    "channels": pl.Int64,
    "parameters": pl.Int64,
    "multiply_adds": pl.Int64,
}


def layers(network, height: int, width: int) -> pl.DataFrame:
    """The layers of a network on an image of height×width px, a row each in the order in which they are computed.

    `name`; `kind`, its Keras class; `inputs`, the names of the layers whose output it takes; `stride`, px of the image
    to one position of its output (0: one position stands for the whole image); `channels` of its output; `parameters`
    and `multiply_adds`.

    A kernel is applied once at every position of its layer's output (of its input, if transposed). Biases,
    normalisation, activations and pooling cost no multiply-adds here, as is usual.
    """
    maker, strides, rows = {}, {}, []
    for layer in of_size(network, height, width).operations:
        *_, channels = layer.output.shape
        stride = 0 if _whole(layer.output) else height // layer.output.shape[1]
        if type(layer).__name__ == "ZeroPadding2D":
            stride = strides[id(layer.input)]
        rows.append(
            {
                "name": layer.name,
                "kind": type(layer).__name__,
                "inputs": [maker[id(tensor)] for tensor in _inputs(layer)],
                "stride": stride,
                "channels": channels,
                "parameters": sum(math.prod(weight.shape) for weight in getattr(layer, "weights", ())),
                "multiply_adds": _multiply_adds(layer),
            }
        )
        maker[id(layer.output)], strides[id(layer.output)] = layer.name, stride
    return pl.DataFrame(rows, LAYERS)


def multiply_adds(network, height: int, width: int) -> int:
    """Multiply-adds of a network's convolutions and dense layers on one image of height×width px (see `layers`)."""
    return layers(network, height, width)["multiply_adds"].sum()


def receptive_field(network) -> tuple[int, bool]:
    """How far a network sees: the side, in px, of the square of the image that a logit depends on at most.

    Logits are followed back to the image: each layer says which of its input's positions an interval of its output's
    positions is computed from, whatever the weights (Araujo, Norris and Sim, "Computing receptive fields of
    convolutional neural networks", Distill 2019); the largest interval over the positions of one stride counts. Layers
    that pool the whole image have no interval: they are passed over, and the second number returned says whether there
    are any.
    """
    side = 512
    operations = of_size(network, side, side).operations
    stride = max(side // op.output.shape[1] for op in operations if not _whole(op.output))
    extents = []
    for start in range(stride):
        intervals = {id(operations[-1].output): (start, start)}
        for op in reversed(operations):
            if id(op.output) in intervals and not type(op).__name__.startswith("Global"):
                for tensor in _inputs(op):
                    found = (0, 0) if _whole(tensor) else _seen(op, tensor, *intervals[id(op.output)])
                    known = intervals.get(id(tensor), found)
                    intervals[id(tensor)] = min(known[0], found[0]), max(known[1], found[1])
        low, high = intervals[id(operations[0].output)]
        extents.append(high - low + 1)
    return max(extents), any(type(op).__name__.startswith("Global") for op in operations)


def describe(model) -> dict[str, int | bool]:
    """Numbers about a `cocoseg.models.registry.Model`.

    `parameters`: numbers learnt or counted; `multiply_adds` on an image of size×size px; `output_stride`: px of the
    input to one position of the coarsest layer (1 for a model that takes pixels one by one, 0 for one that looks at
    none); `receptive_field`: px, and `whole_image`: whether it pools over the whole image besides (see
    `receptive_field`).
    """
    network = getattr(model.body, "network", None)
    side = _side(model)
    stride = getattr(model.body, "stride", 0)
    field, whole = receptive_field(network) if network else (stride, False)
    return {
        "parameters": sum(array.size for array in model.body.arrays.values()),
        "multiply_adds": multiply_adds(network, side, side) if network else 0,
        "output_stride": stride,
        "receptive_field": field,
        "whole_image": whole,
    }


def layers_of(model) -> pl.DataFrame:
    """The layers of a model on an image of size×size px (see `layers`), none for a model that is no network."""
    network = getattr(model.body, "network", None)
    side = _side(model)
    return layers(network, side, side) if network else pl.DataFrame(schema=LAYERS)


def _side(model) -> int:
    """The model's size, up to the next multiple of its stride, as it predicts."""
    return model.size - model.size % -getattr(model.body, "stride", 1)


def _inputs(op) -> list:
    return [] if type(op).__name__ == "InputLayer" else backend.keras().tree.flatten(op.input)


def _whole(tensor) -> bool:
    """Whether one position stands for the whole image."""
    return len(tensor.shape) != 4 or tensor.shape[1:3] == (1, 1)


def _multiply_adds(layer) -> int:
    match type(layer).__name__:
        case "Conv2D" | "DepthwiseConv2D":
            return math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
        case "Conv2DTranspose":
            return math.prod(layer.input.shape[1:3]) * math.prod(layer.kernel.shape)
        case "Dense":
            return math.prod(layer.input.shape[1:-1]) * math.prod(layer.kernel.shape)
        case kind if any("kernel" in weight.name for weight in getattr(layer, "weights", ())):
            raise NotImplementedError(f"multiply-adds of a layer of type {kind}")
    return 0


def _seen(op, tensor, low: int, high: int) -> tuple[int, int]:
    """The first and last row of an operation's input from which rows `low` to `high` of its output are computed."""
    before, after = tensor.shape[1], op.output.shape[1]
    match type(op).__name__:
        case "Conv2D" | "DepthwiseConv2D":
            return _window(op.kernel_size[0], op.strides[0], op.dilation_rate[0], op.padding, before, after, low, high)
        case "MaxPooling2D" | "AveragePooling2D":
            return _window(op.pool_size[0], op.strides[0], 1, op.padding, before, after, low, high)
        case "ZeroPadding2D":
            return low - op.padding[0][0], high - op.padding[0][0]
        case "Conv2DTranspose":
            kernel, stride = op.kernel_size[0], op.strides[0]
            padding = max(0, kernel - stride) // 2 if op.padding == "same" else 0
            return -((kernel - 1 - padding - low) // stride), (high + padding) // stride
        case ("UpSampling2D" | "Enlarge") as kind if kind == "Enlarge" or op.interpolation == "bilinear":
            factor = after // before
            return (2 * low + 1 - factor) // (2 * factor), -((factor - 2 * high - 1) // (2 * factor))
        case "UpSampling2D":
            return low * before // after, high * before // after
        case kind if before != after:
            raise NotImplementedError(f"the receptive field of a layer of type {kind}")
    return low, high


def _window(kernel, stride, dilation, padding, before, after, low, high) -> tuple[int, int]:
    """Rows that a window slides over; what it sees beyond the image is counted as if the image went on."""
    extent = dilation * (kernel - 1)
    outside = max(0, (after - 1) * stride + extent + 1 - before) if padding == "same" else 0
    return low * stride - outside // 2, high * stride - outside // 2 + extent
