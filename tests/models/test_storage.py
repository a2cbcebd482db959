"""A saved model predicts as it did, within float16."""

import json

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models.encoders import efficientnet_lite0
from cocoseg.models.registry import build, names
from cocoseg.models.storage import half, load, save, start_from

IMAGE = np.random.default_rng(0).integers(0, 255, (50, 70, 3), np.uint8)


@pytest.mark.parametrize("name", names())
def test_a_model_comes_back(name, tmp_path):
    model = build(name, label_space("voc21"), 32, seed=4)
    save(model, tmp_path)
    back = load(tmp_path)
    assert (back.name, back.space, back.size) == (model.name, model.space, model.size)
    stored, arrays = back.body.arrays, model.body.arrays
    assert stored.keys() == arrays.keys()
    for key, array in arrays.items():
        np.testing.assert_array_equal(stored[key], half(array).astype(array.dtype))


def test_and_predicts_as_it_did(tmp_path):
    model = build("seed-cnn", label_space("voc21"), 32, seed=4)
    save(model, tmp_path)
    before, after = model(IMAGE), load(tmp_path)(IMAGE)
    np.testing.assert_allclose(after, before, atol=2e-3 * np.abs(before).max())
    assert after.dtype == np.float32


def test_model_json_says_what_it_is(tmp_path):
    save(build("seed-cnn", label_space("person"), 64), tmp_path)
    content = json.loads((tmp_path / "model.json").read_text())
    assert content["name"] == "seed-cnn" and content["size"] == 64
    assert content["label_space"]["classes"] == ["background", "person"]
    assert content["parameters"] == 1_699_906


def test_an_encoder_is_remembered_and_needs_none_of_what_it_had_learned(tmp_path, monkeypatch):
    model = build("fpn", label_space("person"), 32)
    save(model, tmp_path)
    assert json.loads((tmp_path / "model.json").read_text())["encoder"] == "efficientnet-lite0"
    assert pl.read_parquet(tmp_path / "layers.parquet")["parameters"].sum() == model.body.network.count_params()
    monkeypatch.setattr(efficientnet_lite0, "published", None)
    back = load(tmp_path)
    assert back.encoder == "efficientnet-lite0"
    np.testing.assert_array_equal(back.body.arrays["000"], half(model.body.arrays["000"]))


def test_weights_take_two_bytes_each(tmp_path):
    model = build("seed-cnn", label_space("person"), 64)
    save(model, tmp_path)
    parameters = sum(array.size for array in model.body.arrays.values())
    assert (tmp_path / "weights.npz").stat().st_size < 2.05 * parameters


def test_numbers_that_float16_has_not_keep_their_type():
    assert half(np.float32([1e5])).dtype == np.float32
    assert half(np.float32([6e4, -1])).dtype == np.float16
    assert half(np.int64([1])).dtype == np.int64
    assert half(np.zeros(0, np.float32)).dtype == np.float16


def test_a_folder_without_a_model_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"no model in .*model\.json"):
        load(tmp_path)


def test_weights_of_another_model_are_refused(tmp_path):
    save(build("seed-cnn", label_space("person"), 64), tmp_path / "a")
    save(build("seed-cnn", label_space("voc21"), 64), tmp_path / "b")
    (tmp_path / "a" / "weights.npz").write_bytes((tmp_path / "b" / "weights.npz").read_bytes())
    with pytest.raises(UserError, match=r"the weights in .* do not fit seed-cnn"):
        load(tmp_path / "a")


def test_a_model_starts_from_one_whose_encoder_was_trained_or_not(tmp_path):
    model = build("fpn", label_space("person"), 32, encoder="efficientnet-lite0:random")
    model.encoder = "efficientnet-lite0"
    save(model, tmp_path)
    model.encoder = "efficientnet-lite0:random"
    assert start_from(model, tmp_path) == len(model.body.arrays)
    model.encoder = "resnet50"
    with pytest.raises(UserError, match="is fpn on efficientnet-lite0; its weights do not fit fpn on resnet50"):
        start_from(model, tmp_path)
