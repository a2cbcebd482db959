"""What is wrong in an annotation file: one crafted file per finding, real files, and files of any content."""

import copy
import json
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from cocoseg.coco.check import FINDINGS, check, summary
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import area, label_maps, runs
from cocoseg.coco.read import ANNOTATIONS, IMAGES, read
from cocoseg.errors import UserError

SQUARE = [[2, 2, 6, 2, 6, 6, 2, 6]]


def sound():
    """A file with nothing wrong in it: two images of 8×10 px with a square of 4×4 px each."""
    image = {"height": 8, "width": 10}
    leaf = {"category_id": 1, "iscrowd": 0, "area": 16, "bbox": [2, 2, 4, 4], "segmentation": SQUARE}
    return {
        "images": [{"id": 1, "file_name": "1.png", **image}, {"id": 2, "file_name": "2.png", **image}],
        "annotations": [{"id": 1, "image_id": 1, **leaf}, {"id": 2, "image_id": 2, **leaf}],
        "categories": [{"id": 1, "name": "leaf"}, {"id": 2, "name": "twig"}],
    }


def changed(table, **fields):
    """The sound file with fields of the second object of a table changed; ... leaves a field out."""
    file = sound()
    for name, value in fields.items():
        if value is ...:
            del file[table][1][name]
        else:
            file[table][1][name] = value
    return file


def checked(folder, file, images=None):
    path = folder / "instances.json"
    path.write_text(json.dumps(file))
    return check(path, images)


def schema_of(coco):
    return dict(coco.images.schema), dict(coco.annotations.schema)


def codes(findings):
    return findings.select("code", "ids", "action").rows()


@pytest.fixture
def images(tmp_path):
    """The folder of the two images of the sound file."""
    folder = tmp_path / "images"
    folder.mkdir()
    for i in (1, 2):
        Image.new("RGB", (10, 8)).save(folder / f"{i}.png")
    return folder


def test_a_sound_file_has_no_findings_and_stays_as_it_is(tmp_path, images):
    for folder in (None, images):
        coco, findings = checked(tmp_path, sound(), folder)
        assert findings.is_empty()
        same = read(tmp_path / "instances.json")
        assert coco.images.equals(same.images)
        assert coco.categories.equals(same.categories)
        assert coco.annotations.equals(same.annotations)


# The code, the file, the ids of the finding, and the annotations that remain.
CRAFTED = [
    ("id-missing", changed("annotations", id=...), [], [1]),
    ("id-missing", changed("annotations", image_id=...), [], [1]),
    ("id-missing", changed("categories", id=...), [], [1, 2]),
    ("malformed", changed("annotations", category_id="leaf"), [], [1]),
    ("malformed", changed("annotations", area="large"), [], [1]),
    ("category-id-repeated", changed("categories", id=1), [1], [1, 2]),
    ("annotation-id-repeated", changed("annotations", id=1), [1], [1, 2]),
    ("image-unknown", changed("annotations", image_id=3), [2], [1]),
    ("category-unknown", changed("annotations", category_id=3), [2], [1]),
    ("segmentation-missing", changed("annotations", segmentation=...), [2], [1]),
    ("segmentation-missing", changed("annotations", segmentation=[]), [2], [1]),
    ("segmentation-malformed", changed("annotations", segmentation="SQUARE"), [2], [1]),
    ("segmentation-malformed", changed("annotations", segmentation=[[2, 2, 6, 2, 6, 6, 2]]), [2], [1]),
    ("not-finite", changed("annotations", segmentation=[[2, 2, 6, 2, 6, float("nan")]]), [2], [1]),
    ("polygon-too-short", changed("annotations", segmentation=[*SQUARE, [3, 3, 4, 4]]), [2], [1, 2]),
    ("rle-size", changed("annotations", segmentation={"size": [10, 8], "counts": [80]}), [2], [1]),
    ("rle-corrupt", changed("annotations", segmentation={"size": [8, 10], "counts": [70, 4]}), [2], [1]),
    ("rle-corrupt", changed("annotations", segmentation={"size": [8, 10], "counts": "zzz"}), [2], [1]),
    ("mask-empty", changed("annotations", segmentation=[[4, 4, 4, 4, 4, 4]]), [2], [1]),
    ("mask-empty", changed("annotations", segmentation=[[4, 4, 6, 6]]), [2], [1]),
    ("mask-empty", changed("annotations", segmentation={"size": [8, 10], "counts": [80]}), [2], [1]),
    (
        "outside-image",
        changed("annotations", segmentation=[[2, 2, 6, 2, 6, 12, 2, 12]], bbox=[2, 2, 4, 10], area=24),
        [2],
        [1, 2],
    ),
    ("area-missing", changed("annotations", area=...), [2], [1, 2]),
    ("area-missing", changed("annotations", area=float("inf")), [2], [1, 2]),
    ("area-differs", changed("annotations", area=25), [2], [1, 2]),
    ("bbox-missing", changed("annotations", bbox=...), [2], [1, 2]),
    ("bbox-missing", changed("annotations", bbox=[2, 2, 4]), [2], [1, 2]),
    ("bbox-differs", changed("annotations", bbox=[2, 2, 7, 4]), [2], [1, 2]),
]


@pytest.mark.parametrize(("code", "file", "ids", "remain"), CRAFTED, ids=[f"{c[0]}-{n}" for n, c in enumerate(CRAFTED)])
def test_a_crafted_file_has_its_finding_and_no_other(tmp_path, code, file, ids, remain):
    coco, findings = checked(tmp_path, file)
    assert codes(findings) == [(code, ids, FINDINGS[code].action)]
    assert coco.annotations["annotation_id"].to_list() == remain
    assert schema_of(coco) == (IMAGES, ANNOTATIONS)


@pytest.mark.parametrize(
    "name", ["../2.png", "a/../../2.png", "/2.png", "..\\2.png", "C:\\2.png", "C:2.png", "\\\\host\\share\\2.png"]
)
def test_a_file_name_that_leads_out_of_the_folder(tmp_path, images, name):
    for folder in (None, images):
        coco, findings = checked(tmp_path, changed("images", file_name=name), folder)
        assert codes(findings) == [("file-name-escapes", [2], "dropped"), ("image-dropped", [2], "dropped")]
        assert coco.images["image_id"].to_list() == [1]
        assert coco.annotations["annotation_id"].to_list() == [1]


def test_an_image_whose_id_is_repeated_is_dropped_and_the_first_stays(tmp_path):
    file = sound()
    file["images"].append({"id": 1, "file_name": "3.png", "height": 4, "width": 4})
    coco, findings = checked(tmp_path, file)
    assert codes(findings) == [("image-id-repeated", [1], "dropped")]
    assert coco.images["file_name"].to_list() == ["1.png", "2.png"]
    assert len(coco.annotations) == 2


@pytest.mark.parametrize("size", [{"height": ...}, {"width": 0}, {"height": -8}, {"height": 10**5, "width": 10**5}])
def test_an_image_of_unknown_size_is_dropped_unless_its_file_says(tmp_path, images, size):
    file = changed("images", **size)
    coco, findings = checked(tmp_path, file)
    assert codes(findings) == [("image-size-unknown", [2], "dropped"), ("image-dropped", [2], "dropped")]
    assert coco.images["image_id"].to_list() == [1]
    coco, findings = checked(tmp_path, file, images)
    assert codes(findings) == [("image-size-missing", [2], "repaired")]
    assert coco.images.select("height", "width").rows() == [(8, 10), (8, 10)]


def test_an_image_that_is_not_in_the_folder(tmp_path, images):
    (images / "2.png").unlink()
    _, findings = checked(tmp_path, sound(), images)
    assert codes(findings) == [("image-missing", [2], "dropped"), ("image-dropped", [2], "dropped")]


@pytest.mark.parametrize("content", [b"", b"no image", b"\x89PNG\r\n\x1a\n\x00\x00", b"\xff\xd8\xff\xe0\x00"])
def test_an_image_without_a_readable_header(tmp_path, images, content):
    (images / "2.png").write_bytes(content)
    _, findings = checked(tmp_path, sound(), images)
    assert codes(findings) == [("image-unreadable", [2], "dropped"), ("image-dropped", [2], "dropped")]


def test_a_file_name_that_no_file_can_have(tmp_path, images):
    _, findings = checked(tmp_path, changed("images", file_name="a\0.png"), images)
    assert codes(findings) == [("image-unreadable", [2], "dropped"), ("image-dropped", [2], "dropped")]


def test_an_image_of_another_size(tmp_path, images):
    Image.new("RGB", (8, 10)).save(images / "2.png")
    coco, findings = checked(tmp_path, sound(), images)
    assert codes(findings) == [("image-size-differs", [2], "dropped"), ("image-dropped", [2], "dropped")]
    assert "(8, 10) in the annotations, (10, 8) in the file" in findings["message"][0]
    assert coco.annotations["annotation_id"].to_list() == [1]


def test_every_kind_of_finding_has_a_test():
    with_images = {"file-name-escapes", "image-id-repeated", "image-size-unknown", "image-size-missing"}
    with_images |= {"image-missing", "image-unreadable", "image-size-differs", "image-dropped"}
    assert {crafted[0] for crafted in CRAFTED} | with_images == set(FINDINGS)
    assert {kind.action for kind in FINDINGS.values()} == {"dropped", "repaired", "kept"}


# --- what is repaired -----------------------------------------------------------------------------------------


def test_a_missing_area_and_a_missing_or_wrong_box_become_those_of_the_mask(tmp_path):
    for fields in ({"area": ...}, {"bbox": ...}, {"bbox": [0, 0, 9, 7]}):
        coco, _ = checked(tmp_path, changed("annotations", **fields))
        assert coco.annotations.select("area", "x", "y", "w", "h").row(1) == (16, 2, 2, 4, 4)


def test_an_area_that_differs_stays_because_size_classes_go_by_it(tmp_path):
    coco, _ = checked(tmp_path, changed("annotations", area=25))
    assert coco.annotations["area"].to_list() == [16, 25]


def test_a_polygon_that_is_too_short_is_left_out_of_its_annotation(tmp_path):
    coco, _ = checked(tmp_path, changed("annotations", segmentation=[[1, 1], *SQUARE, []]))
    assert [json.loads(s) for s in coco.annotations["segmentation"]] == [SQUARE, SQUARE]


def test_a_repeated_annotation_id_becomes_the_first_free_one(tmp_path):
    file = sound()
    file["annotations"] += [dict(file["annotations"][0]) for _ in range(2)] + [{**file["annotations"][0], "id": 4}]
    coco, findings = checked(tmp_path, file)
    assert codes(findings) == [("annotation-id-repeated", [1], "repaired")] * 2
    assert coco.annotations["annotation_id"].to_list() == [1, 2, 3, 5, 4]


def test_one_annotation_can_have_several_findings(tmp_path):
    file = changed("annotations", area=..., bbox=..., segmentation=[*SQUARE, [0, 0]])
    _, findings = checked(tmp_path, file)
    assert sorted(findings["code"]) == ["area-missing", "bbox-missing", "polygon-too-short"]


def test_what_is_half_a_pixel_off_agrees(tmp_path):
    # The outline is 16 px long: 8 px of area are its half pixel, and 2 px of a side are its tolerance.
    for fields in ({"area": 24}, {"area": 8}, {"bbox": [2, 2, 6, 4]}, {"bbox": [0, 0, 6, 6]}):
        assert checked(tmp_path, changed("annotations", **fields))[1].is_empty()
    for fields in ({"area": 24.5}, {"area": 7.5}, {"bbox": [2, 2, 6.5, 4]}):
        assert len(checked(tmp_path, changed("annotations", **fields))[1]) == 1


def test_the_summary_counts_objects_by_kind_in_the_order_of_the_findings(tmp_path):
    file = sound()
    for annotation in file["annotations"]:
        del annotation["area"]
    file["annotations"][1]["bbox"] = None
    table = summary(checked(tmp_path, file)[1])
    assert table.drop("meaning").rows() == [
        ("area-missing", "repaired", 2, [1, 2]),
        ("bbox-missing", "repaired", 1, [2]),
    ]
    assert table["meaning"][0] == FINDINGS["area-missing"].meaning
    assert summary(checked(tmp_path, sound())[1]).is_empty()


# --- real files -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "split"), [("instances", "val2017"), ("person", "minival")])
def test_in_coco_nothing_is_wrong_but_the_area_of_crowds(request, name, split):
    source = request.getfixturevalue(name)
    coco, findings = check(source.annotations(split), source.images(split) if name == "person" else None)
    assert set(findings["code"]) <= {"area-differs"}
    crowds = coco.annotations.filter("iscrowd")["annotation_id"]
    assert set(findings["ids"].list.explode()) <= set(crowds)
    original = read(source.annotations(split))
    assert coco.annotations.equals(original.annotations)
    assert coco.images.equals(original.images)


# --- any content ----------------------------------------------------------------------------------------------

number = st.one_of(st.integers(-3, 12), st.floats(), st.sampled_from([2**31, 2**63 - 1, 2**63, -(2**63), 1e300]))
scalar = st.one_of(st.none(), st.booleans(), number, st.text(max_size=5))
rle = st.fixed_dictionaries(
    {"size": st.one_of(st.just([8, 10]), st.lists(number, max_size=3))},
    optional={"counts": st.one_of(st.text(max_size=8), st.lists(st.one_of(st.integers(0, 80), number), max_size=6))},
)
segmentation = st.one_of(
    st.lists(st.lists(number, max_size=10), max_size=3),
    st.lists(st.integers(-4, 14), min_size=6).map(lambda p: [p]),
    rle,
)
anything = st.recursive(
    scalar,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=8,
)
FIELDS = {
    "images": ("id", "file_name", "height", "width", "license"),
    "annotations": ("id", "image_id", "category_id", "iscrowd", "area", "bbox", "segmentation"),
    "categories": ("id", "name", "supercategory"),
}
change = st.sampled_from([(table, field) for table, fields in FIELDS.items() for field in fields]).flatmap(
    lambda at: st.tuples(
        st.just(at), st.integers(0, 1), segmentation if at[1] == "segmentation" else st.one_of(scalar, anything)
    )
)


def what_remains_can_be_used(content):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        path.write_bytes(content)
        try:
            coco, findings = check(path)
        except UserError as error:
            assert "\n" not in str(error)
            return
    assert set(findings["code"]) <= set(FINDINGS)
    assert schema_of(coco) == (IMAGES, ANNOTATIONS)
    for table, name in ((coco.images, "image_id"), (coco.annotations, "annotation_id")):
        assert table[name].is_unique().all()
    assert coco.annotations.select("area", "x", "y", "w", "h").null_count().sum_horizontal().item() == 0
    small = coco.of_images(coco.images.filter(pl.col("height") * pl.col("width") < 10**6)["image_id"])
    for image, annotations in small.by_image():
        for s in annotations["segmentation"]:
            assert area(runs(s, image["height"], image["width"])) > 0
    space = label_space("own", coco.categories)
    for _, pixels in label_maps(small, space):
        assert np.isin(pixels, [*range(space.n), 255]).all()


@settings(max_examples=120, deadline=None)
@given(st.lists(change, min_size=1, max_size=5))
def test_no_field_of_any_value_crashes(changes):
    file = copy.deepcopy(sound())
    for (table, field), position, value in changes:
        file[table][position][field] = value
    what_remains_can_be_used(json.dumps(file).encode())


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        anything,
        st.fixed_dictionaries({table: st.one_of(anything, st.lists(anything, max_size=3)) for table in FIELDS}),
    )
)
def test_no_document_crashes(document):
    what_remains_can_be_used(json.dumps(document).encode())


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=6), st.integers(0, 600), st.integers(0, 3))
def test_no_bytes_crash(inserted, at, cut):
    content = json.dumps(sound()).encode()
    what_remains_can_be_used(content[:at] + inserted + content[at + cut :])


# --- what is refused ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"null", b"\x00", b'{"images": 1}', b"[" * 100_000])
def test_a_file_that_is_not_coco_is_one_line(tmp_path, content):
    path = tmp_path / "instances.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="expected a COCO instances file") as error:
        check(path)
    assert "\n" not in str(error.value)


def test_a_folder_of_images_that_is_not_there(tmp_path):
    with pytest.raises(UserError, match="no folder of images"):
        checked(tmp_path, sound(), tmp_path / "nothing")


def test_a_missing_file(tmp_path):
    with pytest.raises(UserError, match="cannot read"):
        check(tmp_path / "nothing.json")
