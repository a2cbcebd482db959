"""Networks and losses are written for any backend of Keras: JAX gives the numbers that TensorFlow gives."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest

from cocoseg.coco.datasets import HOME
from cocoseg.models.losses import LOSSES

NETWORKS = ("seed-cnn", "unet", "fpn", "deeplabv3plus")
FORWARD = """
import json, sys
import numpy as np
from cocoseg.coco.label_space import label_space
from cocoseg.models import backend
from cocoseg.models.encoder import untrained
from cocoseg.models.losses import LOSSES
from cocoseg.models.registry import build, chosen_encoder

keras, (networks, file) = backend.keras(), (json.loads(sys.argv[1]), sys.argv[2])
rng, found = np.random.default_rng(0), {}
image = rng.integers(0, 256, (2, 64, 96, 3)).astype(np.float32)
labels = rng.choice([0, 1, 255], (2, 64, 96)).astype(np.int32)
for name in networks:
    body = build(name, label_space("person"), 64, 0, untrained(chosen_encoder(name))).body
    draw = np.random.default_rng(1)

    def drawn(array):  # kernels of either sign, scaled by their channels; all else positive, as variances are
        values = draw.uniform(0.05, 0.5, array.shape)
        return values * draw.choice([-1, 1], array.shape) / array.shape[2] if array.ndim == 4 else values

    body.arrays = {key: drawn(array).astype(array.dtype) for key, array in body.arrays.items()}
    found[name] = keras.ops.convert_to_numpy(body.network(image, training=False))
logits = rng.normal(0, 3, (2, 64, 96, 2)).astype(np.float32)
found |= {loss: keras.ops.convert_to_numpy(of(logits, labels)) for loss, of in LOSSES.items()}
np.savez(file, backend=keras.backend.backend(), **found)
"""


def numbers(backend, file):
    done = subprocess.run(
        [sys.executable, "-c", FORWARD, json.dumps(NETWORKS), str(file)],
        cwd=HOME,
        env={**os.environ, "KERAS_BACKEND": backend, "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return np.load(file)


@pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX is not installed")
def test_networks_and_losses_are_the_same_on_jax(tmp_path):
    ours, theirs = (numbers(backend, tmp_path / f"{backend}.npz") for backend in ("tensorflow", "jax"))
    assert (str(ours["backend"]), str(theirs["backend"])) == ("tensorflow", "jax")
    for name in (*NETWORKS, *LOSSES):
        assert np.isfinite(ours[name]).all() and (name in LOSSES or ours[name].std() > 0)
        np.testing.assert_allclose(ours[name], theirs[name], rtol=1e-3, atol=1e-3 * np.abs(ours[name]).max())
