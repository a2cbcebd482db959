"""Gradient descent: one step as a compiled function, on one device or several."""

import contextlib
from collections.abc import Callable

from cocoseg.models.backend import tensorflow


def descent(network, optimizer, loss: Callable, *, strategy=None, xla: bool = False) -> Callable:
    """A function of a batch of images and label maps that moves the weights that are trainable now.

    It returns the loss and the norm of its gradient, float32 scalars. Several devices of a `tf.distribute` strategy get
    a part of the batch each; the loss is that of the whole (see `cocoseg.models.losses`). The norm is that of a
    device's own share, of a scaled loss where the optimiser scales it.
    """
    tf = tensorflow()
    if not tf.config.list_physical_devices("GPU"):
        # On CPUs TensorFlow's graph optimiser adds gradients up in the order in which they come: no two runs are alike.
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    strategy = strategy or tf.distribute.get_strategy()
    devices = strategy.num_replicas_in_sync
    sums = tf.distribute.ReduceOp.SUM
    variables = network.trainable_variables

    def total(part):
        return tf.distribute.get_replica_context().all_reduce(sums, part) if devices > 1 else part

    @tf.autograph.experimental.do_not_convert
    def on_device(images, truth):
        with tf.GradientTape() as tape:
            value = loss(network(images, training=True), truth, total)
            scaled = optimizer.scale_loss(value) / devices  # each device has the whole loss: together they have it once
        gradients = tape.gradient(scaled, variables)
        optimizer.apply(gradients, variables)
        return value, tf.linalg.global_norm(gradients)

    @tf.function(autograph=False, jit_compile=xla)
    def step(images, truth):
        results = strategy.run(on_device, (images, truth))
        return tuple(strategy.reduce(tf.distribute.ReduceOp.MEAN, result, axis=None) for result in results)

    return step


@contextlib.contextmanager
def averaged(network, optimizer, learned: list):
    """Within, `learned`, the weights that the optimiser was built for, have their moving averages if it keeps any."""
    if not getattr(optimizer, "inner_optimizer", optimizer).use_ema:  # the wrapper for float16 says nothing of it
        yield
        return
    own = network.get_weights()
    optimizer.finalize_variable_values(learned)
    try:
        yield
    finally:
        network.set_weights(own)
