"""Parameters and multiply-adds, against counts by hand."""

import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.models import backend
from cocoseg.models.cost import describe, multiply_adds
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
    }


def test_a_size_between_strides_is_counted_with_its_padding():
    sizes = [describe(build("seed-cnn", label_space("person"), size))["multiply_adds"] for size in (125, 128)]
    assert sizes[0] == sizes[1]


def test_models_that_do_not_look_compute_nothing():
    assert describe(build("background", label_space("person"), 128)) == {
        "parameters": 0,
        "multiply_adds": 0,
        "output_stride": 0,
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
