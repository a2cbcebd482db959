"""Scores by supercategory of the classes: means over the classes of one kind."""

from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from cocoseg.coco.categories import COCO
from cocoseg.coco.label_space import label_space
from cocoseg.results.intervals import LEVEL, MIN_IMAGES, RESAMPLES, draws
from cocoseg.results.metrics import cube, metric

SUPERCATEGORIES = {
    "supercategory": pl.String,
    "classes": pl.Int64,
    "images": pl.Int64,
    "pixels": pl.Int64,
    "miou_all": pl.Float64,
    "enough": pl.Int64,
    "miou": pl.Float64,
    "low": pl.Float64,
    "high": pl.Float64,
}


def supercategories(space: str, names: Mapping[int, str], surveyed: Iterable[pl.DataFrame] = ()) -> dict[int, str]:
    """The supercategory of each class but background; empty where nothing says it.

    A label space of COCO has COCO's. Another one has those of the first of the tables `surveyed`, `classes` of a survey
    (class, name, supercategory), that has its classes.

    >>> supercategories("voc21", {})[1]
    'vehicle'
    """
    if space != "own":
        kinds = {category: kind for category, _, kind in COCO}
        return {number: kinds[category] for category, number in label_space(space).category_ids}
    wanted = {(number, name) for number, name in names.items() if number}
    for table in surveyed:
        if wanted <= set(table.select("class", "name").iter_rows()):
            return dict(table.filter(pl.col("class") > 0).select("class", "supercategory").iter_rows())
    return {}


def by_supercategory(
    counts: pl.DataFrame,
    kinds: Mapping[int, str],
    *,
    min_images: int = MIN_IMAGES,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> pl.DataFrame:
    """The mean IoU of the classes of each supercategory, with its bootstrap interval over images; best first.

    `kinds`: the supercategory of each class that is asked for. Classes that are in no truth are left out. A mean with
    an interval takes the classes in the truth of at least `min_images` images, in the estimate as in every resample.

    Columns: supercategory str; classes i64 (in the truth); images i64 (with any of them); pixels i64 (of the truth);
    miou_all f64 (over all these classes); enough i64 (classes with `min_images`); miou, low, high f64 (over those;
    null where there is none).
    """
    there = counts.filter(pl.col("true") > 0, pl.col("class").is_in(list(kinds)))["class"].unique().sort().to_list()
    pixels = cube(counts, images=counts["image_id"].unique().sort(), classes=there)
    flat, value = pixels.reshape(len(pixels), -1), metric("miou_d").value
    drawn = np.concatenate([(w @ flat).reshape(len(w), *pixels.shape[1:]) for w in draws(len(pixels), resamples, seed)])
    rows = []
    for kind in sorted({kinds[number] for number in there}):
        members = [k for k, number in enumerate(there) if kinds[number] == kind]
        true = pixels[:, members, 2]
        enough = [k for k, images in zip(members, (true > 0).sum(0), strict=True) if images >= min_images]
        ends = [(1 - level) / 2, (1 + level) / 2]
        low, high = np.nanquantile(value(drawn[:, enough]), ends) if enough else (None, None)
        rows.append(
            {
                "supercategory": kind,
                "classes": len(members),
                "images": int((true > 0).any(1).sum()),
                "pixels": int(true.sum()),
                "miou_all": float(value(pixels[:, members].sum(0))),
                "enough": len(enough),
                "miou": float(value(pixels[:, enough].sum(0))) if enough else None,
                "low": low,
                "high": high,
            }
        )
    return pl.DataFrame(rows, SUPERCATEGORIES).sort("miou", "miou_all", descending=True, nulls_last=True)
