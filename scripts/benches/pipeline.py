"""Crops to train on, beside a Python function per image; and what real input costs a training step."""

import time

import click
import numpy as np
from benches._side_by_side import alternate, row
from PIL import Image
from pycocotools.coco import COCO

from cocoseg.coco.check import check
from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import label_space
from cocoseg.models import backend, labels, pipeline, shards
from cocoseg.models.descent import descent
from cocoseg.models.losses import loss
from cocoseg.models.optimizers import optimizer
from cocoseg.models.registry import build

SIZE, BATCH, CROPS, STEPS = 128, 8, 160, 25
SPLIT = "minitrain"
MODELS = ("deeplabv3plus",)  # whose step is short, as far as they go; beside a longer one input costs less


@click.command(help=__doc__)
@click.option("--model", "models", multiple=True, default=MODELS, show_default=True, help="Whose training step.")
def bench(models):
    source = dataset("person")
    coco, _ = check(source.annotations(SPLIT))
    files = labels.prepare(coco, source.images(SPLIT), label_space("person"))
    small = shards.prepare(files, int(SIZE * pipeline.Augmentation().largest))
    peer = original(source)
    for name, samples in {"TFRecord shards": small, "image files": files}.items():
        title = f"crops of {SIZE} px from {name}, against annToMask and PIL per image"
        for clock, what in {time.perf_counter: "", time.process_time: ", processor time"}.items():
            ours = forever(samples)
            seconds = alternate(
                lambda ours=ours: take(ours, CROPS // BATCH), lambda: take(peer, CROPS // BATCH), 3, clock
            )
            yield row(title + what, *(1e3 * s / CROPS for s in seconds), "ms/crop")
    for model in models:
        step, batches = training(model), {"TFRecord shards": forever(small), "image files": forever(files)}
        constant = next(batches["image files"])
        step(*constant)
        for name, ours in batches.items():
            seconds = alternate(
                lambda ours=ours, step=step: [float(step(*next(ours))[0]) for _ in range(STEPS)],
                lambda step=step, constant=constant: [float(step(*constant)[0]) for _ in range(STEPS)],
            )
            precision = backend.precision().removeprefix("mixed_")
            title = f"training step of {model} in {precision} on {name}, against a constant batch"
            yield row(title, *(1e3 * s / STEPS for s in seconds), "ms/step")


def take(batches, count: int) -> None:
    for _ in range(count):
        next(batches)


def forever(samples):
    """Batches of ours without an end."""
    return iter(pipeline.batches(samples, SIZE, BATCH, seed=0, first=0, last=10**6))


def original(source):
    """Batches as in the notebook that this project started from: one image after the other, in Python."""
    tf, coco = backend.tensorflow(), COCO(source.annotations(SPLIT))
    person = coco.getCatIds(["person"])
    ids = np.random.default_rng(0).permutation(coco.getImgIds())

    def one(image_id):
        (image,) = coco.loadImgs(int(image_id))
        photo = Image.open(source.images(SPLIT) / image["file_name"]).convert("RGB").resize((SIZE, SIZE))
        mask = np.zeros((image["height"], image["width"]), np.uint8)
        for annotation in coco.loadAnns(coco.getAnnIds(imgIds=[image["id"]], catIds=person)):
            mask = np.maximum(mask, coco.annToMask(annotation))
        mask = Image.fromarray(mask).resize((SIZE, SIZE), Image.Resampling.NEAREST)
        return np.asarray(photo, np.float32), np.asarray(mask)

    data = tf.data.Dataset.from_tensor_slices(ids).repeat()
    data = data.map(lambda image_id: tf.numpy_function(one, [image_id], [tf.float32, tf.uint8]))
    return iter(data.batch(BATCH).prefetch(2))


def training(name: str):
    """One step of a training, as `cocoseg.models.train` makes it."""
    with backend.policy(backend.precision()):
        network = build(name, label_space("person"), SIZE).body.network
    moving = optimizer(network, "adamw", weight_decay=1e-4)
    moving.learning_rate = 1e-3
    return descent(network, moving, loss("cross-entropy"))
