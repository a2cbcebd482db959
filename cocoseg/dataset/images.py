"""What one image is like: its size, what it holds, how much of it is labelled."""

from collections.abc import Sequence

import numpy as np
import polars as pl

from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.read import Coco
from cocoseg.dataset.sizes import SIZES, size_class

HELD = ("categories", "supercategories", "instances", "crowds")


def images(coco: Coco, contents: pl.DataFrame) -> pl.DataFrame:
    """One row per image of the file, by id, also those without annotations.

    Args:
        contents: `categories.contents(coco)`.

    Returns:
        `image_id` i64, `width` i32, `height` i32, `aspect` f64 (width / height), `categories`, `supercategories`
        i32 (distinct, crowds included), `instances`, `crowds` i32, `state` str: 'instances', 'crowds only' or
        'empty', `small`, `medium`, `large` i32 (instances by COCO's size classes), `median_side` f64 (median √area of
        the instances, px; null without any), and `effective_categories` f64, the scene's complexity: the
        exponential of the Shannon entropy of its instances over categories (Hill number of order 1); 1 for one
        category, 2 for two equally frequent ones, null without instances.
    """
    held = contents.join(coco.categories.select("category_id", "supercategory"), on="category_id")
    counted = held.group_by("image_id").agg(
        pl.len().cast(pl.Int32).alias("categories"),
        pl.col("supercategory").n_unique().cast(pl.Int32).alias("supercategories"),
        pl.col("instances", "crowds").sum(),
    )
    area = coco.annotations.filter(~pl.col("iscrowd")).select("image_id", "area").drop_nulls()
    sized = area.group_by("image_id").agg(
        *((size_class() == size).sum().cast(pl.Int32).alias(size) for size in SIZES),
        median_side=pl.col("area").sqrt().median(),
    )
    diversity = effective_number(held.select("image_id", "instances")).rename({"effective": "effective_categories"})
    state = (
        pl.when(pl.col("instances") > 0)
        .then(pl.lit("instances"))
        .when(pl.col("crowds") > 0)
        .then(pl.lit("crowds only"))
        .otherwise(pl.lit("empty"))
    )
    return (
        coco.images.select("image_id", "width", "height", aspect=pl.col("width") / pl.col("height"))
        .join(counted, on="image_id", how="left")
        .join(sized, on="image_id", how="left")
        .with_columns(pl.col(HELD + SIZES).fill_null(0))
        .with_columns(state=state)
        .join(diversity, on="image_id", how="left")
        .sort("image_id")
    )


def states(images: pl.DataFrame) -> pl.DataFrame:
    """How many images hold instances, crowds only, or nothing: `state` str, `images` i64, `share` f64.

    >>> states(pl.DataFrame({"state": ["instances", "empty", "instances", "instances"]})).rows()
    [('instances', 3, 0.75), ('crowds only', 0, 0.0), ('empty', 1, 0.25)]
    """
    return frequencies(images.select("state"), ("instances", "crowds only", "empty"))


def frequencies(kinds: pl.DataFrame, order: Sequence[str]) -> pl.DataFrame:
    """How often each value of a one-column table occurs, in that order: the column, `images` i64, `share` f64."""
    (name,) = kinds.columns
    counted = kinds.group_by(name).agg(images=pl.len().cast(pl.Int64))
    rows = pl.DataFrame({name: order}).join(counted, on=name, how="left", maintain_order="left")
    return rows.with_columns(pl.col("images").fill_null(0)).with_columns(share=pl.col("images") / max(len(kinds), 1))


def per_image(images: pl.DataFrame, quantities: Sequence[str] = HELD) -> pl.DataFrame:
    """The distribution of each count over the images, empty images included.

    Returns:
        `quantity` str, `value` i64 (the count), `images` i64, `share` f64 of the images; only values that occur.

    >>> per_image(pl.DataFrame({"instances": [2, 0, 2, 2]}), ["instances"]).rows()
    [('instances', 0, 1, 0.25), ('instances', 2, 3, 0.75)]
    """
    tables = [
        images.group_by(pl.col(name).cast(pl.Int64).alias("value"))
        .agg(images=pl.len().cast(pl.Int64))
        .sort("value")
        .select(pl.lit(name).alias("quantity"), "value", "images", share=pl.col("images") / len(images))
        for name in quantities
    ]
    return pl.concat(tables)


def summary(images: pl.DataFrame, quantities: Sequence[str]) -> pl.DataFrame:
    """One row per quantity: its distribution over the images in eight numbers.

    Returns:
        `quantity` str, `images` i64 (those where it is known), `mean` f64 with `mean_low`, `mean_high` (95 %,
        mean ± 1.96 s/√n: an image is the unit of sampling; null for one image), `minimum`, `p5`, `median`, `p95`,
        `maximum` f64 (linear interpolation).
    """
    rows = []
    for name in quantities:
        values = images[name].drop_nulls().cast(pl.Float64).to_numpy()
        if not len(values):
            rows.append((name, 0, *[None] * 8))
            continue
        mean = float(values.mean())
        margin = 1.96 * float(values.std(ddof=1)) / len(values) ** 0.5 if len(values) > 1 else None
        interval = (None, None) if margin is None else (mean - margin, mean + margin)
        rows.append((name, len(values), mean, *interval, *np.quantile(values, [0, 0.05, 0.5, 0.95, 1]).tolist()))
    numbers = ("mean", "mean_low", "mean_high", "minimum", "p5", "median", "p95", "maximum")
    schema = {"quantity": pl.String, "images": pl.Int64, **dict.fromkeys(numbers, pl.Float64)}
    return pl.DataFrame(rows, schema=schema, orient="row")


def sizes(images: pl.DataFrame) -> pl.DataFrame:
    """How many images have which size, most frequent first: `width` i32, `height` i32, `images` i64, `share` f64.

    >>> sizes(pl.DataFrame({"width": [640, 480, 640], "height": [480, 640, 480]})).row(0)
    (640, 480, 2, 0.6666666666666666)
    """
    counted = images.group_by("width", "height").agg(images=pl.len().cast(pl.Int64))
    return counted.with_columns(share=pl.col("images") / len(images)).sort(
        "images", "width", "height", descending=[True, False, False]
    )


def labelled(pixels: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """How much of each image is labelled, and how diversely.

    Args:
        pixels: `label_maps.pixels` (image, class, pixels), with background and void.

    Returns:
        `image_id` i64, `labelled` f64 (share of the image's pixels of a class other than background), `background`
        f64, `void` f64 (the three sum to 1), `classes` i32 (visible, background not counted) and
        `effective_classes` f64: exponential of the Shannon entropy of the labelled pixels over classes, null where
        nothing is labelled.
    """
    kind = pl.col("class")
    label = (kind > 0) & (kind < space.n)
    totals = pixels.group_by("image_id").agg(
        total=pl.col("pixels").sum(),
        labelled=pl.col("pixels").filter(label).sum(),
        background=pl.col("pixels").filter(kind == 0).sum(),
        void=pl.col("pixels").filter(kind == space.void).sum(),
        classes=label.sum().cast(pl.Int32),
    )
    diversity = effective_number(pixels.filter(label).select("image_id", "pixels"))
    return (
        totals.select("image_id", pl.col("labelled", "background", "void") / pl.col("total"), "classes")
        .join(diversity.rename({"effective": "effective_classes"}), on="image_id", how="left")
        .sort("image_id")
    )


def effective_number(counts: pl.DataFrame) -> pl.DataFrame:
    r"""Per image, $\exp(-\sum p_i \ln p_i)$ of its counts: a table (image_id, count) becomes (image_id, effective f64).

    Images whose counts are all zero have no row.

    >>> effective_number(pl.DataFrame({"image_id": [1, 1, 2], "instances": [4, 4, 9]})).rows()
    [(1, 2.0), (2, 1.0)]
    """
    _, value = counts.columns
    known = counts.filter(pl.col(value) > 0)
    ids, owner = np.unique(known["image_id"].to_numpy(), return_inverse=True)
    x = known[value].cast(pl.Float64).to_numpy()
    # Added up in numpy, in the order of the rows: a threaded sum differs in its last digits from run to run.
    p = x / np.bincount(owner, x)[owner] if len(x) else x
    effective = np.exp(-np.bincount(owner, p * np.log(p), len(ids)))
    return pl.DataFrame(
        {"image_id": ids, "effective": effective}, schema={"image_id": pl.Int64, "effective": pl.Float64}
    )
