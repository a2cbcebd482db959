"""What a model costs: numbers to keep, and multiply-adds."""

import math

from cocoseg.models.network import of_size


def multiply_adds(network, height: int, width: int) -> int:
    """Multiply-adds of a network's convolutions and dense layers on one image of height×width px.

    A kernel is applied once at every position of its layer's output (of its input, if transposed). Biases,
    normalisation, activations and pooling are not counted, as is usual.
    """
    total = 0
    for layer in of_size(network, height, width).layers:
        match type(layer).__name__:
            case "Conv2D" | "DepthwiseConv2D":
                total += math.prod(layer.output.shape[1:3]) * math.prod(layer.kernel.shape)
            case "Conv2DTranspose":
                total += math.prod(layer.input.shape[1:3]) * math.prod(layer.kernel.shape)
            case "Dense":
                total += math.prod(layer.input.shape[1:-1]) * math.prod(layer.kernel.shape)
            case kind if any("kernel" in weight.name for weight in layer.weights):
                raise NotImplementedError(f"multiply-adds of a layer of type {kind}")
    return total


def describe(model) -> dict[str, int]:
    """Numbers about a `cocoseg.models.registry.Model`.

    `parameters`: numbers learnt or counted; `multiply_adds` on an image of size×size px; `output_stride`: px of the
    input to one position of the coarsest layer (0 for a model that does not look at the image).
    """
    parameters = sum(array.size for array in model.body.arrays.values())
    network = getattr(model.body, "network", None)
    side = model.size - model.size % -model.body.stride if network else 0
    return {
        "parameters": parameters,
        "multiply_adds": multiply_adds(network, side, side) if network else 0,
        "output_stride": model.body.stride if network else 0,
    }
