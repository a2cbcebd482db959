"""Validation, against scikit-learn, on images that are not trained on."""

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import accuracy_score, jaccard_score

from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models import labels
from cocoseg.models.registry import Model
from cocoseg.models.validation import hold_out, prediction, validate

SPACE = label_space("supercategories")


class Redness:
    """Classes by how red a pixel is."""

    def predict(self, image, size):
        return -np.abs(image[..., :1].astype(np.float32) / 20 - np.arange(SPACE.n, dtype=np.float32))


def test_scores_are_scikit_learns(tmp_path):
    import cv2

    rng = np.random.default_rng(0)
    rows, truths, predictions = [], [], []
    model = Model("redness", SPACE, 32, Redness())
    for k in range(4):
        photo = rng.integers(0, 140, (20, 30 + k, 3), np.uint8)
        truth = np.where(rng.random(photo.shape[:2]) < 0.5, prediction(model, photo[..., ::-1]), k).astype(np.uint8)
        truth[:3] = 255
        cv2.imwrite(str(tmp_path / f"{k}.png"), photo)
        labels.write(tmp_path / f"{k}.label.png", truth)
        rows.append({"image": str(tmp_path / f"{k}.png"), "label": str(tmp_path / f"{k}.label.png")})
        truths.append(truth[3:].ravel())
        predictions.append(prediction(model, photo[..., ::-1])[3:].ravel())
    truth, found = np.concatenate(truths), np.concatenate(predictions)
    scores = validate(model, pl.DataFrame(rows))
    assert scores["val_pixel_accuracy"] == pytest.approx(accuracy_score(truth, found))
    assert scores["val_miou"] == pytest.approx(jaccard_score(truth, found, average="macro"))


def test_scores_are_resized_before_the_argmax():
    class Corners:
        def predict(self, image, size):
            return np.float32([[[1, 0], [0, 1]], [[1, 0], [0, 1]]])

    found = prediction(Model("corners", label_space("person"), 1, Corners()), np.zeros((6, 10, 3), np.uint8))
    np.testing.assert_array_equal(found, np.tile(np.repeat([0, 1], 5), (6, 1)))


@pytest.mark.parametrize("n, held", [(2, 1), (9, 1), (50, 5), (5000, 100)])
def test_a_tenth_is_held_out_a_hundred_at_most(n, held):
    kept, out = hold_out(pl.DataFrame({"image_id": range(n)}))
    assert out.height == held and kept.height == n - held
    assert set(kept["image_id"]).isdisjoint(out["image_id"])


def test_the_same_images_are_held_out_whatever_their_order():
    ids = pl.DataFrame({"image_id": range(50)})
    assert set(hold_out(ids)[1]["image_id"]) == set(hold_out(ids.reverse())[1]["image_id"])


def test_one_image_is_too_few():
    with pytest.raises(UserError, match="at least 2 images"):
        hold_out(pl.DataFrame({"image_id": [1]}))
