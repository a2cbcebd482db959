"""What a model believes of labels: against a model that knows everything but one object, and against cleanlab."""

import json
from types import SimpleNamespace

import cv2
import numpy as np
import polars as pl
import pytest
from pycocotools import mask as coco_mask

from cocoseg.challenges.beliefs import beliefs, left_out, self_confidence, softmin, unlabelled
from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import read
from cocoseg.errors import UserError
from cocoseg.models.folds import in_fold

SPACE = label_space("person")


class Knowing:
    """A model that answers with label maps of its own, with a probability of 0.9 for each label."""

    name, space = "knowing", SPACE

    def __init__(self, coco, folder):
        self.answers = {}
        for image, annotations in coco.by_image():
            photo = cv2.imread(str(folder / image["file_name"]), cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION)
            truth = label_map(annotations, image["height"], image["width"], SPACE)
            self.answers[photo.tobytes()] = np.where(truth == VOID, 0, truth)

    def __call__(self, photo):
        sure = self.answers[photo.tobytes()][..., None] == np.arange(2)
        return np.where(sure, np.float32(0.9), np.float32(0.1))


@pytest.fixture(scope="module")
def judged(person):
    whole = read(person.annotations("minival"))
    coco = whole.of_images(whole.images["image_id"].sort().to_list()[:12])
    folder = person.images("minival")
    large = coco.annotations.filter(~pl.col("iscrowd"), pl.col("area") > 3_000).sort("area").row(0, named=True)
    without = type(coco)(
        coco.images, coco.categories, coco.annotations.filter(pl.col("annotation_id") != large["annotation_id"])
    )
    return coco, without, large, beliefs({"knowing": Knowing(coco, folder)}, without, folder, SPACE)


def test_a_label_that_the_model_agrees_with_is_believed(judged):
    _, without, _, tables = judged
    rows = tables["beliefs"]
    assert rows["confidence"].to_list() == pytest.approx([0.9] * rows.height)
    assert (rows["agrees"] == 1).all()
    instances = without.annotations.filter(~pl.col("iscrowd"))["annotation_id"]
    assert set(rows["annotation_id"]) <= set(instances) and rows["annotation_id"].is_unique().all()


def test_an_object_without_a_label_is_seen_where_it_is(judged):
    _, _, large, tables = judged
    (found,) = tables["unlabelled"].filter(image_id=large["image_id"]).iter_rows(named=True)
    assert found["confidence"] == pytest.approx(0.9) and 0 < found["free"] <= 1
    region = coco_mask.decode(json.loads(found["segmentation"])).astype(bool)
    size = region.shape
    rle = coco_mask.merge(coco_mask.frPyObjects(json.loads(large["segmentation"]), *size))
    assert (region & ~coco_mask.decode(rle).astype(bool)).sum() == 0
    assert found["pixels"] == region.sum() > 0.5 * coco_mask.area(rle)
    assert tables["unlabelled"].filter(pl.col("image_id") != large["image_id"]).height == 0


def test_the_image_with_the_missing_object_is_the_worst(judged):
    _, _, large, tables = judged
    assert tables["image_beliefs"].sort("quality")["image_id"][0] == large["image_id"]


def test_strips_and_specks_are_no_objects():
    truth, answer = np.zeros((40, 40), np.uint8), np.zeros((40, 40), np.uint8)
    answer[5:8, :] = 1  # a strip of 3 px
    answer[20:26, 2:8] = 1  # 36 px
    chance = np.stack([answer == 0, answer == 1], -1).astype(np.float32)
    assert unlabelled(chance, truth, answer) == []
    answer[20:30, 20:30] = 1
    ((number, *box, pixels, sure, free, _),) = unlabelled(chance, truth, answer)
    assert (number, box, pixels, free) == (1, [20, 20, 10, 10], 100, 1) and sure == 0


def test_scores_are_cleanlabs():
    from cleanlab.segmentation import rank  # seconds

    rng = np.random.default_rng(0)
    chance = rng.dirichlet([1, 1, 1], (4, 12, 16)).astype(np.float32)  # N, H, W, n
    truth = rng.integers(0, 3, (4, 12, 16)).astype(np.uint8)
    images, pixels = rank.get_label_quality_scores(
        truth.astype(int), np.moveaxis(chance, -1, 1), verbose=False, n_jobs=1
    )
    ours = [self_confidence(p, t) for p, t in zip(chance, truth, strict=True)]
    np.testing.assert_allclose(np.stack(ours), pixels, rtol=1e-6)
    np.testing.assert_allclose([softmin(each) for each in ours], images, rtol=1e-5)


def test_the_soft_minimum_lies_between_the_minimum_and_the_mean():
    values = np.random.default_rng(0).random(500)
    assert values.min() < softmin(values) < values.mean()
    assert softmin(values, 1e-4) == pytest.approx(values.min(), abs=1e-3)
    assert softmin(values, 1e4) == pytest.approx(values.mean(), abs=1e-3)
    assert np.isnan(softmin(np.zeros(0)))


def test_a_model_of_another_label_space_is_refused(person):
    class Other:
        space = label_space("voc21")

    coco = read(person.annotations("minival")).of_images([])
    with pytest.raises(UserError, match="mine was trained in label space 'voc21'; expected 'person'"):
        beliefs({"mine": Other()}, coco, person.images("minival"), SPACE)


def training(data="person", split="minitrain", fold="", init_from=""):
    values = {"data": data, "split": split, "fold": fold, "init_from": init_from}
    return SimpleNamespace(name="mine", parameters=values)


def test_a_training_judges_what_it_did_not_learn_from():
    assert left_out(training(), "person", "minival") == ""
    assert left_out(training("instances"), "person", "minitrain") == ""
    assert left_out(training(fold="1/2"), "person", "minitrain") == "1/2"
    assert left_out(training(fold="1/2"), "person", "minival") == ""


@pytest.mark.parametrize("data", ["person", "person+missing20@1", "somewhere/person"])
def test_a_training_that_learned_the_split_without_leaving_any_out_is_refused(data):
    with pytest.raises(UserError, match=r"mine learned from person/minitrain, .* train with a fold"):
        left_out(training(data), "person", "minitrain")


def test_what_a_training_started_from_counts_as_learned(monkeypatch):
    parents = {"whole": training(), "same": training(fold="1/2"), "other": training(fold="2/2")}
    monkeypatch.setattr("cocoseg.challenges.beliefs.finished", parents.__getitem__)
    assert left_out(training(fold="1/2", init_from="same"), "person", "minitrain") == "1/2"
    for parent in ("whole", "other"):
        with pytest.raises(UserError, match="mine learned from"):
            left_out(training(fold="1/2", init_from=parent), "person", "minitrain")


def test_of_the_folds_each_image_is_judged_once(judged, person):
    coco, *_ = judged
    folder = person.images("minival")
    one = Knowing(coco, folder)
    tables = beliefs({"a": one, "b": one}, coco, folder, SPACE, {"a": "1/2", "b": "2/2"})
    ids = coco.images["image_id"]
    assert sorted(tables["image_beliefs"]["image_id"]) == sorted(ids)
    first = tables["image_beliefs"].filter(training="a")["image_id"]
    assert set(first) == set(ids.filter(in_fold(ids, "1/2")))


def test_without_a_model_the_tables_are_empty(person):
    tables = beliefs({}, read(person.annotations("minival")), person.images("minival"), SPACE)
    assert [table.height for table in tables.values()] == [0, 0, 0]
