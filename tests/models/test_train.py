"""Training: it learns, it stops in time, and a killed one ends as if nothing had happened."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from cocoseg.errors import UserError
from cocoseg.models.train import CURVE, train
from cocoseg.models.validation import prediction

SHORT = {"size": 16, "batch": 4, "steps": 12, "validate_every": 6, "checkpoint_every": 3, "workers": 1}
SAME = ["step", "loss", "learning_rate", "val_pixel_accuracy", "val_miou"]


def run(data, folder, model="seed-cnn", space="person", split="train", **options):
    return train(model, str(data.root), split, space, folder, **SHORT | options)


@pytest.fixture(scope="module")
def whole(rectangles, tmp_path_factory):
    """A training that was never interrupted."""
    return run(rectangles, tmp_path_factory.mktemp("whole"))


def test_the_curve_has_a_row_per_step_and_scores_at_intervals(whole):
    _, curve = whole
    assert curve.schema == CURVE
    assert curve["step"].to_list() == list(range(1, 13))
    assert curve.filter(pl.col("val_miou").is_not_null())["step"].to_list() == [6, 12]
    assert curve["seconds"].is_sorted() and (curve["images_per_second"] > 0).all()


def test_the_learning_rate_rises_and_falls(rectangles, tmp_path):
    _, curve = run(rectangles, tmp_path, steps=41, learning_rate=1e-2, validate_every=100, size=4, batch=1)
    rate = curve["learning_rate"].to_numpy()
    assert rate.argmax() == 3 and rate.max() == pytest.approx(1e-2)
    assert (np.diff(rate[:4]) > 0).all() and (np.diff(rate[3:]) < 0).all() and rate[-1] < 1e-4


def test_red_rectangles_are_learnt(rectangles, tmp_path):
    model, curve = run(rectangles, tmp_path, steps=60, size=24, validate_every=60)
    assert curve["val_miou"][-1] > 0.8
    photo = np.full((48, 64, 3), 60, np.uint8)
    photo[10:40, 20:50, 0] = 255
    found = prediction(model, photo)
    assert found[25, 35] == 1 and found[25, 5] == 0


@pytest.mark.parametrize("name", ["background", "class-prior"])
def test_baselines_go_the_same_way(name, rectangles, tmp_path):
    model, curve = run(rectangles, tmp_path, name)
    assert curve.schema == CURVE and curve.height == 1
    assert 0 < curve["val_pixel_accuracy"][0] < 1
    assert model.name == name


PROGRAM = """
import sys, time
from cocoseg.models import train as module
write = module.checkpoint.write
def slow(path, state):
    write(path, state)
    if path.name == "checkpoint.npz":
        print(len(state.rows), flush=True)
        time.sleep(0.2)
module.checkpoint.write = slow
module.train("seed-cnn", sys.argv[1], "train", "person", sys.argv[2],
             size=16, batch=4, steps=12, validate_every=6, checkpoint_every=3, workers=1)
"""


def test_a_killed_training_ends_with_the_losses_of_one_that_was_not(rectangles, whole, tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(rectangles.root), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "3\n"
        assert process.stdout.readline() == "6\n"
        process.send_signal(signal.SIGKILL)
    model, curve = run(rectangles, tmp_path)
    expected_model, expected = whole
    assert curve.select(SAME).equals(expected.select(SAME))
    for key, array in expected_model.body.arrays.items():
        np.testing.assert_array_equal(model.body.arrays[key], array)


def test_a_finished_training_is_not_repeated(rectangles, tmp_path):
    _, first = run(rectangles, tmp_path)
    start = time.monotonic()
    _, again = run(rectangles, tmp_path)
    assert again.equals(first)
    assert time.monotonic() - start < 60


def test_a_checkpoint_of_other_settings_is_refused(rectangles, tmp_path):
    run(rectangles, tmp_path, steps=3)
    with pytest.raises(UserError, match="other settings"):
        run(rectangles, tmp_path, steps=4)


def test_a_training_that_diverges_says_so(rectangles, tmp_path):
    with pytest.raises(UserError, match=r"diverged at step \d+: .* learning rate below 10"):
        run(rectangles, tmp_path, learning_rate=10.0, steps=60, validate_every=100)


def test_crops_without_a_known_pixel_give_no_nan(crowds, tmp_path):
    model, curve = run(crowds, tmp_path / "c", steps=3)
    assert curve["loss"].to_list() == [0.0] * 3
    assert all(np.isfinite(array).all() for array in model.body.arrays.values())


def test_annotations_that_are_no_masks_are_not_learnt_from(rectangles, tmp_path):
    content = json.loads(rectangles.annotations("train").read_text())
    content["annotations"][0]["segmentation"] = [[1, 2]]
    del content["annotations"][1]["image_id"]
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations" / "instances_train.json").write_text(json.dumps(content))
    (tmp_path / "train").symlink_to(rectangles.images("train"))
    _, curve = train("class-prior", str(tmp_path), "train", "person", tmp_path / "checkpoint")
    assert 0 < curve["val_pixel_accuracy"][0] < 1


@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"model": "seed_cnn"}, "no model 'seed_cnn'; did you mean 'seed-cnn'"),
        ({"split": "val"}, "no split 'val'"),
        ({"space": "voc12"}, "no label space 'voc12'; did you mean 'voc21'"),
        ({"size": 18}, "seed-cnn needs a size that is a multiple of 4, as 16; got 18"),
        ({"size": 0}, "size is between"),
        ({"steps": 0}, "steps is between"),
        ({"batch": -1}, "batch is between"),
        ({"learning_rate": 0.0}, "learning_rate is between"),
        ({"learning_rate": float("nan")}, "learning_rate is between"),
        ({"weight_decay": -0.1}, "weight_decay is between"),
        ({"seed": -1}, "seed is between"),
        ({"validate_every": 0}, "validate_every is between"),
        ({"checkpoint_every": 0}, "checkpoint_every is between"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(wrong, message, rectangles, tmp_path):
    with pytest.raises(UserError, match=message):
        run(rectangles, tmp_path, **wrong)
    assert not list(tmp_path.iterdir())
