"""Rarity: instances joined with how many there were to learn from, and no claim where one category is all there is."""

import polars as pl
import pytest

from cocoseg.challenges.rare import RARE, rank_correlation, rare

CLASSES = pl.DataFrame({"class": [0, 1, 2, 3], "name": ["background", "person", "cat", "toaster"]})
LEARNED = pl.DataFrame({"category": ["person", "cat", "dog"], "instances": [1000, 20, 30]})


def evaluated(*rows):
    instances = [
        {"class": k, "visible": 10, "recovered": recovered, "noticed": 0, "area": 10.0} for k, recovered in rows
    ]
    return rare(pl.DataFrame(instances), CLASSES, LEARNED)


def test_each_category_has_its_share_and_what_there_was_to_learn_from():
    table = evaluated((2, 0), (1, 10), (1, 5), (1, 0), (3, 0))
    assert dict(table.schema) == RARE
    assert table.rows() == [("person", 1000, 3, 0.5, 2), ("cat", 20, 1, 0.0, 0), ("toaster", 0, 1, 0.0, 0)]


def test_where_few_categories_are_recovered_nothing_is_said_of_rarity():
    assert rank_correlation(evaluated((1, 10), (2, 0), (3, 0))) is None


def test_what_is_recovered_in_the_order_of_its_frequency_has_a_rank_correlation_of_one():
    rows = [{"category": str(k), "learned": k, "instances": 1, "share": 0.1 * k, "recovered": 1} for k in range(6)]
    table = pl.DataFrame(rows, RARE)
    (up, p), (down, _) = rank_correlation(table), rank_correlation(table.with_columns(share=-pl.col("share")))
    assert (up, down) == (pytest.approx(1), pytest.approx(-1)) and p < 0.01


def test_what_is_recovered_in_no_order_has_a_large_p():
    shares = [0.3, 0.6, 0.2, 0.5, 0.4, 0.35]
    rows = [
        {"category": str(k), "learned": k, "instances": 1, "share": s, "recovered": 1} for k, s in enumerate(shares)
    ]
    assert rank_correlation(pl.DataFrame(rows, RARE))[1] > 0.5
