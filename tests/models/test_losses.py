"""Cross-entropy, against NumPy."""

import numpy as np
import pytest

from cocoseg.models.backend import tensorflow
from cocoseg.models.losses import cross_entropy


@pytest.fixture
def batch():
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 3, (2, 5, 7, 4)).astype(np.float32)
    labels = rng.choice([0, 1, 2, 3, 255], (2, 5, 7)).astype(np.uint8)
    return logits, labels


def test_it_is_the_mean_over_known_pixels(batch):
    logits, labels = batch
    known = labels != 255
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    expected = -logp[known, labels[known]].mean()
    assert float(cross_entropy(logits, labels)) == pytest.approx(expected, rel=1e-6)


def test_void_pixels_have_no_gradient(batch):
    tf = tensorflow()
    logits, labels = map(tf.constant, batch)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = cross_entropy(logits, labels)
    gradient = tape.gradient(loss, logits).numpy()
    assert (gradient[batch[1] == 255] == 0).all() and (gradient[batch[1] != 255] != 0).any(-1).all()


def test_a_batch_without_a_known_pixel_has_no_loss_and_no_gradient(batch):
    tf = tensorflow()
    logits = tf.constant(batch[0] * 1e4)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        loss = cross_entropy(logits, tf.fill(logits.shape[:3], tf.constant(255, tf.uint8)))
    assert float(loss) == 0
    assert (tape.gradient(loss, logits).numpy() == 0).all()
