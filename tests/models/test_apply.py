"""A trained model on one's own photos: label maps and overlays, upright, and nothing overwritten."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from cocoseg.coco.label_space import LabelSpace
from cocoseg.drawing.pictures import coloured, overlay
from cocoseg.errors import UserError
from cocoseg.models import apply as module
from cocoseg.models.apply import apply, photo, shipped
from cocoseg.models.registry import Model

SPACE = LabelSpace("two", ("background", "person", "dog"), ((1, 1), (18, 2)))


class Halves:
    """Scores that say: left is a person, right a dog."""

    def predict(self, image, size):
        return np.float32([[[0, 1, 0], [0, 0, 1]]])


MODEL = Model("halves", SPACE, 32, Halves())


@pytest.fixture
def pictures(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (20, 30, 3), np.uint8)
    for name in ("a.png", "b.jpg"):
        Image.fromarray(pixels).save(tmp_path / name)
    return [tmp_path / "a.png", tmp_path / "b.jpg"]


def test_each_photo_gets_a_label_map_and_an_overlay(pictures, tmp_path):
    out = tmp_path / "deep" / "out"
    found = list(apply(MODEL, pictures, out))
    assert [path for path, _ in found] == pictures
    assert found[0][1] == {"person": 0.5, "dog": 0.5}
    assert sorted(p.name for p in out.iterdir()) == ["a.overlay.png", "a.png", "b.overlay.png", "b.png"]
    label = Image.open(out / "a.png")
    assert label.mode == "P" and label.size == (30, 20)
    values = np.asarray(label)
    assert set(np.unique(values[:, :14])) == {1} and set(np.unique(values[:, 16:])) == {2}
    expected = coloured(values, SPACE.classes)[..., :3]
    np.testing.assert_array_equal(np.asarray(label.convert("RGB")), expected)
    laid = np.asarray(Image.open(out / "a.overlay.png"))
    np.testing.assert_array_equal(laid, overlay(photo(pictures[0]), values, SPACE.classes))


def test_a_photo_is_turned_as_its_orientation_says(tmp_path):
    pixels = np.zeros((20, 30, 3), np.uint8)
    pixels[:, :15] = 200
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: rotate by 90° clockwise
    Image.fromarray(pixels).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    upright = photo(tmp_path / "turned.jpg")
    assert upright.shape == (30, 20, 3)
    assert upright[:13].min() > 150 and upright[17:].max() < 50
    (_,) = apply(MODEL, [tmp_path / "turned.jpg"], tmp_path / "out")
    assert Image.open(tmp_path / "out" / "turned.png").size == (20, 30)


def test_two_photos_of_one_name_are_refused(pictures, tmp_path):
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / "a.jpg"
    twin.write_bytes(pictures[1].read_bytes())
    with pytest.raises(UserError, match="have the same name"):
        list(apply(MODEL, [*pictures, twin], tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_photo_whose_label_map_is_the_overlay_of_another_is_refused(pictures, tmp_path):
    twin = pictures[0].with_name("a.overlay.png")
    twin.write_bytes(pictures[1].read_bytes())
    with pytest.raises(UserError, match="have the same name"):
        list(apply(MODEL, [*pictures, twin], tmp_path / "out"))


def test_a_photo_is_not_overwritten(pictures, tmp_path):
    before = pictures[0].read_bytes()
    with pytest.raises(UserError, match=r"prediction of .*a\.png would overwrite a photo"):
        list(apply(MODEL, pictures, tmp_path))
    assert pictures[0].read_bytes() == before


def test_what_is_no_photo_is_refused(tmp_path):
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(UserError, match="no image that can be decoded"):
        list(apply(MODEL, [tmp_path / "text.jpg"], tmp_path / "out"))
    with pytest.raises(UserError, match="is not there"):
        photo(tmp_path / "nothing.jpg")


def test_a_bad_photo_is_found_before_the_first_is_predicted(pictures, tmp_path):
    whole = pictures[1].read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(UserError, match=r"half\.jpg is no image that can be decoded"):
        list(apply(MODEL, [*pictures, tmp_path / "half.jpg"], tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_version_without_a_model_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "SHIPPED", tmp_path)
    with pytest.raises(UserError, match="no model comes with this version; name a training of yours with --run"):
        shipped()
    (tmp_path / "model.json").write_text("{}")
    assert shipped() == tmp_path


def test_the_model_that_comes_along_is_that_of_a_published_run():
    run = Path(__file__).parents[2] / "book" / "runs" / "coco-train-person"
    for name in ("model.json", "weights.npz"):
        assert (shipped() / name).read_bytes() == (run / name).read_bytes()
    assert (shipped() / "weights.npz").stat().st_size < 8e6
