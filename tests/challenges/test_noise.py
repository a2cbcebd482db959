"""Sound labels against the same with planted defects."""

import json

import pytest

from cocoseg.challenges.noise import KINDS, NOISE, RATES, SEEDS, noise
from cocoseg.coco import sample
from cocoseg.coco.check import check
from cocoseg.coco.defects import plant
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read
from cocoseg.results.counts import COUNTS, confusion, confusions, counts
from cocoseg.results.metrics import score

SPACE = label_space("coco81")


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    root = tmp_path_factory.mktemp("sample") / "sample"
    sample.make(root, train=0, val=6)
    file = root / "annotations" / "instances_val.json"
    return file, noise(file, check(file)[0], SPACE)


def test_it_is_the_score_of_the_planted_file_against_the_sound_one(spoiled, tmp_path):
    file, table = spoiled
    assert dict(table.schema) == NOISE
    truth = dict(label_maps(check(file)[0], SPACE))
    for kind in KINDS:
        planted, rows = plant(json.loads(file.read_text()), {kind: 0.4}, 1)
        (tmp_path / "spoiled.json").write_text(json.dumps(planted))
        answers = label_maps(read(tmp_path / "spoiled.json"), SPACE)
        expected = counts(confusions([(i, confusion(truth[i], answer, SPACE.n)) for i, answer in answers]))
        ours = table.filter(kind=kind, rate=0.4, seed=1)
        assert ours.select(*COUNTS).equals(expected.sort("image_id", "class"))
        assert (ours["hit"] == len(rows)).all()


def test_more_defects_cost_more(spoiled):
    _, table = spoiled
    assert table.select("kind", "rate", "seed").unique().height == len(KINDS) * len(RATES) * len(SEEDS)
    low, high = (score(table.filter(kind="missing", rate=rate, seed=0).select(*COUNTS), "miou_d") for rate in RATES)
    assert high < low < 1


def test_no_images_give_an_empty_table(spoiled):
    file, _ = spoiled
    assert noise(file, check(file)[0].of_images([]), SPACE).height == 0


def test_areas_and_boxes_that_a_file_lacks_are_those_of_the_masks(spoiled, tmp_path):
    file, table = spoiled
    content = json.loads(file.read_text())
    for annotation in content["annotations"][::2]:
        del annotation["area"], annotation["bbox"]
    (tmp_path / "bare.json").write_text(json.dumps(content))
    bare = noise(tmp_path / "bare.json", check(tmp_path / "bare.json")[0], SPACE)
    assert bare.filter(kind="missing").equals(table.filter(kind="missing"))
    assert bare["hit"].to_list() == table["hit"].to_list()
