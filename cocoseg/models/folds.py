"""Folds of a split, for predictions of images that a network did not learn from (cross-validation)."""

import re

import polars as pl

from cocoseg.errors import UserError
from cocoseg.runs.fingerprint import digest


def in_fold(image_ids: pl.Series, fold: str) -> pl.Series:
    """Which images are in a fold: booleans, one for each id.

    `fold` is written `2/3`, the second of three; each image is in one of the three, by a hash of its id alone, so that
    no other image that comes or goes moves it. The empty fold holds none. Another text is a `UserError`.

    >>> ids = pl.Series(range(6))
    >>> [ids.filter(in_fold(ids, f"{k}/3")).to_list() for k in (1, 2, 3)]
    [[0, 3, 4], [1, 5], [2]]
    """
    if not fold:
        return pl.Series([False] * image_ids.len(), dtype=pl.Boolean)
    number, of = map(int, match.groups()) if (match := re.fullmatch(r"(\d+)/(\d+)", fold)) else (0, 0)
    if not 1 <= number <= of or of < 2:
        raise UserError(f"a fold is written as 1/5, the first of five; got {fold!r}")
    return pl.Series([int(digest("fold", str(i)), 16) % of == number - 1 for i in image_ids], dtype=pl.Boolean)
