"""What defects in the labels do to a score before any model is trained: sound labels against the same with defects.

A model that answers with the sound label map scores this much on validation labels with defects, and one that has
learned the defects as they are scores it on sound labels.
"""

import json
from pathlib import Path

import numpy as np
import polars as pl

from cocoseg.coco.defects import plant
from cocoseg.coco.derived import measured
from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import Coco
from cocoseg.progress import progress
from cocoseg.results.counts import COUNTS, confusion, confusions, counts

KINDS = ("missing", "coarsened")
RATES = (0.2, 0.4)
SEEDS = (0, 1, 2)
NOISE = {"kind": pl.String, "rate": pl.Float64, "seed": pl.Int64, "hit": pl.Int64, **COUNTS}


def noise(file: Path | str, coco: Coco, space: LabelSpace) -> pl.DataFrame:
    """The counts table of labels with planted defects, as a prediction, against the labels of the file.

    Columns: kind str, rate f64, seed i64 of `cocoseg.coco.defects.plant`; hit i64 (annotations of the label space that
    were spoiled, over the whole file); then those of `cocoseg.results.counts`: image_id, class, intersection,
    predicted, true. Sorted.

    Args:
        file: the annotation file that `coco` was read from by `cocoseg.coco.check.check`.
        coco: what remained of it; its images are counted.
        space: of the label maps.
    """
    content = json.loads(Path(file).read_text())
    content["annotations"] = measured(content["annotations"], coco)
    classes = space.lookup(coco.annotations["category_id"].to_numpy()).tolist()
    within = dict(zip(coco.annotations["annotation_id"].to_list(), classes, strict=True))
    parts = [pl.DataFrame(schema=NOISE)]
    truths = [(row["image_id"], label_map(rows, row["height"], row["width"], space)) for row, rows in coco.by_image()]
    grid = [(kind, rate, seed) for kind in KINDS for rate in RATES for seed in SEEDS]
    for kind, rate, seed in progress(grid, desc="noise"):
        spoiled, listed = plant(content, {kind: rate}, seed)
        now = _replaced(coco, spoiled["annotations"])
        matrices = []
        for (image_id, truth), (row, rows) in zip(truths, now.by_image(), strict=True):
            answer = label_map(rows, row["height"], row["width"], space)
            matrices.append((image_id, confusion(truth, np.where(answer == VOID, np.uint8(0), answer), space.n)))
        key = {"kind": kind, "rate": rate, "seed": seed, "hit": sum(within[d["annotation_id"]] > 0 for d in listed)}
        parts.append(counts(confusions(matrices)).with_columns(**{k: pl.lit(v) for k, v in key.items()}).select(*NOISE))
    return pl.concat(parts, how="vertical_relaxed").cast(NOISE).sort("kind", "rate", "seed", "image_id", "class")


def _replaced(coco: Coco, annotations: list[dict]) -> Coco:
    """The annotations as they are in a list in COCO's format, in the order of the file."""
    now = pl.DataFrame(
        [(a["id"], json.dumps(a["segmentation"]).encode()) for a in annotations],
        {"annotation_id": pl.Int64, "now": pl.Binary},
        orient="row",
    )
    rows = coco.annotations.join(now, on="annotation_id", maintain_order="left")
    return Coco(coco.images, coco.categories, rows.with_columns(segmentation="now").drop("now"))
