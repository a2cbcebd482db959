"""Instances whose shape, place and colour are unlike those of their category: evidence of a wrong name.

A random forest (Breiman 2001) learns the categories from what `cocoseg.challenges.traits` measures, and judges only
instances of images that it has not seen; the log odds of its best other guess against the name that is there are the
score, as in confident learning (Northcutt, Jiang and Chuang 2021). It needs no network, and so knows little of what a
thing looks like.
"""

import numpy as np
import polars as pl

FOLDS = 5
LEAST = 10  # instances of a category, or nothing is said about it
LEARNED = 20_000  # instances from which a fold learns; more would cost memory and hardly help
TREES = 100

NAMES = {"image_id": pl.Int64, "annotation_id": pl.Int64, "score": pl.Float64, "note": pl.String}


def names(traits: pl.DataFrame, categories: pl.DataFrame, *, seed: int = 0) -> pl.DataFrame:
    """Instances that are more like another category: image_id, annotation_id i64, score f64 (log odds), note str.

    Args:
        traits: `cocoseg.challenges.traits.traits(…)`.
        categories: as `Coco.categories`.
        seed: of the folds (by image) and the forest.
    """
    common = traits.group_by("category_id").len().filter(pl.col("len") >= LEAST)["category_id"]
    rows = traits.filter(pl.col("category_id").is_in(common.implode())).sort("annotation_id")
    ids = rows["image_id"].unique().sort()
    if common.len() < 2 or len(ids) < FOLDS:
        return pl.DataFrame(schema=NAMES)
    from sklearn.ensemble import RandomForestClassifier  # seconds; only where it is used

    x, given = _features(rows), rows["category_id"].to_numpy()
    rng = np.random.default_rng(seed)
    of_image = dict(zip(ids.to_list(), rng.permutation(len(ids)) % FOLDS, strict=True))
    fold = np.array([of_image[i] for i in rows["image_id"].to_list()])
    kinds, number = np.unique(given, return_inverse=True)
    chance = np.zeros((len(rows), len(kinds)))
    for k in range(FOLDS):
        seen, held = np.flatnonzero(fold != k), np.flatnonzero(fold == k)
        learned = rng.permutation(seen)[:LEARNED]
        forest = RandomForestClassifier(TREES, min_samples_leaf=2, random_state=seed, class_weight="balanced")
        forest.fit(x[learned], given[learned])
        at = np.searchsorted(kinds, forest.classes_)
        chance[np.ix_(held, at)] = forest.predict_proba(x[held])
    own = chance[np.arange(len(rows)), number]
    chance[np.arange(len(rows)), number] = -1
    best, other = chance.argmax(1), chance.max(1)
    floor = 1 / TREES
    odds = np.log(np.maximum(other, floor)) - np.log(np.maximum(own, floor))
    named = dict(categories.select("category_id", "name").iter_rows())
    likely = [f"more like: {named[int(kinds[k])]}" for k in best]
    return rows.select("image_id", "annotation_id", score=pl.Series(odds), note=pl.Series(likely)).filter(
        pl.col("score") > 0
    )


def _features(rows: pl.DataFrame) -> np.ndarray:
    side = pl.col("pixels").sqrt()
    columns = rows.select(
        pl.col("pixels").log(),
        (pl.col("width") / pl.col("height")).log().alias("aspect"),
        "extent",
        "solidity",
        "compactness",
        "parts",
        "holes",
        (pl.col("thickness") / side).alias("thick"),
        ((pl.col("left") + pl.col("width") / 2) / pl.col("image_width")).alias("across"),
        ((pl.col("top") + pl.col("height") / 2) / pl.col("image_height")).alias("down"),
        (pl.col("top") + pl.col("height")).truediv("image_height").alias("foot"),
        "^(red|green|blue)_(mean|spread)$",
    )
    return columns.fill_null(0).to_numpy().astype(np.float32)
