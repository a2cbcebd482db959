"""Small copies of images and label maps in TFRecord shards, made once, so that a crop costs no large JPEG.

A record holds an image as JPEG and its label map as PNG, and TFRecord's checksums of both. A shard appears whole or not
at all, so an interrupted call continues; one that is damaged is made again.
"""

import inspect
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from cocoseg.models import labels
from cocoseg.models.backend import tensorflow
from cocoseg.progress import progress
from cocoseg.runs import fingerprint

SHARD = 256
QUALITY = 95
FIELDS = ("image", "label")


def prepare(samples: pl.DataFrame, side: int, *, cache: Path | None = None) -> pl.DataFrame:
    """The samples with files for paths: image and label are the bytes of copies whose short side is `side` px.

    `samples` as of `cocoseg.models.labels.prepare`. A smaller image keeps its size. The image is shrunk to area means,
    the label map to the pixel under each centre. Shards are in a folder of the cache that is named by a hash of the
    samples, `side` and this module's code, and are read into memory: about 20 kB an image at 192 px.
    """
    tf = tensorflow()
    files = [f"{path} {os.stat(path).st_size} {os.stat(path).st_mtime_ns}" for f in FIELDS for path in samples[f]]
    code = fingerprint.source(inspect.getsource(sys.modules[__name__]))
    folder = (cache or labels.default_cache()) / "shards" / fingerprint.digest(*files, str(side), code)
    folder.mkdir(parents=True, exist_ok=True)
    parts = list(samples.iter_slices(SHARD))
    read = []
    with ThreadPoolExecutor() as pool, progress(total=samples.height, desc="shards", unit="img") as bar:
        for number, part in enumerate(parts):
            path = folder / f"{number:05d}-of-{len(parts):05d}.tfrecord"
            if (records := _read(tf, path, part.height)) is None:
                _write(tf, path, pool.map(lambda row: _record(tf, *row, side), part.select(FIELDS).iter_rows()))
                records = _read(tf, path, part.height)
            read += records
            bar.update(part.height)
    return samples.with_columns(pl.Series(f, [r[f] for r in read], pl.Binary) for f in FIELDS)


def _record(tf, image: str, label: str, side: int) -> bytes:
    photo, classes = labels.image(image), labels.label_map(label)
    scale = min(1.0, side / min(classes.shape))
    size = tuple(max(1, round(length * scale)) for length in classes.shape[::-1])
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA)
    classes = cv2.resize(classes, size, interpolation=cv2.INTER_NEAREST_EXACT)
    options = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    encoded = cv2.imencode(".jpg", np.ascontiguousarray(photo[..., ::-1]), options)[1], cv2.imencode(".png", classes)[1]
    features = {
        name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[data.tobytes()]))
        for name, data in zip(FIELDS, encoded, strict=True)
    }
    return tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString()


def _write(tf, path: Path, records) -> None:
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    with tf.io.TFRecordWriter(str(unfinished)) as writer:
        for record in records:
            writer.write(record)
    unfinished.replace(path)


def _read(tf, path: Path, count: int) -> list[dict[str, bytes]] | None:
    """The records of a shard; None if it is not there, damaged, or has another number of records."""
    if not path.is_file():
        return None
    try:
        examples = [tf.train.Example.FromString(record.numpy()) for record in tf.data.TFRecordDataset(str(path))]
    except tf.errors.DataLossError:
        return None
    records = [{f: example.features.feature[f].bytes_list.value[0] for f in FIELDS} for example in examples]
    return records if len(records) == count else None
