"""Shares of the kinds of mistakes, with intervals; an image's main error."""

import polars as pl
import pytest

from cocoseg.results.counts import COUNTS
from cocoseg.results.decomposition import decomposition
from cocoseg.results.errors import main_error, shares
from cocoseg.results.mistakes import KINDS, MISTAKES

ROWS = [(k, "boundary", 0, 1, 10 + k) for k in range(12)] + [(k, "spill", 0, 1, 40) for k in range(3)]
TABLE = pl.DataFrame(ROWS, MISTAKES, orient="row")
IDS = pl.Series([*range(20)])


def test_shares_are_those_of_the_decomposition_and_lie_in_their_intervals():
    found = shares(TABLE, IDS, resamples=500)
    counts = pl.DataFrame([(k, c, 50, 100, 100) for k in IDS for c in (0, 1)], COUNTS, orient="row")
    expected = decomposition(counts, TABLE)
    assert found["kind"].to_list() == list(KINDS)
    assert found["share"].to_list() == pytest.approx(expected["share"].to_list())
    assert (found["low"] <= found["share"]).all() and (found["share"] <= found["high"]).all()
    spill = found.filter(kind="spill").row(0, named=True)
    assert spill["low"] < spill["share"] - 0.1 and spill["high"] > spill["share"] + 0.1


def test_without_a_mistake_there_are_no_shares():
    found = shares(pl.DataFrame(schema=MISTAKES), IDS, resamples=10)
    assert found["pixels"].sum() == 0 and found["share"].null_count() == found["low"].null_count() == len(KINDS)


def test_an_image_has_one_main_error_and_a_tie_goes_by_precedence():
    rows = [(1, "spill", 0, 1, 5), (1, "missed part", 1, 0, 5), (2, "spill", 0, 1, 9), (2, "boundary", 1, 0, 1)]
    assert main_error(pl.DataFrame(rows, MISTAKES, orient="row")).rows() == [(1, "missed part", 0.5), (2, "spill", 0.9)]
