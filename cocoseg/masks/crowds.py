"""Crowds: regions annotated as a group, without telling the objects apart.

In a label map they are void where no instance lies on them, and void is not scored.
"""

import numba
import numpy as np
import polars as pl

from cocoseg.masks.runs import common
from cocoseg.masks.shard import Shard

COVERED = 0.5
CROWD = (
    *("annotation_id", "image_id", "category_id", "image_pixels", "pixels"),
    *("same", "other", "hidden", "instances", "covered", "category_pixels"),
)


def crowds(shard: Shard) -> pl.DataFrame:
    """One row per crowd, all i64.

    - `annotation_id`, `image_id`, `category_id`; `image_pixels`, `pixels`: of the image, of the crowd's mask.
    - Of the crowd's pixels: `same`, those that an instance of its category claims; `other`, of the rest those that an
      instance of another category claims; `hidden`, those that none does: void in a label map of all categories.
    - `instances`: of its category in the image; `covered`: those of them that lie in the crowd with at least half of
      their pixels; `category_pixels`: pixels that they claim, in the crowd or not.
    """
    names = ("annotation_id", "category_id", "iscrowd", "pixels")
    ids, categories, crowd, pixels = (shard.annotations[name].to_numpy() for name in names)
    rows = []
    for image_id, height, width, here, cut in shard.by_image():
        for k in np.flatnonzero(crowd[here]):
            instances = np.flatnonzero(~crowd[here] & (categories[here] == categories[here][k])) + here.start
            mask = shard.runs[here.start + k]
            covered = sum(common(mask, shard.runs[i]) >= COVERED * max(1, pixels[i]) for i in instances)
            *split, claimed = _beneath(cut, k, categories[here], crowd[here])
            key = ids[here][k], image_id, categories[here][k], height * width, pixels[here][k]
            rows.append((*key, *split, len(instances), covered, claimed))
    return pl.DataFrame(rows, dict.fromkeys(CROWD, pl.Int64), orient="row").sort("annotation_id")


def crowd_categories(crowds: pl.DataFrame, anatomy: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """What crowds hide of each category that has any, most hidden pixels first.

    Args:
        crowds: `crowds(…)`.
        anatomy: `cocoseg.masks.anatomy.anatomy(…)` of the same images.
        categories: as `Coco.categories`.

    Returns:
        `category_id` i64, `category`, `supercategory` str; `crowds`, `images` i64; `pixels`, `hidden` i64 (summed);
        `hidden_share` f64: hidden pixels over hidden ones and those of the category's instances (summed).
    """
    instances = anatomy.filter(~pl.col("iscrowd")).group_by("category_id").agg(instance_pixels=pl.col("pixels").sum())
    return (
        crowds.group_by("category_id")
        .agg(
            pl.len().cast(pl.Int64).alias("crowds"),
            pl.col("image_id").n_unique().cast(pl.Int64).alias("images"),
            pl.col("pixels", "hidden").sum(),
        )
        .join(instances, on="category_id", how="left")
        .join(categories, on="category_id")
        .sort("hidden", "category_id", descending=[True, False])
        .select(
            "category_id",
            pl.col("name").alias("category"),
            *("supercategory", "crowds", "images", "pixels", "hidden"),
            hidden_share=pl.col("hidden") / (pl.col("hidden") + pl.col("instance_pixels").fill_null(0)),
        )
    )


@numba.njit(cache=True)
def _beneath(cut, k, categories, crowd):
    """Of the pixels of crowd k those under instances of its category, under others only, under none; and all pixels
    under instances of its category."""
    same = other = hidden = claimed = 0
    for i in range(len(cut.starts)):
        length = cut.ends[i] - cut.starts[i]
        here, of_same, of_other = False, False, False
        for row in cut.rows[cut.bounds[i] : cut.bounds[i + 1]]:
            if crowd[row]:
                here |= row == k
            elif categories[row] == categories[k]:
                of_same = True
            else:
                of_other = True
        claimed += length * of_same
        if here:
            same += length * of_same
            other += length * (of_other and not of_same)
            hidden += length * (not of_same and not of_other)
    return same, other, hidden, claimed
