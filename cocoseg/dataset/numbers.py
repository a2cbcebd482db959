"""COCO by the numbers: what was measured beside what was published."""

from collections.abc import Mapping, Sequence

import polars as pl

from cocoseg.dataset.published import FACTS, IMAGES, Fact
from cocoseg.dataset.sizes import SIZES

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
