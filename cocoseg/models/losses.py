"""Losses on logits and label maps, in `keras.ops`."""

from cocoseg.coco.label_space import VOID


def cross_entropy(logits, labels, void: int = VOID):
    """Mean cross-entropy over the pixels that are not void; 0 where all are.

    `logits` float B×H×W×n, `labels` integer B×H×W. Returns a float32 scalar.
    """
    from keras import ops

    known = ops.not_equal(labels, void)
    target = ops.where(known, ops.cast(labels, "int32"), 0)
    pixels = ops.sparse_categorical_crossentropy(target, ops.cast(logits, "float32"), from_logits=True)
    known = ops.cast(known, "float32")
    return ops.sum(pixels * known) / ops.maximum(ops.sum(known), 1.0)
