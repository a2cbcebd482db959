"""How many pixels each class of a label space has.

The unit is the visible pixel of a label map: where instances overlap only the one on top counts, crowds are void
(see `cocoseg.coco.rasterise.label_map`).
"""

import numpy as np
import polars as pl

from cocoseg.coco.label_space import LabelSpace


def count(label_map: np.ndarray) -> np.ndarray:
    """Pixels of each value of a label map (uint8 H×W): i64 (256,).

    >>> count(np.array([[0, 0, 255]], np.uint8))[[0, 1, 255]]
    array([2, 0, 1])
    """
    return np.bincount(label_map.reshape(-1), minlength=256)


def totals(pixels: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """One row per class of the space, background included, and one for void.

    Args:
        pixels: one row per image and value that its label map holds: `image_id`, `class`, `pixels`.

    Returns:
        `class` i16, `name` str ('void' for 255), `images` i64 (those where it is visible), `pixels` i64, `share` f64
        (of all pixels), `labelled_share` f64 (of the pixels that are neither background nor void; null for
        those two), `image_share` f64 (mean share of an image's pixels, over the images where it is visible).
    """
    values = [*range(space.n), space.void]
    of_image = pixels["pixels"] / pixels.select(pl.col("pixels").sum().over("image_id"))["pixels"]
    kind = pixels["class"].to_numpy()
    # By class in numpy, in the order of the rows: a threaded sum differs in its last digits from run to run.
    images = np.bincount(kind, minlength=256)[values]
    share = np.bincount(kind, of_image.to_numpy(), 256)[values]
    counted = pixels.group_by("class").agg(pl.col("pixels").sum().cast(pl.Int64))
    rows = pl.DataFrame(
        {"class": values, "name": [*space.classes, "void"]}, schema={"class": pl.Int16, "name": pl.String}
    )
    label = pl.col("class").is_between(1, space.n - 1)
    visible = pl.when(pl.col("images") > 0)
    return (
        rows.join(counted, on="class", how="left", maintain_order="left")
        .with_columns(pl.col("pixels").fill_null(0), pl.Series("images", images), pl.Series("image_share", share))
        .select(
            "class",
            "name",
            "images",
            "pixels",
            share=_over(pl.col("pixels"), pl.col("pixels").sum()),
            labelled_share=pl.when(label).then(_over(pl.col("pixels"), pl.col("pixels").filter(label).sum())),
            image_share=visible.then(pl.col("image_share") / pl.col("images")),
        )
    )


def classes(totals: pl.DataFrame, contents: pl.DataFrame, categories: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """Images, instances, crowds and pixels side by side: one row per class other than background.

    Args:
        totals: `totals(…)`; `contents`: `categories.contents(coco)`; `categories`: `coco.categories`.

    Returns:
        `class` i16, `name` str, `supercategory` str (null where the class joins categories of several), `images`,
        `instances`, `crowds` i64 (annotated), `pixels` i64 (visible), `labelled_share` f64, `pixels_per_instance`
        f64 (null without instances). With the label space 'own' (or 'coco81') a class is a category.
    """
    of = pl.DataFrame(
        {"category_id": categories["category_id"], "class": space.lookup(categories["category_id"].to_numpy())}
    ).filter(pl.col("class") > 0)
    counted = (
        contents.join(of, on="category_id")
        .group_by("class")
        .agg(
            pl.col("image_id").n_unique().cast(pl.Int64).alias("images"),
            pl.col("instances", "crowds").cast(pl.Int64).sum(),
        )
    )
    groups = of.join(categories, on="category_id").group_by("class").agg(pl.col("supercategory").unique())
    sole = pl.when(pl.col("supercategory").list.len() == 1).then(pl.col("supercategory").list.first())
    return (
        totals.filter(pl.col("class").is_between(1, space.n - 1))
        .select("class", "name", "pixels", "labelled_share")
        .join(groups.with_columns(sole.alias("supercategory")), on="class", how="left")
        .join(counted, on="class", how="left")
        .with_columns(pl.col("images", "instances", "crowds").fill_null(0))
        .select(
            "class",
            "name",
            "supercategory",
            "images",
            "instances",
            "crowds",
            "pixels",
            "labelled_share",
            pixels_per_instance=_over(pl.col("pixels"), pl.col("instances")),
        )
        .sort("class")
    )


def supercategories(classes: pl.DataFrame) -> pl.DataFrame:
    """The pixels of each supercategory: `supercategory` str, `classes` i64, `instances` i64, `pixels` i64,
    `labelled_share` f64, `pixels_per_instance` f64, by name. Classes that join several supercategories are left out.
    """
    grouped = (
        classes.drop_nulls("supercategory")
        .group_by("supercategory")
        .agg(pl.len().cast(pl.Int64).alias("classes"), pl.col("instances", "pixels").sum())
    )
    total = classes["pixels"].sum()
    return grouped.with_columns(
        labelled_share=_over(pl.col("pixels"), pl.lit(total)),
        pixels_per_instance=_over(pl.col("pixels"), pl.col("instances")),
    ).sort("supercategory")


def _over(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    """The ratio, null over zero."""
    return pl.when(whole > 0).then(part / whole)
