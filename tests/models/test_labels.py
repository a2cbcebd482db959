"""Label maps on disk are the rasteriser's, whatever happened to the files in between."""

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from cocoseg.coco.datasets import Dataset
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read
from cocoseg.errors import UserError
from cocoseg.models import labels
from cocoseg.models.backend import tensorflow

PERSON = label_space("person")


def prepare(data, cache, space=PERSON):
    return labels.prepare(read(data.annotations("train")), data.images("train"), space, cache=cache, workers=1)


def test_files_hold_the_rasterised_label_maps(rectangles, tmp_path):
    samples = prepare(rectangles, tmp_path)
    expected = dict(label_maps(read(rectangles.annotations("train")), PERSON))
    assert samples["image_id"].to_list() == sorted(expected)
    for image_id, image, label, height, width in samples.iter_rows():
        found = labels.label_map(label)
        np.testing.assert_array_equal(found, expected[image_id])
        assert found.shape == (height, width) == labels.image(image).shape[:2]


def test_real_label_maps_survive_the_file(person, tmp_path):
    coco = read(person.annotations("minival"))
    for image_id, label in label_maps(coco.of_images(coco.images["image_id"][:20]), PERSON):
        labels.write(tmp_path / f"{image_id}.png", label)
        np.testing.assert_array_equal(labels.label_map(tmp_path / f"{image_id}.png"), label)


def test_a_second_call_paints_nothing(rectangles, tmp_path, monkeypatch):
    first = prepare(rectangles, tmp_path)
    monkeypatch.setattr(labels, "write", None)
    assert prepare(rectangles, tmp_path).equals(first)


@pytest.mark.parametrize("damage", [os.unlink, lambda path: os.truncate(path, 40), lambda path: os.truncate(path, 0)])
def test_a_missing_or_damaged_file_is_painted_again(rectangles, tmp_path, damage):
    path = Path(prepare(rectangles, tmp_path)["label"][3])
    content = path.read_bytes()
    damage(path)
    prepare(rectangles, tmp_path)
    assert path.read_bytes() == content


def test_label_spaces_do_not_share_files(rectangles, tmp_path):
    own = label_space("own", read(rectangles.annotations("train")).categories)
    one, other = prepare(rectangles, tmp_path), prepare(rectangles, tmp_path, space=own)
    assert set(one["label"]).isdisjoint(other["label"])
    assert any(
        labels.label_map(path).max(initial=0, where=labels.label_map(path) != 255) == 2 for path in other["label"]
    )


def copy(data, root, keep):
    """The same dataset with the images of which `keep` makes bytes."""
    (root / "annotations").mkdir(parents=True)
    (root / "train").mkdir()
    (root / "annotations" / "instances_train.json").write_bytes(data.annotations("train").read_bytes())
    for path in sorted(data.images("train").iterdir()):
        if (content := keep(path)) is not None:
            (root / "train" / path.name).write_bytes(content)
    return Dataset("copy", root)


def test_images_that_cannot_be_used_are_left_out_and_counted(rectangles, tmp_path):
    other = next(iter(sorted(rectangles.images("train").iterdir())[2:])).read_bytes()  # 70×50
    bad = {"001.png": None, "002.png": b"no image", "004.png": other}
    data = copy(rectangles, tmp_path / "data", lambda path: bad.get(path.name, path.read_bytes()))
    with pytest.warns(
        UserWarning, match=r"3 of 24 images .* left out: 1 missing, 2 unreadable or not of the annotated size"
    ):
        samples = prepare(data, tmp_path)
    assert samples["image_id"].to_list() == [3, *range(5, 25)]


def test_half_a_jpeg_is_left_out(rectangles, tmp_path):
    """OpenCV shows what there is of it; TensorFlow, which reads it in training, does not."""
    whole = cv2.imencode(".jpg", np.random.default_rng(0).integers(0, 255, (48, 64, 3), np.uint8))[1].tobytes()
    content = {"001.png": whole, "002.png": whole[: len(whole) // 2]}
    data = copy(rectangles, tmp_path / "data", lambda path: content.get(path.name, path.read_bytes()))
    with pytest.warns(UserWarning, match="1 of 24 images"):
        samples = prepare(data, tmp_path)
    assert samples["image_id"].to_list() == [1, *range(3, 25)]
    tf = tensorflow()
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.io.decode_image(content["002.png"])


def test_a_split_without_images_is_refused(rectangles, tmp_path):
    data = copy(rectangles, tmp_path / "data", lambda path: None)
    with pytest.raises(UserError, match=r"no image in .* can be used: of 24, 24 missing"):
        prepare(data, tmp_path)


def test_annotations_that_change_are_painted_anew(rectangles, tmp_path):
    data = copy(rectangles, tmp_path / "data", lambda path: path.read_bytes())
    before = prepare(data, tmp_path)
    content = json.loads(data.annotations("train").read_text())
    content["annotations"] = []
    data.annotations("train").write_text(json.dumps(content))
    after = prepare(data, tmp_path)
    assert set(before["label"]).isdisjoint(after["label"])
    assert not any(labels.label_map(path).any() for path in after["label"])
