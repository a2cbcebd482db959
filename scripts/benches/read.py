"""Reading an annotation file: `cocoseg.coco.read` against pycocotools' `COCO()`, in processor time."""

import tempfile
from pathlib import Path

import click
from benches import _full_size
from benches._side_by_side import alternate_fresh, row

from cocoseg.coco.datasets import dataset


@click.command(help=__doc__)
@click.option("--images", default=_full_size.IMAGES, show_default=True, help="Images in the generated file.")
@click.option("--annotations", default=_full_size.ANNOTATIONS, show_default=True, help="Annotations in it.")
def bench(images: int, annotations: int):
    yield from _both("read instances/train2017", dataset("instances").annotations("train2017"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        _full_size.write(path, images, annotations)
        size = path.stat().st_size / 1e6
        yield from _both(f"read {images:,} images, {annotations:,} annotations, {size:.0f} MB", path, 1)


def _both(name: str, path: Path, times: int = 3):
    ours, peer = alternate_fresh(
        f"from cocoseg.coco.read import read; read({str(path)!r})",
        f"from pycocotools.coco import COCO; COCO({str(path)!r})",
        times,
    )
    yield row(name, ours.processor, peer.processor, "s")
    yield row(f"{name}: peak memory", ours.memory, peer.memory, "MiB")
