"""Measured numbers beside published ones: on whole files a difference is an error, on a part it means nothing."""

import polars as pl
import pytest
from pycocotools.coco import COCO

from cocoseg.coco.datasets import HOME
from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import read
from cocoseg.dataset.numbers import measured, numbers, rates
from cocoseg.dataset.published import BOTH, FACTS, IMAGES, TRAIN, VAL
from cocoseg.dataset.survey import of_annotations
from cocoseg.masks.survey import survey as survey_masks


def whole(**changed):
    """Surveys of the size of the whole of COCO that hold what was published."""
    surveys = {
        split: {
            "images": IMAGES[split],
            "crowds": 0,
            **{f"{size} annotations": 0 for size in ("small", "medium", "large")},
            **{fact.what: fact.value for fact in FACTS if fact.splits == (split,)},
        }
        for split in BOTH
    }
    for fact in FACTS:
        if fact.splits == BOTH and fact.what != "annotations":
            surveys[TRAIN][fact.what] = fact.value - surveys[VAL][fact.what]
    for name, value in changed.items():
        surveys[VAL][name.replace("_", " ")] = value
    return surveys


def verdicts(table, **where):
    return set(table.filter(**where)["verdict"])


def test_whole_files_that_hold_what_was_published_agree_in_every_number():
    assert set(numbers(whole())["verdict"]) == {"equal"}


@pytest.mark.parametrize(
    ("what", "value"), [("annotations", 36_780), ("images_without_annotations", 49), ("small_annotations", 1)]
)
def test_on_whole_files_a_difference_is_flagged_and_nothing_else_is(what, value):
    table = numbers(whole(**{what: value}))
    wrong = table.filter(pl.col("verdict") != "equal")
    assert set(wrong["verdict"]) == {"differs"}
    assert set(wrong["what"]) == {what.replace("_", " ")}
    assert all(VAL in splits for splits in wrong["splits"])


def test_one_image_too_few_and_no_total_is_comparable():
    table = numbers(whole(images=IMAGES[VAL] - 1))
    assert verdicts(table, splits=VAL, kind="total") == {"not comparable"}
    assert verdicts(table, splits=" + ".join(BOTH)) == {"not comparable"}
    assert verdicts(table, splits=TRAIN) == {"equal"}


def test_a_definition_is_checked_on_any_part_of_coco():
    part = whole(images=3, crowds_not_encoded_as_RLE=2)
    table = numbers(part).filter(kind="definition", splits=VAL)
    assert verdicts(table, what="crowds not encoded as RLE") == {"differs"}
    assert verdicts(table, what="categories") == {"equal"}


def test_what_is_not_coco_is_not_compared():
    table = numbers({"train": whole()[TRAIN]})
    assert set(table["verdict"]) == {"not measured"} and table["measured"].null_count() == len(table)
    assert set(numbers({})["verdict"]) == {"not measured"}


def test_published_totals_add_up():
    of = {(fact.splits, fact.what): fact.value for fact in FACTS}
    assert of[(TRAIN,), "annotations"] + of[(VAL,), "annotations"] == of[BOTH, "annotations"]
    instances = of[(TRAIN,), "instances"] + of[(VAL,), "instances"]
    assert of[BOTH, "annotations"] - instances == of[BOTH, "crowds"]
    assert sum(of[BOTH, f"{size} annotations"] for size in ("small", "medium", "large")) == of[BOTH, "annotations"]


def test_rates_of_the_whole_are_the_published_ones():
    table = rates(whole())
    assert table["measured"].to_list() == pytest.approx(table["published"].to_list())
    of = dict(table.filter(splits=" + ".join(BOTH)).select("rate", "published").iter_rows())
    assert [round(of[f"{size}, of all annotations"], 3) for size in ("small", "medium", "large")] == [
        0.414,
        0.343,
        0.242,
    ]
    assert table.filter(rate="instances per image")["splits"].to_list() == [TRAIN, VAL]


def test_rates_of_a_part_are_its_own():
    table = rates({VAL: whole(images=100, instances=250)[VAL]})
    assert set(table["splits"]) == {VAL}
    assert table.filter(rate="instances per image")["measured"].item() == 2.5
    assert rates({VAL: whole(images=0)[VAL]}).filter(rate="instances per image")["measured"].item() is None
    assert rates({}).is_empty()


def test_every_source_is_in_the_bibliography():
    references = (HOME / "book" / "references.bib").read_text()
    assert all(f"{{{fact.source}," in references for fact in FACTS)


def test_numbers_of_real_annotations_are_those_of_pycocotools(instances):
    path = instances.annotations("val2017")
    coco, peer = read(path), COCO(path)
    few = coco.of_images(coco.images["image_id"][:40].to_list())
    ids = few.images["image_id"].to_list()
    found = measured(of_annotations(few) | survey_masks(few, label_space("own", few.categories), workers=1))
    theirs = peer.loadAnns(peer.getAnnIds(imgIds=ids))
    assert found["annotations"] == len(theirs)
    assert found["crowds"] == sum(a["iscrowd"] for a in theirs)
    assert found["images without annotations"] == sum(not peer.getAnnIds(imgIds=[i]) for i in ids)
    assert found["instances of person"] == len(peer.getAnnIds(imgIds=ids, catIds=[1], iscrowd=False))
    assert found["small annotations"] == sum(a["area"] < 32**2 for a in theirs)
    assert found["instances not drawn as polygons"] == sum(
        not isinstance(a["segmentation"], list) for a in theirs if not a["iscrowd"]
    )
    table = numbers({"val2017": found}).filter(splits="val2017")
    assert set(table.filter(kind="definition")["verdict"]) == {"equal"}
    assert set(table.filter(kind="total")["verdict"]) == {"not comparable"}
