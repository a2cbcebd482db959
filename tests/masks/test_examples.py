"""Drawn examples: found in the generated sample by what they show, and equal to what is measured elsewhere."""

import numpy as np
import pytest

from cocoseg.coco import sample
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import read
from cocoseg.masks import examples
from cocoseg.masks.coarseness import coarseness
from cocoseg.masks.shape import shape
from cocoseg.masks.shard import decode


@pytest.fixture(scope="module")
def shown():
    return examples.examples()


@pytest.fixture(scope="module")
def coco(tmp_path_factory):
    """The same images, as a user meets them."""
    folder = tmp_path_factory.mktemp("examples") / "sample"
    sample.make(folder, train=0, val=examples.IMAGES)
    return read(folder / "annotations" / "instances_val.json")


@pytest.fixture(scope="module")
def shard(coco):
    return decode(coco)


def test_they_are_the_first_images_of_the_sample(shown, coco):
    with_annotations = set(coco.annotations["image_id"])
    assert [e.image_id for e in shown] == [i for i in coco.images["image_id"] if i in with_annotations]
    for example in shown:
        height, width = coco.images.filter(image_id=example.image_id).select("height", "width").row(0)
        assert example.image.shape == (height, width, 3)


def test_masks_and_vertices_are_those_that_are_measured(shown, shard):
    pixels = dict(shard.annotations.select("annotation_id", "pixels").iter_rows())
    drawn = [i for e in shown for i in e.instances]
    assert {i.annotation_id: i.mask.sum() for i in drawn} == pixels
    assert all(bool(i.rings) != i.iscrowd for i in drawn)


@pytest.mark.parametrize("order", ["small-on-top", "large-on-top", "file-order"])
def test_painting_follows_the_rules_of_label_maps(shown, coco, order):
    space = label_space("own", coco.categories)
    for example in shown:
        rows = coco.annotations.filter(image_id=example.image_id)
        expected = label_map(rows, *example.image.shape[:2], space, overlap=order)
        assert (examples.painted(example, list(space.classes), order) == expected).all()


def test_a_mask_is_taken_apart_as_its_shape_is_measured(shown, made):
    for example in shown[:12]:
        for instance in example.instances:
            found, expected = (
                examples.dissected(instance.mask),
                shape(made.runs_of(instance.mask), *instance.mask.shape),
            )
            assert (found.parts.max(), found.holes.max()) == (expected.parts, expected.holes)
            assert (found.holes > 0).sum() == expected.hole_pixels
            assert 2 * found.disc[2] == pytest.approx(expected.thickness, abs=1e-3)


@pytest.mark.parametrize("way", ["half", "dp 1", "dp 4"])
def test_outlines_are_simplified_as_coarseness_is_measured(shown, shard, way):
    left = dict(coarseness(shard).filter(simplified=way).select("annotation_id", "vertices").iter_rows())
    for instance in (i for e in shown[:6] for i in e.instances if i.rings):
        assert sum(map(len, examples.simplified(instance.rings, way))) == left[instance.annotation_id]


def test_each_example_shows_what_it_is_for(shown):
    _, instance = examples.ragged()
    found = examples.dissected(instance.mask)
    assert found.parts.max() > 1 and found.holes.max() > 0
    _, instance = examples.detailed()
    assert len(instance.rings) == 1 and np.ptp(np.flatnonzero(instance.mask.any(0))) < examples.NARROW
    example, one, other = examples.overlapping()
    assert (one.mask & other.mask).any() and one.category != other.category
    assert {one.annotation_id, other.annotation_id} <= {i.annotation_id for i in example.instances}
    example = examples.crowded()
    assert {i.iscrowd for i in example.instances} == {True, False}


def test_a_view_holds_the_mask_and_stays_in_the_image():
    mask = np.zeros((9, 12), bool)
    mask[0, 10:] = True
    rows, columns = examples.near(mask, 3)
    assert (rows, columns) == (slice(0, 4), slice(7, 12))


def test_polygons_of_few_points_cover_nothing():
    assert not examples.rasterised([[1, 1, 5, 5]], 9, 9).any()
    assert not examples.rasterised([], 9, 9).any()
