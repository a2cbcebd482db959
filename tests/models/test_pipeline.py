"""Crops: where their pixels come from, and that they depend on nothing but the seed and their number."""

import cv2
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocoseg.models import labels, pipeline
from cocoseg.models.backend import tensorflow


def window(image, label, size, scale, corner, mirrored=False):
    tf = tensorflow()
    corner = tf.constant(corner, tf.float32)
    result = pipeline.window(image, label, size, tf.constant(scale, tf.float32), corner, tf.constant(mirrored))
    return tuple(part.numpy() for part in result)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Eleven images whose every pixel is the image's number, and so is their label."""
    folder = tmp_path_factory.mktemp("samples")
    rows = []
    for k in range(11):
        cv2.imwrite(str(folder / f"{k}.png"), np.full((40 + k, 50, 3), k, np.uint8))
        labels.write(folder / f"{k}.label.png", np.full((40 + k, 50), k, np.uint8))
        rows.append({"image_id": k, "image": str(folder / f"{k}.png"), "label": str(folder / f"{k}.label.png")})
    return pl.DataFrame(rows)


def crops(samples, **options):
    """The crops of these steps, of 16×16 px, four a step."""
    drawn = pipeline.batches(samples, 16, 4, **options)
    pairs = [(image.numpy(), label.numpy()) for image, label in drawn]
    return np.concatenate([image for image, _ in pairs]), np.concatenate([label for _, label in pairs])


@settings(max_examples=40, deadline=None)
@given(
    scale=st.floats(0.3, 3),
    y=st.floats(-20, 30),
    x=st.floats(-20, 30),
    mirrored=st.booleans(),
    seed=st.integers(0, 99),
)
def test_every_label_is_that_of_the_pixel_under_its_centre(scale, y, x, mirrored, seed):
    label = np.random.default_rng(seed).integers(0, 9, (21, 34), np.uint8)
    _, found = window(np.zeros((21, 34, 3), np.uint8), label, 12, scale, (y, x), mirrored)
    scale, y, x = np.float32([scale, y, x])
    for row in range(12):
        for column in range(12):
            i = int(np.floor((np.float32(row + 0.5) + y) / scale))
            j = int(np.floor((np.float32(column + 0.5) + x) / scale))
            inside = 0 <= i < 21 and 0 <= j < 34
            assert found[row, 11 - column if mirrored else column] == (label[i, j] if inside else 255)


def test_a_crop_at_scale_1_is_the_image_itself():
    rng = np.random.default_rng(0)
    image, label = rng.integers(0, 255, (30, 40, 3), np.uint8), rng.integers(0, 5, (30, 40), np.uint8)
    pixels, classes = window(image, label, 8, 1.0, (3, 5))
    np.testing.assert_allclose(pixels, image[3:11, 5:13], atol=1e-4)
    np.testing.assert_array_equal(classes, label[3:11, 5:13])


def test_image_and_label_stay_together():
    """An image that shows its own label shows it after any resizing, but for the pixels at a boundary."""
    label = np.zeros((60, 80), np.uint8)
    label[20:45, 30:62] = 1
    image = np.repeat(label[..., None] * 255, 3, axis=2)
    for scale, corner in [(0.5, (4, 6)), (1.7, (20.3, 33.8)), (2.6, (40, 60))]:
        pixels, classes = window(image, label, 24, scale, corner, True)
        assert ((pixels[..., 0] > 127.5) != classes).mean() < 0.03


def test_shrinking_takes_the_mean():
    checks = np.tile(np.uint8([[0, 255], [255, 0]]), (64, 64))
    pixels, _ = window(np.repeat(checks[..., None], 3, axis=2), checks, 16, 1 / 8, (0, 0))
    np.testing.assert_allclose(pixels[2:-2, 2:-2], 127.5, atol=2)


def test_where_there_is_no_image_the_crop_is_black_and_void():
    image, label = np.full((10, 20, 3), 9, np.uint8), np.ones((10, 20), np.uint8)
    pixels, classes = window(image, label, 32, 1.0, (-11, -6))
    outside = np.ones((32, 32), bool)
    outside[11:21, 6:26] = False
    np.testing.assert_array_equal(classes == 255, outside)
    assert (pixels[outside] == 0).all() and (classes[~outside] == 1).all()


def test_each_epoch_shows_every_image_once_in_another_order(samples):
    _, shown = crops(samples, seed=5, first=0, last=11)  # 44 crops: four epochs of 11
    order = [np.unique(crop[crop != 255]).item() for crop in shown]
    epochs = [order[start : start + 11] for start in range(0, 44, 11)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert len({tuple(epoch) for epoch in epochs}) == 4


def test_a_later_start_sees_the_same_crops(samples):
    whole, rest = crops(samples, seed=5, first=0, last=9), crops(samples, seed=5, first=6, last=9)
    for all_of_it, later in zip(whole, rest, strict=True):
        np.testing.assert_array_equal(all_of_it[24:], later)


def test_another_seed_sees_others(samples):
    one, other = (crops(samples, seed=seed, first=0, last=3)[1] for seed in (1, 2))
    assert (one != other).any((1, 2)).mean() > 0.5


def test_scales_places_and_sides_vary(tmp_path):
    """Of an image with a gradient to the right, about half of the crops are mirrored; no two are alike."""
    ramp = np.repeat(np.tile(np.arange(60, dtype=np.uint8) * 4, (40, 1))[..., None], 3, axis=2)
    cv2.imwrite(str(tmp_path / "ramp.png"), ramp)
    labels.write(tmp_path / "label.png", np.zeros((40, 60), np.uint8))
    one = pl.DataFrame({"image": [str(tmp_path / "ramp.png")], "label": [str(tmp_path / "label.png")]})
    images, classes = crops(one, seed=0, first=0, last=25)
    inside = classes[..., None] != 255
    slopes = np.array(
        [np.diff(image[..., 0]).sum(where=inside[k, :, 1:, 0] & inside[k, :, :-1, 0]) for k, image in enumerate(images)]
    )
    assert 0.3 < (slopes > 0).mean() < 0.7
    assert len({image.tobytes() for image in images}) == 100
    share = inside.mean((1, 2, 3))
    assert share.min() >= 0.5 and 0.3 < (share == 1).mean() < 0.9


COUNTS = {"image_id": pl.Int64, "class": pl.Int16, "pixels": pl.Int64}


def test_balanced_crops_show_every_class_as_often(samples, tmp_path):
    """One image in eleven holds class 7, in a small square; all the rest is class 0."""
    for k in range(11):
        label = np.zeros((40 + k, 50), np.uint8)
        label[30:33, 20:23] = 7 if k == 4 else 0
        labels.write(tmp_path / f"{k}.png", label)
    rare = samples.with_columns(label=pl.Series([str(tmp_path / f"{k}.png") for k in range(11)]))
    counts = pl.DataFrame([(k, 0, 1991) for k in range(11)] + [(4, 7, 9)], COUNTS, orient="row")
    narrow = {"seed": 3, "last": 40, "augmentation": pipeline.Augmentation(1.5, 1.5)}
    _, plain = crops(rare, first=0, **narrow)
    _, shown = crops(rare, first=0, counts=counts, **narrow)
    holds = (shown == 7).any((1, 2))
    assert (plain == 7).any((1, 2)).mean() < 0.1 and 0.4 < holds.mean() < 0.6
    assert len({crop.tobytes() for crop in shown[holds]}) > 10
    np.testing.assert_array_equal(crops(rare, first=30, counts=counts, **narrow)[1], shown[120:])


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_balanced_crops_have_no_margin_where_others_have_none(scale, samples):
    counts = pl.DataFrame([(k, k, 2000) for k in range(11)], COUNTS, orient="row")
    _, shown = crops(samples, seed=0, first=0, last=10, counts=counts, augmentation=pipeline.Augmentation(scale, scale))
    assert (shown != 255).all()


def test_a_class_that_a_small_copy_has_lost_gives_a_crop_all_the_same(samples):
    counts = pl.DataFrame([(4, 200, 1)], COUNTS, orient="row")
    _, shown = crops(samples, seed=0, first=0, last=2, counts=counts)
    assert set(np.unique(shown)) <= {4, 255} and len({crop.tobytes() for crop in shown}) > 1


def test_colours_change_pixels_and_not_labels_nor_the_margin(samples):
    plain, jittered = (
        crops(samples, seed=2, first=0, last=6, augmentation=pipeline.Augmentation(colour=c)) for c in (0.0, 0.5)
    )
    np.testing.assert_array_equal(plain[1], jittered[1])
    margin = plain[1] == 255
    assert margin.any() and (jittered[0][margin] == 0).all()
    assert (jittered[0][~margin] != plain[0][~margin]).any(-1).mean() > 0.9
    assert jittered[0].min() >= 0 and jittered[0].max() <= 255


def test_a_change_of_colour_is_brightness_then_saturation_and_contrast():
    """Undone by hand: contrast about middle grey, brightness about black; a grey pixel has no saturation to change."""
    tf = tensorflow()
    seed = [3, 4]
    brightness, contrast, saturation = tf.random.stateless_uniform([3], seed, 0.6, 1.4).numpy()
    change = pipeline.colours(0.4, seed).numpy()
    grey, red = np.float32([100, 100, 100]), np.float32([200, 100, 50])
    expected = (grey * brightness - 127.5) * contrast + 127.5
    np.testing.assert_allclose(change[:, :3] @ grey + change[:, 3], expected, rtol=1e-5)
    luma = red @ np.float32([0.299, 0.587, 0.114])
    expected = ((luma + saturation * (red - luma)) * brightness - 127.5) * contrast + 127.5
    np.testing.assert_allclose(change[:, :3] @ red + change[:, 3], expected, rtol=1e-5)


def test_real_photos_decode_as_they_do_elsewhere(person):
    path = str(next(person.images("minival").glob("*.jpg")))
    tf = tensorflow()
    theirs = tf.io.decode_image(tf.io.read_file(path), channels=3, expand_animations=False).numpy()
    difference = np.abs(theirs.astype(int) - labels.image(path))
    assert theirs.shape == labels.image(path).shape and difference.mean() < 1.5
