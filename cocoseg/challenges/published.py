"""How far annotators agreed elsewhere, as published."""

import polars as pl

SOURCE = "Gupta et al. 2019, table on annotation quality"

AGREEMENT = pl.DataFrame(
    [
        ("two experts", "mask IoU", 0.91, 0.95),
        ("two experts", "boundary F", 0.92, 0.96),
        ("LVIS and an expert", "mask IoU", 0.90, 0.92),
        ("LVIS and an expert", "boundary F", 0.87, 0.91),
        ("COCO and an expert", "mask IoU", 0.83, 0.87),
        ("COCO and an expert", "boundary F", 0.77, 0.82),
    ],
    {"pair": pl.String, "measure": pl.String, "low": pl.Float64, "high": pl.Float64},
    orient="row",
)
"""Lowest and highest value that `SOURCE` gives for a pair of annotators: pair, measure str, low, high f64."""
