"""Parameters: read from the notebook itself, refused before anything starts."""

import pytest

from cocoseg.errors import UserError
from cocoseg.models import registry
from cocoseg.runs import parameters
from cocoseg.runs.parameters import NOTEBOOKS, Parameter, resolve

ALL = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("notebook", ALL, ids=lambda path: path.stem)
def test_every_parameter_of_every_notebook_has_a_meaning_and_a_valid_default(notebook):
    found = parameters.parameters(notebook)
    assert found
    for parameter in found.values():
        assert parameter.meaning, parameter.name
        if parameter.name != "training":  # no run is a good default
            assert parameter.check(parameter.default) == parameter.default


def test_valid_values_may_be_those_that_a_function_knows():
    assert list(parameters.parameters(NOTEBOOKS / "train.ipynb")["model"].choices) == registry.names()


def test_values_are_parsed_to_the_type_of_the_default():
    survey = NOTEBOOKS / "train.ipynb"
    values = resolve(survey, {"steps": "20", "learning_rate": "1", "data": "sample"})
    assert values["steps"] == 20 and type(values["steps"]) is int
    assert values["learning_rate"] == 1.0 and type(values["learning_rate"]) is float
    assert values["batch"] == parameters.parameters(survey)["batch"].default


@pytest.mark.parametrize(
    "given, message",
    [
        ({"stesp": "20"}, "no parameter 'stesp'; did you mean 'steps'?"),
        ({"steps": "many"}, "'many' is not of type int"),
        ({"steps": "1.5"}, "'1.5' is not of type int"),
        ({"steps": "0"}, "0 is out of range; valid: 1 to"),
        ({"learning_rate": "nan"}, "'nan' is not of type float"),
        ({"model": "unte"}, "unknown value 'unte'"),
        ({"model": "seed-cn"}, "did you mean 'seed-cnn'?"),
        ({"steps": True}, "True is not of type int"),
    ],
)
def test_a_bad_value_is_named_with_the_nearest_valid_one(given, message):
    with pytest.raises(UserError, match=r".") as caught:
        resolve(NOTEBOOKS / "train.ipynb", given)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_notebook_is_named_with_the_nearest():
    with pytest.raises(UserError, match="did you mean 'train'"):
        parameters.path("tarin")


@pytest.mark.parametrize(
    "type_, text, value",
    [("bool", "true", True), ("bool", "False", False), ("list[str]", "a, b,", ["a", "b"]), ("str", "1", "1")],
)
def test_every_type_can_be_written_on_the_command_line(type_, text, value):
    assert Parameter("x", type_, None, "").check(text) == value


@pytest.mark.parametrize("type_, text", [("bool", "1"), ("bool", "maybe"), ("int", "__import__('os')"), ("float", "")])
def test_text_that_is_not_of_the_type_is_refused(type_, text):
    with pytest.raises(UserError, match="is not of type"):
        Parameter("x", type_, None, "").check(text)
