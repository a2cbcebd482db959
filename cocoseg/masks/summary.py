"""Measures of instances, by category and size class: the small tables that charts are drawn from."""

import polars as pl

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

ANATOMY: dict[str, pl.Expr] = {
    **{
        name: pl.col(name)
        for name in (
            *("polygons", "vertices", "outline", "spacing", "parts", "holes", "perimeter"),
            *("compactness", "solidity", "thickness", "extent", "border"),
        )
    },
    "vertices_per_100_px": 100 * pl.col("vertices") / pl.col("outline"),
    "largest_part_share": pl.col("largest_part") / pl.col("pixels"),
    "area_error": (pl.col("area") - pl.col("pixels")).abs() / pl.col("pixels"),
    "area_ratio": pl.col("area") / pl.col("pixels"),
    "polygon": pl.col("encoding") == "polygon",
    "several_polygons": pl.col("polygons") > 1,
    "several_parts": pl.col("parts") > 1,
    "has_holes": pl.col("holes") > 0,
    "at_border": pl.col("border") > 0,
    "crosses_itself": pl.col("crossings") > 0,
    "repeats_a_vertex": pl.col("repeated") > 0,
}
"""Measures of a row of `cocoseg.masks.anatomy.anatomy`; a yes or no becomes 1 or 0, its mean the share."""

COARSENESS: dict[str, pl.Expr] = {name: pl.col(name) for name in ("vertices", "mean_shift", "max_shift", "iou")}
"""Measures of a row of `cocoseg.masks.coarseness.coarseness`."""


def summary(
    table: pl.DataFrame, measures: dict[str, pl.Expr], categories: pl.DataFrame, by: tuple[str, ...] = ()
) -> pl.DataFrame:
    """The distribution of each measure over annotations, by category and size class, and over all of either.

    Args:
        table: one row per annotation (or annotation and `by`) with `category_id`, `size` and what the measures need.
        measures: name and expression of each; rows where it is null or not finite do not count.
        categories: as `Coco.categories`.
        by: further columns that are always kept apart.

    Returns:
        `category`, `supercategory`, `size` str ('all' for all), the columns of `by`, `measure` str, `annotations` i64,
        `mean`, `q05`, `q25`, `q50`, `q75`, `q95` f64 (linear interpolation); without groups that have no annotation.
    """
    named = categories.select("category_id", pl.col("name").alias("category"), "supercategory")
    values = table.join(named, on="category_id", maintain_order="left").select(
        *("category", "supercategory", "size", *by),
        **{name: measure.cast(pl.Float64) for name, measure in measures.items()},
    )
    every = pl.lit("all")
    groups = []
    for category in (values, values.with_columns(category=every, supercategory=every)):
        for rows in (category, category.with_columns(size=every)):
            groups += [_distribution(rows, measure, ["category", "supercategory", "size", *by]) for measure in measures]
    return pl.concat(groups).sort("category", "supercategory", "size", *by, "measure")


def _distribution(rows: pl.DataFrame, measure: str, by: list[str]) -> pl.DataFrame:
    value = pl.col(measure)
    return (
        rows.filter(value.is_finite())
        .group_by(by)
        .agg(
            pl.lit(measure).alias("measure"),
            pl.len().cast(pl.Int64).alias("annotations"),
            # Sorted, so that the sum does not depend on the order in which threads deliver.
            value.sort().mean().alias("mean"),
            *(value.quantile(q, "linear").alias(f"q{round(100 * q):02d}") for q in QUANTILES),
        )
    )
