"""Learning rates by formula, and optimisers by what they do to two weights."""

import math

import numpy as np
import pytest

from cocoseg.models import backend
from cocoseg.models.descent import averaged, descent
from cocoseg.models.optimizers import optimizer, rate


@pytest.mark.parametrize("schedule", ["cosine", "poly"])
def test_the_rate_rises_evenly_then_falls_to_nothing(schedule):
    rates = [rate(i, 100, 0.1, schedule) for i in range(101)]
    np.testing.assert_allclose(rates[:11], np.linspace(0.1, 1, 11))
    assert (np.diff(rates[10:]) < 0).all() and rates[100] == 0


def test_both_schedules_by_formula():
    assert rate(55, 100, 0.1, "cosine") == pytest.approx(0.5)
    assert rate(55, 100, 0.1, "poly") == pytest.approx(0.5**0.9)


@pytest.mark.parametrize("updates", [1, 2, 7])
@pytest.mark.parametrize("warmup", [0.0, 0.05, 0.9])
def test_short_trainings_have_rates_too(updates, warmup):
    rates = [rate(i, updates, warmup, "cosine") for i in range(updates)]
    assert all(0 < r <= 1 for r in rates)


def network():
    """Two logits a pixel, each a weight times the brightness."""
    keras = backend.keras()
    image = keras.Input((None, None, 3))
    start = keras.initializers.Constant(0.01)
    return keras.Model(image, keras.layers.Conv2D(2, 1, kernel_initializer=start, name="only")(image))


def moving(**options):
    keras = backend.keras()
    made = network()
    settings = {"weight_decay": 0.0} | options
    name = settings.pop("name", "sgd")
    step_by = optimizer(made, name, **settings)
    step_by.learning_rate = 0.1
    ops = keras.ops

    def loss(logits, truth, total):
        return ops.mean(ops.cast(logits, "float32") * ops.one_hot(truth, 2))

    return made, step_by, descent(made, step_by, loss)


def batch(value):
    tf = backend.tensorflow()
    return tf.fill([2, 4, 4, 3], float(value)), tf.ones([2, 4, 4], tf.int32)


def kernel(made):
    return made.get_layer("only").kernel.numpy()[0, 0, 0]


def test_gradients_of_several_steps_are_averaged_before_the_weights_move():
    made, _, step = moving(accumulate=2)
    before = kernel(made)
    step(*batch(1))
    np.testing.assert_array_equal(kernel(made), before)
    step(*batch(3))
    once, _, whole = moving()
    whole(*batch(2))  # the loss is linear in the image: the mean of the gradients is the gradient at the mean
    np.testing.assert_allclose(kernel(made), kernel(once), rtol=1e-6)
    assert not np.allclose(kernel(made), before)


def test_averaged_weights_are_there_for_a_while():
    made, step_by, step = moving(ema=0.75)
    seen = []
    for value in (1, 2, 3):
        step(*batch(value))
        seen.append(kernel(made))
    expected = seen[0]
    for weights in seen[1:]:
        expected = 0.75 * expected + 0.25 * weights
    with averaged(made, step_by, made.trainable_variables):
        np.testing.assert_allclose(kernel(made), expected, rtol=1e-6)
    np.testing.assert_array_equal(kernel(made), seen[-1])


def test_without_an_average_nothing_is_exchanged():
    made, step_by, step = moving()
    step(*batch(1))
    now = kernel(made)
    with averaged(made, step_by, made.trainable_variables):
        np.testing.assert_array_equal(kernel(made), now)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_weights_decay_and_biases_do_not(name):
    made, _, step = moving(name=name, weight_decay=0.5)
    layer = made.get_layer("only")
    layer.bias.assign([1.0, 1.0])
    tf = backend.tensorflow()
    step(
        tf.zeros([2, 4, 4, 3]), tf.zeros([2, 4, 4], tf.int32)
    )  # no gradient for the kernel, none for the bias of class 1
    np.testing.assert_allclose(kernel(made), 0.01 * (1 - 0.1 * 0.5), rtol=1e-5)
    assert layer.bias.numpy()[1] == 1.0


def test_a_loss_too_small_for_float16_still_moves_the_weights():
    with backend.policy("mixed_float16"):
        made, step_by, step = moving()
    assert step_by.scale_loss(1.0) > 1
    before = kernel(made)
    value, _ = step(*batch(1e-6))
    assert math.isfinite(float(value))
    assert (kernel(made) != before).any()
