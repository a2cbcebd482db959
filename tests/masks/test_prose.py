"""Estimates in words."""

import math

import polars as pl

from cocoseg.masks.estimates import SCHEMA
from cocoseg.masks.prose import said, value, worded

ROWS = [("spacing", "small", 6.146, 5.67, 6.65, 188, 1247), ("hidden", "all", None, None, None, 0, 0)]
TABLE = pl.DataFrame(ROWS, SCHEMA, orient="row")


def test_an_estimate_is_told_with_its_interval():
    assert said(TABLE, "spacing", "small", ".1f") == "6.1 (5.7 to 6.7)"
    assert value(TABLE, "spacing", "small") == 6.146


def test_what_could_not_be_estimated_is_a_dash():
    for quantity, size in (("hidden", "all"), ("spacing", "large"), ("unheard of", "all")):
        assert said(TABLE, quantity, size) == "–"
        assert math.isnan(value(TABLE, quantity, size))


def test_a_number_that_is_none_is_a_dash():
    assert (worded(0.5, ".0%"), worded(value(TABLE, "hidden"), ".0%")) == ("50%", "–")
