"""The anatomy of every annotation: how it was drawn, and the shape that came of it."""

import polars as pl

from cocoseg.coco.read import polygons
from cocoseg.masks import outlines
from cocoseg.masks.shape import Shape, shape
from cocoseg.masks.shard import Shard

DRAWN = {
    "polygons": pl.Int32,
    "vertices": pl.Int32,
    "outline": pl.Float64,
    "enclosed": pl.Float64,
    "repeated": pl.Int32,
    "crossings": pl.Int32,
}
SHAPE = {name: {int: pl.Int32, float: pl.Float64}[kind] for name, kind in Shape.__annotations__.items()}


def anatomy(shard: Shard) -> pl.DataFrame:
    """One row per annotation, crowds included.

    - `annotation_id`, `image_id`, `category_id` i64, `iscrowd` bool, `size` str (small, medium, large), `encoding` str,
      `area` f64 (the field, px²), `pixels` i64 (of the mask).
    - As drawn, null for RLE: `polygons`, `vertices` i32, `outline` f64 (length of all polygons, px), `spacing` f64
      (outline per vertex, px), `enclosed` f64 (shoelace area of the polygons, px²), `repeated` i32 (vertices on an
      earlier vertex of their polygon), `crossings` i32 (pairs of edges of a polygon that cross), see
      `cocoseg.masks.outlines`.
    - As pixels, null where the mask has none: `left`, `top`, `width`, `height`, `parts`, `largest_part`, `holes`,
      `hole_pixels` i32, `perimeter`, `compactness`, `solidity`, `thickness`, `border` f64, see `cocoseg.masks.shape`;
      `extent` f64 (pixels over those of the box).
    """
    rows = shard.annotations.select("encoding", "segmentation").iter_rows()
    drawn = [_drawn(polygons(segmentation)) if encoding == "polygon" else None for encoding, segmentation in rows]
    sizes = shard.annotations.select("height", "width").iter_rows()
    shapes = [shape(runs, *size) if len(runs) else None for runs, size in zip(shard.runs, sizes, strict=True)]
    return (
        pl.concat(
            [
                shard.annotations.select(
                    "annotation_id", "image_id", "category_id", "iscrowd", "size", "encoding", "area", "pixels"
                ),
                _table(drawn, DRAWN),
                _table(shapes, SHAPE),
            ],
            how="horizontal",
        )
        .with_columns(
            spacing=pl.col("outline") / pl.col("vertices"),
            extent=pl.col("pixels") / (pl.col("width") * pl.col("height")),
        )
        .sort("annotation_id")
    )


def encodings(anatomy: pl.DataFrame) -> pl.DataFrame:
    """How instances and crowds are encoded: a row per `iscrowd` bool and `encoding` str, `annotations`, `images`,
    `pixels` (of all masks) i64.

    Args:
        anatomy: `anatomy(…)`.
    """
    return (
        anatomy.group_by("iscrowd", "encoding")
        .agg(
            pl.len().cast(pl.Int64).alias("annotations"),
            pl.col("image_id").n_unique().cast(pl.Int64).alias("images"),
            pl.col("pixels").sum(),
        )
        .sort("iscrowd", "encoding")
    )


def _drawn(rings: list) -> tuple:
    vertices, bounds = outlines.rings_of(rings)
    return (
        len(rings),
        len(vertices),
        outlines.length(vertices, bounds),
        outlines.enclosed(vertices, bounds),
        outlines.repeated(vertices, bounds),
        outlines.crossings(vertices, bounds),
    )


def _table(rows: list[tuple | None], schema: dict) -> pl.DataFrame:
    absent = (None,) * len(schema)
    return pl.DataFrame([row or absent for row in rows], schema, orient="row")
