"""Counts of images, instances and crowds by category."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from cocoseg.dataset.categories import categories, contents, supercategories


def test_contents_counts_instances_and_crowds_of_each_image(animals):
    assert contents(animals).rows() == [(1, 3, 2, 0), (1, 5, 1, 0), (2, 3, 1, 0), (2, 5, 0, 1), (3, 8, 0, 1)]


def test_a_category_of_crowds_only_has_images_but_no_instances(animals):
    assert categories(contents(animals), animals.categories).rows() == [
        (3, "cat", "animal", 2, 3, 0, 1.5),
        (5, "dog", "animal", 2, 1, 1, 0.5),
        (8, "cup", "kitchen", 1, 0, 1, 0.0),
    ]


def test_an_image_counts_once_for_a_supercategory(animals):
    table = supercategories(contents(animals), animals.categories)
    assert table.drop("instances_per_image").rows() == [("animal", 2, 2, 4, 1), ("kitchen", 1, 1, 0, 1)]


def test_a_category_that_never_occurs_has_a_row_of_zeros(made):
    coco = made.build([(1, 5, 5)], [(1, 3, 0, 0, 2, 2)])
    table = categories(contents(coco), coco.categories)
    assert table.filter(category_id=8).row(0) == (8, "cup", "kitchen", 0, 0, 0, None)


def test_real_counts_are_those_of_pycocotools(real):
    table = categories(contents(real.coco), real.coco.categories)
    assert len(table) == 80
    for row in table.iter_rows(named=True):
        of = [row["category_id"]]
        assert row["images"] == len(real.peer.getImgIds(catIds=of))
        assert row["instances"] == len(real.peer.getAnnIds(catIds=of, iscrowd=False))
        assert row["crowds"] == len(real.peer.getAnnIds(catIds=of, iscrowd=True))


def test_real_supercategories_are_the_union_of_their_categories(real):
    table = supercategories(contents(real.coco), real.coco.categories)
    for row in table.iter_rows(named=True):
        ids = real.peer.getCatIds(supNms=[row["supercategory"]])
        assert row["categories"] == len(ids)
        assert row["images"] == len(set().union(*(real.peer.getImgIds(catIds=[i]) for i in ids)))
        assert row["instances"] == len(real.peer.getAnnIds(catIds=ids, iscrowd=False))


@given(data=st.data())
def test_every_annotation_is_counted_once(made, data):
    coco = data.draw(made.some_coco())
    held = contents(coco)
    for table in (categories(held, coco.categories), supercategories(held, coco.categories)):
        assert table.select(pl.col("instances") + pl.col("crowds")).sum().item() == len(coco.annotations)


def test_little_or_nothing_is_counted_too(degenerate):
    held = contents(degenerate)
    assert len(categories(held, degenerate.categories)) == len(degenerate.categories)
    assert len(supercategories(held, degenerate.categories)) == degenerate.categories["supercategory"].n_unique()
