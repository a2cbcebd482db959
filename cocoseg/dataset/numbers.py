"""COCO by the numbers: what was measured beside what was published."""

from collections.abc import Mapping, Sequence

import polars as pl

from cocoseg.dataset.published import FACTS, IMAGES, Fact
from cocoseg.dataset.sizes import SIZES

RATES = (
    ("instances per image", "instances", "images"),
    ("persons per image", "instances of person", "images"),
    ("images without annotations, of all images", "images without annotations", "images"),
    ("crowds, of all annotations", "crowds", "annotations"),
    *((f"{size}, of all annotations", f"{size} annotations", "annotations") for size in SIZES),
)
NEEDED = ("categories", "image_states", "size_classes", "anatomy")
Tables = Mapping[str, pl.DataFrame]


def measured(tables: Tables) -> dict[str, int]:
    """The numbers of one split that somebody may have published, from the tables of its survey.

    Args:
        tables: at least those named in `NEEDED`.

    Returns:
        A count for each `Fact.what`. Size classes include crowds and go by the annotations' `area`; 'images without
        annotations' are those with neither instances nor crowds.
    """
    categories, anatomy = tables["categories"], tables["anatomy"]
    states = dict(tables["image_states"].select("state", "images").iter_rows())
    of_size = tables["size_classes"].group_by("size").agg(pl.col("annotations").sum())
    sizes = dict(of_size.iter_rows())
    instances, crowds = int(categories["instances"].sum()), int(categories["crowds"].sum())
    polygon, crowd = pl.col("encoding") == "polygon", pl.col("iscrowd")
    return {
        "images": sum(states.values()),
        "annotations": instances + crowds,
        "instances": instances,
        "crowds": crowds,
        "images without annotations": states["empty"],
        "instances of person": int(categories.filter(category="person")["instances"].sum()),
        **{f"{size} annotations": sizes.get(size, 0) for size in SIZES},
        "categories": len(categories),
        "instances not drawn as polygons": len(anatomy.filter(~crowd & ~polygon)),
        "crowds not encoded as RLE": len(anatomy.filter(crowd & polygon)),
    }


def numbers(surveys: Mapping[str, Mapping[str, int]], facts: Sequence[Fact] = FACTS) -> pl.DataFrame:
    """Every published fact beside what was measured, and whether the two agree.

    Only a split of COCO's own name can be compared. A total can be compared if the split also has as many images as
    were published: then a difference is an error of one of the two. On fewer images it means nothing.

    Args:
        surveys: `measured(…)` by the name of the split.

    Returns:
        `splits` str, `what` str, `kind` str ('total' or 'definition'), `published`, `measured` i64 (null where no
        split of that name was surveyed), `verdict` str ('equal', 'differs', 'not comparable' or 'not measured') and
        `source` str, in the order of the facts.

    >>> fact = Fact(("val2017",), "crowds", 446, "a paper")
    >>> numbers({"val2017": {"images": 5000, "crowds": 446}}, [fact])["verdict"].item()
    'equal'
    >>> numbers({"val2017": {"images": 163, "crowds": 17}}, [fact])["verdict"].item()
    'not comparable'
    """
    rows = []
    for fact in facts:
        known = all(split in surveys for split in fact.splits)
        value = sum(surveys[split][fact.what] for split in fact.splits) if known else None
        if not known:
            verdict = "not measured"
        elif fact.kind == "total" and any(surveys[split]["images"] != IMAGES[split] for split in fact.splits):
            verdict = "not comparable"
        else:
            verdict = "equal" if value == fact.value else "differs"
        rows.append((" + ".join(fact.splits), fact.what, fact.kind, fact.value, value, verdict, fact.source))
    schema = {
        **dict.fromkeys(("splits", "what", "kind"), pl.String),
        **dict.fromkeys(("published", "measured"), pl.Int64),
        **dict.fromkeys(("verdict", "source"), pl.String),
    }
    return pl.DataFrame(rows, schema, orient="row")


def rates(surveys: Mapping[str, Mapping[str, int]], facts: Sequence[Fact] = FACTS) -> pl.DataFrame:
    """What follows from the totals and does not grow with the number of images: how unlike the whole a part is.

    Returns:
        `splits` str, `rate` str, `published`, `measured` f64, `count` i64 (the measured numerator), where both numbers
        of a rate were published of the same splits and these were surveyed.
    """
    published = {(fact.splits, fact.what): fact.value for fact in facts}
    rows = []
    for splits in dict.fromkeys(fact.splits for fact in facts):
        for rate, part, whole in RATES:
            if {(splits, part), (splits, whole)} <= published.keys() and all(split in surveys for split in splits):
                part_here, whole_here = (sum(surveys[split][what] for split in splits) for what in (part, whole))
                here = part_here / whole_here if whole_here else None
                rows.append(
                    (" + ".join(splits), rate, published[splits, part] / published[splits, whole], here, part_here)
                )
    numbers = {**dict.fromkeys(("published", "measured"), pl.Float64), "count": pl.Int64}
    return pl.DataFrame(rows, {**dict.fromkeys(("splits", "rate"), pl.String), **numbers}, orient="row")
