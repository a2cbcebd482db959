"""Losses, against their formulas in NumPy and numbers that can be worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cocoseg.errors import UserError
from cocoseg.models.backend import tensorflow
from cocoseg.models.losses import LOSSES, cross_entropy, dice, focal, loss

ALL = [*LOSSES, "cross-entropy+dice+focal"]


def draw(seed=0, n=4, spread=3):
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, spread, (2, 5, 7, n)).astype(np.float32)
    labels = rng.choice([*range(n), 255], (2, 5, 7)).astype(np.uint8)
    return logits, labels


def probability(logits):
    e = np.exp(np.float64(logits) - logits.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def of_truth(logits, labels):
    """The probability of the true class of each known pixel, and that class."""
    known = labels != 255
    return probability(logits)[known, labels[known]], labels[known]


def gradient(function, logits, labels):
    tf = tensorflow()
    logits = tf.constant(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = function(logits, tf.constant(labels))
    return float(value), tape.gradient(value, logits).numpy()


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 6))
def test_cross_entropy_is_the_mean_over_known_pixels(seed, n):
    logits, labels = draw(seed, n)
    p, _ = of_truth(logits, labels)
    assert float(cross_entropy(logits, labels)) == pytest.approx(-np.log(p).mean(), rel=1e-5)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 6))
def test_the_focal_loss_is_cross_entropy_times_the_doubt_squared(seed, n):
    logits, labels = draw(seed, n)
    p, _ = of_truth(logits, labels)
    assert float(focal(logits, labels)) == pytest.approx(-((1 - p) ** 2 * np.log(p)).mean(), rel=1e-4)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 1000), n=st.integers(2, 6))
def test_dice_is_that_of_v_net_over_the_classes_of_the_batch(seed, n):
    logits, labels = draw(seed, n)
    labels[labels == n - 1] = 0  # a class that is not in the batch
    known = labels != 255
    p = probability(logits)[known]
    coefficients = []
    for k in np.unique(labels[known]):
        g = np.float64(labels[known] == k)
        coefficients.append(2 * (p[:, k] * g).sum() / ((p[:, k] ** 2).sum() + (g**2).sum()))
    assert float(dice(logits, labels)) == pytest.approx(1 - np.mean(coefficients), rel=1e-5)


def test_an_even_guess_between_two_classes():
    logits, labels = np.zeros((1, 2, 2, 2), np.float32), np.uint8([[[0, 1], [1, 255]]])
    assert float(cross_entropy(logits, labels)) == pytest.approx(np.log(2))
    assert float(focal(logits, labels)) == pytest.approx(np.log(2) / 4)
    # Three known pixels, one of class 0: 2·½/(¾ + 1) = 4/7; two of class 1: 2·1/(¾ + 2) = 8/11.
    assert float(dice(logits, labels)) == pytest.approx(1 - (4 / 7 + 8 / 11) / 2)


@pytest.mark.parametrize("name", ALL)
def test_certainty_in_the_truth_costs_nothing(name):
    labels = draw()[1]
    logits = 50 * np.eye(256, 4, dtype=np.float32)[labels]
    value, slope = gradient(loss(name), logits, labels)
    assert value == pytest.approx(0, abs=1e-6) and np.isfinite(slope).all()


@pytest.mark.parametrize(
    "function, of", [(cross_entropy, lambda p: -np.log(p)), (focal, lambda p: -((1 - p) ** 2) * np.log(p))]
)
def test_a_weighted_loss_is_a_weighted_mean(function, of):
    logits, labels = draw()
    weights = np.float32([0.2, 1, 3, 0])
    p, classes = of_truth(logits, labels)
    expected = np.average(of(p), weights=weights[classes])
    assert float(function(logits, labels, weights)) == pytest.approx(expected, rel=1e-5)


def test_a_sum_of_losses():
    logits, labels = draw()
    weights = np.float32([1, 2, 3, 4])
    expected = float(cross_entropy(logits, labels, weights)) + float(dice(logits, labels))
    assert float(loss("cross-entropy + dice", weights)(logits, labels)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", ALL)
def test_void_pixels_have_no_gradient(name):
    logits, labels = draw()
    _, slope = gradient(loss(name), logits, labels)
    assert (slope[labels == 255] == 0).all() and (slope[labels != 255] != 0).any(-1).all()


@pytest.mark.parametrize("name", ALL)
def test_a_batch_without_a_known_pixel_has_no_loss_and_no_gradient(name):
    logits, labels = draw(spread=1e4)
    value, slope = gradient(loss(name), logits, np.full_like(labels, 255))
    assert value == 0 and (slope == 0).all()


@pytest.mark.parametrize("name", ALL)
def test_only_pixels_of_weight_0_are_no_loss_either(name):
    logits, labels = draw()
    weights = None if name == "dice" else [0.0] * 4
    value, slope = gradient(loss(name, weights), logits, np.full_like(labels, 1 if weights else 255))
    assert np.isfinite(value) and np.isfinite(slope).all()


@pytest.mark.parametrize("name", ALL)
def test_the_slope_is_that_of_the_value(name):
    logits, labels = draw(spread=1)
    _, slope = gradient(loss(name), logits, labels)
    direction = np.random.default_rng(1).normal(size=logits.shape).astype(np.float32)
    ahead, behind = (float(loss(name)(logits + step * direction, labels)) for step in (1e-2, -1e-2))
    assert (ahead - behind) / 2e-2 == pytest.approx((slope * direction).sum(), rel=2e-2, abs=1e-4)


@pytest.mark.parametrize("name", ALL)
def test_half_precision_logits_give_a_float32_loss(name):
    tf = tensorflow()
    logits, labels = draw()
    value = loss(name)(tf.cast(logits, tf.float16), labels)
    assert value.dtype == tf.float32
    assert float(value) == pytest.approx(float(loss(name)(logits, labels)), rel=1e-2)


@pytest.mark.parametrize("name", ALL)
def test_a_batch_in_two_parts_has_the_loss_of_the_whole(name):
    """As on two devices: `total` answers with the sums of both, in the order in which they are asked for."""
    logits, labels = draw()
    asked = [[], []]
    for part in (0, 1):
        loss(name)(logits[part : part + 1], labels[part : part + 1], lambda x, part=part: asked[part].append(x) or x)
    sums = iter([a + b for a, b in zip(*asked, strict=True)])
    assert float(loss(name)(logits[:1], labels[:1], lambda x: next(sums))) == pytest.approx(
        float(loss(name)(logits, labels)), rel=1e-5
    )


@pytest.mark.parametrize(
    "name, weights, message",
    [
        ("dise", None, "no loss 'dise'; did you mean 'dice'"),
        ("cross-entropy+", None, "no loss ''"),
        ("", None, "no loss ''; valid: cross-entropy, dice, focal"),
        ("dice+dice", None, "names one twice"),
        ("dice", [1, 2], "Dice takes no class weights"),
    ],
)
def test_what_is_no_loss_is_refused(name, weights, message):
    with pytest.raises(UserError, match=message):
        loss(name, weights)
