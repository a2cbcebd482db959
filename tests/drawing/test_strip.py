"""Strips of pictures: what a reader sees, and what one reads who does not see."""

import base64
import io
import re

import numpy as np
import pytest
from PIL import Image

from cocoseg.drawing.strip import SIDE, labelled, strip
from cocoseg.errors import UserError

CLASSES = ["background", "person"]


def decoded(html):
    return [Image.open(io.BytesIO(base64.b64decode(data))) for data in re.findall(r"base64,([^\"]+)", html)]


def test_every_panel_has_its_name_as_caption_and_as_alt_text():
    html = strip({"a < b": np.zeros((4, 6, 3), np.uint8), "c": np.zeros((4, 6, 3), np.uint8)}, {"person": "#f46340"})
    assert (
        re.findall(r'alt="([^"]*)"', html) == re.findall(r"<figcaption>(.*?)</figcaption>", html) == ["a &lt; b", "c"]
    )
    assert '<span style="--cs-chip:#f46340">person</span>' in html


def test_large_images_are_made_smaller_in_their_own_shape():
    (picture,) = decoded(strip({"wide": np.full((300, 2 * SIDE, 3), 200, np.uint8)}))
    assert picture.size == (SIDE, 150)
    assert abs(np.array(picture.convert("RGB"), int) - 200).max() <= 2


def test_predictions_stand_beside_the_truth_with_their_errors_and_a_key_of_what_occurs():
    photo = np.full((20, 20, 3), 90, np.uint8)
    truth = np.zeros((20, 20), np.uint8)
    truth[:10] = 1
    html = labelled(photo, truth, {"model": np.zeros_like(truth)}, CLASSES, errors=True)
    assert re.findall(r"<figcaption>(.*?)</figcaption>", html) == ["photo", "truth", "model", "errors"]
    errors = np.array(decoded(html)[-1].convert("L"), int)
    assert errors[:9].max() < 60 and errors[12:].min() > 150
    assert re.findall(r"--cs-chip:[^>]*>([^<]*)<", html) == ["person"]
    truth[0, 0] = 255
    assert "void" in labelled(photo, truth, {}, CLASSES)
    assert "errors of a" in labelled(photo, truth, {"a": truth * 0, "b": truth * 0}, CLASSES, errors=True)


def test_a_label_map_of_another_size_is_refused():
    with pytest.raises(UserError, match="expected the same"):
        labelled(np.zeros((2, 2, 3), np.uint8), np.zeros((2, 3), np.uint8), {}, CLASSES)
