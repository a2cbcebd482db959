"""Models made elsewhere become an edition."""

import pytest
import yaml

from cocoseg.errors import UserError
from cocoseg.runs import edition, judge


@pytest.fixture
def editions(tmp_path, monkeypatch):
    for module in (edition, judge):
        monkeypatch.setattr(module, "EDITIONS", tmp_path)
    (tmp_path / "Mine 2").mkdir()
    (tmp_path / "theirs.onnx").touch()
    return tmp_path


def test_each_model_is_an_evaluation_of_the_split(editions):
    models = [str(editions / "Mine 2"), str(editions / "theirs.onnx")]
    judge.write("judged", models, "sample", "val", "person")
    mine, theirs = edition.edition("judged").entries
    assert (mine.name, theirs.name) == ("judged-evaluate-mine-2", "judged-evaluate-theirs")
    assert mine.parameters == {"data": "sample", "split": "val", "space": "person", "predictions": models[0]}
    assert theirs.parameters["onnx"] == models[1]


def test_an_edition_that_says_something_else_is_left_alone(editions):
    model = [str(editions / "Mine 2")]
    file = judge.write("judged", model, "sample", "val", "person")
    before = file.read_text()
    assert judge.write("judged", model, "sample", "val", "person").read_text() == before
    with pytest.raises(UserError, match="says something else"):
        judge.write("judged", model, "sample", "train", "person")
    assert yaml.safe_load(file.read_text()) == judge.content(model, "sample", "val", "person")


@pytest.mark.parametrize(
    "name, models, message",
    [
        ("judged", ["no-such-folder"], "neither a folder of label maps nor an ONNX file"),
        ("judged", ["{}/Mine 2", "{}/./Mine 2"], "two models are named Mine 2"),
        ("../judged", ["{}/Mine 2"], "'judged' can"),
    ],
)
def test_bad_input_writes_nothing(editions, name, models, message):
    with pytest.raises(UserError, match=message):
        judge.write(name, [model.format(editions) for model in models], "sample", "val", "person")
    assert not list(editions.glob("*.yml"))
