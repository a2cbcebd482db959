"""Conventions: the same annotations, painted by different rules."""

from itertools import combinations_with_replacement

import cv2
import numpy as np
import polars as pl
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from cocoseg.challenges.conventions import CONVENTIONS, DEFAULT, conventions, models, torchvision
from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read
from cocoseg.errors import UserError
from cocoseg.results.metrics import score

SPACE = label_space("coco81")


@pytest.fixture(scope="module")
def coco(instances):
    whole = read(instances.annotations("val2017"))
    crowded = whole.annotations.filter("iscrowd")["image_id"].unique().sort().to_list()
    return whole.of_images([*crowded[:5], *whole.images["image_id"].sort().to_list()[:25]])


@pytest.fixture(scope="module")
def compared(coco):
    return conventions(coco, SPACE, workers=1)


def pair(scored, truth, prediction):
    return scored.filter(truth=truth, prediction=prediction).drop("truth", "prediction")


def test_a_convention_compared_with_itself_is_perfect(compared):
    scored, changes = compared
    for name in CONVENTIONS:
        own = pair(scored, name, name)
        assert own.height > 0
        assert (own["intersection"] == own["true"]).all() and (own["predicted"] == own["true"]).all()
        assert score(own, "miou_d") == 1
    assert changes.filter(convention=DEFAULT)["changed"].sum() == 0


def test_every_two_conventions_are_compared_once(compared):
    scored, _ = compared
    assert set(scored.select("truth", "prediction").rows()) == set(combinations_with_replacement(CONVENTIONS, 2))


def test_changes_are_the_pixels_that_differ(coco, compared):
    default = dict(label_maps(coco, SPACE))
    for name, convention in CONVENTIONS.items():
        found = {row["image_id"]: row for row in compared[1].filter(convention=name).iter_rows(named=True)}
        for image, annotations in coco.by_image():
            labels = convention.paint(annotations, image["height"], image["width"], SPACE)
            ours = default[image["image_id"]]
            row = found[image["image_id"]]
            assert row["changed"] == (labels != ours).sum()
            assert row["to_void"] == ((labels == VOID) & (ours != VOID)).sum()
            assert row["from_void"] == ((labels != VOID) & (ours == VOID)).sum()


def test_torchvisions_map_is_the_largest_class_and_void_where_two_annotations_meet(coco, instances):
    peer = COCO(instances.annotations("val2017"))
    for image, annotations in coco.by_image():
        masks, classes = [], []
        for annotation in peer.loadAnns(annotations["annotation_id"].to_list()):
            rle = coco_mask.frPyObjects(annotation["segmentation"], image["height"], image["width"])
            mask = coco_mask.decode(rle)
            masks.append(mask.any(2) if mask.ndim == 3 else mask.astype(bool))
            classes.append(int(SPACE.lookup(np.array([annotation["category_id"]]))[0]))
        expected = np.zeros((image["height"], image["width"]), np.uint8)
        if masks:
            stack = np.stack(masks)
            expected = (stack * np.array(classes, np.uint8)[:, None, None]).max(0)
            expected[stack.sum(0) > 1] = VOID
        assert (torchvision(annotations, image["height"], image["width"], SPACE) == expected).all()


def test_painting_order_matters_on_real_images(compared):
    scored, changes = compared
    total = changes.group_by("convention").agg(pl.col("changed").sum())
    assert dict(total.iter_rows())["large-on-top"] > 0
    assert score(pair(scored, DEFAULT, "large-on-top"), "miou_d") < 1
    # What one calls void is not held against the other.
    assert score(pair(scored, DEFAULT, "overlap-void"), "miou_d") == 1


def test_the_number_of_processes_does_not_matter(coco, compared):
    for one, two in zip(compared, conventions(coco, SPACE, workers=2), strict=True):
        assert one.equals(two)


def test_no_images_give_empty_tables(coco):
    scored, changes = conventions(coco.of_images([]), label_space("person"))
    assert scored.height == changes.height == 0
    assert {"truth", "prediction"} <= set(scored.columns)


class Oracle:
    """A model that knows the label maps of one convention."""

    name = "oracle"
    space = SPACE

    def __init__(self, coco, folder, convention):
        self.answers = {}
        for image, annotations in coco.by_image():
            labels = CONVENTIONS[convention].paint(annotations, image["height"], image["width"], SPACE)
            photo = cv2.imread(str(folder / image["file_name"]), cv2.IMREAD_COLOR_RGB)
            self.answers[photo.tobytes()] = np.where(labels == VOID, 0, labels)

    def __call__(self, photo):
        return (self.answers[photo.tobytes()][..., None] == np.arange(SPACE.n)).astype(np.float32)


def test_a_model_is_perfect_by_the_convention_that_it_learned_and_no_other(coco, instances):
    few, folder = coco.of_images(coco.images["image_id"].to_list()[:6]), instances.images("val2017")
    predictors = {name: Oracle(few, folder, name) for name in (DEFAULT, "large-on-top")}
    judged = models(predictors, few, folder, SPACE)
    for name in predictors:
        for convention in (DEFAULT, "large-on-top"):
            own = judged.filter(training=name, convention=convention)
            assert (score(own, "miou_d") == 1) == (convention == name)
    assert set(judged["model"]) == {"oracle"} and set(judged["convention"]) == set(CONVENTIONS)


def test_a_model_of_another_label_space_is_refused(coco, instances):
    with pytest.raises(UserError, match="mine was trained in label space 'coco81'; expected 'person'"):
        models(
            {"mine": Oracle(coco.of_images([]), None, DEFAULT)},
            coco,
            instances.images("val2017"),
            label_space("person"),
        )


def test_no_models_give_an_empty_table(coco, tmp_path):
    assert models({}, coco, tmp_path, SPACE).height == 0
