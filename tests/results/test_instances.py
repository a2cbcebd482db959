"""Instances in a label map: whose pixel each is, and how much of each is found."""

import json

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import OVERLAPS, label_map, mask
from cocoseg.coco.read import read
from cocoseg.results.instances import INSTANCES, instance_rows, instances, owners

COCO81 = label_space("coco81")
PERSON, DOG = 1, 18


def box(x, y, w, h):
    return json.dumps([[x, y, x + w, y, x + w, y + h, x, y + h]]).encode()


def annotated(*objects):
    """(category id, crowd, box) each."""
    rows = [(k + 10, 5, c, crowd, box(*at)) for k, (c, crowd, at) in enumerate(objects)]
    names = ("annotation_id", "image_id", "category_id", "iscrowd", "segmentation")
    return pl.DataFrame(rows, names, orient="row")


def test_where_instances_overlap_the_pixel_is_that_of_the_smaller():
    people = annotated((PERSON, False, (2, 2, 4, 4)), (PERSON, False, (0, 0, 10, 10)))
    truth = label_map(people, 12, 12, COCO81)
    owner = owners(people, truth, COCO81)
    assert (owner[2:6, 2:6] == 0).all() and (owner == 0).sum() == 16
    assert (owner == 1).sum() == 84 and (owner == -1).sum() == 44


@pytest.mark.parametrize("overlap", OVERLAPS)
def test_the_owner_has_the_class_that_the_label_map_shows(overlap):
    both = annotated((PERSON, False, (0, 0, 10, 10)), (DOG, False, (5, 5, 6, 6)), (DOG, True, (0, 8, 12, 4)))
    for crowd in ("void", "class", "background"):
        truth = label_map(both, 12, 12, COCO81, overlap=overlap, crowd=crowd)
        owner, classes = owners(both, truth, COCO81), COCO81.lookup(both["category_id"].to_numpy())
        shown = owner >= 0
        assert (shown == ((truth > 0) & (truth != VOID))).all()
        assert (classes[owner[shown]] == truth[shown]).all()


def test_a_crowd_and_what_is_outside_the_label_space_have_no_row():
    both = annotated((PERSON, False, (0, 0, 4, 4)), (DOG, False, (4, 4, 4, 4)), (PERSON, True, (0, 8, 12, 4)))
    space = label_space("person")
    truth = label_map(both, 12, 12, space, crowd="class")
    owner = owners(both, truth, space)
    assert (owner == 2).sum() == 48 and not (owner == 1).any()
    rows = instance_rows(both, instances(owner, truth, truth, 3), space)
    assert rows.tolist() == [[5, 10, 1, 16, 16, 16]]


def test_an_instance_that_is_hidden_has_no_row():
    both = annotated((DOG, False, (2, 2, 4, 4)), (PERSON, False, (2, 2, 4, 4)))
    truth = label_map(both, 12, 12, COCO81)
    rows = instance_rows(both, instances(owners(both, truth, COCO81), truth, truth, 2), COCO81)
    assert rows[:, 1].tolist() == [11]


def test_recovered_and_noticed_are_counted_as_a_loop_over_masks_counts_them(instances):
    from cocoseg.results.instances import instances as counted

    coco = read(instances.annotations("val2017"))
    images = coco.of_images(coco.annotations.filter(pl.col("iscrowd"))["image_id"].unique().sort().head(3))
    for image, annotations in images.by_image():
        height, width = image["height"], image["width"]
        truth = label_map(annotations, height, width, COCO81)
        prediction = np.where(np.roll(truth, 7, 1) == VOID, 0, np.roll(truth, 7, 1)).astype(np.uint8)
        rows = instance_rows(
            annotations, counted(owners(annotations, truth, COCO81), truth, prediction, len(annotations)), COCO81
        )
        classes = COCO81.lookup(annotations["category_id"].to_numpy())
        masks = [mask(segmentation, height, width) for segmentation in annotations["segmentation"]]
        sizes = [int(m.sum()) for m in masks]
        expected = []
        for k, annotation in enumerate(annotations.iter_rows(named=True)):
            own = (masks[k] > 0) & (truth == classes[k])
            for j, other in enumerate(masks):
                rival = classes[j] == classes[k] and not annotations["iscrowd"][j]
                if rival and (sizes[j], -j) < (sizes[k], -k):
                    own &= other == 0
            if own.any() and not annotation["iscrowd"]:
                found = own & (prediction == truth), own & (prediction != 0)
                key = annotation["image_id"], annotation["annotation_id"], classes[k]
                expected.append([*key, own.sum(), *(f.sum() for f in found)])
        assert rows.tolist() == np.array(expected).tolist()
        assert len(rows[0]) == len(INSTANCES)
        assert rows[:, 3].sum() == ((truth > 0) & (truth != VOID)).sum()
