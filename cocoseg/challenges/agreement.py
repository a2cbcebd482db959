"""Two annotations of the same images, instance by instance: who drew what the other did, and how alike.

Instances are matched one to one (Hungarian method; Kuhn 1955), first within a class, then what is left across classes.
Only what one annotator must have seen counts as missed: not what lies in its crowds, nor a class that it did not
annotate exhaustively in that image.
"""

from pathlib import Path

import cv2
import numpy as np
import polars as pl
from scipy.optimize import linear_sum_assignment

from cocoseg.challenges.annotators import Annotator
from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import area, label_map
from cocoseg.coco.read import Coco
from cocoseg.coco.sample import defects
from cocoseg.errors import UserError
from cocoseg.masks.runs import common
from cocoseg.masks.shard import Image, Shard, decode
from cocoseg.progress import progress
from cocoseg.results.counts import COUNTS, cells, confusion

_IDS = ("annotation_id", "other_id")
AT_LEAST = 0.5  # IoU of a match
WITHIN_CROWD = 0.5  # of an instance's pixels
TOLERANCE = 0.008  # of the image's diagonal, as in DAVIS's code (Perazzi et al. 2016)
MIN_IMAGES = 10

KINDS = ("matched", "conflict", "missed", "extra", "in crowd", "not said")
INSTANCES = {
    "image_id": pl.Int64,
    "kind": pl.String,
    "class": pl.String,
    "size": pl.String,
    "annotation_id": pl.Int64,
    "other_id": pl.Int64,
    "other_class": pl.String,
    "pixels": pl.Int64,
    "iou": pl.Float64,
    "boundary_f": pl.Float64,
}
STATISTICS = {
    "iou": "mask IoU of matched instances, mean",
    "boundary_f": "boundary F of matched instances, mean",
    "missed": "share of the first's instances that the second lacks",
    "extra": "share of the second's instances that the first lacks",
    "conflict": "share of the matched instances with another class",
}


def agreement(
    coco: Coco, other: Annotator, space: LabelSpace, *, at_least: float = AT_LEAST
) -> dict[str, pl.DataFrame]:
    """Match the instances of two annotations of the images that they share.

    Args:
        coco: the first annotation, checked; taken to be complete but for its crowds.
        other: the second (`cocoseg.challenges.annotators.annotator`).
        space: classes to compare; what is outside of it is left out.
        at_least: IoU of a match.

    Returns:
        Tables by name.

        - `instances`, one row per instance or matched pair: image_id i64; kind str, one of `KINDS`: 'matched',
          'conflict' (matched across classes), 'missed' (by the second), 'extra' (missed by the first), 'in crowd' (of
          the annotator that lacks it), 'not said' (the second does not say whether there are more of this class);
          class str and size str (small, medium, large; of the first where it has one); annotation_id, other_id i64 and
          other_class str (null where there is none); pixels i64 (of the mask); iou and boundary_f f64 of a pair.
        - `images`: image_id i64, one row per shared image.
        - `counts`: the counts table of the second's label maps against the first's as truth, of the images and classes
          that the second annotates exhaustively. Background is not in it.

    Annotations without an image in common, or of one image in two sizes, are a `UserError`.
    """
    shared = _shared(coco, other.coco)
    ours, theirs = (_within(each.of_images(shared), space) for each in (coco, other.coco))
    first, second = decode(ours), decode(theirs)
    complete = None if other.complete is None else _pairs(other.complete, space)
    rows, parts = [], [np.zeros((0, len(COUNTS)), np.int64)]
    images = zip(first.by_image(), second.by_image(), strict=True)
    for one, two in progress(images, total=len(shared), desc="agreement", unit="image"):
        said = None if complete is None else complete.get(one.image_id, set())
        a, b = (_objects(shard, image.rows, space) for shard, image in ((first, one), (second, two)))
        found = _matched(a, b, space, said, (one.height, one.width), at_least)
        rows += [(one.image_id, *row) for row in found]
        parts.append(_counted(one, first.annotations[one.rows], second.annotations[two.rows], space, said))
    return {
        "instances": pl.DataFrame(rows, INSTANCES, orient="row").sort("image_id", "kind", "annotation_id", "other_id"),
        "images": pl.DataFrame({"image_id": sorted(shared)}, {"image_id": pl.Int64}),
        "counts": pl.DataFrame(np.concatenate(parts), COUNTS, orient="row"),
    }


def summary(
    instances: pl.DataFrame, images: pl.DataFrame, *, resamples: int = 10_000, level: float = 0.95, seed: int = 0
) -> pl.DataFrame:
    """How much two annotators agree: one row per statistic of `STATISTICS`, with its bootstrap interval over images.

    Columns: statistic str, what str; estimate f64 (null where there is nothing to take it of); low, high f64 (null if
    fewer than ten images have something); of i64, how many instances or pairs it is taken of; images i64, in how many.

    Args:
        instances: `agreement(…)["instances"]`, or some of its rows.
        images: `agreement(…)["images"]`; an image without instances is drawn too.
    """
    kind = pl.col("kind")
    pair = kind.is_in(["matched", "conflict"])
    above = {
        "iou": pl.when(kind == "matched").then("iou"),
        "boundary_f": pl.when(kind == "matched").then("boundary_f"),
        "missed": pl.when(pair | (kind == "missed")).then(kind == "missed"),
        "extra": pl.when(pair | (kind == "extra")).then(kind == "extra"),
        "conflict": pl.when(pair).then(kind == "conflict"),
    }
    sums = instances.group_by("image_id").agg(
        *(expression.cast(pl.Float64).sum().alias(name) for name, expression in above.items()),
        *(expression.count().cast(pl.Float64).alias(f"{name}_of") for name, expression in above.items()),
    )
    table = images.select("image_id").join(sums, on="image_id", how="left").sort("image_id").fill_null(0)
    rng = np.random.default_rng(seed)
    n = max(1, table.height)
    drawn = rng.multinomial(n, np.full(n, 1 / n), resamples).astype(np.float64) if table.height else np.zeros((1, 0))
    rows = []
    for name, what in STATISTICS.items():
        terms = table.select(name, f"{name}_of").to_numpy()
        total, having = terms.sum(0), int((terms[:, 1] > 0).sum())
        low = high = None
        if having >= MIN_IMAGES:
            numerator, denominator = (drawn @ terms).T
            values = numerator[denominator > 0] / denominator[denominator > 0]
            low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
        rows.append((name, what, total[0] / total[1] if total[1] else None, low, high, int(total[1]), having))
    schema = {"statistic": pl.String, "what": pl.String, "estimate": pl.Float64, "low": pl.Float64, "high": pl.Float64}
    return pl.DataFrame(rows, schema | {"of": pl.Int64, "images": pl.Int64}, orient="row")


def planted(instances: pl.DataFrame, root: Path, split: str) -> pl.DataFrame:
    """What a comparison with the exact masks of a sample makes of each planted defect: the instrument, calibrated.

    Args:
        instances: `agreement(…)["instances"]` of the sample in the folder `root` against its `exact` file.
        root: of the first dataset; where it is no sample, there is nothing planted.
        split: of the sample.

    Returns:
        One row per defect: defect str (a kind of `cocoseg.coco.defects.KINDS`), annotation_id i64, severity f64, size
        str, and what became of the instance: kind str and iou f64 (null where there is none).
    """
    schema = {"defect": pl.String, "annotation_id": pl.Int64, "severity": pl.Float64, "size": pl.String}
    if not (root / "defects.json").is_file():
        return pl.DataFrame(schema=schema | {"kind": pl.String, "iou": pl.Float64})
    # What is missing or was swallowed is in the second only; of a merged pair, the larger one matches the two.
    by_second = pl.col("kind").is_in(["missing", "merged"])
    listed = defects(root).filter(split=split)
    rows = listed.select(
        "annotation_id",
        pl.col("kind").alias("defect"),
        "severity",
        "size",
        by_second.alias("by_second"),
        pl.when(pl.col("kind") == "merged")
        .then(pl.concat_list("annotation_id", "other_id"))
        .otherwise(pl.concat_list("annotation_id"))
        .alias("id"),
    ).explode("id")
    found = [instances.select(pl.col(key).alias("id"), "kind", "iou").drop_nulls("id") for key in _IDS]
    return (
        pl.concat(
            rows.filter(pl.col("by_second") == bool(k)).join(table, on="id", how="left")
            for k, table in enumerate(found)
        )
        .sort("annotation_id", pl.col("kind") != "extra", "id")
        .unique("annotation_id", keep="first", maintain_order=True)
        .select(*schema, "kind", "iou")
        .sort("defect", "annotation_id")
    )


def assign(iou: np.ndarray, at_least: float = AT_LEAST) -> list[tuple[int, int]]:
    """Pairs (row, column) that match one to one with the largest sum of IoU, f64 (n, m); only pairs of `at_least`.

    >>> assign(np.array([[0.6, 0.9], [0.0, 0.8]])), assign(np.array([[0.4, 0.9], [0.0, 0.8]]))
    ([(0, 0), (1, 1)], [(0, 1)])
    >>> assign(np.array([[0.6, 0.9], [0.7, 0.8]]))
    [(0, 1), (1, 0)]
    """
    worth = np.where(iou >= at_least, iou, 0)
    return [(int(i), int(j)) for i, j in zip(*linear_sum_assignment(-worth), strict=True) if worth[i, j] > 0]


def boundary_f(a: np.ndarray, b: np.ndarray, tolerance: float) -> float | None:
    """F of two masks' contours (bool H×W): contour pixels with one of the other within `tolerance` px (Euclidean).

    A mask's contour are its pixels with a pixel outside of it among the eight neighbours; the image's border makes none
    (Martin, Fowlkes and Malik 2004; Perazzi et al. 2016). None where a mask has no contour.

    >>> mask = np.zeros((9, 9), bool); mask[2:6, 2:6] = True
    >>> boundary_f(mask, np.roll(mask, 1, 1), 1), boundary_f(mask, np.roll(mask, 2, 1), 1)
    (1.0, 0.666...)
    """
    one, two = _contour(a), _contour(b)
    if not one.any() or not two.any():
        return None
    precision, recall = (
        float((cv2.distanceTransform((~to).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)[of] <= tolerance).mean())
        for of, to in ((one, two), (two, one))
    )
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _contour(mask: np.ndarray) -> np.ndarray:
    return mask & ~cv2.erode(mask.view(np.uint8), np.ones((3, 3), np.uint8)).view(bool)


def _shared(coco: Coco, other: Coco) -> list[int]:
    both = coco.images.join(other.images, on="image_id", suffix="_other")
    if both.is_empty():
        raise UserError(
            f"the two annotations have no image in common ({coco.images.height} and {other.images.height} images, "
            "compared by id)"
        )
    differ = both.filter((pl.col("height") != pl.col("height_other")) | (pl.col("width") != pl.col("width_other")))
    if differ.height:
        first = differ.row(0, named=True)
        raise UserError(
            f"{differ.height} shared images have two sizes (first: image {first['image_id']}, (H, W) = "
            f"({first['height']}, {first['width']}) and ({first['height_other']}, {first['width_other']})); expected "
            "two annotations of the same images"
        )
    return both["image_id"].to_list()


def _within(coco: Coco, space: LabelSpace) -> Coco:
    inside = pl.Series(space.lookup(coco.annotations["category_id"].to_numpy()) > 0)
    return Coco(coco.images, coco.categories, coco.annotations.filter(inside))


def _pairs(complete: pl.DataFrame, space: LabelSpace) -> dict[int, set[int]]:
    """The classes, for each image, all of whose categories are complete there."""
    needed: dict[int, set[int]] = {}
    for category_id, number in space.category_ids:
        needed.setdefault(number, set()).add(category_id)
    there: dict[int, set[int]] = {}
    for image_id, category_id in complete.iter_rows():
        there.setdefault(image_id, set()).add(category_id)
    return {
        image_id: {number for number, wanted in needed.items() if wanted <= categories}
        for image_id, categories in there.items()
    }


class _Objects:
    """One annotator's objects in an image: classes, crowd or not, and masks as runs."""

    def __init__(self, table: pl.DataFrame, masks: list[np.ndarray], space: LabelSpace):
        self.ids = table["annotation_id"].to_list()
        self.size = table["size"].to_list()
        self.kind = space.lookup(table["category_id"].to_numpy())
        self.runs = masks
        self.pixels = np.array([area(each) for each in masks], np.int64)
        crowd = table["iscrowd"].to_numpy()
        self.instances, self.crowds = np.flatnonzero(~crowd), np.flatnonzero(crowd)

    def in_crowd(self, mask: np.ndarray, number: int) -> bool:
        """Whether a mask lies, for the most part, in a crowd of its class."""
        inside = sum(common(self.runs[k], mask) for k in self.crowds if self.kind[k] == number)
        return inside >= WITHIN_CROWD * area(mask)


def _objects(shard: Shard, rows: slice, space: LabelSpace) -> _Objects:
    return _Objects(shard.annotations[rows], shard.runs[rows], space)


def _matched(
    a: _Objects, b: _Objects, space: LabelSpace, said: set[int] | None, size: tuple[int, int], at_least: float
) -> list[tuple]:
    """Rows of `INSTANCES` without the image's id."""
    pairs = []
    for number in np.intersect1d(a.kind[a.instances], b.kind[b.instances]):
        ours, theirs = ([k for k in o.instances if o.kind[k] == number] for o in (a, b))
        pairs += [(ours[i], theirs[j]) for i, j in assign(_ious(a, b, ours, theirs), at_least)]
    left, right = _rest(a, b, pairs)
    pairs += [(left[i], right[j]) for i, j in assign(_ious(a, b, left, right), at_least)]
    left, right = _rest(a, b, pairs)
    rows = [_pair(a, b, i, j, space, size) for i, j in pairs]
    for k in left:
        number = int(a.kind[k])
        seen = said is None or number in said
        kind = "in crowd" if b.in_crowd(a.runs[k], number) else "missed" if seen else "not said"
        rows.append((kind, space.classes[number], a.size[k], a.ids[k], None, None, int(a.pixels[k]), None, None))
    for k in right:
        name = space.classes[b.kind[k]]
        kind = "in crowd" if a.in_crowd(b.runs[k], int(b.kind[k])) else "extra"
        rows.append((kind, name, b.size[k], None, b.ids[k], name, int(b.pixels[k]), None, None))
    return rows


def _rest(a: _Objects, b: _Objects, pairs: list[tuple[int, int]]) -> tuple[list[int], list[int]]:
    taken = {i for i, _ in pairs}, {j for _, j in pairs}
    return tuple([int(k) for k in o.instances if k not in used] for o, used in zip((a, b), taken, strict=True))


def _ious(a: _Objects, b: _Objects, rows: list[int], columns: list[int]) -> np.ndarray:
    iou = np.zeros((len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            both = common(a.runs[row], b.runs[column])
            iou[i, j] = both / max(1, a.pixels[row] + b.pixels[column] - both)
    return iou


def _pair(a: _Objects, b: _Objects, i: int, j: int, space: LabelSpace, size: tuple[int, int]) -> tuple:
    names = space.classes[a.kind[i]], space.classes[b.kind[j]]
    f = boundary_f(_mask(a.runs[i], *size), _mask(b.runs[j], *size), TOLERANCE * float(np.hypot(*size)))
    kind = "matched" if names[0] == names[1] else "conflict"
    iou = _ious(a, b, [i], [j])[0, 0]
    return (kind, names[0], a.size[i], a.ids[i], b.ids[j], names[1], int(a.pixels[i]), float(iou), f)


def _mask(runs: np.ndarray, height: int, width: int) -> np.ndarray:
    canvas = np.zeros(height * width, bool)
    for start, end in runs:
        canvas[start:end] = True
    return np.ascontiguousarray(canvas.reshape(width, height).T)


def _counted(
    image: Image, ours: pl.DataFrame, theirs: pl.DataFrame, space: LabelSpace, said: set[int] | None
) -> np.ndarray:
    truth, answer = (label_map(table, image.height, image.width, space) for table in (ours, theirs))
    truth = np.where(answer == VOID, np.uint8(VOID), truth)
    matrix = confusion(truth, np.where(answer == VOID, np.uint8(0), answer), space.n)
    counted = np.stack([matrix.diagonal(), matrix.sum(0), matrix.sum(1)], -1)
    counted[[k for k in range(space.n) if k == 0 or (said is not None and k not in said)]] = 0
    return cells(image.image_id, counted)
