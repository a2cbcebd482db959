"""Parameters and multiply-adds, against counts by hand; receptive fields, against gradients."""

import numpy as np
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.models import backend
from cocoseg.models.cost import LAYERS, describe, layers_of, multiply_adds, receptive_field
from cocoseg.models.registry import build

# The original network on 128×128 px, two classes: (side of the output, channels in, channels out) of each convolution.
BY_HAND = [
    (128, 3, 64),
    (128, 64, 64),
    (64, 64, 128),
    (64, 128, 128),
    (32, 128, 256),
    (32, 256, 256),
    (64, 256, 128),
    (64, 128, 128),
    (128, 128, 64),
    (128, 64, 64),
    (128, 64, 2),
]


def test_the_original_network():
    assert describe(build("seed-cnn", label_space("person"), 128)) == {
        "parameters": sum(9 * i * o + o for _, i, o in BY_HAND),
        "multiply_adds": sum(side**2 * 9 * i * o for side, i, o in BY_HAND),
        "output_stride": 4,
        "receptive_field": 48,
        "whole_image": False,
    }


def test_a_size_between_strides_is_counted_with_its_padding():
    sizes = [describe(build("seed-cnn", label_space("person"), size))["multiply_adds"] for size in (125, 128)]
    assert sizes[0] == sizes[1]


def test_models_that_do_not_look_compute_nothing():
    assert describe(build("background", label_space("person"), 128)) == {
        "parameters": 0,
        "multiply_adds": 0,
        "output_stride": 0,
        "receptive_field": 0,
        "whole_image": False,
    }
    assert describe(build("class-prior", label_space("person"), 128))["parameters"] == 64 * 64 * 2


@pytest.mark.parametrize(
    "layer, expected",
    [
        (lambda layers: layers.Conv2D(5, (3, 1), strides=2, padding="same"), 4 * 6 * 3 * 1 * 3 * 5),
        (lambda layers: layers.Conv2D(6, 3, groups=3), 6 * 10 * 9 * 1 * 6),
        (lambda layers: layers.DepthwiseConv2D(3, padding="same"), 8 * 12 * 9 * 3),
        (lambda layers: layers.Conv2DTranspose(4, 2, strides=2), 8 * 12 * 4 * 3 * 4),
        (lambda layers: layers.Dense(7), 8 * 12 * 3 * 7),
        (lambda layers: layers.BatchNormalization(), 0),
    ],
)
def test_each_kind_of_layer(layer, expected):
    keras = backend.keras()
    image = keras.Input((None, None, 3))
    assert multiply_adds(keras.Model(image, layer(keras.layers)(image)), 8, 12) == expected


def test_a_layer_whose_cost_is_not_known_is_an_error():
    keras = backend.keras()
    image = keras.Input((None, None, 3))
    network = keras.Model(image, keras.layers.SeparableConv2D(4, 3)(image))
    with pytest.raises(NotImplementedError, match="SeparableConv2D"):
        multiply_adds(network, 8, 8)


def test_the_table_of_layers_adds_up():
    model = build("unet", label_space("person"), 32)
    table, numbers = layers_of(model), describe(model)
    assert table.schema == LAYERS
    assert table["parameters"].sum() == numbers["parameters"]
    assert table["multiply_adds"].sum() == numbers["multiply_adds"]
    assert table["stride"].max() == numbers["output_stride"]
    assert set(table["inputs"].explode().drop_nulls()) == set(table["name"]) - {table["name"][-1]}
    assert layers_of(build("background", label_space("person"), 32)).schema == LAYERS


def measured(network, height=64, width=64, rows=8):
    """How many rows of an image change a logit, at most, over some rows of logits in its middle.

    All weights are positive and maxima are means, so that nothing cancels and nothing is switched off.
    """
    keras, tf = backend.keras(), backend.tensorflow()

    def smooth(layer):
        if isinstance(layer, keras.layers.MaxPooling2D):
            return keras.layers.AveragePooling2D(layer.pool_size, layer.strides, layer.padding)
        config = layer.get_config()
        return keras.layers.Activation("linear") if "relu" in type(layer).__name__.lower() else type(layer)(**config)

    positive = keras.models.clone_model(network, clone_function=smooth)
    ones = [np.full_like(w, 1 / max(1, w[..., 0].size) if w.ndim > 1 else 1) for w in positive.get_weights()]
    positive.set_weights(ones)
    image = tf.ones((1, height, width, 3))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(image)
        logits = positive(image)[0, :, :, 0]
        middle = logits.shape[0] // 2
        chosen = [logits[row, logits.shape[1] // 2] for row in range(middle - rows // 2, middle + rows // 2)]
    extents = []
    for logit in chosen:
        seen = np.flatnonzero(tape.gradient(logit, image).numpy().any((0, 2, 3)))
        extents.append(seen[-1] - seen[0] + 1)
    return max(extents)


@pytest.mark.parametrize("name, height, stride", [("seed-cnn", 64, 4), ("unet", 256, 16)])
def test_a_logit_depends_on_as_much_of_the_image_as_is_said(name, height, stride):
    network = build(name, label_space("person"), 32).body.network
    assert receptive_field(network) == (measured(network, height, 16, stride), False)


@pytest.mark.parametrize(
    "layer",
    [
        lambda layers: layers.Conv2D(1, 5, strides=2, padding="same"),
        lambda layers: layers.Conv2D(1, 3, dilation_rate=4, padding="same"),
        lambda layers: layers.Conv2D(1, 2, strides=2),
        lambda layers: layers.AveragePooling2D(3, strides=2, padding="same"),
        lambda layers: layers.UpSampling2D(4),
        lambda layers: layers.UpSampling2D(2, interpolation="bilinear"),
        lambda layers: layers.UpSampling2D(4, interpolation="bilinear"),
        lambda layers: layers.Conv2DTranspose(1, 2, strides=2, padding="same"),
        lambda layers: layers.Conv2DTranspose(1, 4, strides=2, padding="same"),
        lambda layers: layers.Conv2DTranspose(1, 3, strides=2, padding="valid"),
    ],
)
def test_each_kind_of_layer_sees_what_its_gradient_says(layer):
    """Between a convolution down and one up, so that what is seen depends on the row."""
    keras = backend.keras()
    image = keras.Input((64, 64, 3))
    x = keras.layers.Conv2D(1, 3, strides=2, padding="same")(image)
    network = keras.Model(image, keras.layers.Conv2D(1, 3, padding="same")(layer(keras.layers)(x)))
    assert receptive_field(network)[0] == measured(network)


def test_pooling_of_the_whole_image_is_told_apart():
    keras = backend.keras()
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, padding="same")(image)
    everywhere = keras.layers.GlobalAveragePooling2D(keepdims=True)(x)
    assert receptive_field(keras.Model(image, keras.layers.Add()([x, everywhere]))) == (3, True)
