"""Surveying a dataset that is not COCO takes one command, and a book about it one file."""

import json
import os
import subprocess
import sys

import numpy as np
import polars as pl
import pytest
from pycocotools.coco import COCO

from cocoseg.coco.check import check
from cocoseg.coco.datasets import HOME
from cocoseg.coco.label_space import label_space
from cocoseg.dataset.survey import survey as survey_dataset
from cocoseg.errors import UserError
from cocoseg.masks.survey import survey as survey_masks
from cocoseg.runs.record import Run
from tests import foreign


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A data folder with the dataset `mine`."""
    folder = tmp_path_factory.mktemp("data")
    foreign.make(folder / "mine")
    return folder


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """What the README's command leaves."""
    runs = tmp_path_factory.mktemp("runs")
    command = ["run", "survey", "-p", "data", "mine", "-p", "split", "train", "-p", "space", "own", "--name", "mine"]
    done = subprocess.run(
        [sys.executable, "-m", "cocoseg", *command],
        cwd=HOME,
        env={**os.environ, "COCOSEG_DATA": str(data), "COCOSEG_RUNS": str(runs)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return Run(runs / "mine")


def test_the_readme_shows_the_command():
    readme = (HOME / "README.md").read_text()
    assert "cocoseg run survey -p data mine -p split train -p space own\n" in readme


def test_the_run_counts_what_pycocotools_counts(run, data):
    peer = COCO(data / "mine" / "annotations" / "instances_train.json")
    names = {category["id"]: category["name"] for category in peer.dataset["categories"]}
    objects = [a for a in peer.anns.values() if not a["iscrowd"]]
    assert run.scores["images"] == len(peer.imgs) and run.scores["photos"]
    assert run.scores["annotations"] == len(peer.anns) and run.scores["crowds"] == len(peer.anns) - len(objects) > 0
    counted = dict(run.table("categories").select("category", "instances").iter_rows())
    assert counted == {name: sum(names[a["category_id"]] == name for a in objects) for name in names.values()}
    pixels = dict(run.table("anatomy").select("annotation_id", "pixels").iter_rows())
    assert pixels == {i: int(np.sum(peer.annToMask(a), dtype=int)) for i, a in peer.anns.items()}
    assert set(run.table("anatomy")["encoding"]) == {"polygon", "rle", "rle-counts"}
    assert run.table("photos").height == len(peer.imgs)


def surveyed(root, images):
    coco, findings = check(root / "annotations" / "instances_train.json", images)
    space = label_space("own", coco.categories)
    tables = survey_dataset(coco, space, images, workers=1) | survey_masks(coco, space, workers=1)
    return coco, findings, tables


def test_one_category_without_crowds_is_surveyed(tmp_path):
    cell = ({"id": 3, "name": "cell"},)
    root = foreign.make(tmp_path, images=6, categories=cell, crowds=False)
    coco, _, tables = surveyed(root, root / "train")
    assert tables["classes"].select("name", "supercategory", "instances").rows() == [
        ("cell", "none", len(coco.annotations))
    ]
    assert tables["crowds"].is_empty() and tables["pairs"].is_empty()


def test_missing_images_are_found_and_left_out_and_none_at_all_needs_none(tmp_path):
    root = foreign.make(tmp_path, images=6)
    missing = sorted((root / "train").rglob("*.png"))[0]
    missing.unlink()
    coco, findings, tables = surveyed(root, root / "train")
    assert findings.filter(pl.col("code") == "image-missing").height == 1
    assert len(coco.images) == tables["photos"].height == 5
    coco, findings, tables = surveyed(root, None)
    assert len(coco.images) == 6 and "photos" not in tables and "image-missing" not in set(findings["code"])


def test_too_many_categories_are_one_line_with_the_remedy_and_the_remedy_works(tmp_path):
    many = tuple({"id": 5 * i, "name": f"kind {i}"} for i in range(300))
    file = foreign.make(tmp_path, images=6, categories=many) / "annotations" / "instances_train.json"
    coco, _ = check(file)
    with pytest.raises(UserError, match="leave those you do not study out of the file's 'categories'"):
        label_space("own", coco.categories)
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"categories": content["categories"][:2]}))
    fewer, findings, tables = surveyed(tmp_path, None)
    assert tables["classes"]["name"].to_list() == ["kind 0", "kind 1"]
    assert findings.filter(pl.col("code") == "category-unknown").height == len(coco.annotations) - len(
        fewer.annotations
    )


def test_a_label_space_of_coco_is_refused_with_the_one_to_use(data):
    coco, _ = check(data / "mine" / "annotations" / "instances_train.json")
    for name in ("coco81", "person"):
        with pytest.raises(UserError, match=r"use (label space )?'own'"):
            label_space(name, coco.categories)
