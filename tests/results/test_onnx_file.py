"""Models made elsewhere: a network that Keras exported to ONNX scores as it does in Keras, and others are refused."""

import numpy as np
import pytest

from cocoseg.errors import UserError
from cocoseg.results.onnx_file import OnnxModel

onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")


def photo(height=40, width=60, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def file(tmp_path, shape, nodes, *, kind=onnx.TensorProto.FLOAT, inputs=1):
    """An ONNX file whose nodes are written by hand: from `image` to `scores`."""
    make = onnx.helper
    takes = [make.make_tensor_value_info(name, kind, shape) for name in ("image", "other")[:inputs]]
    gives = [make.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, None)]
    graph = make.make_graph(nodes, "g", takes, gives)
    model = make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9)
    path = tmp_path / "model.onnx"
    onnx.save(model, path)
    return path


def same(_=None):
    return [onnx.helper.make_node("Identity", ["image"], ["scores"])]


def transposed(*axes):
    return [onnx.helper.make_node("Transpose", ["image"], ["scores"], perm=axes)]


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """(file, Keras network) of two convolutions, exported by Keras itself."""
    pytest.importorskip("tf2onnx", reason="the extra `onnx` is not installed")
    from cocoseg.models.backend import keras

    k = keras()
    k.utils.set_random_seed(3)
    x = inputs = k.Input((None, None, 3))
    x = k.layers.Conv2D(8, 3, 2, padding="same", activation="relu")(k.layers.Rescaling(1 / 255)(x))
    network = k.Model(inputs, k.layers.Conv2D(2, 1)(x))
    network(np.zeros((1, 8, 8, 3)))  # Keras exports no network that was never called
    path = tmp_path_factory.mktemp("exported") / "two-convolutions.onnx"
    network.export(str(path), format="onnx", verbose=False)
    return path, network


def test_a_network_that_keras_exported_gives_the_scores_it_gives_in_keras(exported):
    path, network = exported
    model = OnnxModel(path, 2)
    assert model.name == "two-convolutions" and model.fixed is None
    expected = np.asarray(network(photo()[None].astype(np.float32)))[0]
    np.testing.assert_allclose(model(photo(), 40), expected, rtol=1e-4, atol=1e-5)
    assert model(photo(), 20).shape == (10, 15, 2)


@pytest.mark.parametrize(
    ("shape", "nodes"),
    [
        ((1, 3, "h", "w"), same()),
        ((1, "h", "w", 3), same()),
        (("n", 3, "h", "w"), transposed(0, 2, 3, 1)),
        ((None, "h", "w", 3), transposed(0, 3, 1, 2)),
    ],
)
def test_channels_may_come_first_or_last(tmp_path, shape, nodes):
    """The identity has a score for red, green and blue."""
    scores = OnnxModel(file(tmp_path, shape, nodes), 3)(photo(), 40)
    np.testing.assert_array_equal(scores, photo().astype(np.float32))


def test_an_image_of_three_columns_is_not_mistaken_for_channels(tmp_path):
    narrow = photo(5, 3)
    for shape in ((1, 3, "h", "w"), (1, "h", "w", 3)):
        np.testing.assert_array_equal(OnnxModel(file(tmp_path, shape, same()), 3)(narrow, 3), narrow)


def test_a_file_that_takes_one_size_gets_it_whatever_the_image(tmp_path):
    model = OnnxModel(file(tmp_path, (1, 16, 24, 3), same()), 3)
    assert model.fixed == (16, 24)
    assert model(photo(), 40).shape == model(photo(9, 9), 500).shape == (16, 24, 3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shape": (1, "h", "w", 4)}, r"takes image: tensor\(float\) .*; expected float32 images"),
        ({"shape": (1, 3, "h")}, "expected float32 images"),
        ({"shape": (1, "h", "w", 3), "kind": onnx.TensorProto.UINT8}, "expected float32 images"),
        ({"shape": (1, "h", "w", 3), "inputs": 2}, "takes image: .*, other: .*; expected"),
    ],
)
def test_a_file_that_takes_something_else_is_refused(tmp_path, options, message):
    nodes = [onnx.helper.make_node("Cast", ["image"], ["scores"], to=onnx.TensorProto.FLOAT)]
    with pytest.raises(UserError, match=message):
        OnnxModel(file(tmp_path, nodes=nodes, **options), 3)


def test_scores_of_another_number_of_classes_are_refused(tmp_path):
    model = OnnxModel(file(tmp_path, (1, "h", "w", 3), same()), 21)
    with pytest.raises(UserError, match=r"shape \(1, 40, 60, 3\); expected .* with n = 21"):
        model(photo(), 40)


def test_what_is_no_model_is_refused_in_one_line(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="no ONNX file"):
        OnnxModel(tmp_path / "none.onnx", 2)
    (tmp_path / "text.onnx").write_text("not a model")
    with pytest.raises(UserError, match=r"text\.onnx cannot be read as an ONNX model") as error:
        OnnxModel(tmp_path / "text.onnx", 2)
    assert "\n" not in str(error.value)
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime", None)
    with pytest.raises(UserError, match="needs the package onnxruntime: pip install onnxruntime"):
        OnnxModel(tmp_path / "text.onnx", 2)
