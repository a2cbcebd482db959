"""What a network costs: the shapes of its layers, multiply-adds, stride."""

import math


def layer_shapes(network, height: int, width: int) -> list[tuple]:
    """Every layer of a Keras network with its input and output shape, without the batch, for one image size."""
    import keras

    sized = keras.models.clone_model(network, input_tensors=keras.Input((height, width, 3)))
    layers = [layer for layer in sized.layers if not isinstance(layer, keras.layers.InputLayer)]
    return [(layer, layer.input.shape[1:], layer.output.shape[1:]) for layer in layers]


def multiply_adds(network, height: int, width: int) -> int:
    """Multiply-adds of a network's convolutions and dense layers on one image of height×width px.

    A kernel is applied once at every position of its layer's output (of its input, if transposed). Biases,
    normalisation, activations and pooling are not counted, as is usual.
    """
    total = 0
    for layer, shape_in, shape_out in layer_shapes(network, height, width):
        match type(layer).__name__:
            case "Conv2D" | "DepthwiseConv2D":
                total += math.prod(shape_out[:2]) * math.prod(layer.kernel.shape)
            case "Conv2DTranspose":
                total += math.prod(shape_in[:2]) * math.prod(layer.kernel.shape)
            case "Dense":
                total += math.prod(shape_in[:-1]) * math.prod(layer.kernel.shape)
            case kind if any("kernel" in weight.name for weight in layer.weights):
                raise NotImplementedError(f"multiply-adds of a layer of type {kind}")
    return total


def stride(network) -> int:
    """Pixels to one position of a network's coarsest layer."""
    side = 512
    shapes = [shape for _, _, shape in layer_shapes(network, side, side) if len(shape) == 3]
    return max(side // shape[0] for shape in shapes if shape[0] > 1)


def describe(model) -> dict[str, int]:
    """Numbers about a `cocoseg.models.registry.Model`.

    `parameters`: numbers learnt or counted; `multiply_adds` on an image of size×size px; `output_stride`: px of
    the input to one position of the coarsest layer (0 for a model that does not look at the image).
    """
    parameters = sum(array.size for array in model.body.arrays.values())
    network = getattr(model.body, "network", None)
    side = model.size - model.size % -model.body.stride if network else 0
    return {
        "parameters": parameters,
        "multiply_adds": multiply_adds(network, side, side) if network else 0,
        "output_stride": model.body.stride if network else 0,
    }
