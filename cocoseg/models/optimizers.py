"""Optimisers, and how their learning rate goes."""

import math

from cocoseg.models import backend

SCHEDULES = ("cosine", "poly")
OPTIMIZERS = ("adamw", "sgd")
POWER = 0.9
MOMENTUM = 0.9


def rate(update: int, updates: int, warmup: float, schedule: str) -> float:
    """Share of the highest learning rate at an update (from 0) of `updates`.

    It rises to 1 in the first `warmup` (a share of the updates), then falls to 0 as half a cosine (Loshchilov and
    Hutter, "SGDR", ICLR 2017) or as (1 − t)^0.9 (`poly`: Liu et al., "ParseNet", 2015, as DeepLab uses it).

    >>> [round(rate(i, 20, 0.1, "cosine"), 3) for i in (0, 1, 2, 11, 19)]
    [0.5, 0.75, 1.0, 0.5, 0.008]
    """
    first = math.ceil(warmup * updates)
    if update < first:
        return 1 / first + (1 - 1 / first) * update / first
    past = min(1.0, (update - first) / max(1, updates - first))
    return (1 + math.cos(math.pi * past)) / 2 if schedule == "cosine" else (1 - past) ** POWER


def optimizer(network, name: str, *, weight_decay: float, ema: float = 0.0, accumulate: int = 1):
    """A Keras optimiser for all of a network's weights: AdamW, or SGD with Nesterov's momentum of 0.9.

    The weight decay is decoupled (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019) and
    spares biases and normalisation. With `ema` it also keeps an exponential moving average of the weights; with
    `accumulate` it moves them once in that many calls, by the mean of the gradients. Where the network computes in
    float16, it scales the loss. Its learning rate is to be set before each step.
    """
    keras = backend.keras()
    options = {"weight_decay": weight_decay}
    if ema:
        options |= {"use_ema": True, "ema_momentum": ema}
    if accumulate > 1:
        options |= {"gradient_accumulation_steps": accumulate}
    if name == "sgd":
        made = keras.optimizers.SGD(0.0, momentum=MOMENTUM, nesterov=True, **options)
    else:
        made = keras.optimizers.AdamW(0.0, **options)
    made.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    if any(layer.compute_dtype == "float16" for layer in network.layers):
        made = keras.optimizers.LossScaleOptimizer(made)
    made.build(network.trainable_variables)
    return made
