"""All measures in order, whatever is in the dataset."""

from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from PIL import Image

from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import read
from cocoseg.dataset import survey as module
from cocoseg.dataset.survey import compare, pieces, survey


def with_photos(coco, folder):
    for i, name, height, width in coco.images.select("image_id", "file_name", "height", "width").iter_rows():
        Image.fromarray(np.random.default_rng(i).integers(0, 256, (height, width, 3), np.uint8)).save(folder / name)
    return folder


def own(coco):
    return label_space("own", coco.categories)


def test_any_number_of_processes_gives_the_same_tables(animals, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "pieces", lambda coco: pieces(coco, 1))
    folder = with_photos(animals, tmp_path)
    one, two, four = (survey(animals, own(animals), folder, workers=workers) for workers in (1, 2, 4))
    assert one.keys() == two.keys() == four.keys()
    for name in one:
        assert one[name].equals(two[name]) and one[name].equals(four[name]), name


def test_the_order_of_a_file_does_not_matter(real):
    shuffled = replace(
        real.coco,
        images=real.coco.images.sample(fraction=1, shuffle=True, seed=0),
        annotations=real.coco.annotations.sample(fraction=1, shuffle=True, seed=0),
    )
    ours, theirs = (module.of_annotations(coco) for coco in (real.coco, shuffled))
    for name in ours:
        assert ours[name].equals(theirs[name]), name


def test_a_dataset_that_is_not_coco_is_surveyed(made, tmp_path):
    categories = ((0, "cell", "none"), (700, "nucleus", "none"))
    coco = made.build([(0, 30, 20), (10**12, 10, 10)], [(0, 700, 1, 1, 5, 5), (0, 0, 9, 9, 9, 9)], categories)
    tables = survey(coco, own(coco), with_photos(coco, tmp_path), workers=1)
    assert tables["classes"].select("name", "instances", "pixels").rows() == [("cell", 1, 81), ("nucleus", 1, 25)]
    assert tables["photo_kinds"]["images"].sum() == 2


def test_little_or_nothing_is_surveyed_and_compared_too(degenerate, tmp_path):
    tables = survey(degenerate, own(degenerate), with_photos(degenerate, tmp_path), workers=1)
    assert len(tables["images"]) == len(tables["photos"]) == len(degenerate.images)
    if len(degenerate.images):
        compared = compare(tables, tables)
        assert compared["composition"]["cramers_v"].drop_nulls().max() in (None, pytest.approx(0))
        assert compared["quantities"]["ks"].drop_nulls().max() == 0
        assert compared["shares"]["difference"].abs().max() in (None, 0)


def test_every_table_can_be_written_and_read_and_holds_no_nan(degenerate, animals, tmp_path):
    for coco in (degenerate, animals):
        for name, table in survey(coco, own(coco), workers=1).items():
            table.write_parquet(tmp_path / "table.parquet")
            assert pl.read_parquet(tmp_path / "table.parquet").equals(table), name
            for column in table.select(pl.selectors.float()):
                assert not column.is_nan().any() and not column.is_infinite().any(), (name, column.name)


def test_pieces_hold_each_image_and_annotation_once(real):
    parts = pieces(real.coco, 50)
    assert [len(part.images) for part in parts] == [50, 50, 50, 13]
    assert pl.concat([part.images for part in parts]).equals(real.coco.images)
    assert sum(len(part.annotations) for part in parts) == len(real.coco.annotations)


def test_two_real_splits_are_compared(instances):
    tables = []
    for split in ("train2017", "val2017"):
        coco = read(instances.annotations(split))
        few = coco.of_images(coco.images["image_id"][:60].to_list())
        tables.append(survey(few, own(coco), instances.images(split), workers=1))
    compared = compare(*tables)
    assert compared["composition"]["what"].to_list() == ["instances", "pixels", "sizes"]
    assert compared["composition"]["count_a"].to_list() == [
        tables[0]["categories"]["instances"].sum(),
        tables[0]["pixels"]["pixels"].sum(),
        tables[0]["categories"]["instances"].sum(),
    ]
    assert set(compared["shares"]["label"]) <= set(tables[0]["categories"]["category"])
    assert compared["quantities"]["images_a"].max() == 60
    assert compared["leaks"].is_empty()
