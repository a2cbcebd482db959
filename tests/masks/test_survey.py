"""All measures, whatever is in the dataset and however it is cut."""

from dataclasses import replace

from cocoseg.coco.label_space import label_space
from cocoseg.masks import survey as module
from cocoseg.masks.survey import KEYS, survey


def same(one, two):
    assert one.keys() == two.keys()
    for name in one:
        assert one[name].equals(two[name]), name


def test_workers_and_shards_do_not_matter(coco, space, monkeypatch):
    few = coco.of_images(coco.images["image_id"][:20].to_list())
    whole = survey(few, space, workers=1)
    monkeypatch.setattr(module, "SHARD", 7)
    same(whole, survey(few, space, workers=1))
    same(whole, survey(few, space, workers=2))


def test_the_order_of_the_images_does_not_matter(coco, space):
    same(survey(coco, space, workers=1), survey(replace(coco, images=coco.images.reverse()), space, workers=1))


def test_little_or_nothing_is_surveyed_too(degenerate, coco, space):
    full = survey(coco.of_images(coco.images["image_id"][:2].to_list()), space, workers=1)
    tables = survey(degenerate, label_space("own", degenerate.categories), workers=1)
    assert set(KEYS) < set(tables)
    assert {name: table.schema for name, table in tables.items()} == {n: t.schema for n, t in full.items()}
    assert len(tables["anatomy"]) == len(degenerate.annotations)
    assert len(tables["overlap"]) == len(degenerate.images)
