"""How often each category occurs: in images, as instances, as crowds."""

import polars as pl

from cocoseg.coco.read import Coco

COUNTS = ("instances", "crowds")


def contents(coco: Coco) -> pl.DataFrame:
    """What each image holds: one row per image and category that occurs in it.

    Every other count of images, instances and co-occurrence is a function of this table.

    Returns:
        `image_id` i64, `category_id` i64, `instances` i32 (annotations that are not crowds), `crowds` i32
        (annotations with `iscrowd`), by image and category.
    """
    crowd = pl.col("iscrowd")
    return (
        coco.annotations.group_by("image_id", "category_id")
        .agg(instances=(~crowd).sum().cast(pl.Int32), crowds=crowd.sum().cast(pl.Int32))
        .sort("image_id", "category_id")
    )


def categories(contents: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """One row per category, also those that never occur, in the order of their ids.

    An image counts for a category when it holds an instance or a crowd of it (as pycocotools' `getImgIds`).

    Returns:
        `category_id` i64, `category` str, `supercategory` str, `images` i64, `instances` i64, `crowds` i64,
        `instances_per_image` f64 (instances over images; null for a category that never occurs).

    >>> held = pl.DataFrame({"image_id": [1, 2], "category_id": [7, 7], "instances": [3, 1], "crowds": [0, 1]})
    >>> named = pl.DataFrame({"category_id": [7], "name": ["cat"], "supercategory": ["animal"]})
    >>> categories(held, named).select("category", "images", "instances", "crowds").rows()
    [('cat', 2, 4, 1)]
    """
    rows = categories.select("category_id", pl.col("name").alias("category"), "supercategory")
    counted = _count(contents, "category_id")
    return _complete(rows.join(counted, on="category_id", how="left")).sort("category_id")


def supercategories(contents: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """One row per supercategory, by name; an image that holds two of its categories counts once.

    Returns:
        `supercategory` str, `categories` i64, `images` i64, `instances` i64, `crowds` i64,
        `instances_per_image` f64.
    """
    rows = categories.group_by("supercategory").agg(categories=pl.len().cast(pl.Int64))
    held = contents.join(categories.select("category_id", "supercategory"), on="category_id")
    counted = _count(held, "supercategory")
    return _complete(rows.join(counted, on="supercategory", how="left")).sort("supercategory")


def _count(held: pl.DataFrame, key: str) -> pl.DataFrame:
    return held.group_by(key).agg(
        pl.col("image_id").n_unique().cast(pl.Int64).alias("images"),
        *(pl.col(name).sum().cast(pl.Int64) for name in COUNTS),
    )


def _complete(rows: pl.DataFrame) -> pl.DataFrame:
    per_image = pl.when(pl.col("images") > 0).then(pl.col("instances") / pl.col("images"))
    return rows.with_columns(pl.col("images", *COUNTS).fill_null(0)).with_columns(instances_per_image=per_image)
