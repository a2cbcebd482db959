"""A step of gradient descent, on a network with many branches."""

import numpy as np

from cocoseg.coco.label_space import label_space
from cocoseg.models import backend
from cocoseg.models.descent import descent
from cocoseg.models.losses import loss
from cocoseg.models.optimizers import optimizer
from cocoseg.models.registry import build


def test_the_same_step_from_the_same_weights_gives_the_same_bits():
    backend.tensorflow()
    network = build("deeplabv3plus", label_space("person"), 128, 0, "efficientnet-lite0:random").body.network
    moving = optimizer(network, "sgd", weight_decay=0.0)
    moving.learning_rate = 1e-2
    step = descent(network, moving, loss("cross-entropy"))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (8, 128, 128, 3)).astype(np.float32)
    truth = rng.integers(0, 2, (8, 128, 128)).astype(np.uint8)
    weights, state = network.get_weights(), [v.numpy() for v in moving.variables]
    results = []
    for _ in range(8):
        network.set_weights(weights)
        for variable, value in zip(moving.variables, state, strict=True):
            variable.assign(value)
        _, norm = step(images, truth)
        results.append((norm.numpy(), network.get_weights()))
    for norm, after in results[1:]:
        assert norm == results[0][0]
        np.testing.assert_equal(after, results[0][1])
