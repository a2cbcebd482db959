"""Editions: which runs belong to a book."""

import pytest

from cocoseg.errors import UserError
from cocoseg.runs import edition as module
from cocoseg.runs import parameters
from cocoseg.runs.edition import edition

GRID = """
title: Test
dataset: none
about: A test.
runs:
  judge-{model}-{seed}:
    notebook: evaluate
    parameters: {training: "train-{model}-{seed}", data: sample}
    grid: {model: [a, b], seed: [0, 1]}
  train-{model}-{seed}:
    notebook: train
    parameters: {model: "{model}", seed: "{seed}", steps: 5}
    grid: {model: [a, b], seed: [0, 1]}
"""


@pytest.fixture
def written(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "EDITIONS", tmp_path)

    def write(text, name="test"):
        (tmp_path / f"{name}.yml").write_text(text)
        return edition(name)

    return write


def test_a_grid_gives_a_run_for_each_combination(written):
    book = written(GRID)
    assert [e.name for e in book.entries][:2] == ["test-judge-a-0", "test-judge-a-1"]
    train = book.entry("train-b-1")
    assert train.parameters == {"model": "b", "seed": 1, "steps": 5}
    assert book.entry("judge-b-1").parameters["training"] == "test-train-b-1"


def test_the_command_beside_a_row_is_printed_from_the_edition(written):
    assert (
        written(GRID).entry("train-b-1").command
        == "cocoseg run train -p model b -p seed 1 -p steps 5 --name test-train-b-1"
    )


def test_runs_come_after_those_that_they_read(written):
    order = [e.role for e in written(GRID).ordered()]
    assert all(order.index(f"train-{k}") < order.index(f"judge-{k}") for k in ("a-0", "a-1", "b-0", "b-1"))


def test_a_circle_is_refused(written):
    text = """\
title: x
dataset: x
about: x
runs:
  a: {notebook: n, parameters: {training: b}}
  b: {notebook: n, parameters: {training: a}}
"""
    with pytest.raises(UserError, match="circle"):
        written(text).ordered()


@pytest.mark.parametrize(
    "text", ["runs: [1, 2]", "title: x", "title: [", "title: x\ndataset: x\nabout: x\nruns: {a: {}}"]
)
def test_a_file_that_is_no_edition_is_refused_in_one_line(written, text):
    with pytest.raises(UserError, match=r"test.yml cannot be read") as caught:
        written(text)
    assert "\n" not in str(caught.value)


def test_unknown_names_are_refused_with_the_nearest(written):
    book = written(GRID)
    with pytest.raises(UserError, match="did you mean 'test'"):
        edition("tset")
    with pytest.raises(UserError, match="did you mean 'train-a-0'"):
        book.entry("trian-a-0")
    with pytest.raises(UserError, match="is missing; make it with: cocoseg run train"):
        book.run("train-a-0")


@pytest.mark.parametrize("name", module.names())
def test_the_parameters_of_committed_editions_are_valid(name):
    for entry in edition(name).ordered():
        parameters.resolve(parameters.path(entry.notebook), dict(entry.parameters))
