"""From image files and label maps to batches of crops, in `tf.data` alone.

Crop number i of a training is a function of the samples, the settings, the seed and i: order, scale, place, flip and
colour are drawn by counter-based generators (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011). So
a training that continues at step s starts at crop s·batch and sees what it would have seen.
"""

import os
from dataclasses import dataclass

import polars as pl

from cocoseg.coco.label_space import VOID
from cocoseg.models.backend import tensorflow

GREY = 0.299, 0.587, 0.114  # ITU-R BT.601
COLOUR, CLASS = 2**31, 2**32  # added to a seed, which is less: other numbers for another purpose


@dataclass(frozen=True)
class Augmentation:
    """How crops are varied.

    - `smallest`, `largest`: the short side of the image is `size` times a factor between them.
    - `colour`: brightness, contrast and saturation are each multiplied by up to 1 ± this.
    """

    smallest: float = 0.75
    largest: float = 1.5
    colour: float = 0.0


def batches(
    samples: pl.DataFrame,
    size: int,
    batch: int,
    *,
    seed: int,
    first: int,
    last: int,
    augmentation: Augmentation | None = None,
    counts: pl.DataFrame | None = None,
):
    """A `tf.data.Dataset` of the batches of steps `first` to `last` (exclusive).

    `samples` has the columns image and label, of paths or of files' bytes (`cocoseg.models.shards`). A batch is a pair
    of images, float32 batch×size×size×3 in 0–255, and label maps, uint8 batch×size×size; see `crop`. With the pixel
    `counts` of the samples (`cocoseg.models.frequencies.pixels`) classes are balanced: each crop shows a pixel of a
    class drawn at random.
    """
    tf = tensorflow()
    options = tf.data.Options()
    options.autotune.enabled = False  # its threads sometimes outlive the training by seconds
    images, labels = (tf.constant(samples[column].to_list()) for column in ("image", "label"))
    seed, n = tf.constant(seed, tf.int64), tf.constant(samples.height, tf.int64)
    augmentation = augmentation or Augmentation()
    holders = None if counts is None else _holders(samples, counts)
    read = tf.identity if samples.schema["image"] == pl.Binary else tf.io.read_file

    @tf.autograph.experimental.do_not_convert
    def one(i):
        return crop(lambda k: (read(images[k]), read(labels[k])), n, size, seed, i, augmentation, holders)

    return (
        tf.data.Dataset.range(first * batch, last * batch)
        .map(one, num_parallel_calls=os.cpu_count())
        .batch(batch, drop_remainder=True)
        .prefetch(2)
        .with_options(options)
    )


def _holders(samples: pl.DataFrame, counts: pl.DataFrame):
    """Of each class that occurs: its index, and the rows of the samples that hold it (ragged)."""
    tf = tensorflow()
    rows = samples.select("image_id").with_row_index("row")
    held = counts.filter(pl.col("pixels") > 0).join(rows, on="image_id").group_by("class").agg("row").sort("class")
    rows = [sorted(some) for some in held["row"]]
    return tf.constant(held["class"].to_list(), tf.uint8), tf.ragged.constant(rows, tf.int64)


def crop(read, n, size: int, seed, i, augmentation: Augmentation, holders=None):
    """Crop i: sample `i mod n` of the `i // n`-th permutation of n samples, at a random scale, place and side.

    `read` gives the files, as bytes, of an image and its label map by their number.

    With `holders` it is any sample that holds a class, drawn first, and a random pixel of this class is in the crop.
    The scale is log-uniform. Returns what `window` does.
    """
    tf = tensorflow()
    if holders is None:
        k = tf.random.experimental.index_shuffle(i % n, tf.stack([seed, i // n]), n - 1)
    else:
        drawn = tf.random.stateless_uniform([3], tf.stack([seed + CLASS, i]), dtype=tf.float64)
        classes, rows = holders
        one = _pick(drawn[0], tf.size(classes))
        k = rows[one][_pick(drawn[1], tf.size(rows[one]))]
    image, label = read(k)
    image = tf.io.decode_image(image, channels=3, expand_animations=False)
    label = tf.io.decode_png(label, channels=1)[..., 0]

    scale, y, x, side = tf.unstack(tf.random.stateless_uniform([4], tf.stack([seed, i])))
    low, high = augmentation.smallest, augmentation.largest
    shape = tf.cast(tf.shape(label), tf.float32)
    scale = size / tf.reduce_min(shape) * low * (high / low) ** scale
    place = tf.stack([y, x])
    corner = (shape * scale - size) * place  # negative where the window is larger than the image
    if holders is not None:
        pixels = tf.cast(tf.where(label == classes[one]), tf.float32)
        count = tf.maximum(tf.shape(pixels)[0], 1)  # a small copy may have lost all pixels of the class
        pixel = tf.concat([pixels, [shape * place]], 0)[_pick(drawn[2], count)]
        around = (pixel + 0.5) * scale - size * place
        spare = shape * scale - size
        corner = tf.clip_by_value(around, tf.minimum(spare, 0.0), tf.maximum(spare, 0.0))
    colour = colours(augmentation.colour, tf.stack([seed + COLOUR, i])) if augmentation.colour else None
    return window(image, label, size, scale, corner, side < 0.5, colour)


def _pick(share, n):
    """The index in n that a number in [0, 1) stands for."""
    tf = tensorflow()
    return tf.minimum(tf.cast(share * tf.cast(n, share.dtype), n.dtype), n - 1)


def colours(strength: float, seed):
    """A random change of brightness, contrast and saturation, as 3×4: a matrix on RGB, and what is added to it.

    Each is a factor between 1 − strength and 1 + strength: brightness takes colours towards black, contrast towards
    middle grey (127.5), saturation towards their own grey (ITU-R BT.601).
    """
    tf = tensorflow()
    brightness, contrast, saturation = tf.unstack(
        tf.random.stateless_uniform([3], seed, 1 - strength, 1 + strength, tf.float32)
    )
    grey = tf.tile(tf.constant([GREY]), [3, 1])
    matrix = brightness * contrast * (saturation * tf.eye(3) + (1 - saturation) * grey)
    return tf.concat([matrix, tf.fill([3, 1], 127.5 * (1 - contrast))], axis=1)


def window(image, label, size: int, scale, corner, mirrored, colour=None):
    """The window of size×size px with its corner at `corner` (y, x) of the image and label map times `scale`.

    The image is resized with an antialiased triangle filter, the label map takes the nearest pixel. Where there is no
    image, it is black and the label void; elsewhere its colours change as `colour` says (see `colours`). Returns
    float32 size×size×3 and uint8 size×size.
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
    columns = tf.where(mirrored, tf.range(size - 1, -1, -1), tf.range(size))  # reversing costs more than gathering
    at = tf.cast(tf.floor((tf.range(size, dtype=tf.float32)[:, None] + 0.5 + corner) / scale), tf.int32)
    at = tf.stack([at[:, 0], tf.gather(at[:, 1], columns)], axis=1)
    inside = (at >= 0) & (at < tf.shape(label))
    at = tf.where(inside, at, 0)
    nearest = tf.gather(tf.gather(label, at[:, 0]), at[:, 1], axis=1)
    inside = inside[:, :1] & inside[None, :, 1]
    image, label = tf.gather(image, columns, axis=1), tf.where(inside, nearest, tf.constant(VOID, tf.uint8))
    if colour is not None:
        changed = tf.clip_by_value(tf.einsum("hwc,kc->hwk", image, colour[:, :3]) + colour[:, 3], 0.0, 255.0)
        image = tf.where(inside[..., None], changed, image)
    return image, label
