"""Conventions: the same annotations, painted by different rules."""

import polars as pl
import pytest

from cocoseg.challenges.conventions import CONVENTIONS, DEFAULT, conventions
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read


@pytest.fixture(scope="module")
def coco(instances):
    whole = read(instances.annotations("val2017"))
    return whole.of_images(whole.images["image_id"].to_list()[:40])


@pytest.fixture(scope="module")
def compared(coco):
    return conventions(coco, label_space("coco81"), workers=1)


def test_a_convention_compared_with_itself_is_perfect(compared):
    scored, changes = compared
    own = scored.filter(convention=DEFAULT)
    assert own.height > 0
    assert (own["intersection"] == own["true"]).all() and (own["predicted"] == own["true"]).all()
    assert changes.filter(convention=DEFAULT)["changed"].sum() == 0


def test_changes_are_the_pixels_that_differ(coco, compared):
    space = label_space("coco81")
    for name, (rules, _) in CONVENTIONS.items():
        pairs = zip(label_maps(coco, space), label_maps(coco, space, **rules), strict=True)
        expected = {image_id: int((a != b).sum()) for (image_id, a), (_, b) in pairs}
        found = compared[1].filter(convention=name)
        assert dict(found.select("image_id", "changed").iter_rows()) == expected


def test_painting_order_matters_on_real_images(compared):
    _, changes = compared
    total = changes.group_by("convention").agg(pl.col("changed").sum())
    assert dict(total.iter_rows())["large-on-top"] > 0


def test_the_number_of_processes_does_not_matter(coco, compared):
    for one, two in zip(compared, conventions(coco, label_space("coco81"), workers=2), strict=True):
        assert one.equals(two)


def test_no_images_give_empty_tables(coco):
    scored, changes = conventions(coco.of_images([]), label_space("person"))
    assert scored.height == changes.height == 0
    assert "convention" in scored.columns
