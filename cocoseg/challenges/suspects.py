"""Annotations that look wrong, ranked: each detector gives a score to what it suspects, the most suspicious first.

A detector sees annotations and photos, or what a model believes of them, never the truth. Its threshold was chosen on
the training split of the sample, whose defects are known; where it asks a model, which has learned that split, it is a
half; where nothing of the kind is planted, it follows from COCO's instructions or is a guess. How often a detector is
right is measured on the validation split (`calibrated`).
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from pycocotools import mask as coco_mask
from scipy.stats import binomtest

from cocoseg.challenges.groups import covering, groups
from cocoseg.challenges.names import names
from cocoseg.coco import derived
from cocoseg.coco.check import FINDINGS, check
from cocoseg.coco.datasets import dataset
from cocoseg.coco.defects import SCHEMA
from cocoseg.coco.label_space import LabelSpace
from cocoseg.coco.rasterise import rle
from cocoseg.coco.read import Coco
from cocoseg.coco.sample import defects
from cocoseg.dataset.sizes import SIZES, size_class
from cocoseg.masks.overlap import overlap_pairs
from cocoseg.masks.shard import decode

KEPT = 50  # px; smaller instances are too small to judge by their photo or their vertices


@dataclass(frozen=True)
class Detector:
    """What a detector looks for, in words; the planted kinds that it is meant to find; from which score it speaks."""

    what: str
    finds: tuple[str, ...]
    threshold: float


DETECTORS: dict[str, Detector] = {
    "inconsistent": Detector("a finding of `cocoseg data check`", (), 0.0),
    "drawn twice": Detector("two instances of a category, IoU", ("duplicated",), 0.5),
    "two names": Detector("two instances of different categories, IoU", (), 0.5),
    "cut straight": Detector("share of a box side that is drawn exactly along it", ("cut off",), 0.65),
    "coarse": Detector("vertices fewer than usual for an outline of that length, log", ("coarsened",), 0.9),
    "self-crossing": Detector("crossings of a polygon with itself", (), 1.0),
    "two in one": Detector("share of the second largest polygon", ("merged",), 0.3),
    "drawn singly": Detector("near instances of a category, in an image without a crowd of it", (), 11.0),
    "several as one": Detector("instances of its category that lie in it", (), 2.0),
    "off its edges": Detector("gain in edge strength if shifted", ("shifted",), 0.22),
    "unlike its name": Detector("log odds of another category by shape, place and colour", ("wrong category",), 3.0),
    "disbelieved": Detector(
        "1 − mean probability of its labels",
        ("shifted", "coarsened", "cut off", "merged", "duplicated", "wrong category"),
        0.5,
    ),
    "unlabelled": Detector("probability of a class where nothing is labelled", ("missing",), 0.5),
}
OF_MODELS = ("disbelieved", "unlabelled")

SUSPECTS = {
    "detector": pl.String,
    "rank": pl.Int64,
    "score": pl.Float64,
    "image_id": pl.Int64,
    "annotation_id": pl.Int64,
    "other_id": pl.Int64,
    "category": pl.String,
    "size": pl.String,
    "note": pl.String,
    "training": pl.String,
    "region": pl.String,
}
ANY = "any"
CALIBRATED = {
    **dict.fromkeys(("detector", "kind", "size"), pl.String),
    **dict.fromkeys(("suspects", "right", "planted", "found"), pl.Int64),
    **{f"{what}{end}": pl.Float64 for what in ("precision", "recall") for end in ("", "_low", "_high")},
}


def suspects(
    coco: Coco,
    findings: pl.DataFrame,
    traits: pl.DataFrame,
    believed: dict[str, pl.DataFrame],
    space: LabelSpace,
    *,
    everything: bool = False,
) -> pl.DataFrame:
    """What each detector suspects, sorted by detector (in the order of `DETECTORS`) and rank.

    Columns: detector str; rank i64 (1 is the most suspicious); score f64; image_id i64; annotation_id i64 (null for
    what has none); other_id i64 (of a pair); category str; size str (small, medium, large); note str; training str
    (whose model it was; null without one); region str (compressed RLE as JSON of what has no annotation).

    Args:
        coco, findings: as from `cocoseg.coco.check.check`.
        traits: `cocoseg.challenges.traits.traits(coco, …)`.
        believed: `cocoseg.challenges.beliefs.beliefs(…)`.
        space: of the models.
        everything: also what scores below the detector's threshold.
    """
    classes = dict(enumerate(space.classes))
    pairs = overlap_pairs(decode(coco))
    found = {
        "inconsistent": _inconsistent(coco, findings),
        **_pairs(pairs, coco),
        "drawn singly": groups(traits, coco.annotations),
        "several as one": covering(pairs),
        **_of_traits(traits),
        "coarse": _coarse(traits),
        "unlike its name": names(traits, coco.categories),
        "disbelieved": believed["beliefs"].select(
            *_ID,
            score=1 - pl.col("confidence"),
            note=_said("{} of it predicted as such", "agrees", ".0%"),
            training="training",
        ),
        "unlabelled": believed["unlabelled"]
        .filter(pl.col("free") >= 0.5)
        .select(
            "image_id",
            annotation_id=pl.lit(None, pl.Int64),
            score="confidence",
            note=pl.format("box {}, {}, {}, {}", *(pl.col(c).cast(pl.Int64) for c in "xywh")),
            training="training",
            category=pl.col("class").cast(pl.Int64).replace_strict(classes, return_dtype=pl.String),
            area=pl.col("pixels").cast(pl.Float64),
            region="segmentation",
        )
        .with_columns(size=size_class()),
    }
    about = coco.annotations.join(coco.categories, on="category_id").select(
        "annotation_id", pl.col("name").alias("category"), size=size_class()
    )
    parts = [pl.DataFrame(schema=SUSPECTS)]
    for name, detector in DETECTORS.items():
        table = found[name]
        if "category" not in table.columns:
            table = table.join(about, on="annotation_id", how="left")
        if not everything:
            table = table.filter(pl.col("score") >= detector.threshold)
        ranked = table.sort("score", "image_id", "annotation_id", descending=[True, False, False])
        ranked = ranked.with_columns(detector=pl.lit(name), rank=pl.int_range(1, pl.len() + 1, dtype=pl.Int64))
        parts.append(pl.concat([pl.DataFrame(schema=SUSPECTS), ranked], how="diagonal_relaxed").select(*SUSPECTS))
    return pl.concat(parts)


def proposed(suspected: pl.DataFrame) -> dict[str, list]:
    """Corrections that need no hand, as `cocoseg data correct` takes them: of two instances drawn twice the later goes.

    Nothing is added: a model is seldom right about what is unlabelled. A person adds it in the sheet (`sheet`).
    """
    twice = suspected.filter(detector="drawn twice").select(pl.max_horizontal("annotation_id", "other_id")).to_series()
    return {"drop": twice.unique().sort().to_list(), "replace": [], "add": []}


def sheet(suspected: pl.DataFrame) -> pl.DataFrame:
    """The suspects for a person to mark, as `cocoseg data correct` takes them: an empty column `verdict` str first.

    Scores are rounded; `region` is the last column.
    """
    return suspected.select(
        pl.lit("").alias("verdict"), pl.all().exclude("score", "region"), pl.col("score").round(4), "region"
    )


def listed(root: Path, split: str, coco: Coco, space: LabelSpace) -> pl.DataFrame:
    """The planted defects of a sample's split that a detector could find: those of `cocoseg.coco.sample.defects`, with
    `judged` bool: whether the models' label space has its category. Empty where nothing was planted.

    What became of an annotation that is in no image of `coco` is left out.
    """
    if not (root / "defects.json").is_file():
        return pl.DataFrame(schema={"split": pl.String, **SCHEMA, "judged": pl.Boolean})
    rows = defects(root).filter(pl.col("split") == split, pl.col("image_id").is_in(coco.images["image_id"].implode()))
    return rows.with_columns(judged=pl.Series(space.lookup(rows["category_id"].to_numpy()) > 0, dtype=pl.Boolean))


def hits(suspected: pl.DataFrame, root: Path, split: str) -> pl.DataFrame:
    """The suspects of a sample, with the defect that was planted there: the columns of `suspects`, `planted` str (null
    where nothing was), `planted_id` i64 and `severity` f64. Empty where nothing was planted.

    A pair hits what either of its annotations has. A region without a label hits a missing object if half of it, or
    more, is on the exact mask of that object, and it covers a fifth of the mask.
    """
    if not (root / "defects.json").is_file():
        return pl.DataFrame(schema=SUSPECTS | {"planted": pl.String, "planted_id": pl.Int64, "severity": pl.Float64})
    planted = defects(root).filter(split=split)
    keys = ("annotation_id", "other_id")
    what = {"planted": "kind", "planted_id": "annotation_id", "severity": "severity"}
    of = pl.concat([planted.select(pl.col(key).alias("id"), **what) for key in keys]).drop_nulls("id")
    of = of.unique("id", keep="first", maintain_order=True)
    rows = suspected.with_row_index("row")
    on = [rows.join(of, left_on=key, right_on="id").select("row", *what) for key in keys]
    on.append(_on_missing(rows, planted.filter(kind="missing"), root, split))
    first = pl.concat(on).unique("row", keep="first", maintain_order=True)
    return rows.join(first, on="row", how="left", maintain_order="left").drop("row")


def calibrated(hit: pl.DataFrame, planted: pl.DataFrame, *, level: float = 0.95) -> pl.DataFrame:
    """How often each detector is right, and what it finds: one row per detector and kind of planted defect.

    Args:
        hit: `hits(…)`, of one model at most.
        planted: the planted defects that could be found (`listed(…)`, or some of its rows).

    Returns:
        detector, kind str ('any' for all kinds together), size str ('any', or small, medium, large); suspects i64 (of
        that size, as they are annotated), right i64 (of these, those on a defect of that kind); planted i64 (of that
        kind and size before the defect), found i64 (of these, those with a suspect on them, whatever its size);
        precision, recall f64 (null of nothing), and precision_low, precision_high, recall_low, recall_high f64, their
        Wilson intervals (Wilson 1927).
    """
    rows = []
    hit = hit.join(planted.select(planted_id="annotation_id", before="size"), on="planted_id", how="left")
    for detector in DETECTORS:
        own = hit.filter(detector=detector)
        for kind, size in product((ANY, *sorted(planted["kind"].unique())), (ANY, *SIZES)):
            there = planted.filter(_is("kind", kind), _is("size", size))
            on = own.filter(pl.col("before").is_not_null(), _is("planted", kind))
            spoke, found = own.filter(_is("size", size)), on.filter(_is("before", size))["planted_id"].n_unique()
            counts = spoke.height, on.filter(_is("size", size)).height, there.height, found
            shares = *_share(counts[1], counts[0], level), *_share(counts[3], counts[2], level)
            rows.append((detector, kind, size, *counts, *shares))
    return pl.DataFrame(rows, CALIBRATED, orient="row")


def _is(column: str, value: str) -> pl.Expr:
    return pl.lit(True) if value == ANY else pl.col(column) == value


_ID = ("image_id", "annotation_id")


def _said(text: str, column: str, form: str) -> pl.Expr:
    return pl.col(column).map_elements(lambda value: text.format(f"{value:{form}}"), return_dtype=pl.String)


_OF_TRAITS: dict[str, tuple[pl.Expr, pl.Expr, pl.Expr]] = {
    "cut straight": (pl.col("straight") > 0, pl.col("straight"), _said("{} of a side", "straight", ".0%")),
    "self-crossing": (pl.col("crossings") > 0, pl.col("crossings").cast(pl.Float64), pl.lit("")),
    "two in one": (pl.col("second_ring") > 0, pl.col("second_ring"), pl.format("{} polygons", "polygons")),
    "off its edges": (
        (pl.col("edge_gain") > 0) & (pl.col("pixels") >= KEPT),
        pl.col("edge_gain"),
        _said("best {} of its side away", "edge_shift", ".2f"),
    ),
}


def _of_traits(traits: pl.DataFrame) -> dict[str, pl.DataFrame]:
    return {
        name: traits.filter(where).select(*_ID, score=score, note=note)
        for name, (where, score, note) in _OF_TRAITS.items()
    }


def _coarse(traits: pl.DataFrame) -> pl.DataFrame:
    """How many fewer vertices an outline has than others of its length: a parabola in logarithms, fitted to all."""
    drawn = traits.filter(pl.col("outline") > 0, pl.col("pixels") >= KEPT)
    length, vertices = np.log(drawn["outline"].to_numpy()), np.log(drawn["vertices"].to_numpy())
    usual = np.polynomial.Polynomial.fit(length, vertices, 2)(length) if drawn.height > 3 else vertices
    return drawn.select(*_ID, score=pl.Series(usual - vertices), note=pl.format("{} vertices", "vertices"))


def _inconsistent(coco: Coco, findings: pl.DataFrame) -> pl.DataFrame:
    """Findings about annotations that are still there."""
    about = [code for code, kind in FINDINGS.items() if kind.of == "annotation"]
    rows = (
        findings.filter(pl.col("code").is_in(about))
        .select(pl.col("ids").list.first().alias("annotation_id"), note=pl.col("code"))
        .drop_nulls()
    )
    there = coco.annotations.select("annotation_id", "image_id")
    return rows.join(there, on="annotation_id").select(*_ID, score=pl.lit(1.0), note="note")


def _pairs(pairs: pl.DataFrame, coco: Coco) -> dict[str, pl.DataFrame]:
    pairs = pairs.with_columns(
        score=pl.col("common") / (pl.col("small_pixels") + pl.col("large_pixels") - pl.col("common"))
    )
    same = pl.col("small_category_id") == pl.col("large_category_id")
    named = dict(coco.categories.select("category_id", "name").iter_rows())
    other = pl.col("small_category_id").replace_strict(named, return_dtype=pl.String)
    columns = {"annotation_id": "large_id", "other_id": "small_id", "score": "score"}
    return {
        "drawn twice": pairs.filter(same).select("image_id", **columns, note=pl.lit("")),
        "two names": pairs.filter(~same).select("image_id", **columns, note=pl.format("the other: {}", other)),
    }


def _on_missing(rows: pl.DataFrame, missing: pl.DataFrame, root: Path, split: str) -> pl.DataFrame:
    schema = {"row": pl.UInt32, "planted": pl.String, "planted_id": pl.Int64, "severity": pl.Float64}
    bare, found = rows.filter(pl.col("region").is_not_null()), []
    if bare.height and missing.height:
        masks = _before(root, split, missing["image_id"].unique())
        for row, image_id, region in bare.select("row", "image_id", "region").iter_rows():
            suspected = msgspec.json.decode(region)
            for number in missing.filter(image_id=image_id)["annotation_id"]:
                there = masks[number]
                both = float(coco_mask.area(coco_mask.merge([suspected, there], intersect=True)))
                if both >= 0.5 * float(coco_mask.area(suspected)) and both >= 0.2 * float(coco_mask.area(there)):
                    found.append((row, "missing", number, 1.0))
    return pl.DataFrame(found, schema, orient="row")


def _before(root: Path, split: str, image_ids: pl.Series) -> dict[int, dict]:
    """The masks, as RLE, that a dataset's annotations had before defects were planted: the exact ones of the sample, of
    any other those of the dataset that it was made from."""
    file = root / "exact" / f"instances_{split}.json"
    if not file.is_file():
        file = dataset(derived.parse(root.name).base).annotations(split)
    coco = check(file)[0].of_images(image_ids)
    return {
        row["annotation_id"]: rle(row["segmentation"], image["height"], image["width"])
        for image, rows in coco.by_image()
        for row in rows.iter_rows(named=True)
    }


def _share(part: int, whole: int, level: float) -> tuple[float | None, float | None, float | None]:
    if not whole:
        return None, None, None
    low, high = binomtest(part, whole).proportion_ci(level, method="wilson")
    return part / whole, float(low), float(high)
