"""Label maps of a split: `cocoseg.coco.rasterise` against a loop over pycocotools' `annToMask`, in processor time."""

import contextlib
import io
import time
from collections import deque

import click
import numpy as np
from benches._side_by_side import alternate, row
from pycocotools.coco import COCO

from cocoseg.coco.datasets import dataset
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read


@click.command(help=__doc__)
def bench():
    for name, space in (("instances", "coco81"), ("person", "person")):
        for split in dataset(name).splits:
            yield _split(f"{name}/{split}", dataset(name).annotations(split), label_space(space))


def _split(name, path, space):
    coco = read(path)
    with contextlib.redirect_stdout(io.StringIO()):
        peer = COCO(path)

    def ours():
        return (label for _, label in label_maps(coco, space, overlap="file-order"))

    def loop():
        return (_label_map(peer, image, space) for image in peer.dataset["images"])

    for mine, theirs in zip(ours(), loop(), strict=True):  # the same pixels, and everything compiled
        np.testing.assert_array_equal(mine, theirs)
    seconds = alternate(lambda: deque(ours(), 0), lambda: deque(loop(), 0), clock=time.process_time)
    name = f"label maps of {name}, {len(coco.annotations) / len(coco.images):.1f} objects an image"
    return row(name, *(1e3 * s / len(coco.images) for s in seconds), "ms/image")


def _label_map(peer, image, space):
    label = np.zeros((image["height"], image["width"]), np.uint8)
    annotations = peer.loadAnns(peer.getAnnIds(image["id"]))
    for annotation in sorted(annotations, key=lambda a: not a["iscrowd"]):
        number = space.lookup([annotation["category_id"]])[0]
        if number >= 0:
            label[peer.annToMask(annotation) == 1] = space.void if annotation["iscrowd"] else number
    return label
