"""Small copies in TFRecord shards: the same pictures, whole or not at all."""

import cv2
import numpy as np
import polars as pl
import pytest

from cocoseg.coco.check import check
from cocoseg.coco.label_space import label_space
from cocoseg.models import labels, pipeline, shards

PERSON = label_space("person")


@pytest.fixture
def samples(rectangles, monkeypatch):
    monkeypatch.setattr(shards, "SHARD", 10)
    coco, _ = check(rectangles.annotations("train"))
    return labels.prepare(coco, rectangles.images("train"), PERSON, workers=1)


def decoded(row):
    photo, label = (cv2.imdecode(np.frombuffer(row[f], np.uint8), cv2.IMREAD_UNCHANGED) for f in ("image", "label"))
    return photo[..., ::-1], label


def test_copies_are_small_and_show_the_same(samples, tmp_path):
    copies = shards.prepare(samples, 24, cache=tmp_path)
    assert copies["image_id"].equals(samples["image_id"])
    assert copies.schema["image"] == copies.schema["label"] == pl.Binary
    for row, whole in zip(copies.iter_rows(named=True), samples.iter_rows(named=True), strict=True):
        photo, label = decoded(row)
        assert min(label.shape) == 24 and photo.shape[:2] == label.shape
        expected = cv2.resize(labels.image(whole["image"]), label.shape[::-1], interpolation=cv2.INTER_AREA)
        assert np.corrcoef(photo.mean(-1).ravel(), expected.mean(-1).ravel())[0, 1] > 0.9  # JPEG, of noise
        truth = labels.label_map(whole["label"])
        y, x = (
            ((np.arange(n) + 0.5) * whole_n / n).astype(int)
            for n, whole_n in zip(label.shape, truth.shape, strict=True)
        )
        assert (label != truth[y][:, x]).mean() < 0.03


def test_a_small_image_keeps_its_size(samples, tmp_path):
    copies = shards.prepare(samples[:3], 500, cache=tmp_path)
    for row, whole in zip(copies.iter_rows(named=True), samples[:3].iter_rows(named=True), strict=True):
        np.testing.assert_array_equal(decoded(row)[1], labels.label_map(whole["label"]))


def test_crops_come_from_the_copies(samples, tmp_path):
    copies = shards.prepare(samples, 24, cache=tmp_path)
    drawn = [
        [part.numpy() for part in batch]
        for some in (samples, copies)
        for batch in pipeline.batches(some, 16, 8, seed=1, first=0, last=1)
    ]
    (photo, label), (small_photo, small_label) = drawn
    assert (label != small_label).mean() < 0.1
    assert np.abs(photo - small_photo).mean() < 12


def test_shards_are_made_once(samples, tmp_path, monkeypatch):
    first = shards.prepare(samples, 24, cache=tmp_path)
    assert [path.name for path in sorted(tmp_path.rglob("*.tfrecord"))] == [
        f"0000{k}-of-00003.tfrecord" for k in range(3)
    ]
    monkeypatch.setattr(shards, "_record", None)
    assert shards.prepare(samples, 24, cache=tmp_path).equals(first)


@pytest.mark.parametrize("harm", ["cut", "flip", "remove", "shorter"])
def test_a_damaged_shard_is_made_again_and_no_other(harm, samples, tmp_path):
    whole = shards.prepare(samples, 24, cache=tmp_path)
    paths = sorted(tmp_path.rglob("*.tfrecord"))
    before = [path.stat().st_mtime_ns for path in paths]
    content = paths[1].read_bytes()
    if harm == "remove":
        paths[1].unlink()
    else:
        middle = len(content) // 2
        first = 16 + int.from_bytes(content[:8], "little")
        harmed = {
            "cut": content[:middle],
            "flip": content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :],
            "shorter": content[:first],  # a whole record, but only one
        }
        paths[1].write_bytes(harmed[harm])
    assert shards.prepare(samples, 24, cache=tmp_path).equals(whole)
    assert paths[1].read_bytes() == content
    assert [path.stat().st_mtime_ns for path in paths][::2] == before[::2]
    assert not list(tmp_path.rglob("*.part"))


def test_another_side_or_another_label_map_makes_other_shards(samples, tmp_path):
    shards.prepare(samples[:4], 24, cache=tmp_path / "c")
    shards.prepare(samples[:4], 20, cache=tmp_path / "c")
    changed = tmp_path / "changed.png"
    labels.write(changed, np.ones((48, 64), np.uint8))
    other = samples[:4].with_columns(label=pl.Series([str(changed), *samples["label"][1:4]]))
    copies = shards.prepare(other, 24, cache=tmp_path / "c")
    assert (decoded(copies.row(0, named=True))[1] == 1).all()
    assert len(list((tmp_path / "c" / "shards").iterdir())) == 3
