"""A trained network elsewhere predicts what it predicts here."""

import importlib.util

import numpy as np
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models import backend
from cocoseg.models.export import export
from cocoseg.models.registry import build

PERSON = label_space("person")


@pytest.fixture(scope="module")
def model():
    return build("seed-cnn", PERSON, 30, seed=1)


def pictures(height, width):
    return np.random.default_rng(0).uniform(0, 255, (1, height, width, 3)).astype(np.float32)


def logits(model, images):
    return np.asarray(model.body.network(images, training=False))


def test_onnxruntime_predicts_the_same(model, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    said = export(model, "onnx", tmp_path / "network.onnx")
    assert said.startswith("in: RGB in 0–255, float32 1×h×w×3 (h and w: multiples of 4); out: logits")
    session = onnxruntime.InferenceSession(tmp_path / "network.onnx", providers=["CPUExecutionProvider"])
    for shape in [(32, 48), (20, 16)]:
        images = pictures(*shape)
        (found,) = session.run(None, {session.get_inputs()[0].name: images})
        np.testing.assert_allclose(found, logits(model, images), rtol=1e-3, atol=1e-3)


def test_lite_predicts_the_same(model, tmp_path):
    said = export(model, "litert", tmp_path / "network.tflite")
    assert "float32 1×32×32×3; out" in said and said.endswith("of background, person")
    interpreter = backend.tensorflow().lite.Interpreter(str(tmp_path / "network.tflite"))
    runner, images = interpreter.get_signature_runner(), pictures(32, 32)
    (name,) = runner.get_input_details()
    (found,) = runner(**{name: images}).values()
    np.testing.assert_allclose(found, logits(model, images), rtol=1e-3, atol=1e-3)


def test_keras_loads_its_own(model, tmp_path):
    export(model, "keras", tmp_path / "deep" / "network.keras")
    back = backend.keras().saving.load_model(tmp_path / "deep" / "network.keras")
    np.testing.assert_array_equal(np.asarray(back(pictures(32, 48))), logits(model, pictures(32, 48)))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["network.keras"]


@pytest.mark.parametrize(
    "kind, name, message",
    [
        ("onx", "a.onx", "no export 'onx'; did you mean 'onnx'"),
        ("onnx", "a.tflite", r"the file of onnx ends in \.onnx; got a\.tflite"),
    ],
)
def test_what_cannot_be_exported_is_refused(kind, name, message, model, tmp_path):
    with pytest.raises(UserError, match=message):
        export(model, kind, tmp_path / name)


def test_a_model_that_is_no_network_is_refused(tmp_path):
    with pytest.raises(UserError, match="background is no network"):
        export(build("background", PERSON, 32), "keras", tmp_path / "a.keras")


def test_a_missing_package_is_named(model, tmp_path, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="an export as onnx needs: pip install onnx tf2onnx"):
        export(model, "onnx", tmp_path / "a.onnx")
