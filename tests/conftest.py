"""Shared fixtures: the real files, where they are."""

import pytest

from cocoseg.coco.datasets import dataset
from cocoseg.errors import UserError


def real(name: str):
    try:
        return dataset(name)
    except UserError as error:
        pytest.skip(f"real COCO files are not on this machine: {error}")


@pytest.fixture(scope="session")
def instances():
    """The development subset of COCO 2017 with all 80 categories (train2017, val2017)."""
    return real("instances")


@pytest.fixture(scope="session")
def person():
    """The development subset with the category person only (minitrain, minival)."""
    return real("person")


LONGEST = ("test_book", "test_own_dataset", "test_build", "test_execute", "test_state", "test_site", "test_train")


def pytest_collection_modifyitems(items):
    """The longest files first, so that of several processes none ends alone with one of them."""
    rank = {name: k for k, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(LONGEST)))
