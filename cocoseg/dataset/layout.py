"""Where in the image each class lies."""

from math import asinh, sqrt

import numpy as np
import polars as pl

from cocoseg.coco.read import Coco

GRID = 32
POINTS = 4  # a cell is sampled at POINTS × POINTS points
CUT = 0.5  # px
SIDES = ("left", "top", "right", "bottom")


def sample(label_map: np.ndarray, classes: int, grid: int = GRID) -> np.ndarray:
    """How often each class is hit by a lattice of 4 × 4 points per cell of a grid laid over the image.

    The image is stretched to the unit square, so images of any size and shape add up, and each weighs the same. Counts
    are whole numbers: their sum does not depend on the order of the images.

    Args:
        label_map: uint8 H×W.
        classes: number of classes; values from there on (void) are not counted.

    Returns:
        i64 (classes, grid, grid), rows from the top, each cell 0…16.

    >>> sample(np.array([[0, 1]], np.uint8), 2, grid=2)[1]
    array([[ 0, 16],
           [ 0, 16]])
    """
    height, width = label_map.shape
    steps = np.arange(grid * POINTS)
    rows = (2 * steps + 1) * height // (2 * grid * POINTS)
    columns = (2 * steps + 1) * width // (2 * grid * POINTS)
    cell = steps // POINTS
    cells = cell[:, None] * grid + cell
    at = label_map[rows[:, None], columns].astype(np.int64)
    hits = np.bincount((at * grid * grid + cells).reshape(-1), minlength=classes * grid * grid)
    return hits[: classes * grid * grid].reshape(classes, grid, grid)


def heat(samples: pl.DataFrame, totals: pl.DataFrame) -> pl.DataFrame:
    """The heat map of each class over the images in which it is visible, each image weighing the same.

    Args:
        samples: sums of `sample` over images: `class`, `row`, `col`, `samples`; cells that were never hit may be
            missing.
        totals: `pixels.totals`, for the names and the number of images.

    Returns:
        Every cell of every class that is visible in some image: `class` i16, `name` str, `row`, `col` i16 (0 is the
        top left), `probability` f32 (share of the cell that the class covers, mean over its images).
    """
    grid = pl.int_range(GRID, eager=True, dtype=pl.Int16)
    cells = grid.to_frame("row").join(grid.to_frame("col"), how="cross")
    seen = totals.filter((pl.col("images") > 0) & (pl.col("name") != "void")).select("class", "name", "images")
    return (
        seen.join(cells, how="cross")
        .join(samples, on=["class", "row", "col"], how="left")
        .with_columns(pl.col("samples").fill_null(0))
        .select(
            "class",
            "name",
            "row",
            "col",
            probability=(pl.col("samples") / (POINTS**2 * pl.col("images"))).cast(pl.Float32),
        )
        .sort("class", "row", "col")
    )


def centre(heat: pl.DataFrame) -> pl.DataFrame:
    r"""Where the mass of each heat map lies, and how central it is.

    - `x`, `y`: centre of mass, 0…1 from the top left; (½, ½) is the middle.
    - `distance`: mean distance of the class's pixels from the middle, in sides of the unit square;
      $(\sqrt 2 + \operatorname{arsinh} 1) / 6 = 0.383$ if spread evenly.
    - `centre_bias`: 1 − distance / 0.383: 0 spread evenly, 1 all in the middle, negative towards the borders.

    Returns:
        `class` i16, `name` str, `x`, `y`, `distance`, `centre_bias` f64; null for a class so small that no point of
        the lattice hit it.
    """
    names = heat.select("class", "name").unique(maintain_order=True)
    mass = heat["probability"].cast(pl.Float64).to_numpy().reshape(len(names), GRID, GRID)
    at = (np.arange(GRID) + 0.5) / GRID
    total = mass.sum((1, 2))

    def mean(value: np.ndarray) -> pl.Series:
        means = np.divide((mass * value).sum((1, 2)), total, out=np.full(len(total), np.nan), where=total > 0)
        return pl.Series(means).fill_nan(None)

    distance = mean(np.hypot(at - 0.5, at[:, None] - 0.5))
    even = (sqrt(2) + asinh(1)) / 6
    return names.with_columns(x=mean(at), y=mean(at[:, None]), distance=distance, centre_bias=1 - distance / even)


def border(coco: Coco, tolerance: float = CUT) -> pl.DataFrame:
    """How many instances the border of the image cuts: one row per category.

    An instance is cut where its box comes within `tolerance` px of the border. With half a pixel these are the
    instances whose mask has a pixel on the border (the two agree on 99.8 % of the instances of 2,000 COCO images).
    Crowds, and annotations without a box, are left out.

    Returns:
        `category_id` i64, `category` str, `supercategory` str, `instances` i64, `cut` i64 and `cut_share` f64 (any
        border; null without instances), and of these `left`, `top`, `right`, `bottom` i64.
    """
    counted = (
        _gaps(coco)
        .with_columns(pl.col(SIDES) < tolerance)
        .group_by("category_id")
        .agg(
            pl.len().cast(pl.Int64).alias("instances"),
            pl.any_horizontal(SIDES).sum().cast(pl.Int64).alias("cut"),
            *(pl.col(side).sum().cast(pl.Int64) for side in SIDES),
        )
    )
    return (
        coco.categories.select("category_id", pl.col("name").alias("category"), "supercategory")
        .join(counted, on="category_id", how="left")
        .with_columns(pl.col("instances", "cut", *SIDES).fill_null(0))
        .select(
            "category_id",
            "category",
            "supercategory",
            "instances",
            "cut",
            pl.when(pl.col("instances") > 0).then(pl.col("cut") / pl.col("instances")).alias("cut_share"),
            *SIDES,
        )
        .sort("category_id")
    )


def border_gaps(coco: Coco, most: int = 40) -> pl.DataFrame:
    """How far the boxes of instances stay from each border: whether annotators draw to the edge.

    By chance, neighbouring distances are about equally frequent; in COCO, far too many outlines end 4 to 10 px above
    the bottom.

    Returns:
        `side` str ('left', 'top', 'right', 'bottom'), `gap` i64 (px, rounded; 0 is cut), `instances` i64, for each
        gap from 0 to `most`.
    """
    rounded = _gaps(coco).select((pl.col(SIDES) + CUT).floor().clip(0).cast(pl.Int64))
    counted = (
        rounded.unpivot(variable_name="side", value_name="gap")
        .group_by("side", "gap")
        .agg(instances=pl.len().cast(pl.Int64))
    )
    gaps = pl.int_range(most + 1, eager=True, dtype=pl.Int64).to_frame("gap")
    return (
        pl.DataFrame({"side": SIDES})
        .join(gaps, how="cross", maintain_order="left_right")
        .join(counted, on=["side", "gap"], how="left", maintain_order="left")
        .with_columns(pl.col("instances").fill_null(0))
    )


def stops_short(gaps: pl.DataFrame, within: int = 12) -> pl.DataFrame:
    """How many outlines end just before a border: objects that the border cuts, but the annotation does not say so.

    Boxes that end `within` px of a border by chance are as many as further inside, at 20 to 40 px, on average; those in
    excess are outlines that should have gone on to the border.

    Args:
        gaps: `border_gaps(coco)`.

    Returns:
        `side` str, `cut` i64 (gap 0), `short` i64 (gap 1…within), `chance` f64 (of those expected by chance), `excess`
        f64 (short − chance).

    >>> near = pl.DataFrame({"side": ["left"] * 41, "gap": range(41), "instances": [9] + [3] * 12 + [1] * 28})
    >>> stops_short(near).rows()
    [('left', 9, 36, 12.0, 24.0)]
    """
    gap, instances = pl.col("gap"), pl.col("instances")
    return (
        gaps.group_by("side", maintain_order=True)
        .agg(
            cut=instances.filter(gap == 0).sum(),
            short=instances.filter(gap.is_between(1, within)).sum(),
            chance=instances.filter(gap.is_between(20, 40)).mean() * within,
        )
        .with_columns(excess=pl.col("short") - pl.col("chance"))
    )


def _gaps(coco: Coco) -> pl.DataFrame:
    """Distance of each instance's box to each border, px: `category_id` and a column per side."""
    return (
        coco.annotations.filter(~pl.col("iscrowd"))
        .select("image_id", "category_id", "x", "y", "w", "h")
        .drop_nulls()
        .join(coco.images.select("image_id", "width", "height"), on="image_id")
        .select(
            "category_id",
            left="x",
            top="y",
            right=pl.col("width") - pl.col("x") - pl.col("w"),
            bottom=pl.col("height") - pl.col("y") - pl.col("h"),
        )
    )
