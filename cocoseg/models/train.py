"""Training: from a dataset's name to a model and its learning curve."""

import dataclasses
import math
import warnings
from pathlib import Path

import numpy as np
import polars as pl

from cocoseg.coco.check import check
from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import LabelSpace, label_space
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.models import backend, checkpoint, frequencies, labels, pipeline, shards
from cocoseg.models.checkpoint import Checkpoint
from cocoseg.models.clock import Clock
from cocoseg.models.descent import averaged, descent
from cocoseg.models.folds import in_fold
from cocoseg.models.losses import loss
from cocoseg.models.optimizers import optimizer
from cocoseg.models.recipe import Recipe
from cocoseg.models.registry import Model, build
from cocoseg.models.storage import start_from
from cocoseg.models.validation import hold_out, validate
from cocoseg.progress import progress
from cocoseg.runs import fingerprint

CURVE = {
    "step": pl.Int64,
    "loss": pl.Float64,
    "learning_rate": pl.Float64,
    "val_pixel_accuracy": pl.Float64,
    "val_miou": pl.Float64,
    "images_per_second": pl.Float64,
    "seconds": pl.Float64,
    "processor_seconds": pl.Float64,
    "wait_seconds": pl.Float64,
    "step_seconds": pl.Float64,
    "validation_seconds": pl.Float64,
    "checkpoint_seconds": pl.Float64,
    "memory_mib": pl.Float64,
}


def train(
    model: str,
    data: str,
    split: str,
    space: str,
    checkpoints: Path | str,
    *,
    encoder: str = "",
    fold: str = "",
    init_from: Path | str | None = None,
    validate_every: int | None = None,
    checkpoint_every: int | None = None,
    workers: int | None = None,
    **recipe,
) -> tuple[Model, pl.DataFrame]:
    """Train a model on a split of a dataset, or go on with a training that was interrupted.

    `model`, `encoder`, `data` and `space` are names (`cocoseg.models.registry`, `cocoseg.models.encoder`,
    `cocoseg.coco.datasets`, `cocoseg.coco.label_space`), `recipe` has fields of `cocoseg.models.recipe.Recipe`. With
    `init_from`, a folder with a trained model, the network starts with those of its weights that fit. A model that does
    not learn by gradient is fitted to the label maps, and its curve has one row. The images of `fold`
    (`cocoseg.models.folds`) are left out altogether.

    A tenth of the split is held out and predicted every `validate_every` steps (default: 150, or a twentieth of the
    steps where that is more) and at the end. Every `checkpoint_every` steps (default: 50, or a two-hundredth) the state
    is written to `checkpoints`; the same call finds it there and, on the same machine, ends with the same numbers as
    one that was never interrupted.

    Returns the model and its learning curve, a row per step: step (from 1), loss, learning_rate, val_pixel_accuracy
    and val_miou (null between validations), images_per_second (of the step), seconds (of work since the start, on the
    wall), processor_seconds (of all processors together; not lengthened by other work on the machine), seconds of this
    step by phase: wait_seconds (for the batch), step_seconds, validation_seconds and checkpoint_seconds (null
    where there was none); and memory_mib (`cocoseg.models.backend.memory_mib`).

    What the recipe refuses, a size that does not fit the network, a checkpoint of other settings, a label map that
    holds an unknown class and a loss that is not finite are a `UserError`. Classes that no training image shows are
    warned of.
    """
    recipe = Recipe(**recipe)
    for name, every in {"validate_every": validate_every, "checkpoint_every": checkpoint_every}.items():
        if every is not None and every < 1:
            raise UserError(f"{name} is at least 1; got {every}")
    coco, photos, classes = _source(data, split, space)
    in_fold(coco.images["image_id"], fold)
    recipe = dataclasses.replace(recipe, precision=backend.precision(recipe.precision))
    strategy = backend.strategy(recipe.strategy)
    with backend.policy(recipe.precision), strategy.scope():
        built = build(model, classes, recipe.size, recipe.seed, encoder)
    _refuse(built, recipe, strategy)
    if init_from:
        start_from(built, init_from)
    prepared = _samples(coco, photos, classes, fold, workers)
    samples, held_out = hold_out(prepared)
    counts = frequencies.pixels(samples, classes, workers=workers)
    if unseen := frequencies.unseen(counts, classes):
        _warn(f"no image to learn from shows: {', '.join(unseen)}")
    if hasattr(built.body, "fit"):
        return built, _fit(built, samples, held_out)
    recipe = dataclasses.replace(recipe, steps=recipe.length(samples.height), epochs=0)
    settings = {
        "model": model,
        "encoder": built.encoder,
        "space": space,
        **dataclasses.asdict(recipe),
        "init_from": fingerprint.file(Path(init_from) / "model.json") if init_from else "",
        "samples": fingerprint.digest(
            *map(str, samples["image_id"]), *(fingerprint.file(Path(p)) for p in samples["label"])
        ),
    }
    every = (
        validate_every or max(150, recipe.steps // 20),
        checkpoint_every or max(50, recipe.steps // 200),
    )
    return built, _descend(built, samples, held_out, counts, recipe, strategy, Path(checkpoints), settings, every)


def first_batch(
    data: str, split: str, space: str, *, fold: str = "", workers: int | None = None, **recipe
) -> tuple[np.ndarray, np.ndarray, LabelSpace]:
    """What a training with these arguments sees in its first step, and the label space of its classes.

    Images, uint8 B×H×W×3, and label maps, uint8 B×H×W.
    """
    recipe = Recipe(**recipe)
    coco, photos, classes = _source(data, split, space)
    samples, _ = hold_out(_samples(coco, photos, classes, fold, workers))
    counts = frequencies.pixels(samples, classes, workers=workers) if recipe.balanced else None
    samples = _copies(samples, recipe) if recipe.shards else samples
    images, truth = next(iter(_batches(samples, counts, recipe, backend.strategy(), 0, 1)))
    return images.numpy().round().astype(np.uint8), truth.numpy(), classes


def _source(data: str, split: str, space: str) -> tuple[Coco, Path, LabelSpace]:
    """The annotations of a split, the folder of its images, and the classes."""
    source = dataset(data)
    coco, _ = check(source.annotations(split))
    return coco, source.images(split), label_space(space, coco.categories)


def _samples(coco: Coco, folder: Path, classes: LabelSpace, fold: str, workers: int | None) -> pl.DataFrame:
    samples = labels.prepare(coco, folder, classes, workers=workers)
    return samples.filter(~in_fold(samples["image_id"], fold))


def _warn(text: str) -> None:
    """A warning in the notebook, and at once in the terminal of whoever waits for it."""
    warnings.warn(text, stacklevel=3)
    with progress(total=0) as bar:
        if not bar.disable:
            bar.write(f"warning: {text}", file=bar.fp)


def _copies(samples: pl.DataFrame, recipe: Recipe) -> pl.DataFrame:
    return shards.prepare(samples, math.ceil(recipe.size * recipe.scale_max))


def _refuse(model: Model, recipe: Recipe, strategy) -> None:
    if remainder := recipe.size % getattr(model.body, "stride", 1):
        raise UserError(
            f"{model.name} needs a size that is a multiple of {model.body.stride}, as "
            f"{recipe.size - remainder or model.body.stride}; got {recipe.size}"
        )
    if recipe.freeze and getattr(model.body, "encoder", None) is None:
        raise UserError(f"{model.name} has no encoder that was trained before; freeze must be 0")
    if recipe.batch % strategy.num_replicas_in_sync:
        raise UserError(f"a batch of {recipe.batch} cannot be divided among {strategy.num_replicas_in_sync} devices")


def _fit(model: Model, samples: pl.DataFrame, held_out: pl.DataFrame) -> pl.DataFrame:
    clock = Clock()
    maps = map(labels.label_map, progress(samples["label"].to_list(), desc=model.name, unit="img"))
    model.body.fit(maps, map(labels.image, samples["image"].to_list()))
    row = {"step": 1} | clock.row()
    row["images_per_second"] = samples.height / row["seconds"]
    return pl.DataFrame([row | validate(model, held_out)], CURVE)


def _descend(model, samples, held_out, counts, recipe, strategy, folder, settings, every) -> pl.DataFrame:
    network, encoder = model.body.network, model.body.encoder
    with strategy.scope():
        moving = optimizer(
            network, recipe.optimizer, weight_decay=recipe.weight_decay, ema=recipe.ema, accumulate=recipe.accumulate
        )
    learned = network.trainable_variables
    variables = [*network.variables, *moving.variables]
    last, best = folder / "checkpoint.npz", folder / "best.npz"
    rows = []
    if state := checkpoint.read(last, settings):
        rows = state.rows
        for variable, value in zip(variables, state.variables, strict=True):
            variable.assign(value)
    lost = loss(recipe.loss, frequencies.weights(counts, model.space.n, recipe.class_weights))
    if recipe.shards:
        samples = _copies(samples, recipe)
    frozen = round(recipe.freeze * recipe.steps)
    bar = progress(total=recipe.steps, initial=len(rows), desc=model.name, unit="step")
    clock = Clock(rows[-1]["seconds"], rows[-1]["processor_seconds"]) if rows else Clock()
    for begin, end in ((0, frozen), (frozen, recipe.steps)):
        begin = max(begin, len(rows))
        if begin >= end:
            continue
        if encoder is not None:
            encoder.trainable = end > frozen
        step = descent(network, moving, lost, strategy=strategy, xla=recipe.xla)
        for images, truth in clock.waiting(_batches(samples, counts, recipe, strategy, begin, end)):
            done = len(rows) + 1
            moving.learning_rate = recipe.rate(done)
            with clock.phase("step"):
                value, norm = (float(x) for x in step(images, truth))
            _refuse_divergence(done, value, norm, recipe)
            row = {"step": done, "loss": value, "learning_rate": recipe.rate(done)}
            if done % every[0] == 0 or done == recipe.steps:
                with clock.phase("validation"), averaged(network, moving, learned):
                    row |= validate(model, held_out)
                    if row["val_miou"] > max((r["val_miou"] for r in rows if "val_miou" in r), default=-1.0):
                        checkpoint.write(best, Checkpoint(settings, [row], network.get_weights()))
            row |= {"images_per_second": recipe.batch / clock.seconds["step"], "memory_mib": backend.memory_mib()}
            rows.append(row | clock.row())
            if done % every[1] == 0 or done == recipe.steps:
                with clock.phase("checkpoint"):
                    checkpoint.write(last, Checkpoint(settings, rows, [v.numpy() for v in variables]))
                rows[-1] |= clock.row()
            _show(bar, rows, clock)
    bar.close()
    if encoder is not None:
        encoder.trainable = True
    if recipe.keep == "best":
        network.set_weights(checkpoint.read(best, settings).variables)
    elif recipe.ema:
        moving.finalize_variable_values(learned)
    return pl.DataFrame(rows, CURVE)


def _batches(samples, counts, recipe: Recipe, strategy, first: int, last: int):
    drawn = pipeline.batches(
        samples,
        recipe.size,
        recipe.batch,
        seed=recipe.seed,
        first=first,
        last=last,
        augmentation=recipe.augmentation,
        counts=counts if recipe.balanced else None,
    )
    return strategy.experimental_distribute_dataset(drawn) if strategy.num_replicas_in_sync > 1 else drawn


def _refuse_divergence(step: int, value: float, norm: float, recipe: Recipe) -> None:
    # A loss that is scaled for float16 may have a gradient that is too large for it: that step is left out.
    if not math.isfinite(value if recipe.precision == "mixed_float16" else value + norm):
        raise UserError(
            f"the training diverged at step {step}: loss {value}, norm of the gradient {norm}; "
            f"give a learning rate below {recipe.learning_rate:g}"
        )


def _show(bar, rows: list[dict], clock: Clock) -> None:
    """Live: the loss, the last and the best held-out mIoU, the memory, and the shares of the time by phase."""
    if bar.disable:
        return
    shown = {"loss": f"{rows[-1]['loss']:.3f}"}
    if scores := [row["val_miou"] for row in rows if "val_miou" in row]:
        shown |= {"mIoU": f"{scores[-1]:.3f}", "best": f"{max(scores):.3f}"}
    shown["memory"] = f"{rows[-1]['memory_mib'] / 1024:.1f}GiB"
    shown |= {phase: f"{share:.0%}" for phase, share in clock.shares().items()}
    bar.set_postfix(shown, refresh=False)
    bar.update()
