"""What others have published about COCO 2017, with the source of each number (a key of `book/references.bib`).

A *total* describes whole files: it says nothing about a subset. A *definition* holds for every annotation, so any part
of COCO can be checked against it.
"""

from dataclasses import dataclass

TRAIN, VAL = "train2017", "val2017"
BOTH = (TRAIN, VAL)


@dataclass(frozen=True)
class Fact:
    """A published number: of which splits, what (a key of `cocoseg.dataset.numbers.measured`), and by whom."""

    splits: tuple[str, ...]
    what: str
    value: int
    source: str
    kind: str = "total"  # or "definition"


FACTS = (
    Fact((TRAIN,), "images", 118_287, "yolov5coco"),
    Fact((TRAIN,), "annotations", 860_001, "cocoapi117"),
    Fact((TRAIN,), "instances", 849_949, "cocoapi117"),
    Fact((TRAIN,), "images without annotations", 1_021, "cocoapi76"),
    Fact((VAL,), "images", 5_000, "yolov5coco"),
    Fact((VAL,), "annotations", 36_781, "cocoapi117"),
    Fact((VAL,), "instances", 36_335, "yolov5coco"),
    Fact((VAL,), "images without annotations", 48, "yolov5coco"),
    Fact((VAL,), "instances of person", 10_777, "detectron2coco"),
    Fact(BOTH, "annotations", 896_782, "samacoco"),
    Fact(BOTH, "crowds", 10_498, "samacoco"),
    Fact(BOTH, "small annotations", 371_655, "samacoco"),
    Fact(BOTH, "medium annotations", 307_732, "samacoco"),
    Fact(BOTH, "large annotations", 217_395, "samacoco"),
    Fact((TRAIN,), "categories", 80, "samacoco", "definition"),
    Fact((VAL,), "categories", 80, "samacoco", "definition"),
    Fact((TRAIN,), "instances not drawn as polygons", 0, "cocoformat", "definition"),
    Fact((VAL,), "instances not drawn as polygons", 0, "cocoformat", "definition"),
    Fact((TRAIN,), "crowds not encoded as RLE", 0, "cocoformat", "definition"),
    Fact((VAL,), "crowds not encoded as RLE", 0, "cocoformat", "definition"),
)

IMAGES = {fact.splits[0]: fact.value for fact in FACTS if fact.what == "images"}
