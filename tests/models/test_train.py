"""Training: it learns, it stops in time, and a killed one ends as if nothing had happened."""

import json
import signal
import subprocess
import sys

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.datasets import HOME
from cocoseg.errors import UserError
from cocoseg.models import train as module
from cocoseg.models.registry import build
from cocoseg.models.storage import save
from cocoseg.models.train import CURVE, train
from cocoseg.models.validation import hold_out, prediction
from tests.models import tiny

SHORT = {"size": 16, "batch": 4, "steps": 12, "validate_every": 4, "checkpoint_every": 3, "workers": 1}
SHORT |= {"precision": "float32"}
SAME = ["step", "loss", "learning_rate", "val_pixel_accuracy", "val_miou"]
EVERYTHING = {
    "optimizer": "sgd",
    "learning_rate": 0.02,
    "schedule": "poly",
    "loss": "cross-entropy+dice+focal",
    "class_weights": "median-frequency",
    "ema": 0.8,
    "accumulate": 2,
    "freeze": 0.4,
    "colour": 0.3,
    "balanced": True,
    "shards": True,
    "keep": "best",
}


@pytest.fixture(autouse=True)
def with_a_tiny_network(monkeypatch):
    monkeypatch.setattr(module, "build", tiny.build)


def run(data, folder, model="tiny", space="person", split="train", **options):
    return train(model, str(data.root), split, space, folder, **SHORT | options)


@pytest.fixture(scope="module")
def whole(rectangles, tmp_path_factory):
    """A training that was never interrupted."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "build", tiny.build)
        return run(rectangles, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def everything(rectangles, tmp_path_factory):
    """One with all there is, never interrupted either."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "build", tiny.build)
        return run(rectangles, tmp_path_factory.mktemp("everything"), **EVERYTHING)


def same_weights(one, other):
    np.testing.assert_equal(other.body.arrays, one.body.arrays)


def test_the_curve_has_a_row_per_step_and_scores_at_intervals(whole):
    _, curve = whole
    assert curve.schema == CURVE
    assert curve["step"].to_list() == list(range(1, 13))
    assert curve.filter(pl.col("val_miou").is_not_null())["step"].to_list() == [4, 8, 12]
    assert curve["seconds"].is_sorted() and (curve["images_per_second"] > 0).all()


def test_the_curve_says_where_the_time_went(whole):
    _, curve = whole
    phases = curve.select(pl.col("^(wait|step|validation|checkpoint)_seconds$"))
    assert curve["validation_seconds"].is_not_null().equals(curve["val_miou"].is_not_null())
    assert curve.filter(pl.col("checkpoint_seconds").is_not_null())["step"].to_list() == [3, 6, 9, 12]
    assert 0.5 * curve["seconds"][-1] < phases.sum().sum_horizontal()[0] <= curve["seconds"][-1]
    assert (curve["memory_mib"] > 100).all()


def test_images_of_a_fold_are_left_out(rectangles, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(module, "hold_out", lambda samples: seen.append(set(samples["image_id"])) or hold_out(samples))
    for fold in ("", "1/2", "2/2"):
        run(rectangles, tmp_path / fold.replace("/", "-"), "background", fold=fold)
    whole, without_first, without_second = seen
    assert without_first | without_second == whole and not without_first & without_second
    assert without_first and without_second


def test_the_learning_rate_rises_and_falls(rectangles, tmp_path):
    _, curve = run(rectangles, tmp_path, steps=41, learning_rate=1e-2, validate_every=100, size=4, batch=1)
    rate = curve["learning_rate"].to_numpy()
    assert rate.argmax() == 3 and rate.max() == pytest.approx(1e-2)
    assert (np.diff(rate[:4]) > 0).all() and (np.diff(rate[3:]) < 0).all() and rate[-1] < 1e-4


def test_red_rectangles_are_learnt(rectangles, tmp_path):
    model, curve = run(rectangles, tmp_path, "seed-cnn", steps=60, size=24, validate_every=60)
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
import json, sys, time
from cocoseg.models import train as module
from tests.models import tiny
module.build = tiny.build
write = module.checkpoint.write
def slow(path, state):
    write(path, state)
    if path.name == "checkpoint.npz":
        print(len(state.rows), flush=True)
        time.sleep(0.2)
module.checkpoint.write = slow
module.train("tiny", sys.argv[1], "train", "person", sys.argv[2], **json.loads(sys.argv[3]))
"""


def test_a_killed_training_ends_with_the_losses_of_one_that_was_not(rectangles, whole, tmp_path):
    command = [sys.executable, "-c", PROGRAM, str(rectangles.root), str(tmp_path), json.dumps(SHORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=HOME) as process:
        assert process.stdout.readline() == "3\n"
        assert process.stdout.readline() == "6\n"
        process.send_signal(signal.SIGKILL)
    model, curve = run(rectangles, tmp_path)
    expected_model, expected = whole
    assert curve.select(SAME).equals(expected.select(SAME))
    same_weights(expected_model, model)


class Killed(Exception):
    pass


@pytest.mark.parametrize("at", [3, 9])
def test_so_does_one_with_all_there_is(at, rectangles, everything, tmp_path, monkeypatch):
    """Before and after the encoder is set free, in the middle of two steps whose gradients belong together."""
    expected_model, expected = everything
    write = module.checkpoint.write

    def killed(path, state):
        write(path, state)
        if path.name == "checkpoint.npz" and len(state.rows) == at:
            raise Killed

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(module.checkpoint, "write", killed)
        run(rectangles, tmp_path, **EVERYTHING)
    model, curve = run(rectangles, tmp_path, **EVERYTHING)
    assert curve.select(SAME).equals(expected.select(SAME))
    same_weights(expected_model, model)


def test_a_frozen_encoder_stays_as_it_is(rectangles, tmp_path):
    fresh = tiny.build("tiny", module.label_space("person"), 16)
    frozen, _ = run(rectangles, tmp_path / "a", freeze=1.0)
    half, _ = run(rectangles, tmp_path / "b", freeze=0.5)
    encoder = {key for key, array in fresh.body.arrays.items() if np.array_equal(array, frozen.body.arrays[key])}
    assert len(encoder) == 6  # kernel and bias, and of the normalisation scale, offset, mean and variance
    assert not any(np.array_equal(fresh.body.arrays[key], half.body.arrays[key]) for key in encoder)


def test_the_best_weights_are_kept_where_that_is_asked_for(rectangles, tmp_path, monkeypatch):
    scores, seen = iter([0.2, 0.9, 0.4]), []

    def validate(model, samples):
        seen.append(model.body.arrays)
        return {"val_miou": next(scores), "val_pixel_accuracy": 0.5}

    monkeypatch.setattr(module, "validate", validate)
    model, _ = run(rectangles, tmp_path, keep="best")
    for key, array in seen[1].items():
        np.testing.assert_array_equal(model.body.arrays[key], array)
    assert any((seen[2][key] != array).any() for key, array in seen[1].items())


def test_the_averaged_weights_are_those_that_are_validated_and_kept(rectangles, tmp_path, whole, monkeypatch):
    seen = []
    validate = module.validate
    monkeypatch.setattr(
        module, "validate", lambda model, samples: seen.append(model.body.arrays) or validate(model, samples)
    )
    model, curve = run(rectangles, tmp_path, ema=0.9)
    assert curve["loss"].equals(whole[1]["loss"])  # an average does not change how the weights move
    for key, array in model.body.arrays.items():
        np.testing.assert_array_equal(array, seen[-1][key])
    assert any((array != whole[0].body.arrays[key]).any() for key, array in model.body.arrays.items())


def test_epochs_are_counted_in_images(rectangles, tmp_path):
    _, curve = run(rectangles, tmp_path, epochs=1)
    assert curve.height == 6  # 22 of 24 images, four a step


def test_a_training_starts_from_another(rectangles, whole, tmp_path):
    save(whole[0], tmp_path / "run")
    _, curve = run(rectangles, tmp_path / "checkpoint", init_from=tmp_path / "run", steps=1, learning_rate=1e-8)
    before = whole[1]["val_miou"][-1]
    assert curve["val_miou"][-1] == pytest.approx(before, abs=0.02)


def test_and_not_from_one_of_another_kind(rectangles, tmp_path):
    save(build("background", module.label_space("person"), 16), tmp_path / "run")
    with pytest.raises(UserError, match="is background; its weights do not fit tiny"):
        run(rectangles, tmp_path / "checkpoint", init_from=tmp_path / "run")
    with pytest.raises(UserError, match="no model in"):
        run(rectangles, tmp_path / "checkpoint", init_from=tmp_path / "nothing")


def test_a_class_that_is_nowhere_is_warned_of(rectangles, tmp_path):
    with pytest.warns(UserWarning, match=r"no image to learn from shows: .*, tv"):
        run(rectangles, tmp_path, space="voc21", steps=1)


MIRRORED = """
import json, sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from cocoseg.models import train as module
from tests.models import tiny
module.build = tiny.build
model, curve = module.train("tiny", sys.argv[1], "train", "person", sys.argv[2], **json.loads(sys.argv[3]))
print(json.dumps(curve["loss"].to_list()))
"""


def test_two_devices_have_the_losses_of_one(rectangles, tmp_path):
    """With a frozen encoder: what is normalised by its batch differs where the batch is divided."""
    options = SHORT | {
        "freeze": 1.0,
        "loss": "cross-entropy+dice+focal",
        "class_weights": "inverse-frequency",
        "ema": 0.9,
    }
    mirrored = options | {"strategy": "mirrored"}
    command = [sys.executable, "-c", MIRRORED, str(rectangles.root), str(tmp_path / "two"), json.dumps(mirrored)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HOME)
    assert done.returncode == 0, done.stderr
    _, curve = run(rectangles, tmp_path / "one", **options)
    np.testing.assert_allclose(json.loads(done.stdout.splitlines()[-1]), curve["loss"], rtol=1e-4)


def test_a_finished_training_is_not_repeated(rectangles, tmp_path, monkeypatch):
    _, first = run(rectangles, tmp_path, steps=3)
    monkeypatch.setattr(module, "descent", None)
    _, again = run(rectangles, tmp_path, steps=3)
    assert again.select(SAME).equals(first.select(SAME))


def test_a_checkpoint_of_other_settings_is_refused(rectangles, tmp_path):
    run(rectangles, tmp_path, steps=3)
    for other in ({"steps": 4}, {"loss": "dice"}, {"ema": 0.5}):
        with pytest.raises(UserError, match="other settings"):
            run(rectangles, tmp_path, **{"steps": 3} | other)


def test_a_training_that_diverges_says_so(rectangles, tmp_path):
    with pytest.raises(UserError, match=r"diverged at step \d+: .* learning rate below 10"):
        run(rectangles, tmp_path, "seed-cnn", learning_rate=10.0, steps=60, validate_every=100)


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
        ({"size": 17}, "tiny needs a size that is a multiple of 2, as 16; got 17"),
        ({"size": 0}, "size is between"),
        ({"steps": 0}, "steps is between"),
        ({"batch": -1}, "batch is between"),
        ({"learning_rate": 0.0}, "learning_rate is between"),
        ({"learning_rate": float("nan")}, "learning_rate is between"),
        ({"weight_decay": -0.1}, "weight_decay is between"),
        ({"seed": -1}, "seed is between"),
        ({"validate_every": 0}, "validate_every is at least 1"),
        ({"checkpoint_every": 0}, "checkpoint_every is at least 1"),
        ({"optimizer": "adam"}, "no optimizer 'adam'; did you mean 'adamw'"),
        ({"schedule": "step"}, "no schedule 'step'; valid: cosine, poly"),
        ({"loss": "dise"}, "no loss 'dise'; did you mean 'dice'"),
        ({"loss": "dice", "class_weights": "inverse-frequency"}, "Dice takes no class weights"),
        ({"class_weights": "frequency"}, "no class_weights 'frequency'"),
        ({"keep": "first"}, "no keep 'first'"),
        ({"precision": "float16"}, "no precision 'float16'"),
        ({"strategy": "mirored"}, "did you mean 'mirrored'"),
        ({"strategy": "mirrored", "accumulate": 2}, "takes neither xla nor accumulate"),
        ({"scale_min": 2.0}, "scale_min is at most scale_max"),
        ({"ema": 1.0}, "ema is between"),
        ({"epochs": -1}, "epochs is between"),
        ({"model": "seed-cnn", "freeze": 0.5}, "seed-cnn has no encoder that was trained before"),
        ({"model": "seed-cnn", "encoder": "efficientnet-lite0"}, "seed-cnn takes no encoder"),
        ({"model": "fpn", "encoder": "resnet"}, "did you mean 'resnet50'"),
        ({"model": "unet", "size": 100}, "needs a size that is a multiple of 16"),
        ({"fold": "7/3"}, "a fold is written as 1/5"),
        ({"init_from": "nowhere"}, "no model in nowhere"),
    ],
)
def test_wrong_arguments_are_refused_before_any_work(wrong, message, rectangles, tmp_path, monkeypatch):
    monkeypatch.setattr(module.labels, "prepare", None)  # painting label maps takes minutes where there are many
    with pytest.raises(UserError, match=message):
        run(rectangles, tmp_path, **wrong)
    assert not list(tmp_path.iterdir())
