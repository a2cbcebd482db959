"""Scores of references, with intervals."""

import polars as pl
import pytest

from cocoseg.challenges.references import of, references
from cocoseg.challenges.scores import scored, scored_classes
from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import read
from cocoseg.results.metrics import per_class, score


@pytest.fixture(scope="module")
def tables(person):
    coco = read(person.annotations("minival"))
    persons = coco.annotations.filter(pl.col("area") > 5_000)["image_id"].unique().sort()
    few = coco.of_images(persons.head(12))  # a class of fewer than ten images has no interval
    return references(few, label_space("person"), workers=1)


def test_each_reference_has_its_score_within_its_interval(tables):
    rows = scored(tables["references"], "miou_d", resamples=200)
    assert rows.height == tables["references"].select("reference", "amount").unique().height
    for row in rows.iter_rows(named=True):
        assert row["estimate"] == pytest.approx(
            score(of(tables["references"], row["reference"], row["amount"]), "miou_d")
        )
        assert row["low"] <= row["estimate"] <= row["high"]


def test_each_class_has_its_iou(tables):
    rows = scored_classes(tables["reference_bands"], resamples=200)
    part = rows.filter(reference="eroded", amount=2.0)
    assert part["iou"].to_list() == pytest.approx(
        per_class(of(tables["reference_bands"], "eroded", 2.0))["iou"].to_list()
    )
