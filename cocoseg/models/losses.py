"""Losses on logits and label maps, in `keras.ops`, blind to void pixels.

Every loss is made of sums over pixels, so that one batch on several devices has the loss that it has on one: `total`
turns the sum of a part into the sum of the whole. A loss is 0, with a gradient of 0, where all pixels are void.
"""

from collections.abc import Callable, Sequence

import numpy as np

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError, nearest

FOCUS = 2.0  # γ, the best of Lin et al., table 1


def cross_entropy(logits, labels, weights=None, total: Callable = lambda part: part):
    """Mean cross-entropy of the pixels that are not void, each weighing as much as its class.

    `logits` float B×H×W×n, `labels` integer B×H×W, `weights` one number a class or None for equal ones. Returns a
    float32 scalar.
    """
    return _mean(_surprise(logits, labels), labels, weights, total)


def focal(logits, labels, weights=None, total: Callable = lambda part: part):
    """The focal loss: cross-entropy times (1 − p)^γ, where p is the probability of the true class and γ = 2.

    Lin et al., "Focal loss for dense object detection", ICCV 2017, equation 5, with α the class's weight; over several
    classes, p is a softmax. Arguments and result as of `cross_entropy`.
    """
    from keras import ops

    surprise = _surprise(logits, labels)
    return _mean(surprise * (1.0 - ops.exp(-surprise)) ** FOCUS, labels, weights, total)


def dice(logits, labels, weights=None, total: Callable = lambda part: part):
    """1 minus the Dice coefficient, 2 Σpg / (Σp² + Σg²), averaged over the classes that are in the batch.

    Milletari, Navab and Ahmadi, "V-Net", 3DV 2016, section 3; p is the softmax of the logits, g is 1 in pixels of the
    class, and the sums go over all pixels of the batch that are not void. `weights` are not used: the coefficient of a
    class does not depend on its frequency. Arguments and result as of `cross_entropy`.
    """
    from keras import ops

    n = logits.shape[-1]
    known = ops.cast(ops.not_equal(labels, VOID), "float32")
    truth = ops.one_hot(_known(labels), n, dtype="float32") * known[..., None]
    found = ops.softmax(ops.cast(logits, "float32")) * known[..., None]
    shared, area, true = (total(ops.sum(x, (0, 1, 2))) for x in (found * truth, found**2, truth))
    present = ops.cast(true > 0, "float32")
    coefficient = 2 * shared / ops.maximum(area + true, 1.0)
    return ops.sum(present * (1 - coefficient)) / ops.maximum(ops.sum(present), 1.0)


LOSSES = {"cross-entropy": cross_entropy, "focal": focal, "dice": dice}


def loss(name: str, weights: Sequence[float] | None = None) -> Callable:
    """The loss of that name, or the sum of several: `cross-entropy+dice`.

    Returns a function of logits, labels and `total`. An unknown name, one that is given twice and weights for Dice
    alone are a `UserError`.

    >>> loss("cross-entropi")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: no loss 'cross-entropi'; did you mean 'cross-entropy'? Valid: cross-entropy, dice, focal
    """
    names = [part.strip() for part in name.split("+")]
    for part in names:
        if part not in LOSSES:
            raise UserError(f"no loss {part!r}; {nearest(part, LOSSES)}")
    if len(set(names)) < len(names):
        raise UserError(f"loss {name!r} names one twice")
    if weights is not None and names == ["dice"]:
        raise UserError("Dice takes no class weights; give cross-entropy or focal, or a sum with one of them")
    weights = None if weights is None else np.asarray(weights, np.float32)

    def summed(logits, labels, total: Callable = lambda part: part):
        return sum(LOSSES[part](logits, labels, weights, total) for part in names)

    return summed


def _known(labels):
    """The labels as int32, with class 0 where they are void."""
    from keras import ops

    return ops.where(ops.not_equal(labels, VOID), ops.cast(labels, "int32"), 0)


def _surprise(logits, labels):
    from keras import ops

    return ops.sparse_categorical_crossentropy(_known(labels), ops.cast(logits, "float32"), from_logits=True)


def _mean(pixels, labels, weights, total):
    from keras import ops

    share = ops.cast(ops.not_equal(labels, VOID), "float32")
    if weights is not None:
        share = share * ops.take(ops.convert_to_tensor(weights), _known(labels))
    whole = total(ops.sum(share))
    return total(ops.sum(pixels * share)) / ops.where(whole > 0, whole, 1.0)
