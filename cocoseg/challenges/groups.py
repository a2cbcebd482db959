"""Groups that were not annotated as COCO annotates groups: many things drawn one by one, or several as one thing.

COCO's annotators drew ten instances of a category in an image one by one, up to fifteen in some, and the rest as one
crowd (Lin et al. 2014, Microsoft COCO: Common Objects in Context).
"""

import numpy as np
import polars as pl
from scipy.sparse.csgraph import connected_components

NEAR = 0.25  # of its box's sides, by which a box is grown on each side
INSIDE = 0.8  # share of the smaller instance that the larger one claims

GROUPS = {"image_id": pl.Int64, "annotation_id": pl.Int64, "score": pl.Float64, "note": pl.String}


def groups(traits: pl.DataFrame, annotations: pl.DataFrame) -> pl.DataFrame:
    """Groups of near instances of a category, in images without a crowd of it, by their size.

    Two instances are near if their boxes, each grown by a quarter of its sides on every side, meet; a group is what is
    linked so.

    Args:
        traits: `cocoseg.challenges.traits.traits(…)`.
        annotations: as `Coco.annotations`.

    Returns:
        A row per group of two or more: image_id, annotation_id i64 (its largest instance), score f64 (instances), note
        str (its box, px).
    """
    crowded = annotations.filter("iscrowd").select("image_id", "category_id").unique()
    rows = traits.filter(pl.col("width").is_not_null()).join(crowded, on=["image_id", "category_id"], how="anti")
    found = []
    for _, own in rows.sort("annotation_id").group_by("image_id", "category_id", maintain_order=True):
        box = own.select("left", "top", "width", "height").to_numpy().T
        low, size = box[:2], box[2:]
        start, end = low - NEAR * size, low + (1 + NEAR) * size
        meet = ((start[:, :, None] <= end[:, None]) & (start[:, None] <= end[:, :, None])).all(0)
        _, group = connected_components(meet, directed=False)
        for members in (np.flatnonzero(group == k) for k in np.flatnonzero(np.bincount(group) > 1)):
            largest = own[members.tolist()].sort("pixels", "annotation_id", descending=[True, False]).row(0, named=True)
            at = low[:, members].min(1)
            extent = (low + size)[:, members].max(1) - at
            note = "box " + ", ".join(f"{value:.0f}" for value in (*at, *extent))
            found.append((largest["image_id"], largest["annotation_id"], float(len(members)), note))
    return pl.DataFrame(found, GROUPS, orient="row").sort("image_id", "annotation_id")


def covering(pairs: pl.DataFrame) -> pl.DataFrame:
    """Instances that hold others of their category, by how many.

    Args:
        pairs: `cocoseg.masks.overlap.overlap_pairs(…)`.

    Returns:
        A row per instance: image_id, annotation_id i64, score f64 (instances of its category that lie in it with
        `INSIDE` of their pixels or more), note str (empty).
    """
    inside = pairs.filter(
        pl.col("small_category_id") == pl.col("large_category_id"),
        pl.col("common") >= INSIDE * pl.col("small_pixels"),
    )
    return (
        inside.group_by("image_id", annotation_id="large_id")
        .agg(score=pl.len().cast(pl.Float64))
        .select("image_id", "annotation_id", "score", note=pl.lit(""))
        .sort("image_id", "annotation_id")
    )
