"""Keras and TensorFlow, imported where a network is built or trained."""

import contextlib
import os
import sys
import tempfile


def keras():
    """Keras, on the backend that `KERAS_BACKEND` names (default: TensorFlow)."""
    with _quiet():
        import keras
    return keras


def tensorflow():
    """TensorFlow, deterministic: the same operations on the same machine give the same bits."""
    with _quiet():
        import tensorflow as tf

        tf.config.experimental.enable_op_determinism()
        tf.config.list_physical_devices()
    return tf


@contextlib.contextmanager
def _quiet():
    """Keep TensorFlow's greetings out of notebooks: it writes them to the file descriptor, whatever its log level."""
    if "tensorflow" in sys.modules:
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as written:
        os.dup2(written.fileno(), 2)
        try:
            yield
        except BaseException:
            written.seek(0)
            os.write(stderr, written.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
