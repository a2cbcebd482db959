"""What is evaluated: exactly one of three sources, and options only where they mean something."""

import numpy as np
import polars as pl
import pytest
from PIL import Image

from cocoseg.coco.check import check
from cocoseg.coco.datasets import dataset
from cocoseg.errors import UserError
from cocoseg.results.subject import subject


@pytest.fixture(scope="module")
def sample():
    source = dataset("sample")
    coco, _ = check(source.annotations("val"), source.images("val"))
    return coco.of_images(coco.images["image_id"].head(4)), source.images("val")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "one of training, predictions and onnx says what is evaluated; given: none"),
        ({"training": "a", "onnx": "b"}, r"given: \['training', 'onnx'\]"),
        ({"training": "no-such-run"}, "no finished run 'no-such-run'"),
        ({"onnx": "no/such.onnx"}, "no file 'no/such.onnx'"),
        ({"predictions": "no/such"}, "no folder 'no/such'"),
        ({"training": "a", "scales": ["1", "big"]}, "scales 1, big: expected numbers such as"),
    ],
)
def test_what_cannot_be_evaluated_is_refused(options, message):
    with pytest.raises(UserError, match=message):
        subject(**options)


@pytest.mark.parametrize("option", [{"size": 64}, {"flip": True}, {"window": 64}, {"scales": ["0.5"]}])
def test_options_of_models_are_refused_for_label_maps(tmp_path, option):
    with pytest.raises(UserError, match="are for models; predictions are scored as they are"):
        subject(predictions=str(tmp_path), **option)


def test_a_folder_of_label_maps_has_its_name_and_the_label_space_that_is_named(tmp_path, sample):
    coco, photos = sample
    for image in coco.images.iter_rows(named=True):
        blank = np.zeros((image["height"], image["width"]), np.uint8)
        Image.fromarray(blank).save(tmp_path / f"{image['file_name'].rpartition('.')[0]}.png")
    found = subject(predictions=str(tmp_path), space="own", categories=coco.categories)
    assert found.name == tmp_path.name and found.space.n == coco.categories.height + 1
    tables = found.evaluate(coco, photos, keep=tmp_path / "kept")
    assert tables["images"].height == 4 and len(list((tmp_path / "kept").iterdir())) == 4


def test_an_onnx_file_is_evaluated_with_and_without_other_views(tmp_path, sample):
    """The file scores background by red and person by green: what a reader could check by hand."""
    onnx = pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    make = onnx.helper
    first_two = make.make_node("Slice", ["image", "from", "to", "axes"], ["scores"])
    numbers = {"from": [0], "to": [2], "axes": [3]}
    constants = [make.make_tensor(k, onnx.TensorProto.INT64, [1], v) for k, v in numbers.items()]
    takes = make.make_tensor_value_info("image", onnx.TensorProto.FLOAT, (1, "h", "w", 3))
    gives = make.make_tensor_value_info("scores", onnx.TensorProto.FLOAT, None)
    graph = make.make_graph([first_two], "g", [takes], [gives], constants)
    onnx.save(make.make_model(graph, opset_imports=[make.make_opsetid("", 17)], ir_version=9), tmp_path / "red.onnx")
    coco, photos = sample
    plain = subject(onnx=str(tmp_path / "red.onnx"), space="person")
    tables = plain.evaluate(coco, photos, keep=tmp_path / "kept")
    for name in coco.images["file_name"]:
        photo = np.asarray(Image.open(photos / name).convert("RGB")).astype(int)
        kept = np.asarray(Image.open(tmp_path / "kept" / f"{name.rpartition('.')[0]}.png"))
        assert (kept == (photo[..., 1] > photo[..., 0])).mean() > 0.999  # JPEG decoders differ by a level
    assert tables["images"]["seconds"].null_count() == 0 and tables["confidences"].height
    views = subject(onnx=str(tmp_path / "red.onnx"), size=64, scales=["0.5", "1"], flip=True, window=48)
    agreed = views.evaluate(coco, photos)["counts"].join(tables["counts"], on=["image_id", "class"])
    off = (agreed["predicted"] - agreed["predicted_right"]).abs().sum() / agreed["predicted"].sum()
    assert 0 < off < 0.2
    assert isinstance(views.evaluate(coco, photos)["counts"], pl.DataFrame)
