"""Training: from a dataset's name to a model and its learning curve."""

import math
import time
from pathlib import Path

import polars as pl

from cocoseg.coco.check import check
from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import label_space
from cocoseg.errors import UserError
from cocoseg.models import backend, checkpoint, labels, pipeline
from cocoseg.models.backend import tensorflow
from cocoseg.models.losses import cross_entropy
from cocoseg.models.registry import Model, build
from cocoseg.models.validation import hold_out, validate
from cocoseg.progress import progress
from cocoseg.runs import fingerprint

WARMUP = 0.05

RANGES = {
    "size": (1, 2048),
    "batch": (1, 1024),
    "steps": (1, 10_000_000),
    "learning_rate": (1e-8, 10.0),
    "weight_decay": (0.0, 1.0),
    "seed": (0, 2**31 - 1),
    "validate_every": (1, 10_000_000),
    "checkpoint_every": (1, 10_000_000),
}

CURVE = {
    "step": pl.Int64,
    "loss": pl.Float64,
    "learning_rate": pl.Float64,
    "val_pixel_accuracy": pl.Float64,
    "val_miou": pl.Float64,
    "images_per_second": pl.Float64,
    "seconds": pl.Float64,
}


def train(
    model: str,
    data: str,
    split: str,
    space: str,
    checkpoints: Path | str,
    *,
    size: int = 128,
    batch: int = 8,
    steps: int = 750,
    learning_rate: float = 1e-3,
    weight_decay: float = 1e-4,
    seed: int = 0,
    precision: str = "auto",
    validate_every: int = 150,
    checkpoint_every: int = 50,
    workers: int | None = None,
) -> tuple[Model, pl.DataFrame]:
    """Train a model on a split of a dataset, or go on with a training that was interrupted.

    `model`, `data` and `space` are names (`cocoseg.models.registry`, `cocoseg.coco.datasets`,
    `cocoseg.coco.label_space`). The network sees `steps` batches of `batch` crops of size×size px
    (`cocoseg.models.pipeline`) and minimises the cross-entropy of pixels that are not void with AdamW (Loshchilov and
    Hutter, "Decoupled weight decay regularization", ICLR 2019); the learning rate rises to `learning_rate` in a
    twentieth of the steps and falls to 0 as a cosine. A model that does not learn by gradient is fitted to the label
    maps, and its curve has one row.

    A tenth of the split is held out and predicted every `validate_every` steps and at the end. Every
    `checkpoint_every` steps the state is written to `checkpoints`; the same call finds it there and, on the same
    machine, ends with the same numbers as one that was never interrupted.

    `precision` is a Keras dtype policy, or `auto` (`cocoseg.models.backend.precision`); variables, logits and the loss
    are float32 in any.

    Returns the model and its learning curve, a row per step: step (from 1), loss, learning_rate, val_pixel_accuracy
    and val_miou (null between validations), images_per_second (of the step) and seconds (of work since the start).

    A number out of its range (`RANGES`), a size that does not fit the network, a checkpoint of other settings and a
    loss that is not finite are a `UserError`.
    """
    settings = {
        "model": model,
        "space": space,
        "size": size,
        "batch": batch,
        "steps": steps,
        "learning_rate": learning_rate,
        "weight_decay": weight_decay,
        "seed": seed,
        "precision": backend.precision(precision),
    }
    _refuse({**settings, "validate_every": validate_every, "checkpoint_every": checkpoint_every})
    source = dataset(data)
    coco, _ = check(source.annotations(split))
    classes = label_space(space, coco.categories)
    with backend.policy(settings["precision"]):
        built = build(model, classes, size, seed)
    if remainder := size % getattr(built.body, "stride", 1):
        raise UserError(
            f"{model} needs a size that is a multiple of {built.body.stride}, as {size - remainder}; got {size}"
        )
    samples, held_out = hold_out(labels.prepare(coco, source.images(split), classes, workers=workers))
    if hasattr(built.body, "fit"):
        return built, _fit(built, samples, held_out)
    settings["samples"] = fingerprint.digest(
        *map(str, samples["image_id"]), *(fingerprint.file(Path(p)) for p in samples["label"])
    )
    return built, _descend(
        built, samples, held_out, Path(checkpoints) / "checkpoint.npz", settings, validate_every, checkpoint_every
    )


def _refuse(settings: dict) -> None:
    for name, (low, high) in RANGES.items():
        if not low <= settings[name] <= high:
            raise UserError(f"{name} is between {low:g} and {high:g}; got {settings[name]:g}")


def _fit(model: Model, samples: pl.DataFrame, held_out: pl.DataFrame) -> pl.DataFrame:
    start = time.perf_counter()
    model.body.fit(map(labels.label_map, progress(samples["label"].to_list(), desc=model.name, unit="img")))
    seconds = time.perf_counter() - start
    row = {"step": 1, "images_per_second": samples.height / seconds, "seconds": seconds}
    return pl.DataFrame([row | validate(model, held_out)], CURVE)


def _descend(model, samples, held_out, path, settings, validate_every, checkpoint_every) -> pl.DataFrame:
    size, batch, steps, seed = (settings[key] for key in ("size", "batch", "steps", "seed"))
    network = model.body.network
    optimizer = adamw(network, steps, settings["learning_rate"], settings["weight_decay"])
    variables = [*network.variables, *optimizer.variables]
    rows = []
    if state := checkpoint.read(path, settings):
        rows = state.rows
        for variable, value in zip(variables, state.variables, strict=True):
            variable.assign(value)
    step = descent(network, optimizer)
    bar = progress(total=steps, initial=len(rows), desc=model.name, unit="step")
    seconds = rows[-1]["seconds"] if rows else 0.0
    clock = time.perf_counter()
    for images, truth in pipeline.batches(samples, size, batch, seed=seed, first=len(rows), last=steps):
        done = len(rows) + 1
        rate = float(optimizer.learning_rate)
        begin = time.perf_counter()
        loss, norm = (float(x) for x in step(images, truth))
        row = {"step": done, "loss": loss, "learning_rate": rate}
        if not math.isfinite(loss + norm):
            raise UserError(
                f"the training diverged at step {done}: loss {loss}, norm of the gradient {norm}; "
                f"give a learning rate below {settings['learning_rate']:g}"
            )
        row["images_per_second"] = batch / (time.perf_counter() - begin)
        if done % validate_every == 0 or done == steps:
            row |= validate(model, held_out)
        row["seconds"] = seconds + time.perf_counter() - clock
        rows.append(row)
        if done % checkpoint_every == 0 or done == steps:
            checkpoint.write(path, checkpoint.Checkpoint(settings, rows, [v.numpy() for v in variables]))
        bar.set_postfix(loss=f"{loss:.3f}", refresh=False)
        bar.update()
    bar.close()
    return pl.DataFrame(rows, CURVE)


def adamw(network, steps: int, learning_rate: float, weight_decay: float):
    """AdamW with a warm-up and a cosine; biases and normalisation are not decayed."""
    import keras

    warmup = math.ceil(WARMUP * steps)
    rate = keras.optimizers.schedules.CosineDecay(
        learning_rate / warmup, max(1, steps - warmup), warmup_target=learning_rate, warmup_steps=warmup
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=weight_decay)
    optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    optimizer.build(network.trainable_variables)
    return optimizer


def descent(network, optimizer):
    """One step of training as a compiled function: images and label maps in; the loss and the gradient's norm out."""
    tf = tensorflow()

    @tf.function(autograph=False, jit_compile=False)  # on CPUs, XLA is up to ten times slower
    def step(images, truth):
        with tf.GradientTape() as tape:
            loss = cross_entropy(network(images, training=True), truth)
        gradients = tape.gradient(loss, network.trainable_variables)
        optimizer.apply(gradients, network.trainable_variables)
        return loss, tf.linalg.global_norm(gradients)

    return step
