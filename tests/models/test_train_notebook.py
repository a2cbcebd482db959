"""The notebook that trains: what its run leaves for those who come after it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from cocoseg.coco.datasets import HOME
from cocoseg.models import backend
from cocoseg.models.storage import load
from cocoseg.models.train import CURVE
from cocoseg.runs.record import Run


def command(data, runs, name, **values):
    given = {"data": data.name, "split": "train", "model": "unet", "size": 32, "batch": 2, "steps": 2}
    given |= {"precision": "float32"} | values
    pairs = [part for key, value in given.items() for part in ("-p", key, str(value))]
    return subprocess.run(
        [sys.executable, "-m", "cocoseg", "run", "train", *pairs, "--name", name],
        cwd=HOME,
        env=os.environ | {"COCOSEG_DATA": str(data.root.parent), "COCOSEG_RUNS": str(runs)},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def runs(rectangles, tmp_path_factory):
    """A training, and one that goes on from it."""
    folder = tmp_path_factory.mktemp("runs")
    for name, more in {"parent": {}, "child": {"init_from": "parent", "seed": 1}}.items():
        done = command(rectangles, folder, name, **more)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_a_run_has_its_curve_its_scores_and_what_it_was_made_on(runs):
    run = Run(runs / "parent")
    assert dict(run.table("curve").schema) == CURVE and run.table("curve")["step"].to_list() == [1, 2]
    assert 0 <= run.scores["held_out_miou"] <= 1 and run.scores["images_per_second"] > 0
    assert run.facts["machine"]["cores"] and run.facts["seconds"] > 0
    assert "checkpoint" not in {path.name for path in run.folder.iterdir()}


def test_the_keras_file_is_the_network_of_the_weights(runs):
    kept, saved = load(runs / "parent"), runs / "parent" / "local" / "model.keras"
    image = np.random.default_rng(0).integers(0, 256, (1, 32, 32, 3)).astype(np.float32)
    ours, keras = (
        np.asarray(network(image)) for network in (kept.body.network, backend.keras().saving.load_model(saved))
    )
    np.testing.assert_allclose(ours, keras, atol=2e-2)  # the weights are kept in float16
    assert np.ptp(keras) > 0.1


def test_a_training_that_goes_on_names_its_parent_and_begins_where_it_ended(runs):
    parent, child = Run(runs / "parent"), Run(runs / "child")
    assert child.parameters["init_from"] == "parent" and list(child.facts["reads"]) == ["parent"]
    begun, ended = (load(run.folder).body.arrays for run in (parent, child))
    moved = max(np.abs(ended[key] - begun[key]).max() for key in begun if begun[key].ndim > 1)
    assert 0 < moved < 0.01  # two steps of AdamW, each of at most its learning rate of 0.001
