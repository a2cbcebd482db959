"""Every measure of a dataset in order, and of two datasets side by side."""

from functools import partial
from pathlib import Path

import polars as pl

from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.read import Coco
from cocoseg.dataset import categories, cooccurrence, images, label_maps, layout, pixels, sizes, splits, tail
from cocoseg.dataset.photos import kinds, near_duplicates, photos
from cocoseg.runs import parallel

SHARD = 500  # images

NUMBERS = ("width", "height", "aspect", *images.HELD, "median_side", "effective_categories")
PIXEL_NUMBERS = ("labelled", "background", "void", "classes", "effective_classes")
PHOTO_NUMBERS = ("brightness", "contrast", "sharpness")


def survey(
    coco: Coco, space: LabelSpace, images_folder: Path | None = None, workers: int | None = None
) -> dict[str, pl.DataFrame]:
    """The tables of a dataset by name; each is documented at the function that computes it.

    Args:
        coco: an annotation file that `cocoseg.coco.check` let pass.
        space: the label space of the pixel measures; with 'own' each category is a class.
        images_folder: the photographs; without it there are no tables of photographs.
        workers: processes for the work on pixels; any number of them gives the same tables.
    """
    tables = of_annotations(coco)
    tables |= of_label_maps(coco, space, tables["contents"], workers)
    if images_folder is not None:
        tables |= of_photos(coco, images_folder, workers)
    return tables


def of_annotations(coco: Coco) -> dict[str, pl.DataFrame]:
    """The tables that need no pixel: linear in the annotations."""
    contents = categories.contents(coco)
    of_images = images.images(coco, contents)
    named = cooccurrence.presence(contents, coco.categories)
    grouped = cooccurrence.presence(contents, coco.categories, by="supercategory")
    pairs = cooccurrence.pairs(named, len(of_images))
    gaps = layout.border_gaps(coco)
    group_pairs = cooccurrence.pairs(grouped, len(of_images))
    return {
        "contents": contents,
        "categories": categories.categories(contents, coco.categories),
        "supercategories": categories.supercategories(contents, coco.categories),
        "images": of_images,
        "image_states": images.states(of_images),
        "image_sizes": images.sizes(of_images),
        "image_counts": images.per_image(of_images),
        "image_numbers": images.summary(of_images, NUMBERS),
        "pairs": pairs,
        "pair_order": cooccurrence.order(pairs),
        "predictions": cooccurrence.predictions(named, len(of_images)),
        "group_pairs": group_pairs,
        "group_order": cooccurrence.order(group_pairs),
        "group_predictions": cooccurrence.predictions(grouped, len(of_images)),
        "border": layout.border(coco),
        "border_gaps": gaps,
        "stops_short": layout.stops_short(gaps),
        "size_classes": sizes.size_classes(coco),
        "size_quantiles": sizes.size_quantiles(coco),
        "size_histogram": sizes.size_histogram(coco),
    }


def of_label_maps(
    coco: Coco, space: LabelSpace, contents: pl.DataFrame, workers: int | None = None
) -> dict[str, pl.DataFrame]:
    """The tables that need every image rasterised, once."""
    shards = parallel.over(partial(label_maps.measure, space=space), pieces(coco), workers=workers, desc="label maps")
    merged = label_maps.merge(shards)
    totals = pixels.totals(merged["pixels"], space)
    classes = pixels.classes(totals, contents, coco.categories, space)
    labelled = images.labelled(merged["pixels"], space)
    heat = layout.heat(merged["samples"], totals)
    return {
        "pixels": merged["pixels"],
        "pixel_totals": totals,
        "classes": classes,
        "supercategory_pixels": pixels.supercategories(classes),
        "tail": tail.tail(classes),
        "tail_intervals": tail.intervals(_held(contents, merged["pixels"], coco, space), space.n - 1),
        "lorenz": tail.lorenz(classes),
        "ranks": tail.ranks(classes),
        "rank_agreement": tail.rank_agreement(classes),
        "labelled": labelled,
        "labelled_numbers": images.summary(labelled, PIXEL_NUMBERS),
        "heat": heat,
        "centre": layout.centre(heat),
    }


def of_photos(coco: Coco, folder: Path, workers: int | None = None) -> dict[str, pl.DataFrame]:
    """The tables that need the photographs."""
    shards = parallel.over(partial(photos, folder=folder), pieces(coco), workers=workers, desc="photographs")
    of_images = pl.concat(shards).sort("image_id")
    return {
        "photos": of_images,
        "photo_kinds": kinds(of_images),
        "photo_numbers": images.summary(of_images, PHOTO_NUMBERS),
        "duplicates": near_duplicates(of_images),
    }


def compare(a: dict[str, pl.DataFrame], b: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Two surveys side by side: `composition`, `shares` and `quantities` (see `splits`) and, if both have
    photographs, `leaks`, the near-duplicates between them."""
    both = (a, b)
    photographed = all("photos" in tables for tables in both)
    numbers = [*NUMBERS, *PIXEL_NUMBERS, *(PHOTO_NUMBERS if photographed else ())]
    compositions = [
        splits.composition(*map(count, both)).select(pl.lit(what).alias("what"), pl.all())
        for what, count in (("instances", _instances), ("pixels", _pixels), ("sizes", _sizes))
    ]
    compared = {
        "composition": pl.concat(compositions),
        "shares": splits.shares(*map(_presence, both), *(len(tables["images"]) for tables in both)),
        "quantities": splits.quantities(*map(_of_images, both), numbers),
    }
    return compared | ({"leaks": near_duplicates(a["photos"], b["photos"])} if photographed else {})


def pieces(coco: Coco, size: int = SHARD) -> list[Coco]:
    """Shards of `size` images; a file without images is one shard."""
    ids = coco.images["image_id"].to_list()
    return [coco.of_images(part) for part in parallel.shards(ids, size)] or [coco]


def _held(contents: pl.DataFrame, pixels: pl.DataFrame, coco: Coco, space: LabelSpace) -> pl.DataFrame:
    """What each image holds of each class: `image_id`, `class`, `images` (1), `instances`, `pixels` i64."""
    ids = coco.categories["category_id"]
    of = pl.DataFrame({"category_id": ids, "class": pl.Series(space.lookup(ids.to_numpy()), dtype=pl.Int16)})
    annotated = (
        contents.join(of, on="category_id")
        .group_by("image_id", "class")
        .agg(pl.col("instances").cast(pl.Int64).sum(), images=pl.lit(1, pl.Int64))
    )
    return (
        annotated.join(pixels, on=["image_id", "class"], how="full", coalesce=True)
        .filter(pl.col("class").is_between(1, space.n - 1))
        .with_columns(pl.col(tail.QUANTITIES).fill_null(0))
        .sort("image_id", "class")
    )


def _presence(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return cooccurrence.presence(tables["contents"], tables["categories"], by="category")


def _instances(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    named = tables["contents"].join(tables["categories"].select("category_id", "category"), on="category_id")
    return named.group_by("image_id", "category").agg(pl.col("instances").sum()).sort("image_id", "category")


def _pixels(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    named = tables["pixels"].join(tables["pixel_totals"].select("class", "name"), on="class", maintain_order="left")
    return named.select("image_id", "name", "pixels")


def _sizes(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    counted = tables["images"].select("image_id", *sizes.SIZES)
    return counted.unpivot(index="image_id", variable_name="size", value_name="instances")


def _of_images(tables: dict[str, pl.DataFrame]) -> pl.DataFrame:
    known = tables["images"].join(tables["labelled"], on="image_id", how="left")
    return known.join(tables["photos"], on="image_id", how="left") if "photos" in tables else known
