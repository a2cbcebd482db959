"""A network predicts the whole image, and nothing but the image."""

import numpy as np
import pytest

from cocoseg.models import backend
from cocoseg.models.network import Network


@pytest.fixture
def identity():
    """A network whose logits are its input, after a detour at a quarter of the size that adds nothing."""
    keras = backend.keras()
    image = keras.Input((None, None, 3))
    small = keras.layers.AveragePooling2D(4)(image)
    nothing = keras.layers.UpSampling2D(4)(keras.layers.Rescaling(0.0)(small))
    return Network(keras.Model(image, keras.layers.Add()([image, nothing])))


def test_the_stride_is_that_of_the_coarsest_layer(identity):
    assert identity.stride == 4


@pytest.mark.parametrize("shape", [(31, 50), (64, 33), (32, 32), (400, 5)])
def test_padding_is_cropped_away(identity, shape):
    image = np.random.default_rng(0).integers(0, 255, (*shape, 3), np.uint8)
    np.testing.assert_array_equal(identity.predict(image, min(shape)), image.astype(np.float32))


def test_the_short_side_is_resized_to_size(identity):
    assert identity.predict(np.zeros((480, 640, 3), np.uint8), 120).shape == (120, 160, 3)
    assert identity.predict(np.zeros((640, 427, 3), np.uint8), 128).shape == (192, 128, 3)
    assert identity.predict(np.zeros((10, 20, 3), np.uint8), 40).shape == (40, 80, 3)


def test_weights_go_out_and_back_in(identity):
    from cocoseg.coco.label_space import label_space
    from cocoseg.models.registry import build

    first, second = (build("seed-cnn", label_space("person"), 32, seed).body for seed in (0, 1))
    second.arrays = first.arrays
    image = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    np.testing.assert_array_equal(first.predict(image, 32), second.predict(image, 32))
