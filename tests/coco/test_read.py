"""Annotation files as tables: what pycocotools reads, with the segmentations left as they were written."""

import contextlib
import io
import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from cocoseg.coco.read import ANNOTATIONS, CATEGORIES, IMAGES, polygons, read
from cocoseg.errors import UserError


@pytest.fixture
def write(tmp_path):
    """Writes text, bytes or a document to a file."""

    def write(content):
        file = tmp_path / "instances.json"
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
        return file

    return write


def document(**annotation):
    """A file with one image, one category and one annotation, which has only what it must, and `annotation`."""
    return {
        "images": [{"id": 1, "height": 4, "width": 6}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, **annotation}],
        "categories": [{"id": 1, "name": "leaf"}],
    }


def schema(table):
    return dict(table.schema)


# --- real files -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[("instances", "val2017"), ("person", "minival")], ids=lambda p: p[0])
def real(request):
    name, split = request.param
    path = request.getfixturevalue(name).annotations(split)
    with contextlib.redirect_stdout(io.StringIO()):
        return read(path), COCO(path)


def test_the_tables_have_the_documented_columns(real):
    ours, _ = real
    assert schema(ours.images) == IMAGES
    assert schema(ours.categories) == CATEGORIES
    assert schema(ours.annotations) == ANNOTATIONS


def test_images_are_those_of_pycocotools(real):
    ours, theirs = real
    rows = [(i["id"], i["file_name"], i["height"], i["width"], i["license"]) for i in theirs.dataset["images"]]
    assert ours.images.rows() == rows


def test_categories_are_those_of_pycocotools(real):
    ours, theirs = real
    rows = [(c["id"], c["name"], c["supercategory"]) for c in theirs.dataset["categories"]]
    assert ours.categories.rows() == rows


def test_annotations_are_those_of_pycocotools(real):
    ours, theirs = real
    rows = [
        (a["id"], a["image_id"], a["category_id"], bool(a["iscrowd"]), a["area"], *a["bbox"])
        for a in theirs.dataset["annotations"]
    ]
    assert ours.annotations.drop("encoding", "segmentation").rows() == rows


def test_segmentations_are_those_of_pycocotools_once_decoded(real):
    ours, theirs = real
    for segmentation, a in zip(ours.annotations["segmentation"], theirs.dataset["annotations"], strict=True):
        assert json.loads(segmentation) == a["segmentation"]


def test_crowds_are_rle_and_objects_are_polygons(real):
    ours, _ = real
    assert set(ours.annotations.filter("iscrowd")["encoding"]) <= {"rle", "rle-counts"}
    assert set(ours.annotations.filter(~pl.col("iscrowd"))["encoding"]) == {"polygon"}


def test_the_annotations_of_an_image_are_those_of_pycocotools(real):
    ours, theirs = real
    for image, annotations in ours.by_image():
        assert annotations["annotation_id"].to_list() == theirs.getAnnIds(imgIds=image["image_id"])


def test_a_shard_has_its_images_and_their_annotations_only(real):
    ours, theirs = real
    ids = ours.images["image_id"].to_list()[3::7]
    shard = ours.of_images(iter(ids))
    assert shard.images["image_id"].to_list() == ids
    assert set(shard.annotations["annotation_id"]) == set(theirs.getAnnIds(imgIds=ids))
    assert shard.categories is ours.categories


# --- segmentations --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("segmentation", "encoding"),
    [
        ("[[0, 0, 4, 0, 4, 2.50]]", "polygon"),
        ("[ [0, 0,  4, 0, 4, 2e0] ]", "polygon"),
        ('{"counts": "04X2", "size": [4, 6]}', "rle"),
        ('{"size":[4,6],"counts" : "04X2"}', "rle"),
        ('{"size": [4, 6], "counts": [20, 4]}', "rle-counts"),
        ("[]", "none"),
        ("[ ]", "none"),
        ("null", "none"),
    ],
)
def test_a_segmentation_stays_the_bytes_it_was_written_in(write, segmentation, encoding):
    text = json.dumps(document(segmentation=0)).replace('"segmentation": 0', f'"segmentation": {segmentation}')
    row = read(write(text)).annotations
    assert row["segmentation"].to_list() == [segmentation.encode()]
    assert row["encoding"].to_list() == [encoding]


def test_polygons_are_vertices():
    first, second = polygons(b"[[0, 0, 4, 0, 4, 2.5], [1, 1, 2, 2, 3, 1, 0, 0]]")
    assert first.dtype == np.float64
    assert first.tolist() == [[0, 0], [4, 0], [4, 2.5]]
    assert second.shape == (4, 2)


# --- any file ---------------------------------------------------------------------------------------------------

number = st.integers(-(2**53), 2**53)
word = st.text('aZ7 "\\/\n\0é漢🌿', max_size=5)
real_number = st.floats(-1e6, 1e6) | st.integers(-1000, 1000)
outline = st.lists(st.lists(real_number, min_size=1, max_size=8), min_size=1, max_size=3)
counts = st.text("0123456789:;abcXYZ", min_size=1) | st.lists(st.integers(0, 9), max_size=5)
runs = st.fixed_dictionaries({"size": st.tuples(st.integers(1, 9), st.integers(1, 9)).map(list), "counts": counts})
box = st.lists(real_number, min_size=4, max_size=4)
annotation = st.fixed_dictionaries(
    {"id": number, "image_id": number, "category_id": number},
    optional={
        "segmentation": outline | runs,
        "area": real_number,
        "bbox": box,
        "iscrowd": st.integers(0, 1),
        "caption": word,
    },
)
image = st.fixed_dictionaries(
    {"id": st.integers(0, 2**53), "height": st.integers(1, 2**31 - 1), "width": st.integers(1, 2**31 - 1)},
    optional={"file_name": word.filter(bool), "license": st.integers(0, 9), "coco_url": word},
)
category = st.fixed_dictionaries({"id": number}, optional={"name": word, "supercategory": word})


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(image, max_size=3), st.lists(annotation, max_size=4), st.lists(category, max_size=3), st.booleans())
def test_any_file_is_read_as_it_is_whatever_the_order_of_its_keys(write, images, annotations, categories, turned):
    content = {"images": images, "annotations": annotations, "categories": categories}
    if turned:
        content = {key: [dict(reversed(row.items())) for row in content[key]] for key in reversed(content)}
    coco = read(write(json.dumps(content, separators=(",", ":") if turned else None)))
    assert coco.images["image_id"].to_list() == [row["id"] for row in images]
    assert coco.images.select("height", "width").rows() == [(row["height"], row["width"]) for row in images]
    assert coco.images["license"].to_list() == [row.get("license") for row in images]
    assert coco.categories["name"].to_list() == [c.get("name") or f"category {c['id']}" for c in categories]
    for row, a in zip(coco.annotations.iter_rows(named=True), annotations, strict=True):
        assert (row["annotation_id"], row["image_id"], row["category_id"]) == (a["id"], a["image_id"], a["category_id"])
        assert row["iscrowd"] == bool(a.get("iscrowd")) and row["area"] == a.get("area")
        assert [row[side] for side in "xywh"] == a.get("bbox", [None] * 4)
        assert json.loads(row["segmentation"]) == a.get("segmentation")
        kind = {list: "polygon", dict: "rle", type(None): "none"}[type(a.get("segmentation"))]
        uncompressed = kind == "rle" and isinstance(a["segmentation"]["counts"], list)
        assert row["encoding"] == ("rle-counts" if uncompressed else kind)


# --- what may be missing, and what may be more ------------------------------------------------------------------


def test_what_pycocotools_can_do_without_may_be_missing(write):
    coco = read(write(document()))
    assert coco.images.rows() == [(1, "000000000001.jpg", 4, 6, None)]
    assert coco.categories.rows() == [(1, "leaf", "none")]
    assert coco.annotations.rows() == [(1, 1, 1, False, None, None, None, None, None, "none", b"null")]


def test_empty_lists_are_empty_tables(write):
    coco = read(write({"images": [], "annotations": [], "categories": []}))
    assert (schema(coco.images), schema(coco.annotations)) == (IMAGES, ANNOTATIONS)
    assert len(coco.images) == len(coco.categories) == len(coco.annotations) == 0
    assert list(coco.by_image()) == []


def test_images_without_annotations_are_images(write):
    file = document()
    file["images"].insert(0, {"id": 2, "height": 1, "width": 1})
    sizes = [(image["image_id"], len(rows)) for image, rows in read(write(file)).by_image()]
    assert sizes == [(2, 0), (1, 1)]


def test_other_keys_are_ignored(write):
    coco = read(write({"info": 3, "licenses": None, "mine": {}, **document(keypoints=[1, 2], note="x")}))
    assert len(coco.annotations) == 1


@pytest.mark.parametrize("licence", ["CC-BY", [1], -1, 2**31, 1.5, True, None])
def test_a_license_that_is_no_number_of_a_license_is_null(write, licence):
    file = document()
    file["images"][0]["license"] = licence
    assert read(write(file)).images["license"].to_list() == [None]


@pytest.mark.parametrize("box", [[1, 2, 3], [1, 2, 3, 4, 5], "box", {"x": 1}, [1, 2, "3", 4], None])
def test_a_box_that_is_none_is_null(write, box):
    assert read(write(document(bbox=box))).annotations.select("x", "y", "w", "h").row(0) == (None,) * 4


@pytest.mark.parametrize(("crowd", "is_crowd"), [(0, False), (1, True), (False, False), (True, True), (None, False)])
def test_iscrowd_is_a_number_or_a_truth_value(write, crowd, is_crowd):
    assert read(write(document(iscrowd=crowd))).annotations["iscrowd"].to_list() == [is_crowd]


def test_nan_and_infinity_as_python_writes_them_are_null(write):
    coco = read(write(document(area=float("nan"), bbox=[0, float("inf"), 1, 1])))
    row = coco.annotations.row(0, named=True)
    assert (row["area"], row["x"], row["y"]) == (None, 0, None)


def test_a_byte_order_mark_is_skipped(write):
    assert len(read(write(b"\xef\xbb\xbf" + json.dumps(document()).encode())).annotations) == 1


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xef\xbb\xbf",
        "   ",
        "[]",
        [{"image_id": 1, "category_id": 1, "segmentation": [], "score": 0.5}],  # a file of results
        "null",
        "3",
        '"images"',
        {},
        {"images": [], "annotations": []},
        {"images": {}, "annotations": [], "categories": []},
        {"images": [1], "annotations": [], "categories": []},
        '{"images": [',
        '{"images": [], "annotations": [], "categories": []} x',
        "images: []\nannotations: []\ncategories: []\n",
        b"\xff\xfe\x00\x01",
        b"\x89PNG\r\n\x1a\n",
        "[" * 100_000,
        document(image_id=None),
        document(id="1"),
        document(id=1.0),
        document(id=2**63),
        document(area="12"),
    ],
    ids=range(23),
)
def test_a_file_that_is_not_coco_is_one_line(write, content):
    file = write(content)
    with pytest.raises(UserError, match=r"^instances.json: .*expected a COCO instances file") as error:
        read(file)
    assert "\n" not in str(error.value)


def test_an_object_without_its_id_is_named(write):
    file = document()
    del file["annotations"][0]["image_id"]
    with pytest.raises(UserError, match=r"image_id.*annotations"):
        read(write(file))


@pytest.mark.parametrize("name", ["", "nothing.json"], ids=["a directory", "a missing file"])
def test_what_cannot_be_read_is_one_line(tmp_path, name):
    with pytest.raises(UserError, match=r"^cannot read ") as error:
        read(tmp_path / name)
    assert "\n" not in str(error.value)
