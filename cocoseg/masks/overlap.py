"""Pixels that more than one instance claims, and what they make of the label map.

Crowds are left out, see `cocoseg.masks.crowds`.
"""

import numba
import numpy as np
import polars as pl

from cocoseg.coco.label_space import LabelSpace
from cocoseg.masks.painting import ORDERS, labels, rank, shown
from cocoseg.masks.shard import Shard
from cocoseg.masks.stretches import top

NESTED = 0.95
CLAIMS = ("image_id", "pixels", "instances", "labelled", "contested", "same", "different", "deepest")
PAIR = (
    *("image_id", "small_id", "large_id", "small_category_id", "large_category_id"),
    *("small_pixels", "large_pixels", "common"),
)
ORDER = ("image_id", "class", "order", "reference", "pixels", "both")


def overlap(shard: Shard) -> pl.DataFrame:
    """One row per image, all i64.

    - `image_id`; `pixels` of the image; `instances`; `labelled`: pixels that at least one instance claims.
    - `contested`: pixels that two or more claim; `same`: of these, those that two instances of one category claim;
      `different`: those that instances of two categories claim. A pixel can be both.
    - `deepest`: the most claims on one pixel.
    """
    instance, categories = ~shard.annotations["iscrowd"].to_numpy(), shard.annotations["category_id"].to_numpy()
    rows = [
        (image_id, height * width, instance[of].sum(), *_claims(cut, categories[of], instance[of]))
        for image_id, height, width, of, cut in shard.by_image()
    ]
    return pl.DataFrame(rows, dict.fromkeys(CLAIMS, pl.Int64), orient="row").sort("image_id")


def overlap_pairs(shard: Shard) -> pl.DataFrame:
    """One row per pair of instances that share a pixel, all i64.

    - `image_id`; `small_id`, `large_id`: the annotations, the one of fewer pixels first (of equals, the lower id).
    - `small_category_id`, `large_category_id`; `small_pixels`, `large_pixels`; `common`: pixels of both.
    """
    names = ("annotation_id", "category_id", "pixels", "iscrowd")
    ids, categories, pixels, crowd = (shard.annotations[name].to_numpy() for name in names)
    blocks = [np.empty((0, len(PAIR)), np.int64)]
    for image_id, _, _, here, cut in shard.by_image():
        by_size = here.start + np.lexsort((ids[here], pixels[here]))
        place = np.argsort(by_size)
        place[crowd[here]] = -1
        keys, lengths = _shared(cut, place)
        keys, pair = np.unique(keys, return_inverse=True)
        shared = np.zeros(len(keys), np.int64)
        np.add.at(shared, pair, lengths)
        both = [by_size[k] for k in np.divmod(keys, len(place) or 1)]
        columns = [values[rows] for values in (ids, categories, pixels) for rows in both]
        blocks.append(np.column_stack([np.full(len(keys), image_id), *columns, shared]))
    return pl.DataFrame(np.concatenate(blocks), PAIR, orient="row").sort("image_id", "small_id", "large_id")


def painting_order(shard: Shard, space: LabelSpace) -> pl.DataFrame:
    """How the label map changes with the order of painting: one row per image, class and order.

    - `image_id` i64; `class` i16 (of `space`; background and void, which no order changes, are left out).
    - `order` str: 'large-on-top' or 'file-order', as in `cocoseg.coco.rasterise.label_map`, against the reference
      'small-on-top'.
    - `reference`, `pixels`, `both` i64: pixels of the class in the reference, in that order, and in both at once.
    """
    of_row, pixels = labels(shard, space), shard.annotations["pixels"].to_numpy()
    blocks = [np.empty((0, len(ORDER)), np.int64)]
    for image_id, _, _, of, cut in shard.by_image():
        first, *others = (shown(of_row[of], top(cut, rank(of_row[of], pixels[of], order))) for order in ORDERS)
        for order, other in enumerate(others, 1):
            counts = _agreement(cut, first, other)[1 : space.n]
            classes = np.flatnonzero(counts.any(1))
            key = np.full(len(classes), image_id), classes + 1, np.full(len(classes), order)
            blocks.append(np.column_stack([*key, counts[classes]]))
    return (
        pl.DataFrame(np.concatenate(blocks), ORDER, orient="row")
        .with_columns(pl.col("class").cast(pl.Int16), pl.col("order").replace_strict(dict(enumerate(ORDERS))))
        .sort("image_id", "class", "order")
    )


def category_pairs(pairs: pl.DataFrame, categories: pl.DataFrame) -> pl.DataFrame:
    """Which categories overlap: one row per unordered pair of categories, most common pixels first.

    Args:
        pairs: `overlap_pairs(…)`; `categories`: as `Coco.categories`.

    Returns:
        `category_a`, `category_b` str (in the order of their ids), `supercategory_a`, `supercategory_b` str; `images`
        i64 where they overlap, `pairs` i64 of instances, `nested` i64: pairs of which the smaller has at least 95 % of
        its pixels in the larger; `common` i64 px; `share` f64: mean share of the smaller instance.
    """
    first, second = pl.col("small_category_id"), pl.col("large_category_id")
    inside = pl.col("common") / pl.col("small_pixels")
    named = categories.select("category_id", pl.col("name").alias("category"), "supercategory")
    return (
        pairs.group_by(a=pl.min_horizontal(first, second), b=pl.max_horizontal(first, second))
        .agg(
            pl.col("image_id").n_unique().cast(pl.Int64).alias("images"),
            pl.len().cast(pl.Int64).alias("pairs"),
            (inside >= NESTED).sum().cast(pl.Int64).alias("nested"),
            pl.col("common").sum(),
            inside.sort().mean().alias("share"),
        )
        .join(named.rename(lambda name: f"{name}_a"), left_on="a", right_on="category_id_a")
        .join(named.rename(lambda name: f"{name}_b"), left_on="b", right_on="category_id_b")
        .sort("common", "a", "b", descending=[True, False, False])
        .select(
            *("category_a", "category_b", "supercategory_a", "supercategory_b"),
            *("images", "pairs", "nested", "common", "share"),
        )
    )


def order_agreement(orders: pl.DataFrame, space: LabelSpace) -> pl.DataFrame:
    """IoU of each class between label maps painted in two orders, over all images: what a perfect model of one order
    scores in the other.

    Args:
        orders: `painting_order(…)`.

    Returns:
        `class` i16, `name` str, `order` str, `pixels` i64 (in the reference), `changed` i64 (of these, pixels that
        become another class), `iou` f64; by class and order, classes without pixels left out.
    """
    names = pl.DataFrame({"class": range(space.n), "name": space.classes}, {"class": pl.Int16, "name": pl.String})
    reference, pixels, both = map(pl.col, ORDER[3:])
    return (
        orders.group_by("class", "order")
        .agg(pl.col(ORDER[3:]).sum())
        .join(names, on="class")
        .sort("class", "order")
        .select(
            *("class", "name", "order"),
            pixels=reference,
            changed=reference - both,
            iou=both / (reference + pixels - both),
        )
    )


@numba.njit(cache=True)
def _claims(cut, categories, instance):
    labelled = contested = same = different = deepest = 0
    for i in range(len(cut.starts)):
        length = cut.ends[i] - cut.starts[i]
        rows = cut.rows[cut.bounds[i] : cut.bounds[i + 1]]
        claims, has_same, has_different = 0, False, False
        for k in range(len(rows)):
            if not instance[rows[k]]:
                continue
            claims += 1
            for j in range(k):
                if instance[rows[j]]:
                    if categories[rows[j]] == categories[rows[k]]:
                        has_same = True
                    else:
                        has_different = True
        labelled += length * (claims > 0)
        contested += length * (claims > 1)
        same += length * has_same
        different += length * has_different
        deepest = max(deepest, claims)
    return labelled, contested, same, different, deepest


@numba.njit(cache=True)
def _shared(cut, place):
    """Each pair of rows on each stretch: smaller place × rows + larger place, and the length of the stretch. Rows whose
    place is negative do not count."""
    room = 0
    for i in range(len(cut.starts)):
        depth = cut.bounds[i + 1] - cut.bounds[i]
        room += depth * (depth - 1) // 2
    keys, lengths = np.empty(room, np.int64), np.empty(room, np.int64)
    n = 0
    for i in range(len(cut.starts)):
        for k in range(cut.bounds[i], cut.bounds[i + 1]):
            for j in range(cut.bounds[i], k):
                a, b = place[cut.rows[j]], place[cut.rows[k]]
                if a >= 0 and b >= 0:
                    keys[n], lengths[n] = min(a, b) * len(place) + max(a, b), cut.ends[i] - cut.starts[i]
                    n += 1
    return keys[:n], lengths[:n]


@numba.njit(cache=True)
def _agreement(cut, a, b):
    """For each label its pixels where the stretches are labelled `a`, where `b`, and where both: i64 (256, 3)."""
    counts = np.zeros((256, 3), np.int64)
    for i in range(len(cut.starts)):
        length = cut.ends[i] - cut.starts[i]
        counts[a[i], 0] += length
        counts[b[i], 1] += length
        if a[i] == b[i]:
            counts[a[i], 2] += length
    return counts
