"""Small, thin, crowded, cut off, rare: what each property of an instance costs when the others are held equal.

Properties go together (small things are thin, and crowded), so the share of an instance that a model recovers is
explained by all at once: an explainable boosting machine (Lou, Caruana and Gehrke 2012; Nori et al. 2019, InterpretML),
a sum of one curve for each property. How far to believe the curves is its fit on images that it has not seen.
"""

import numpy as np
import polars as pl

from cocoseg.coco.read import Coco
from cocoseg.errors import UserError
from cocoseg.results.recovery import with_shares

FOLDS = 5
LEAST = 100  # instances
CUT = 1.0  # px from the border of the image

PROPERTIES = {
    "size": "side of a square of its area (px)",
    "thinness": "side of that square over its thickness",
    "parts": "visible parts",
    "crowding": "instances in the image",
    "covered": "share of it that other instances claim",
    "cut": "sides of the image that cut it",
    "frequency": "instances of its category",
    "place": "distance from the image's centre (0 to 1)",
}
CURVES = {
    "property": pl.String,
    "low": pl.Float64,
    "high": pl.Float64,
    "effect": pl.Float64,
    "effect_low": pl.Float64,
    "effect_high": pl.Float64,
    "instances": pl.Int64,
}
FIT = {"model": pl.String, "r2": pl.Float64, "error": pl.Float64, "instances": pl.Int64, "images": pl.Int64}


def properties(anatomy: pl.DataFrame, pairs: pl.DataFrame, coco: Coco) -> pl.DataFrame:
    """The properties of every instance: annotation_id i64 and, f64, those of `PROPERTIES`.

    Args:
        anatomy: `cocoseg.masks.anatomy.anatomy(…)`.
        pairs: `cocoseg.masks.overlap.overlap_pairs(…)`.
        coco: the annotation file.
    """
    size = coco.images.select("image_id", image_height="height", image_width="width")
    claimed = pl.concat(
        [
            pairs.select("common", annotation_id="small_id", of="small_pixels"),
            pairs.select("common", annotation_id="large_id", of="large_pixels"),
        ]
    )
    claimed = claimed.group_by("annotation_id").agg(covered=(pl.col("common").sum() / pl.col("of").first()).clip(0, 1))
    rows = anatomy.filter(~pl.col("iscrowd"), pl.col("width").is_not_null()).join(size, on="image_id")
    left, top, right, bottom = (
        pl.col("left") < CUT,
        pl.col("top") < CUT,
        pl.col("left") + pl.col("width") > pl.col("image_width") - CUT,
        pl.col("top") + pl.col("height") > pl.col("image_height") - CUT,
    )
    side = pl.col("pixels").sqrt()
    across = (pl.col("left") + pl.col("width") / 2) / pl.col("image_width") * 2 - 1
    down = (pl.col("top") + pl.col("height") / 2) / pl.col("image_height") * 2 - 1
    return (
        rows.join(claimed, on="annotation_id", how="left")
        .select(
            "annotation_id",
            size=side,
            thinness=side / pl.col("thickness"),
            parts=pl.col("parts"),
            crowding=pl.len().over("image_id"),
            covered=pl.col("covered").fill_null(0),
            cut=pl.sum_horizontal(left, top, right, bottom),
            frequency=pl.len().over("category_id"),
            place=((across**2 + down**2) / 2).sqrt(),
        )
        .with_columns(pl.col(*PROPERTIES).cast(pl.Float64))
        .sort("annotation_id")
    )


def explained(instances: pl.DataFrame, table: pl.DataFrame, *, seed: int = 0) -> dict[str, pl.DataFrame]:
    """The share recovered of each instance, explained by its properties.

    Args:
        instances: the table of an evaluation (`cocoseg.results.predict.evaluate`).
        table: `properties(…)` of the same file.
        seed: of the folds, by image, and the machine.

    Returns:
        Tables by name.

        - `curves`: property str; low, high f64, the bin of its values; effect f64, what the share is above or below its
          mean there, and effect_low, effect_high f64, that over the machine's inner bags (one standard deviation each
          way); instances i64 in the bin. A property that is the same for all has no rows.
        - `fit`: how well held-out images are predicted, a row per model str: the whole machine ('all properties'), one
          property alone, and the 'mean' of all; r2 f64 (1 − squared error over that of the mean of the fold's other
          images), error f64 (mean absolute), instances, images i64.

    Fewer than a hundred instances are a `UserError`.
    """
    rows = with_shares(instances).drop("size").join(table, on="annotation_id").sort("annotation_id")
    if rows.height < LEAST:
        raise UserError(f"{rows.height} instances; expected {LEAST} or more to explain their scores")
    given = [name for name in PROPERTIES if rows[name].n_unique() > 1]
    x, y = rows.select(given).to_numpy(), rows["share"].to_numpy()
    ids = rows["image_id"].unique().sort()
    rng = np.random.default_rng(seed)
    of_image = dict(zip(ids.to_list(), rng.permutation(len(ids)) % FOLDS, strict=True))
    fold = np.array([of_image[i] for i in rows["image_id"].to_list()])
    models = {"all properties": list(range(len(given)))} | {name: [k] for k, name in enumerate(given)}
    baseline = _held_out(lambda x, y: _Mean(y), x, y, fold)
    fits = []
    for name, columns in {"mean": [], **models}.items():
        predicted = _held_out(lambda x, y: _machine(seed).fit(x, y), x[:, columns], y, fold) if columns else baseline
        r2 = 1 - ((y - predicted) ** 2).sum() / ((y - baseline) ** 2).sum()
        fits.append((name, float(r2), float(np.abs(y - predicted).mean()), rows.height, len(ids)))
    machine = _machine(seed).fit(x, y)
    curves = [row for k, name in enumerate(given) for row in _curve(machine, k, name, x[:, k])]
    return {"curves": pl.DataFrame(curves, CURVES, orient="row"), "fit": pl.DataFrame(fits, FIT, orient="row")}


def _machine(seed: int):
    from interpret.glassbox import ExplainableBoostingRegressor  # seconds; only where it is used

    return ExplainableBoostingRegressor(interactions=0, max_bins=32, outer_bags=8, random_state=seed, n_jobs=1)


class _Mean:
    def __init__(self, y: np.ndarray):
        self.mean = y.mean()

    def predict(self, x: np.ndarray) -> np.ndarray:
        return np.full(len(x), self.mean)


def _held_out(fit, x: np.ndarray, y: np.ndarray, fold: np.ndarray) -> np.ndarray:
    predicted = np.empty(len(y))
    for k in range(FOLDS):
        held = fold == k
        if held.any():
            predicted[held] = fit(x[~held], y[~held]).predict(x[held])
    return predicted


def _curve(machine, k: int, name: str, values: np.ndarray) -> list[tuple]:
    """Rows of `CURVES`: the bins of one property, without those for missing and unknown values."""
    cuts = np.asarray(machine.bins_[k][0], float)
    edges = np.concatenate([[values.min()], cuts, [values.max()]])
    counted, _ = np.histogram(values, np.concatenate([[-np.inf], np.nextafter(cuts, -np.inf), [np.inf]]))
    effects, spread = machine.term_scores_[k][1:-1], machine.standard_deviations_[k][1:-1]
    return [
        (name, float(low), float(high), float(effect), float(effect - s), float(effect + s), int(n))
        for low, high, effect, s, n in zip(edges[:-1], edges[1:], effects, spread, counted, strict=True)
    ]
