"""Reading an annotation file: `cocoseg.coco.read` against pycocotools' `COCO()`."""

import tempfile
from pathlib import Path

import click

from benches import _full_size
from benches._side_by_side import alternate_fresh, row
from cocoseg.coco.datasets import dataset


@click.command(help=__doc__)
@click.option("--images", default=_full_size.IMAGES, show_default=True, help="Images of the generated file.")
@click.option(
    "--annotations", default=_full_size.ANNOTATIONS, show_default=True, help="Annotations of the generated file."
)
def bench(images: int, annotations: int):
    real = dataset("instances")
    for split in real.splits:
        yield from _both(f"read instances/{split}", real.annotations(split))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        _full_size.write(path, images=images, annotations=annotations)
        name = f"read {images:,} images, {annotations:,} annotations ({path.stat().st_size / 1e6:.0f} MB)"
        yield from _both(name, path)


def _both(name: str, path: Path):
    ours, peer = alternate_fresh(
        f"from cocoseg.coco.read import read; read({str(path)!r})",
        f"from pycocotools.coco import COCO; COCO({str(path)!r})",
    )
    yield row(name, ours[0], peer[0], "s")
    yield row(f"{name}, peak memory", ours[1], peer[1], "MiB")
