"""Scores of references, with intervals."""

import polars as pl
import pytest

from cocoseg.challenges.references import of, references
from cocoseg.challenges.scores import scored, scored_classes
from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import read
from cocoseg.results.intervals import class_intervals, interval


@pytest.fixture(scope="module")
def tables(person):
    coco = read(person.annotations("minival"))
    persons = coco.annotations.filter(pl.col("area") > 5_000)["image_id"].unique().sort()
    few = coco.of_images(persons.head(12))  # a class of fewer than ten images has no interval
    return references(few, label_space("person"), workers=1)


@pytest.mark.parametrize("name", ["miou_d", "miou_i", "fw_iou"])
def test_many_references_at_once_are_each_by_itself(tables, name):
    counted = tables["references"].filter(pl.col("reference").is_in(["eroded", "stride, bilinear"]))
    rows = scored(counted, name, resamples=3_000)
    assert (
        rows.select("reference", "amount").rows()
        == counted.select("reference", "amount").unique().sort(pl.all()).rows()
    )
    for row in rows.iter_rows(named=True):
        alone = interval(of(counted, row["reference"], row["amount"]), name, resamples=3_000).row(0, named=True)
        assert row["estimate"] == pytest.approx(alone["estimate"])
        assert (row["images"], row["classes"]) == (alone["images"], alone["classes"])
        assert [row["low"], row["high"]] == pytest.approx([alone["low"], alone["high"]], abs=0.003)


def test_each_class_of_each_reference_is_by_itself(tables):
    counted = tables["reference_size_bands"].filter(reference="eroded")
    rows = scored_classes(counted, resamples=3_000)
    for amount in (1.0, 5.0):
        alone = class_intervals(of(counted, "eroded", amount), resamples=3_000)
        mine = rows.filter(amount=amount)
        assert mine["class"].to_list() == alone["class"].to_list()
        assert mine["images"].to_list() == alone["images"].to_list()
        for column in ("iou", "low", "high"):
            assert mine[column].is_null().to_list() == alone[column].is_null().to_list()
            assert mine[column].drop_nulls().to_list() == pytest.approx(alone[column].drop_nulls().to_list(), abs=0.02)
