"""What a chapter finds of its edition."""

import json

import pytest

from cocoseg.runs import edition as module
from cocoseg.runs import record
from cocoseg.runs.chapter import explorer, lineage, recipe, surveyed
from cocoseg.runs.edition import Edition, Entry
from cocoseg.runs.record import Run


@pytest.fixture
def book(tmp_path, monkeypatch):
    """An edition about `mine`, whose models learn from `other`, and which compares itself with `theirs`."""
    monkeypatch.setattr(module, "RUNS", tmp_path)
    entries = [
        Entry(f"x-{data}", data, "survey", {"data": data, "split": "train"}) for data in ("mine", "other", "theirs")
    ]
    entries.append(Entry("x-train", "train", "train", {"data": "other", "split": "train"}))
    for entry in entries:
        (tmp_path / entry.name).mkdir()
        facts = {"parameters": entry.parameters}
        (tmp_path / entry.name / "run.json").write_text(json.dumps(facts))
    monkeypatch.setattr(Entry, "usable", True)
    return Edition("x", "X", "mine", "", tuple(entries))


def test_surveys_of_what_models_learn_from_are_not_what_the_book_is_about(book):
    assert [run.name for run in surveyed(book)] == ["x-mine", "x-theirs"]


def test_what_the_book_is_about_stays_if_models_learn_from_it_too(book):
    learns = Entry("x-train-2", "train-2", "train", {"data": "mine", "split": "train"})
    again = Edition("x", "X", "mine", "", (*book.entries[:1], learns))
    assert [run.name for run in surveyed(again)] == ["x-mine"]


def test_runs_that_differ_in_seed_or_in_a_parameter_that_came_later_are_of_one_recipe(tmp_path):
    def run(name, **parameters):
        (tmp_path / name).mkdir()
        facts = {"notebook": "train", "parameters": {"data": "mine", "steps": 9, **parameters}}
        (tmp_path / name / "run.json").write_text(json.dumps(facts))
        return Run(tmp_path / name)

    before, later, other = run("a", seed=0), run("b", seed=1, ema=0.0), run("c", seed=1, ema=0.9)
    assert recipe(before) == recipe(later) != recipe(other)
    assert recipe(before)["ema"] == 0.0 and "seed" not in recipe(before)


def test_a_training_descends_from_those_it_went_on_from_the_first_first(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RUNS", tmp_path)
    for name, parent in {"first": "", "second": "first", "third": "second"}.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "run.json").write_text(json.dumps({"parameters": {"init_from": parent}}))
    assert [training.name for training in lineage(record.run("third"))] == ["first", "second", "third"]
    assert [training.name for training in lineage(record.run("first"))] == ["first"]


@pytest.mark.parametrize(
    ("name", "data", "known"),
    [("coco", "person", True), ("coco", "person+missing20", True), ("coco", "sample", False), ("x", "mine", False)],
)
def test_the_explorer_of_coco_knows_the_images_of_coco_only(tmp_path, name, data, known):
    (tmp_path / "run.json").write_text(json.dumps({"parameters": {"data": data}}))
    address = explorer(Edition(name, "X", "instances", "", ()), Run(tmp_path))
    assert (address or "").format(7) == ("https://cocodataset.org/#explore?id=7" if known else "")
