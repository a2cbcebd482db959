"""Wrong names: found by shape, place and colour alone where categories differ in them."""

import numpy as np
import polars as pl
import pytest

from cocoseg.challenges.names import LEAST, NAMES, names

CATEGORIES = pl.DataFrame({"category_id": [1, 2, 3], "name": ["bar", "disc", "seldom"]})


@pytest.fixture(scope="module")
def rows():
    """Bars and discs, eight to an image, one bar of the last image named a disc; and too few of a third category."""
    rng = np.random.default_rng(0)
    n = 120
    bar = np.arange(n) % 2 == 0
    table = {
        "annotation_id": np.arange(n),
        "image_id": np.arange(n) // 8,
        "category_id": np.where(bar, 1, 2),
        "pixels": rng.integers(400, 4_000, n),
        "width": np.where(bar, 80, 40) + rng.integers(0, 9, n),
        "height": np.where(bar, 10, 40) + rng.integers(0, 9, n),
        "thickness": np.where(bar, 10.0, 40.0),
        "left": rng.integers(0, 300, n),
        "top": rng.integers(0, 300, n),
        **{name: rng.random(n) for name in ("extent", "solidity", "compactness")},
        **{name: np.ones(n, np.int64) for name in ("parts", "holes")},
        **{f"{c}_{w}": rng.random(n) for w in ("mean", "spread") for c in ("red", "green", "blue")},
        "image_width": np.full(n, 640),
        "image_height": np.full(n, 480),
    }
    table["category_id"][112] = 2
    table["category_id"][113] = 3
    return pl.DataFrame(table)


def test_the_wrong_name_is_the_first_suspect(rows):
    found = names(rows, CATEGORIES).sort("score", descending=True)
    assert dict(found.schema) == NAMES
    assert found["annotation_id"][0] == 112 and found["note"][0] == "more like: bar"
    assert found["score"][0] > 1


def test_a_category_of_few_instances_is_not_judged(rows):
    assert rows.filter(category_id=3).height < LEAST
    assert 113 not in names(rows, CATEGORIES)["annotation_id"]


def test_it_is_the_same_again(rows):
    assert names(rows, CATEGORIES).equals(names(rows.sample(fraction=1, shuffle=True, seed=1), CATEGORIES))


@pytest.mark.parametrize("some", [pl.lit(False), pl.col("category_id") == 1, pl.col("image_id") < 3])
def test_too_few_images_or_categories_say_nothing(rows, some):
    found = names(rows.filter(some), CATEGORIES)
    assert found.height == 0 and dict(found.schema) == NAMES
