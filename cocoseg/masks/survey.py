"""Every measure of the masks of a dataset."""

from functools import partial

import polars as pl

from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.read import Coco
from cocoseg.masks.anatomy import anatomy, encodings
from cocoseg.masks.boundaries import boundaries, edge_shares
from cocoseg.masks.coarseness import coarseness
from cocoseg.masks.crowds import crowd_categories, crowds
from cocoseg.masks.estimates import estimates
from cocoseg.masks.overlap import category_pairs, order_agreement, overlap, overlap_pairs, painting_order
from cocoseg.masks.shard import decode
from cocoseg.masks.summary import ANATOMY, COARSENESS, summary
from cocoseg.runs import parallel

SHARD = 500  # images

KEYS = {
    "anatomy": ("annotation_id",),
    "coarseness": ("annotation_id", "simplified"),
    "overlap": ("image_id",),
    "overlap_pairs": ("image_id", "small_id", "large_id"),
    "painting_order": ("image_id", "class", "order"),
    "crowds": ("annotation_id",),
    "boundaries": ("image_id", "class", "size"),
}
"""The tables of `measure`, and the columns that they are sorted by."""


def survey(coco: Coco, space: LabelSpace, workers: int | None = None) -> dict[str, pl.DataFrame]:
    """The tables of a dataset by name: those of `measure`, of all images, and what they come to (`summaries`).

    Args:
        coco: an annotation file that `cocoseg.coco.check` let pass.
        space: the label space of what is measured on label maps (`painting_order`, `boundaries`).
        workers: processes; any number of them gives the same tables.
    """
    ids = parallel.shards(coco.images["image_id"].to_list(), SHARD) or [[]]
    pieces = [coco.of_images(some) for some in ids]
    tables = merge(parallel.over(partial(measure, space=space), pieces, workers=workers, desc="masks"))
    return tables | summaries(tables, coco.categories, space)


def measure(coco: Coco, space: LabelSpace) -> dict[str, pl.DataFrame]:
    """The tables of some images of a dataset: a pure function of a shard. Each table is documented at its function."""
    shard = decode(coco)
    return {
        "anatomy": anatomy(shard),
        "coarseness": coarseness(shard),
        "overlap": overlap(shard),
        "overlap_pairs": overlap_pairs(shard),
        "painting_order": painting_order(shard, space),
        "crowds": crowds(shard),
        "boundaries": boundaries(shard, space),
    }


def merge(shards: list[dict[str, pl.DataFrame]]) -> dict[str, pl.DataFrame]:
    """The tables of all images from those of the shards, whatever the shards were and in which order they come."""
    return {name: pl.concat([tables[name] for tables in shards]).sort(key) for name, key in KEYS.items()}


def summaries(tables: dict[str, pl.DataFrame], categories: pl.DataFrame, space: LabelSpace) -> dict[str, pl.DataFrame]:
    """The tables of `measure`, pooled over images: small enough for a page. Crowds only where they are named."""
    anatomy = tables["anatomy"]
    return {
        "encodings": encodings(anatomy),
        "mask_estimates": estimates(tables),
        "anatomy_summary": summary(anatomy.filter(~pl.col("iscrowd")), ANATOMY, categories),
        "coarseness_summary": summary(tables["coarseness"], COARSENESS, categories, by=("simplified",)),
        "category_pairs": category_pairs(tables["overlap_pairs"], categories),
        "order_agreement": order_agreement(tables["painting_order"], space),
        "crowd_categories": crowd_categories(tables["crowds"], anatomy, categories),
        "edge_shares": edge_shares(tables["boundaries"], space),
    }
