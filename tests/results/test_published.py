"""Published scores carry sources that the bibliography knows, and are what the local notes on COCO quote."""

import re

import pytest

from cocoseg.coco.datasets import HOME, folders
from cocoseg.results.published import SCORES, SOURCE


def test_every_source_is_in_the_bibliography():
    known = set(re.findall(r"@\w+\{(\w+),", (HOME / "book" / "references.bib").read_text()))
    assert {SOURCE, *SCORES["paper"]} <= known


def test_scores_are_shares_and_models_are_named_once():
    assert SCORES["miou"].is_between(0, 1).all() and SCORES["model"].is_unique().all()


def test_the_scores_are_those_of_the_notes_beside_the_data():
    notes = next(
        (
            f / "README.md"
            for f in folders()
            if (f / "README.md").is_file() and "torchvision" in (f / "README.md").read_text()
        ),
        None,
    )
    if notes is None:
        pytest.skip("no notes with torchvision's table beside the data on this machine")
    line = next(line for line in notes.read_text().splitlines() if "torchvision" in line and "mIoU" in line)
    quoted = {float(value) / 100 for value in re.findall(r"\b\d\d\.\d\b", line)}
    assert quoted and quoted <= {round(value, 3) for value in SCORES["miou"]}
