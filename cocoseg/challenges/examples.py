"""Objects of the sample, drawn by an annotator and exactly, spoiled, or out of the ordinary: what a page without photos
shows."""

import json
from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import polars as pl
from PIL import Image
from pycocotools import mask as coco_mask

from cocoseg.challenges.properties import properties
from cocoseg.coco import defects as planting
from cocoseg.coco import sample
from cocoseg.coco.check import check
from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import read
from cocoseg.masks.anatomy import anatomy
from cocoseg.masks.overlap import overlap_pairs
from cocoseg.masks.shard import decode

IMAGES = 32
SMALLEST = 900  # px; a smaller object shows little when drawn
MARGIN = 6  # px around the two masks
CLASSES = ("background", "both", "annotation only", "exact mask only")


class Twice(NamedTuple):
    """An object in its surroundings, cut out: RGB uint8 H×W×3, and the label map uint8 H×W, classes `CLASSES`."""

    defect: str
    image: np.ndarray
    labels: np.ndarray
    iou: float


class Example(NamedTuple):
    """A generated image, RGB uint8 H×W×3, and its label maps by name, uint8 H×W, of `classes`."""

    image: np.ndarray
    label_maps: dict[str, np.ndarray]
    classes: list[str]


class Seen(NamedTuple):
    """An object in its surroundings: RGB uint8 H×W×3, its mask bool H×W, and the value of one of its properties."""

    image: np.ndarray
    mask: np.ndarray
    value: float


@cache
def twice() -> dict[str, Twice]:
    """One object for each planted defect that moves a contour, and one without a defect, the largest of each kind."""
    shown = {"no defect", "shifted", "coarsened", "cut off"}
    chosen = {kind: example for kind, example in _largest().items() if kind in shown}
    return dict(sorted(chosen.items(), key=lambda item: -item[1].iou))


@cache
def planted() -> dict[str, Twice]:
    """The largest object of each kind of planted defect, as it is annotated and exactly; in the order of `KINDS`."""
    return {kind: _largest()[kind] for kind in planting.KINDS if kind in _largest()}


@cache
def spoilt(rates: tuple[float, ...] = (0.2, 0.4)) -> Example:
    """The label maps of one image with more and more objects missing or coarsened, the one that loses most of them."""
    root = Path(_sample().name) / "sample"
    document = json.loads((root / "annotations" / "instances_val.json").read_text())
    coco = read(root / "annotations" / "instances_val.json")
    drafts = {"as annotated": (document, [])}
    for kind, rate in product(("missing", "coarsened"), rates):
        drafts[f"{rate:.0%} {kind}"] = planting.plant(document, {kind: rate})
    hit = Counter((row["kind"], row["image_id"]) for _, rows in drafts.values() for row in rows)
    number = max(coco.images["image_id"], key=lambda i: (min(hit["missing", i], hit["coarsened", i]), -i))
    image = _photo(root, number)
    kinds = [row["name"] for row in document["categories"]]
    classes = ["background", *kinds]
    place = {row["id"]: k for k, row in enumerate(document["categories"], 1)}
    space = LabelSpace("drawn", tuple(classes), tuple(place.items()))
    maps = {}
    for name, (content, _) in drafts.items():
        file = root / "draft.json"
        file.write_text(json.dumps(content))
        rows = read(file).annotations.filter(image_id=number)
        maps[name] = label_map(rows, *image.shape[:2], space)
    return Example(image, maps, classes)


@cache
def extremes() -> dict[str, Seen]:
    """For properties of an instance (`cocoseg.challenges.properties`) the object that has most of each, of size least;
    none with a planted defect."""
    root = Path(_sample().name) / "sample"
    coco, _ = check(root / "annotations" / "instances_val.json")
    shard = decode(coco)
    drawn = anatomy(shard)
    table = properties(drawn, overlap_pairs(shard), coco).join(drawn, on="annotation_id", suffix="_drawn")
    defects = sample.defects(root)
    for key in ("annotation_id", "other_id"):
        table = table.join(defects, left_on="annotation_id", right_on=key, how="anti")
    shown = {}
    for name in ("size", "thinness", "parts", "crowding", "covered", "cut"):
        visible = table.filter(pl.col("pixels") >= (SMALLEST // 20 if name == "size" else SMALLEST // 3))
        row = visible.sort(name, "annotation_id", descending=[name != "size", False]).row(0, named=True)
        image = _photo(root, row["image_id"])
        content = coco.annotations.row(by_predicate=pl.col("annotation_id") == row["annotation_id"], named=True)
        mask = _decoded(json.loads(content["segmentation"]), image)
        window = np.s_[:, :] if name == "crowding" else _around(mask, 4 * MARGIN)
        shown[name] = Seen(image[window], mask[window], row[name])
    return shown


@cache
def _largest() -> dict[str, Twice]:
    root = Path(_sample().name) / "sample"
    first, second = (_by_id(root / name / "instances_val.json") for name in ("annotations", "exact"))
    defects = {row["annotation_id"]: row for row in sample.defects(root).iter_rows(named=True)}
    sound = [{"annotation_id": i, "other_id": None, "kind": "no defect"} for i in first.keys() - defects.keys()]
    chosen: dict[str, Twice] = {}

    def exactly(row):
        return second.get(row["other_id"] if row["kind"] == "duplicated" else row["annotation_id"], {"area": 0})

    for row in sorted([*sound, *defects.values()], key=lambda row: (-exactly(row)["area"], row["annotation_id"])):
        kind, exact, given = row["kind"], exactly(row), first.get(row["annotation_id"])
        drawn = given is None or isinstance(given["segmentation"], list)
        if exact["area"] and drawn and kind not in chosen:
            image = _photo(root, exact["image_id"])
            there = np.zeros(image.shape[:2], bool) if given is None else _decoded(given["segmentation"], image)
            chosen[kind] = _cut(kind, image, there, _decoded(exact["segmentation"], image))
    return chosen


@cache
def _sample() -> TemporaryDirectory:
    """Generated once, and gone with the process."""
    folder = TemporaryDirectory()
    sample.make(Path(folder.name) / "sample", train=0, val=IMAGES)
    return folder


def _photo(root: Path, number: int) -> np.ndarray:
    return np.array(Image.open(root / "val" / f"{number:012d}.jpg").convert("RGB"))


def _by_id(path: Path) -> dict[int, dict]:
    return {a["id"]: a for a in json.loads(path.read_text())["annotations"] if not a["iscrowd"]}


def _decoded(content: list | dict, image: np.ndarray) -> np.ndarray:
    polygons = isinstance(content, list)
    rle = coco_mask.merge(coco_mask.frPyObjects(content, *image.shape[:2])) if polygons else content
    return np.array(coco_mask.decode(rle), bool)


def _around(mask: np.ndarray, margin: int) -> tuple[slice, slice]:
    y, x = (np.flatnonzero(mask.any(axis)) for axis in (1, 0))
    rows, columns = (slice(max(0, v[0] - margin), v[-1] + 1 + margin) for v in (y, x))
    return rows, columns


def _cut(kind: str, image: np.ndarray, first: np.ndarray, second: np.ndarray) -> Twice:
    window = _around(first | second, MARGIN)
    labels = np.select([first & second, first, second], [1, 2, 3], 0).astype(np.uint8)
    iou = (first & second).sum() / (first | second).sum()
    return Twice(kind, image[window], labels[window], float(iou))
