"""Label maps, masks and runs are what pycocotools draws, pixel for pixel."""

import json
from itertools import product

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as coco_mask

from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import (
    CROWDS,
    OVERLAPS,
    SegmentationError,
    area,
    label_map,
    label_maps,
    mask,
    rle,
    runs,
)
from cocoseg.coco.read import Coco, read
from cocoseg.errors import UserError

PERSON, BICYCLE, HAT = 1, 2, 26  # the id 26 is in no label space


def reference_mask(segmentation, height, width):
    """The mask by pycocotools alone."""
    content = json.loads(segmentation)
    if isinstance(content, list):
        return coco_mask.decode(coco_mask.merge(coco_mask.frPyObjects(content, height, width)))
    if isinstance(content["counts"], list):
        content = coco_mask.frPyObjects(content, height, width)
    return coco_mask.decode(content)


def reference_map(annotations, height, width, space, overlap="small-on-top", crowd="void"):
    """The label map by the stated order: one mask after the other, crowds first, later ones over earlier ones."""
    class_of = dict(space.category_ids)
    layers = {True: [], False: []}
    for row in annotations.iter_rows(named=True):
        if row["category_id"] in class_of:
            m = reference_mask(row["segmentation"], height, width).astype(bool)
            layers[row["iscrowd"]].append((m, class_of[row["category_id"]]))
    if crowd == "background":
        layers[True] = []
    elif crowd == "void":
        layers[True] = [(m, VOID) for m, _ in layers[True]]
    canvas = np.zeros((height, width), np.uint8)
    for is_crowd in (True, False):
        objects = layers[is_crowd]
        if overlap == "small-on-top":
            objects = sorted(objects, key=lambda o: -int(o[0].sum()))
        elif overlap == "large-on-top":
            objects = sorted(objects, key=lambda o: int(o[0].sum()))
        layer = np.zeros((height, width), np.uint8)
        for m, number in objects:
            clash = m & (layer != 0) & (layer != number) if overlap == "void" else np.zeros_like(m)
            layer[m] = number
            layer[clash] = VOID
        canvas[layer != 0] = layer[layer != 0]
    return canvas


def rows(*objects):
    """Annotations of one image: (category_id, segmentation) or (category_id, segmentation, iscrowd)."""
    return pl.DataFrame(
        {
            "category_id": [o[0] for o in objects],
            "segmentation": [json.dumps(o[1]).encode() for o in objects],
            "iscrowd": [o[2] if len(o) > 2 else False for o in objects],
        },
        {"category_id": pl.Int64, "segmentation": pl.Binary, "iscrowd": pl.Boolean},
    )


def square(x0, y0, x1, y1):
    return [[x0, y0, x1, y0, x1, y1, x0, y1]]


def crowd_square(x0, y0, x1, y1, height, width):
    m = np.zeros((height, width), np.uint8, order="F")
    m[y0:y1, x0:x1] = 1
    encoded = coco_mask.encode(m)
    return {"size": [height, width], "counts": encoded["counts"].decode()}


@pytest.fixture(scope="module")
def val(instances):
    return read(instances.annotations("val2017"))


@pytest.fixture(scope="module")
def some(val):
    """Thirty images: those with crowds first, then those with the most objects."""
    order = (
        val.annotations.group_by("image_id")
        .agg(pl.col("iscrowd").sum().alias("crowds"), pl.len().alias("objects"))
        .sort("crowds", "objects", "image_id", descending=True)["image_id"]
    )
    return val.of_images([*order.head(15), *order.tail(15)])


# --- real files -----------------------------------------------------------------------------------------------


def test_every_label_map_of_val2017_is_the_one_pycocotools_draws(val):
    space = label_space("coco81")
    maps = label_maps(val, space)
    for (image, annotations), (image_id, ours) in zip(val.by_image(), maps, strict=True):
        expected = reference_map(annotations, image["height"], image["width"], space)
        assert image_id == image["image_id"]
        assert ours.dtype == np.uint8
        assert np.array_equal(ours, expected), image_id


@pytest.mark.parametrize(("overlap", "crowd"), [*product(OVERLAPS, CROWDS)])
def test_every_overlap_and_crowd_rule_paints_in_its_stated_order(some, overlap, crowd):
    space = label_space("coco81")
    for image, annotations in some.by_image():
        size = image["height"], image["width"]
        ours = label_map(annotations, *size, space, overlap=overlap, crowd=crowd)
        assert np.array_equal(ours, reference_map(annotations, *size, space, overlap, crowd)), image["image_id"]


@pytest.mark.parametrize("name", ["person", "supercategories", "voc21", "own"])
def test_every_label_space_paints_its_own_classes(some, name):
    space = label_space(name, some.categories)
    for image, annotations in some.by_image():
        size = image["height"], image["width"]
        ours = label_map(annotations, *size, space)
        assert np.array_equal(ours, reference_map(annotations, *size, space)), image["image_id"]


def test_label_maps_of_the_person_subset(person):
    minival = read(person.annotations("minival"))
    minival = minival.of_images(minival.images["image_id"].head(60))
    space = label_space("person")
    for (image, annotations), (_, ours) in zip(minival.by_image(), label_maps(minival, space), strict=True):
        expected = reference_map(annotations, image["height"], image["width"], space)
        assert np.array_equal(ours, expected), image["image_id"]


def test_masks_rles_and_areas_of_real_annotations(some):
    for image, annotations in some.by_image():
        size = image["height"], image["width"]
        for segmentation in annotations["segmentation"]:
            expected = reference_mask(segmentation, *size)
            assert np.array_equal(mask(segmentation, *size), expected)
            assert np.array_equal(coco_mask.decode(rle(segmentation, *size)), expected)
            assert area(runs(segmentation, *size)) == expected.sum()


def test_runs_are_sorted_disjoint_and_do_not_touch(some):
    for image, annotations in some.by_image():
        for segmentation in annotations["segmentation"]:
            own = runs(segmentation, image["height"], image["width"])
            assert own.dtype == np.int64 and own.shape[1] == 2
            assert (np.diff(own.ravel()) > 0).all()


# --- what is painted ------------------------------------------------------------------------------------------


def test_an_image_without_annotations_is_background():
    assert not label_map(rows(), 3, 5, label_space("coco81")).any()


def test_annotations_outside_the_space_are_dropped_before_painting():
    # The small bicycle lies on the person and would hide it, were it painted before it is dropped.
    annotations = rows((PERSON, square(0, 0, 8, 8)), (BICYCLE, square(2, 2, 5, 5)), (HAT, square(0, 0, 2, 2)))
    assert (label_map(annotations, 8, 8, label_space("person")) == 1).all()
    bicycle_is_void = label_map(annotations, 8, 8, label_space("person"), overlap="void")
    assert (bicycle_is_void == 1).all()


def test_crowds_outside_the_space_are_no_void():
    annotations = rows((BICYCLE, crowd_square(0, 0, 8, 8, 8, 8), True))
    assert not label_map(annotations, 8, 8, label_space("person")).any()


@pytest.mark.parametrize("overlap", OVERLAPS)
@pytest.mark.parametrize(("crowd", "value"), [("void", VOID), ("class", 1), ("background", 0)])
def test_a_crowd_becomes_void_its_class_or_background_and_lies_under_instances(overlap, crowd, value):
    # The crowd is smaller and comes later than the bicycle, and covers half of it.
    annotations = rows((BICYCLE, square(0, 0, 4, 8)), (PERSON, crowd_square(2, 0, 6, 8, 8, 8), True))
    ours = label_map(annotations, 8, 8, label_space("coco81"), overlap=overlap, crowd=crowd)
    assert (ours[:, :4] == 2).all()
    assert (ours[:, 4:6] == value).all()
    assert (ours[:, 6:] == 0).all()


@pytest.mark.parametrize(
    ("overlap", "seen"), [("small-on-top", 2), ("large-on-top", 1), ("file-order", 1), ("void", VOID)]
)
def test_where_a_small_object_meets_a_large_one(overlap, seen):
    annotations = rows((BICYCLE, square(2, 2, 4, 4)), (PERSON, square(0, 0, 8, 8)))
    ours = label_map(annotations, 8, 8, label_space("coco81"), overlap=overlap)
    assert (ours[2:4, 2:4] == seen).all()
    assert (ours == 1).sum() == (64 if seen == 1 else 60)


@pytest.mark.parametrize("overlap", ["small-on-top", "large-on-top", "file-order"])
def test_between_equals_the_later_is_seen(overlap):
    annotations = rows((BICYCLE, square(0, 0, 4, 4)), (PERSON, square(0, 0, 4, 4)))
    assert (label_map(annotations, 4, 4, label_space("coco81"), overlap=overlap) == 1).all()


def test_objects_of_one_class_make_no_void():
    annotations = rows((PERSON, square(0, 0, 4, 4)), (PERSON, square(2, 0, 6, 4)))
    assert VOID not in label_map(annotations, 4, 6, label_space("person"), overlap="void")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 7), (7, 1), (2, 2)])
def test_tiny_images(height, width):
    everything = rows((PERSON, square(-1, -1, width + 1, height + 1)))
    ours = label_map(everything, height, width, label_space("person"))
    assert ours.shape == (height, width)
    assert (ours == 1).all()


def test_label_maps_follow_the_order_of_the_images():
    images = {"image_id": [7, 3], "file_name": ["a", "b"], "height": [2, 3], "width": [4, 5], "license": [None, None]}
    annotations = rows((PERSON, square(0, 0, 5, 3)), (PERSON, square(0, 0, 1, 1)))
    coco = Coco(pl.DataFrame(images), pl.DataFrame(), annotations.with_columns(image_id=pl.Series([3, 7])))
    maps = dict(label_maps(coco, label_space("person"), overlap="void"))
    assert list(maps) == [7, 3]
    assert maps[7].tolist() == [[1, 0, 0, 0], [0, 0, 0, 0]]
    assert maps[3].all()


# --- any polygon ----------------------------------------------------------------------------------------------

coordinate = st.one_of(st.integers(-30, 60).map(lambda n: n / 2), st.floats(-50, 80, allow_nan=False))
polygon = st.lists(coordinate, min_size=6, max_size=16).map(lambda xs: xs[: len(xs) // 2 * 2])
size = st.integers(1, 24)


@settings(max_examples=300, deadline=None)
@given(st.lists(polygon, min_size=1, max_size=3), size, size)
def test_any_polygons_cover_what_pycocotools_says(polygons, height, width):
    segmentation = json.dumps(polygons).encode()
    assert np.array_equal(mask(segmentation, height, width), reference_mask(segmentation, height, width))


@settings(max_examples=200, deadline=None)
@given(st.data(), size, size)
def test_any_mask_comes_back_from_both_kinds_of_rle(data, height, width):
    pixels = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    m = np.asfortranarray(np.array(pixels, np.uint8).reshape(height, width))
    encoded = coco_mask.encode(m)
    compressed = json.dumps({"size": [height, width], "counts": encoded["counts"].decode()}).encode()
    flat = np.concatenate([[0], m.ravel(order="F"), [2]])
    counts = np.diff(np.flatnonzero(np.diff(flat)), prepend=0).tolist()
    uncompressed = json.dumps({"size": [height, width], "counts": counts}).encode()
    assert np.array_equal(mask(compressed, height, width), m)
    assert np.array_equal(mask(uncompressed, height, width), m)
    assert rle(compressed, height, width)["counts"] == encoded["counts"]


@st.composite
def some_annotations(draw):
    """Up to six objects and crowds as polygons or RLE, some outside of the label space, in an image of 1 to 24 px."""
    height, width = draw(size), draw(size)
    objects = []
    for _ in range(draw(st.integers(0, 6))):
        shape = draw(st.lists(polygon, min_size=1, max_size=2))
        if draw(st.booleans()):
            encoded = coco_mask.merge(coco_mask.frPyObjects(shape, height, width))
            shape = encoded | {"counts": encoded["counts"].decode()}
        objects.append((draw(st.sampled_from([PERSON, BICYCLE, HAT])), shape, draw(st.booleans())))
    return rows(*objects), height, width


@settings(max_examples=150, deadline=None)
@given(some_annotations(), st.sampled_from(OVERLAPS), st.sampled_from(CROWDS))
def test_any_annotations_are_painted_in_the_stated_order(drawn, overlap, crowd):
    space = label_space("coco81")
    assert np.array_equal(
        label_map(*drawn, space, overlap=overlap, crowd=crowd), reference_map(*drawn, space, overlap, crowd)
    )


@pytest.mark.parametrize("points", [[1, 1], [1, 1, 5, 5]])
def test_fewer_than_three_points_cover_nothing(points):
    assert not mask(json.dumps([points]).encode(), 8, 8).any()


def test_a_vertex_far_away_is_cut_off():
    assert (mask(b"[[-1e300, -1e300, 1e300, -1e300, 1e300, 1e300, -1e300, 1e300]]", 4, 4) == 1).all()


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rules", "hint"),
    [
        ({"overlap": "small-on"}, "did you mean 'small-on-top'"),
        ({"crowd": "viod"}, "did you mean 'void'"),
        ({"overlap": "topmost-first"}, "alid: "),
    ],
)
def test_an_unknown_rule_is_one_line_with_the_valid_ones(rules, hint):
    with pytest.raises(UserError, match=hint) as error:
        label_map(rows(), 4, 4, label_space("person"), **rules)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("segmentation", "code"),
    [
        (b"null", "segmentation-missing"),
        (b"[]", "segmentation-missing"),
        (b'"polygon"', "segmentation-malformed"),
        (b"[[1, 2, 3, 4, 5]]", "segmentation-malformed"),
        (b"[1, 2, 3, 4, 5, 6]", "segmentation-malformed"),
        (b"[[1, 2, null, 4, 5, 6]]", "not-finite"),
        (b"[[1, 2, 1e999, 4, 5, 6]]", "not-finite"),
        (b'{"size": [4, 4]}', "segmentation-malformed"),
        (b'{"size": [8, 2], "counts": [16]}', "rle-size"),
        (b'{"size": [4, 4], "counts": [3, 4]}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": [-2, 18]}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": []}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": ""}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": "4"}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": "oooooooooooo"}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": "\xc3\xa9"}', "rle-corrupt"),
        (b'{"size": [4, 4], "counts": [99999999999999999999]}', "rle-corrupt"),
    ],
)
def test_a_segmentation_that_is_no_mask_is_named(segmentation, code):
    with pytest.raises(SegmentationError) as error:
        runs(segmentation, 4, 4)
    assert error.value.code == code
    assert "\n" not in str(error.value)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=[chr(c) for c in range(40, 120)], max_size=20))
def test_no_text_of_an_rle_crashes(text):
    try:
        own = runs(json.dumps({"size": [4, 4], "counts": text}).encode(), 4, 4)
    except SegmentationError:
        return
    assert (own >= 0).all() and (own <= 16).all()
