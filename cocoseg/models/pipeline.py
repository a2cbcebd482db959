"""From image files and label maps to batches of crops, in `tf.data` alone.

Crop number i of a training is a function of the samples, the seed and i: order, scale, place and flip are drawn by
counter-based generators (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). So a training that
continues at step s starts at crop s·batch and sees what it would have seen.
"""

import os

import polars as pl

from cocoseg.coco.label_space import VOID
from cocoseg.models.backend import tensorflow

SCALES = 0.75, 1.5


def batches(samples: pl.DataFrame, size: int, batch: int, *, seed: int, first: int, last: int):
    """A `tf.data.Dataset` of the batches of steps `first` to `last` (exclusive).

    `samples` has the columns image and label (paths). A batch is a pair of images, float32 batch×size×size×3 in
    0–255, and label maps, uint8 batch×size×size; see `crop`.
    """
    tf = tensorflow()
    options = tf.data.Options()
    options.autotune.enabled = False  # its threads sometimes outlive the training by seconds
    images, labels = (tf.constant(samples[column].to_list()) for column in ("image", "label"))
    seed = tf.constant(seed, tf.int64)

    @tf.autograph.experimental.do_not_convert
    def one(i):
        return crop(images, labels, size, seed, i)

    return (
        tf.data.Dataset.range(first * batch, last * batch)
        .map(one, num_parallel_calls=os.cpu_count())
        .batch(batch, drop_remainder=True)
        .prefetch(2)
        .with_options(options)
    )


def crop(images, labels, size: int, seed, i):
    """Crop i: sample `i mod n` of the `i // n`-th permutation of the n samples, at a random scale, place and side.

    The short side is resized to `size` times a log-uniform factor between `SCALES`. Returns what `window` does.
    """
    tf = tensorflow()
    n = tf.size(images, tf.int64)
    k = tf.random.experimental.index_shuffle(i % n, tf.stack([seed, i // n]), n - 1)
    image = tf.io.decode_image(tf.io.read_file(images[k]), channels=3, expand_animations=False)
    label = tf.io.decode_png(tf.io.read_file(labels[k]), channels=1)[..., 0]

    scale, y, x, side = tf.unstack(tf.random.stateless_uniform([4], tf.stack([seed, i])))
    low, high = SCALES
    shape = tf.cast(tf.shape(label), tf.float32)
    scale = size / tf.reduce_min(shape) * low * (high / low) ** scale
    corner = (shape * scale - size) * tf.stack([y, x])  # negative where the window is larger than the image
    return window(image, label, size, scale, corner, side < 0.5)


def window(image, label, size: int, scale, corner, mirrored):
    """The window of size×size px with its corner at `corner` (y, x) of the image and label map times `scale`.

    The image is resized with an antialiased triangle filter, the label map takes the nearest pixel. Where there is no
    image, it is black and the label void. Returns float32 size×size×3 and uint8 size×size.
    """
    tf = tensorflow()
    image = tf.raw_ops.ScaleAndTranslate(
        images=image[None],
        size=[size, size],
        scale=tf.stack([scale, scale]),
        translation=-corner,
        kernel_type="triangle",
        antialias=True,
    )[0]
    at = tf.cast(tf.floor((tf.range(size, dtype=tf.float32)[:, None] + 0.5 + corner) / scale), tf.int32)
    inside = (at >= 0) & (at < tf.shape(label))
    at = tf.where(inside, at, 0)
    nearest = tf.gather(tf.gather(label, at[:, 0]), at[:, 1], axis=1)
    label = tf.where(inside[:, :1] & inside[None, :, 1], nearest, tf.constant(VOID, tf.uint8))
    return tf.where(mirrored, image[:, ::-1], image), tf.where(mirrored, label[:, ::-1], label)
