"""Folds divide a split by the ids of its images."""

import polars as pl
import pytest

from cocoseg.errors import UserError
from cocoseg.models.folds import in_fold

IDS = pl.Series(range(1000, 1500))


def test_each_image_is_in_one_fold_and_folds_are_of_a_size():
    folds = [in_fold(IDS, f"{k}/4") for k in range(1, 5)]
    assert sum(fold.cast(pl.Int64) for fold in folds).to_list() == [1] * len(IDS)
    assert all(90 < fold.sum() < 160 for fold in folds)


def test_the_fold_of_an_image_depends_on_no_other_image():
    assert in_fold(IDS.reverse()[:100], "1/2").to_list() == in_fold(IDS, "1/2").reverse()[:100].to_list()


def test_no_fold_holds_no_image():
    assert not in_fold(IDS, "").any()


@pytest.mark.parametrize("text", ["0/2", "3/2", "1/1", "1", "1/2/3", "a/b", "-1/2", "1 of 2"])
def test_what_is_no_fold_is_refused(text):
    with pytest.raises(UserError, match="a fold is written as 1/5"):
        in_fold(IDS, text)
