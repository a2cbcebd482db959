"""TensorFlow, imported where a network is built or trained."""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # read when TensorFlow, or Keras, is first imported


def tensorflow():
    """TensorFlow, quiet and deterministic: the same operations on the same machine give the same bits."""
    import tensorflow as tf

    tf.config.experimental.enable_op_determinism()
    return tf
