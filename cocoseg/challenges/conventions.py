"""How much of a score is convention: the same annotations painted by different rules, scored against each other.

Datasets and libraries turn overlapping instances and crowds into a label map in different ways. Where two of them
differ, a prediction that is perfect under one is wrong under the other.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import label_map, runs
from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.models.labels import image as photo
from cocoseg.progress import progress
from cocoseg.results.counts import COUNTS, confusion, confusions, counts
from cocoseg.results.labels import label
from cocoseg.runs.parallel import over, shards

SHARD = 25  # images


@dataclass(frozen=True)
class Convention:
    """A way to turn annotations into a label map: what it is in words, and its `paint`, called as `label_map`."""

    what: str
    paint: Callable[[pl.DataFrame, int, int, LabelSpace], np.ndarray] = field(repr=False)


def torchvision(annotations: pl.DataFrame, height: int, width: int, space: LabelSpace) -> np.ndarray:
    """The label map (uint8 H×W) as torchvision's segmentation references paint it.

    A pixel of two annotations is void, also where both are of one class; crowds are annotations like any other
    (`ConvertCocoPolysToMask` in `references/segmentation/coco_utils.py`).
    """
    classes = space.lookup(annotations["category_id"].to_numpy()).tolist()
    canvas = np.zeros(height * width, np.uint8)
    for segmentation, number in zip(annotations["segmentation"], classes, strict=True):
        if number >= 0:
            for start, end in runs(segmentation, height, width):
                stretch = canvas[start:end]
                stretch[:] = np.where(stretch == 0, number, VOID)
    return canvas.reshape(width, height).T.copy()


def _rules(**rules: str) -> Callable:
    return partial(label_map, **rules)


DEFAULT = "small-on-top"
CONVENTIONS: dict[str, Convention] = {
    DEFAULT: Convention("smaller instance on top, crowds void: this book's", _rules(overlap="small-on-top")),
    "large-on-top": Convention("larger instance on top", _rules(overlap="large-on-top")),
    "file-order": Convention("later annotation on top", _rules(overlap="file-order")),
    "overlap-void": Convention("pixels of two classes are void", _rules(overlap="void")),
    "crowd-class": Convention("crowds are their class", _rules(overlap="small-on-top", crowd="class")),
    "crowd-background": Convention("crowds are background", _rules(overlap="small-on-top", crowd="background")),
    "torchvision": Convention("pixels of two annotations are void, crowds their class: torchvision's", torchvision),
}

CHANGES = {
    "image_id": pl.Int64,
    "convention": pl.String,
    "pixels": pl.Int64,
    "changed": pl.Int64,
    "to_void": pl.Int64,
    "from_void": pl.Int64,
}
PAIRS = {"truth": pl.String, "prediction": pl.String, **COUNTS}
MODELS = {"model": pl.String, "training": pl.String, "convention": pl.String, **COUNTS}


def conventions(coco: Coco, space: LabelSpace, *, workers: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Every two conventions scored against each other, and what each changes of this book's label maps.

    Returns two tables, sorted, of the images of `coco`:

    - the counts table of `cocoseg.results.counts` (image_id, class, intersection, predicted, true, in pixels) with the
      columns `truth` and `prediction`, two conventions in the order of `CONVENTIONS`, or twice the same. A pixel that
      is void in either map is not counted: void is not an answer that a prediction can give. So a score is the same
      with the two exchanged.
    - what changes against `DEFAULT`: image_id i64, convention str, pixels i64 of the image, and how many of them have
      another label (changed i64), which is void where it was not (to_void i64) or was void (from_void i64).
    """
    ids = coco.images["image_id"].to_list()
    pieces = [coco.of_images(piece) for piece in shards(ids, SHARD)]
    done = over(partial(_compare, space=space), pieces, workers=workers, desc="conventions")
    scored = pl.concat([pl.DataFrame(schema=PAIRS), *(first for first, _ in done)])
    changes = pl.concat([pl.DataFrame(schema=CHANGES), *(second for _, second in done)])
    return scored.sort("truth", "prediction", "image_id", "class"), changes.sort("convention", "image_id")


def models(predictors: Mapping[str, Callable], coco: Coco, folder: Path, space: LabelSpace) -> pl.DataFrame:
    """Models judged by each convention: each image is predicted once and counted against every convention's label map.

    Args:
        predictors: models by the name of their training; each has a `name` and a `space`, and gives scores float h×w×n
            for an image uint8 H×W×3 RGB.
        coco: the annotations, as from `cocoseg.coco.check.check` with the folder of the images.
        folder: of the image files.
        space: the label space of the truth; a model of another one is a `UserError`.

    Returns:
        The counts table with the columns model, training and convention, all str; sorted.
    """
    for training, predict in predictors.items():
        if predict.space.classes != space.classes:
            raise UserError(
                f"{training} was trained in label space {predict.space.name!r}; expected {space.name!r}, as audited"
            )
    parts = [pl.DataFrame(schema=MODELS)]
    for training, predict in predictors.items():
        matrices = {name: [] for name in CONVENTIONS}
        rows = progress(coco.by_image(), total=len(coco.images), desc=training, unit="image")
        for image, annotations in rows:
            size = image["height"], image["width"]
            answer = label(predict(photo(Path(folder) / image["file_name"])), *size)
            for name, convention in CONVENTIONS.items():
                truth = convention.paint(annotations, *size, space)
                matrices[name].append((image["image_id"], confusion(truth, answer, space.n)))
        parts += [
            counts(confusions(each))
            .with_columns(model=pl.lit(predict.name), training=pl.lit(training), convention=pl.lit(name))
            .select(*MODELS)
            for name, each in matrices.items()
        ]
    return pl.concat(parts).sort("training", "convention", "image_id", "class")


def _compare(coco: Coco, space: LabelSpace) -> tuple[pl.DataFrame, pl.DataFrame]:
    pairs = list(combinations_with_replacement(CONVENTIONS, 2))
    matrices, changes = {pair: [] for pair in pairs}, []
    for image, annotations in coco.by_image():
        image_id, size = image["image_id"], (image["height"], image["width"])
        maps = {name: convention.paint(annotations, *size, space) for name, convention in CONVENTIONS.items()}
        void = {name: labels == VOID for name, labels in maps.items()}
        for name, labels in maps.items():
            changed = labels != maps[DEFAULT]
            to, since = changed & void[name], changed & void[DEFAULT]
            changes.append((image_id, name, labels.size, *(int(each.sum()) for each in (changed, to, since))))
        for truth, prediction in pairs:
            shown = np.where(void[prediction], np.uint8(VOID), maps[truth])
            answer = np.where(void[prediction], np.uint8(0), maps[prediction])
            matrices[truth, prediction].append((image_id, confusion(shown, answer, space.n)))
    tables = [
        counts(confusions(each)).with_columns(truth=pl.lit(truth), prediction=pl.lit(prediction)).select(*PAIRS)
        for (truth, prediction), each in matrices.items()
    ]
    return pl.concat(tables), pl.DataFrame(changes, CHANGES, orient="row")
