"""How a network is trained: all that is chosen, and what can be chosen."""

import math
from dataclasses import dataclass

from cocoseg.errors import UserError, nearest
from cocoseg.models import backend, frequencies, losses, optimizers
from cocoseg.models.pipeline import Augmentation

CHOICES = {
    "optimizer": optimizers.OPTIMIZERS,
    "schedule": optimizers.SCHEDULES,
    "class_weights": frequencies.WEIGHTS,
    "keep": ("last", "best"),
    "precision": backend.PRECISIONS,
    "strategy": backend.STRATEGIES,
}

RANGES = {
    "size": (1, 2048),
    "batch": (1, 1024),
    "steps": (1, 10_000_000),
    "epochs": (0, 100_000),
    "learning_rate": (1e-8, 10.0),
    "warmup": (0.0, 0.9),
    "weight_decay": (0.0, 1.0),
    "ema": (0.0, 0.9999),
    "accumulate": (1, 1024),
    "freeze": (0.0, 1.0),
    "scale_min": (0.1, 10.0),
    "scale_max": (0.1, 10.0),
    "colour": (0.0, 0.9),
    "seed": (0, 2**31 - 1),
}


@dataclass(frozen=True)
class Recipe:
    """How a network learns.

    - `size`, `batch`: each step is on `batch` crops of size×size px (`cocoseg.models.pipeline`).
    - `steps`, or `epochs` where it is not 0: how long. An epoch is as many crops as there are images.
    - `optimizer`, `learning_rate`, `schedule`, `warmup`, `weight_decay`, `ema`, `accumulate`: as in
      `cocoseg.models.optimizers`. The learning rate is the highest; with `ema` the averaged weights are validated and
      kept; a step is on one batch, whether it moves the weights or not.
    - `loss`, `class_weights`: as in `cocoseg.models.losses.loss` and `cocoseg.models.frequencies.weights`.
    - `freeze`: the share of the steps in which the encoder, its normalisation included, stays as it is.
    - `scale_min`, `scale_max`, `colour`, `balanced`: as in `cocoseg.models.pipeline`.
    - `shards`: crops come from small copies of the images (`cocoseg.models.shards`), not from the images themselves.
    - `keep`: the weights at the end, or those with the best mIoU on held-out images.
    - `precision`: a Keras dtype policy, or `auto` (`cocoseg.models.backend.precision`); variables, logits and the loss
      are float32 in any.
    - `xla`: compile the step with XLA. It gains on GPUs; on CPUs it is up to ten times slower.
    - `strategy`: `mirrored` divides each batch among all GPUs of the machine.
    - `seed`: of the weights, the order of images and the augmentation.

    A number out of its range, an unknown choice, and what does not go together are a `UserError`.
    """

    size: int = 128
    batch: int = 8
    steps: int = 750
    epochs: int = 0
    optimizer: str = "adamw"
    learning_rate: float = 1e-3
    schedule: str = "cosine"
    warmup: float = 0.05
    weight_decay: float = 1e-4
    ema: float = 0.0
    accumulate: int = 1
    loss: str = "cross-entropy"
    class_weights: str = "none"
    freeze: float = 0.0
    scale_min: float = 0.75
    scale_max: float = 1.5
    colour: float = 0.0
    balanced: bool = False
    shards: bool = False
    keep: str = "last"
    precision: str = "auto"
    xla: bool = False
    strategy: str = "single"
    seed: int = 0

    def __post_init__(self):
        for name, (low, high) in RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise UserError(f"{name} is between {low:g} and {high:g}; got {getattr(self, name):g}")
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise UserError(f"no {name} {getattr(self, name)!r}; {nearest(str(getattr(self, name)), choices)}")
        losses.loss(self.loss, None if self.class_weights == "none" else [1.0])
        if self.scale_min > self.scale_max:
            raise UserError(f"scale_min is at most scale_max; got {self.scale_min:g} and {self.scale_max:g}")
        if self.strategy == "mirrored" and (self.xla or self.accumulate > 1):
            raise UserError("a mirrored training takes neither xla nor accumulate; several GPUs have a larger batch")

    @property
    def augmentation(self) -> Augmentation:
        """How crops are varied."""
        return Augmentation(self.scale_min, self.scale_max, self.colour)

    def rate(self, step: int) -> float:
        """The learning rate of a step (from 1) of `steps`.

        >>> Recipe(steps=750, learning_rate=0.01).rate(1)
        0.0002631578947368421
        """
        update, updates = (step - 1) // self.accumulate, math.ceil(self.steps / self.accumulate)
        return self.learning_rate * optimizers.rate(update, updates, self.warmup, self.schedule)

    def length(self, images: int) -> int:
        """The number of steps on this many images.

        >>> Recipe(batch=8, epochs=2).length(30)
        8
        """
        return math.ceil(self.epochs * images / self.batch) if self.epochs else self.steps
