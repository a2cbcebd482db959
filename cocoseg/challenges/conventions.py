"""How much of a score is convention: the same annotations painted by different rules, scored against each other.

Datasets and libraries turn overlapping instances and crowds into a label map in different ways. Where two of them
differ, a prediction that is perfect under one is wrong under the other.
"""

from functools import partial

import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import Coco
from cocoseg.results.counts import confusion, confusions, counts
from cocoseg.runs.parallel import over, shards

DEFAULT = "small-on-top"
CONVENTIONS = {
    DEFAULT: ({"overlap": "small-on-top", "crowd": "void"}, "smaller instance on top, crowds void: this book's"),
    "large-on-top": ({"overlap": "large-on-top", "crowd": "void"}, "larger instance on top"),
    "file-order": ({"overlap": "file-order", "crowd": "void"}, "later annotation on top"),
    "overlap-void": ({"overlap": "void", "crowd": "void"}, "pixels of two classes are void, as in torchvision"),
    "crowd-class": ({"overlap": "small-on-top", "crowd": "class"}, "crowds are their class"),
    "crowd-background": ({"overlap": "small-on-top", "crowd": "background"}, "crowds are background"),
}

CHANGES = {"image_id": pl.Int64, "convention": pl.String, "pixels": pl.Int64, "changed": pl.Int64}


def _compare(coco: Coco, space: LabelSpace) -> tuple[pl.DataFrame, pl.DataFrame]:
    reference = dict(label_maps(coco, space, **CONVENTIONS[DEFAULT][0]))
    tables, changes = [], []
    for name, (rules, _) in CONVENTIONS.items():
        matrices = []
        for image_id, truth in label_maps(coco, space, **rules):
            shown = reference[image_id]
            changes.append((image_id, name, truth.size, int((truth != shown).sum())))
            # Void in the prediction is not an answer that a model can give: what either calls void is not counted.
            truth = np.where(shown == VOID, np.uint8(VOID), truth)
            matrices.append((image_id, confusion(truth, np.where(shown == VOID, np.uint8(0), shown), space.n)))
        tables.append(counts(confusions(matrices)).with_columns(convention=pl.lit(name)))
    return pl.concat(tables), pl.DataFrame(changes, CHANGES, orient="row")


def conventions(coco: Coco, space: LabelSpace, *, workers: int | None = None) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The label map of this book's convention scored, as a prediction, against each other convention as the truth.

    Returns two tables, sorted, of the images of `coco`:

    - the counts table of `cocoseg.results.counts` (image_id, class, intersection, predicted, true, in pixels) with a
      column `convention`. Pixels that are void in either map are not counted, so that only the overlap rules differ.
    - what changes: image_id i64, convention str, pixels i64 of the image, and how many of them have another label
      (changed i64), void included.
    """
    ids = coco.images["image_id"].to_list()
    pieces = [coco.of_images(piece) for piece in shards(ids, 50)]
    done = over(partial(_compare, space=space), pieces, workers=workers, desc="conventions")
    scored = pl.concat([_compare(coco.of_images([]), space)[0], *(first for first, _ in done)])
    changes = pl.concat([pl.DataFrame(schema=CHANGES), *(second for _, second in done)])
    return scored.sort("convention", "image_id", "class"), changes.sort("convention", "image_id")
