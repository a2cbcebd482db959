"""Some images of an annotation file, as a file of their own."""

import json
import re

import pytest

from cocoseg.coco.read import read
from cocoseg.coco.subset import images, subset
from cocoseg.errors import UserError


@pytest.fixture
def annotations(tmp_path):
    """Five images with two annotations each, written with spaces, exponents and accents."""
    entries = [
        {"id": i, "file_name": f"{i}.jpg", "width": 8, "height": 6, "date": "le 1er février"} for i in (5, 3, 1, 2, 4)
    ]
    rows = [
        {"id": 10 * i + k, "image_id": i, "category_id": 1, "segmentation": [[0.5, 1e-3, 2, 2, 1, 3]], "area": 1.50}
        for k in range(2)
        for i in range(1, 6)
    ]
    file = tmp_path / "instances_val2017.json"
    file.write_text(json.dumps({"info": {"year": 2017}, "images": entries, "annotations": rows, "categories": []}))
    return file


def test_a_subset_has_its_images_and_their_annotations_in_the_order_of_the_file(annotations, tmp_path):
    document = json.loads(subset(annotations, [1, 3], tmp_path / "few.json").read_bytes())
    assert [image["id"] for image in document["images"]] == [3, 1]
    assert [row["id"] for row in document["annotations"]] == [10, 30, 11, 31]
    assert document["info"] == {"year": 2017}


def test_images_are_looked_up_by_id(annotations):
    assert [image.file_name for image in images(annotations, iter([2, 5]))] == ["5.jpg", "2.jpg"]


def test_ids_that_the_file_does_not_have_are_named(annotations, tmp_path):
    with pytest.raises(UserError, match=r"2 of 3 image ids are not in .*: 6, 7$"):
        subset(annotations, [6, 1, 7], tmp_path / "few.json")
    assert not (tmp_path / "few.json").exists()


def test_a_subset_keeps_each_object_byte_for_byte(annotations, tmp_path):
    whole = annotations.read_text()
    part = subset(annotations, [4], tmp_path / "few" / "instances_val2017.json").read_text()
    objects = re.findall(r'\{"id": \d+, "(?:file_name|image_id)[^}]*\}', part)
    assert len(objects) == 3
    assert all(text in whole for text in objects)


def test_a_subset_of_everything_is_everything(annotations, tmp_path):
    file = subset(annotations, range(1, 6), tmp_path / "all.json")
    assert json.loads(file.read_bytes()) == json.loads(annotations.read_bytes())


def test_a_subset_may_grow_but_never_overwrites_images_that_are_not_chosen(annotations, tmp_path):
    file = subset(annotations, [1], tmp_path / "few.json")
    subset(annotations, [1, 2], file)
    assert [image["id"] for image in json.loads(file.read_bytes())["images"]] == [1, 2]
    with pytest.raises(UserError, match="holds 1 images that are not chosen"):
        subset(annotations, [2, 3], file)
    with pytest.raises(UserError, match="holds 3 images that are not chosen"):
        subset(annotations, [1, 2], annotations)


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"images": [], "annotations": 3}', '{"images": [{}], "annotations": []}']
)
def test_what_is_no_annotation_file_is_told_in_one_line(tmp_path, content):
    file = tmp_path / "instances_val2017.json"
    file.write_text(content)
    with pytest.raises(UserError, match=r"is no instances file of COCO: .+") as error:
        subset(file, [], tmp_path / "x.json")
    assert "\n" not in str(error.value)


def test_a_missing_annotation_file_is_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match=r"cannot read .*none.json: No such file or directory"):
        subset(tmp_path / "none.json", [], tmp_path / "x.json")


def test_a_subset_of_real_annotations_has_the_rows_of_its_images(instances, tmp_path):
    source = instances.annotations("val2017")
    whole = read(source)
    ids = whole.images["image_id"].to_list()[::7]
    part = read(subset(source, ids, tmp_path / "few.json"))
    expected = whole.of_images(ids)
    assert part.images.equals(expected.images)
    assert part.annotations.equals(expected.annotations)
    assert part.categories.equals(expected.categories)
