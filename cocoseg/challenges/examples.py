"""Objects of the sample that were drawn twice, by an annotator and exactly: what a page without photos shows."""

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

from cocoseg.coco import sample

IMAGES = 22
SMALLEST = 900  # px; a smaller object shows little when drawn
MARGIN = 6  # px around the two masks
CLASSES = ("background", "both", "annotation only", "exact mask only")


class Twice(NamedTuple):
    """An object in its surroundings, cut out: RGB uint8 H×W×3, and the label map uint8 H×W, classes `CLASSES`."""

    defect: str
    image: np.ndarray
    labels: np.ndarray
    iou: float


@cache
def twice() -> dict[str, Twice]:
    """One object for each planted defect that moves a contour, and one without a defect, the largest of each kind."""
    with TemporaryDirectory() as folder:
        root = Path(folder) / "sample"
        sample.make(root, train=0, val=IMAGES)
        first, second = (_by_id(root / name / "instances_val.json") for name in ("annotations", "exact"))
        planted = dict(sample.defects(root).select("annotation_id", "kind").iter_rows())
        chosen: dict[str, Twice] = {}
        for number in sorted(first.keys() & second.keys(), key=lambda k: -second[k]["area"]):
            kind = planted.get(number, "no defect")
            drawn = isinstance(first[number]["segmentation"], list) and second[number]["area"] >= SMALLEST
            if drawn and kind in ("no defect", "shifted", "coarsened", "cut off") and kind not in chosen:
                image = np.array(Image.open(root / "val" / f"{first[number]['image_id']:012d}.jpg").convert("RGB"))
                chosen[kind] = _cut(kind, image, _mask(first[number], image), _mask(second[number], image))
    return dict(sorted(chosen.items(), key=lambda item: -item[1].iou))


def _by_id(path: Path) -> dict[int, dict]:
    return {a["id"]: a for a in json.loads(path.read_text())["annotations"] if not a["iscrowd"]}


def _mask(annotation: dict, image: np.ndarray) -> np.ndarray:
    content = annotation["segmentation"]
    polygons = isinstance(content, list)
    rle = coco_mask.merge(coco_mask.frPyObjects(content, *image.shape[:2])) if polygons else content
    return np.array(coco_mask.decode(rle), bool)


def _cut(kind: str, image: np.ndarray, first: np.ndarray, second: np.ndarray) -> Twice:
    y, x = (np.flatnonzero((first | second).any(axis)) for axis in (1, 0))
    rows, columns = (slice(max(0, v[0] - MARGIN), v[-1] + 1 + MARGIN) for v in (y, x))
    labels = np.select([first & second, first, second], [1, 2, 3], 0).astype(np.uint8)
    iou = (first & second).sum() / (first | second).sum()
    return Twice(kind, image[rows, columns], labels[rows, columns], float(iou))
