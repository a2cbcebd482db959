"""Estimates in words, for the chapters."""

import math

import polars as pl


def said(estimates: pl.DataFrame, quantity: str, size: str = "all", form: str = ".1%") -> str:
    """An estimate and its interval, a dash where there is none.

    Args:
        estimates: `cocoseg.masks.estimates.estimates(…)`; form: of the three numbers.

    >>> row = {"quantity": "contested", "size": "all", "estimate": 0.066, "low": 0.046, "high": 0.086}
    >>> said(pl.DataFrame([row]), "contested")
    '6.6% (4.6% to 8.6%)'
    >>> said(pl.DataFrame([row]), "same")
    '–'
    """
    for row in estimates.filter(quantity=quantity, size=size).drop_nulls("estimate").iter_rows(named=True):
        return f"{row['estimate']:{form}} ({row['low']:{form}} to {row['high']:{form}})"
    return "–"


def value(estimates: pl.DataFrame, quantity: str, size: str = "all") -> float:
    """An estimate; NaN where there is none."""
    found = estimates.filter(quantity=quantity, size=size)["estimate"].drop_nulls()
    return found[0] if len(found) else float("nan")


def worded(number: float, form: str) -> str:
    """A number, a dash for NaN.

    >>> worded(0.066, ".1%"), worded(float("nan"), ".1%")
    ('6.6%', '–')
    """
    return "–" if math.isnan(number) else f"{number:{form}}"
