"""How large instances are, by COCO's three size classes and continuously.

Size is the field `area` of the annotation, in px² of the original image; COCO's own evaluation goes by it too.
Annotations without an area are left out.
"""

import polars as pl

from cocoseg.coco.read import Coco

SMALL, LARGE = 32**2, 96**2
SIZES = ("small", "medium", "large")
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def size_class() -> pl.Expr:
    """The size class of the column `area`: small < 32² ≤ medium < 96² ≤ large (px²).

    pycocotools counts an area of exactly 32² or 96² in both classes; here each annotation is in one.

    >>> pl.DataFrame({"area": [1023.9, 1024.0, 9216.0]}).select(size_class()).to_series().to_list()
    ['small', 'medium', 'large']
    """
    small, medium = pl.col("area") < SMALL, pl.col("area") < LARGE
    return pl.when(small).then(pl.lit("small")).when(medium).then(pl.lit("medium")).otherwise(pl.lit("large"))


def size_classes(coco: Coco) -> pl.DataFrame:
    """Annotations by category, crowd or not, and size class.

    Returns:
        Every combination: `category_id` i64, `category` str, `supercategory` str, `crowd` bool, `size` str,
        `annotations` i64, `share` f64 (of the category's annotations of that kind; null where there are none).
    """
    counted = (
        coco.annotations.select("category_id", "area", pl.col("iscrowd").alias("crowd"))
        .drop_nulls()
        .group_by("category_id", "crowd", size_class().alias("size"))
        .agg(annotations=pl.len().cast(pl.Int64))
    )
    rows = (
        coco.categories.select("category_id", pl.col("name").alias("category"), "supercategory")
        .sort("category_id")
        .join(pl.DataFrame({"crowd": [False, True]}), how="cross", maintain_order="left_right")
        .join(pl.DataFrame({"size": SIZES}), how="cross", maintain_order="left_right")
    )
    total = pl.col("annotations").sum().over("category_id", "crowd")
    return (
        rows.join(counted, on=["category_id", "crowd", "size"], how="left", maintain_order="left")
        .with_columns(pl.col("annotations").fill_null(0))
        .with_columns(share=pl.when(total > 0).then(pl.col("annotations") / total))
    )


def size_quantiles(coco: Coco) -> pl.DataFrame:
    """How large the instances (not crowds) of each category that has any are, at 5, 25, 50, 75 and 95 %.

    Returns:
        `category_id` i64, `category` str, `supercategory` str, `instances` i64, `quantile` f64, `side` f64 (square root
        of the area, px), `share` f64 (area over the image's area; linear interpolation of each).
    """
    instances = _instances(coco)
    sizes = {"side": pl.col("area").sqrt(), "share": pl.col("area") / pl.col("pixels")}
    tables = [
        instances.group_by("category_id").agg(
            pl.len().cast(pl.Int64).alias("instances"),
            pl.lit(q).alias("quantile"),
            *(size.quantile(q, "linear").alias(name) for name, size in sizes.items()),
        )
        for q in QUANTILES
    ]
    named = coco.categories.select("category_id", pl.col("name").alias("category"), "supercategory")
    return named.join(pl.concat(tables), on="category_id").sort("category_id", "quantile")


def size_histogram(coco: Coco, per_octave: int = 4) -> pl.DataFrame:
    """Instances (not crowds) of each category by size, in bins of equal width on a logarithmic scale.

    COCO's borders 32 and 96 px: 32 = 2⁵ is the edge of a bin, 96 is not.

    Args:
        per_octave: bins for each doubling of the side.

    Returns:
        `category_id` i64, `category` str, `supercategory` str, `low`, `high` f64 (side = √area in px, low ≤ side <
        high; sides below 1 px are in the first bin), `instances` i64; only bins that hold any.
    """
    octave = (pl.col("area").clip(1).sqrt().log(2) * per_octave).floor()
    edge = pl.col("bin").cast(pl.Float64) / per_octave
    counted = (
        _instances(coco)
        .group_by("category_id", octave.cast(pl.Int32).alias("bin"))
        .agg(instances=pl.len().cast(pl.Int64))
    )
    named = coco.categories.select("category_id", pl.col("name").alias("category"), "supercategory")
    return (
        named.join(counted, on="category_id")
        .sort("category_id", "bin")
        .select(
            "category_id",
            "category",
            "supercategory",
            low=pl.lit(2.0).pow(edge),
            high=pl.lit(2.0).pow(edge + 1 / per_octave),
            instances="instances",
        )
    )


def _instances(coco: Coco) -> pl.DataFrame:
    pixels = pl.col("width").cast(pl.Int64) * pl.col("height")
    return (
        coco.annotations.filter(~pl.col("iscrowd"))
        .select("image_id", "category_id", "area")
        .drop_nulls()
        .join(coco.images.select("image_id", pixels=pixels), on="image_id")
    )
