"""What a chapter finds of its edition."""

import json

import pytest

from cocoseg.runs import edition as module
from cocoseg.runs.chapter import surveyed
from cocoseg.runs.edition import Edition, Entry


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
