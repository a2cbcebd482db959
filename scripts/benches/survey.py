"""The survey of annotations: `cocoseg` against a loop over pycocotools' `annToMask`, with scikit-image and SciPy.

The loop measures a part of what the survey does: the pixels of each class in the label maps and, of each object, its
pixels, parts, perimeter and thickness. It runs over the first images only, where both must find the same; its cost for
all is in proportion to their objects. Two sizes show whether the cost is linear.
"""

import contextlib
import io
import tempfile
from pathlib import Path

import click
import numpy as np
from benches import _full_size
from benches._side_by_side import Cost, fresh, row
from scipy import ndimage
from skimage import measure

FIRST = 200  # images
SPACE = "coco81"
MEASURES = ("pixels", "parts", "perimeter", "thickness")


@click.command(help=__doc__)
@click.option("--images", default=_full_size.IMAGES, show_default=True, help="Images in the larger generated file.")
@click.option("--annotations", default=_full_size.ANNOTATIONS, show_default=True, help="Annotations in it.")
def bench(images: int, annotations: int):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "instances.json"
        for part in (4, 1):
            _full_size.write(path, images // part, annotations // part)
            if part > 1:
                compare(path)
            ours = fresh(f"from benches.survey import survey; survey({str(path)!r})")
            peer = _of_all(path, annotations // part)
            name = f"survey of {images // part:,} images, {annotations // part:,} annotations"
            yield row(name, ours.seconds, peer.seconds, "s")
            times = (1e3 * cost.processor / (annotations // part) for cost in (ours, peer))
            yield row(f"{name}: processor time", *times, "ms/annotation")
            yield row(f"{name}: peak memory", ours.memory, peer.memory, "MiB")


def survey(path: str) -> dict:
    """What the notebook `survey` does where there are no photos."""
    from cocoseg.coco.check import check
    from cocoseg.coco.label_space import label_space
    from cocoseg.dataset.survey import survey as of_dataset
    from cocoseg.masks.survey import survey as of_masks

    coco, _ = check(path)
    space = label_space(SPACE, coco.categories)
    return of_dataset(coco, space) | of_masks(coco, space)


def _of_all(path: Path, annotations: int) -> Cost:
    """What the loop costs for all annotations: opening the file, then in proportion to those of the first images."""
    opening = fresh(f"from benches.survey import opened; opened({str(path)!r})")
    first = fresh(f"from benches.survey import loop, opened; loop(opened({str(path)!r}))")
    share = annotations / len(loop(opened(path))[1])
    seconds, processor = (start + (end - start) * share for start, end in zip(opening[:2], first[:2], strict=True))
    return Cost(seconds, processor, first.memory)


def compare(path: Path) -> None:
    """Both must find the same in the first images."""
    from cocoseg.coco.label_space import label_space
    from cocoseg.coco.read import read
    from cocoseg.dataset import label_maps
    from cocoseg.masks import survey as masks

    coco, space = read(path), label_space(SPACE)
    coco = coco.of_images(coco.images["image_id"].head(FIRST))
    pixels, objects = loop(opened(path))
    ours = label_maps.measure(coco, space)["pixels"].group_by("class").sum().select("class", "pixels")
    assert dict(ours.iter_rows()) == {number: n for number, n in enumerate(pixels.tolist()) if n}
    anatomy = masks.measure(coco, space)["anatomy"]
    for name, values in zip(MEASURES, zip(*objects, strict=True), strict=True):
        np.testing.assert_allclose(anatomy[name].to_numpy(), values, rtol=1e-9, err_msg=name)


def opened(path: Path | str):
    from pycocotools.coco import COCO

    with contextlib.redirect_stdout(io.StringIO()):
        return COCO(path)


def loop(coco) -> tuple[np.ndarray, list[tuple]]:
    """(pixels of each value in the label maps, `MEASURES` of each object) of the first images."""
    from cocoseg.coco.label_space import VOID, label_space

    space = label_space(SPACE)
    pixels, objects = np.zeros(256, np.int64), []
    for image in coco.dataset["images"][:FIRST]:
        annotations = coco.loadAnns(coco.getAnnIds(image["id"]))
        masks = [coco.annToMask(annotation) for annotation in annotations]
        objects += map(_measures, masks)
        label_map = np.zeros((image["height"], image["width"]), np.uint8)
        painted = zip(annotations, masks, strict=True)
        for annotation, mask in sorted(painted, key=lambda one: (not one[0]["iscrowd"], -one[1].sum(dtype=int))):
            number = space.lookup([annotation["category_id"]])[0]
            label_map[mask == 1] = VOID if annotation["iscrowd"] else number
        pixels += np.bincount(label_map.ravel(), minlength=256)
    return pixels, objects


def _measures(mask: np.ndarray) -> tuple:
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = np.pad(mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], 1)
    deepest = ndimage.distance_transform_edt(box).max()
    parts = measure.label(box, connectivity=2).max()
    return box.sum(dtype=int), parts, measure.perimeter_crofton(box, directions=4), 2 * deepest - 1
