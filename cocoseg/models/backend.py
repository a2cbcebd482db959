"""Keras and TensorFlow, imported where a network is built or trained."""

import contextlib
import os
import sys
import tempfile
from pathlib import Path


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


PRECISIONS = ("auto", "float32", "mixed_bfloat16", "mixed_float16")
STRATEGIES = ("single", "mirrored")


def precision(name: str = "auto") -> str:
    """The Keras dtype policy in which to train: `auto` is the fastest one that the device computes in.

    bfloat16 on GPUs from compute capability 8.0 and on CPUs with instructions for it (AVX512-BF16 or AMX), where a
    training step takes half the time; float16 on older GPUs with tensor cores; else float32.
    """
    if name != "auto":
        return name
    tf = tensorflow()
    if gpus := tf.config.list_physical_devices("GPU"):
        found = [tf.config.experimental.get_device_details(gpu).get("compute_capability", (0, 0)) for gpu in gpus]
        return "mixed_bfloat16" if min(found) >= (8, 0) else "mixed_float16" if min(found) >= (7, 0) else "float32"
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return "float32"
    return "mixed_bfloat16" if "avx512_bf16" in flags or "amx_bf16" in flags else "float32"


def strategy(name: str = "single"):
    """The `tf.distribute` strategy of that name; `mirrored` is over all GPUs of the machine, or else over its CPUs."""
    tf = tensorflow()
    return tf.distribute.MirroredStrategy() if name == "mirrored" else tf.distribute.get_strategy()


def memory_mib() -> float:
    """MiB in use: the most that was ever used of the first GPU, or what this process holds where there is none."""
    import psutil

    tf = tensorflow()
    if tf.config.list_logical_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"] / 2**20
    return psutil.Process().memory_info().rss / 2**20


@contextlib.contextmanager
def policy(name: str):
    """Layers that are made within compute as this Keras dtype policy says."""
    config = keras().config
    before = config.dtype_policy()
    config.set_dtype_policy(name)
    try:
        yield
    finally:
        config.set_dtype_policy(before)


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
