"""Two annotations of the same images."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO as Peer

from cocoseg.challenges.agreement import KINDS, agreement, assign, boundary_f, planted, summary
from cocoseg.challenges.annotators import Annotator, annotator
from cocoseg.coco import sample
from cocoseg.coco.check import check
from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import ANNOTATIONS, CATEGORIES, IMAGES, Coco, read
from cocoseg.errors import UserError
from cocoseg.results.metrics import score

NAMED = pl.DataFrame([(3, "cat", "animal"), (5, "dog", "animal")], CATEGORIES, orient="row")
OWN = label_space("own", NAMED)


def box(x, y, w, h):
    return f"[[{x},{y},{x + w},{y},{x + w},{y + h},{x},{y + h}]]".encode()


def built(*drawn, images=((1, 40, 60),)):
    """Annotations (category, x, y, w, h[, crowd]) of image 1, ids from 11."""
    rows = [
        dict.fromkeys(ANNOTATIONS)
        | {"annotation_id": k, "image_id": 1, "category_id": category, "iscrowd": any(crowd), "encoding": "polygon"}
        | {"segmentation": box(*shape), "area": float(shape[2] * shape[3])}
        for k, (category, *shape, crowd) in enumerate((d if isinstance(d[-1], list) else (*d, []) for d in drawn), 11)
    ]
    pictures = [{"image_id": i, "file_name": "", "height": h, "width": w, "license": 0} for i, h, w in images]
    return Coco(pl.DataFrame(pictures, IMAGES), NAMED, pl.DataFrame(rows, ANNOTATIONS))


def second(coco, complete=None):
    if complete is not None:
        complete = pl.DataFrame(complete, {"image_id": pl.Int64, "category_id": pl.Int64}, orient="row")
    return Annotator(coco, NAMED, complete)


def kinds(first, other):
    return agreement(first, other, OWN)["instances"].select("kind", "annotation_id", "other_id").rows()


@pytest.mark.parametrize("seed", range(30))
def test_matching_is_the_best_of_all_assignments(seed):
    rng = np.random.default_rng(seed)
    n, m = rng.integers(1, 6, 2)
    iou = rng.uniform(0.2, 1, (n, m))
    worth = np.where(iou >= 0.5, iou, 0)
    if n > m:
        worth = worth.T
    best = max(
        sum(worth[i, j] for i, j in enumerate(columns)) for columns in permutations(range(worth.shape[1]), len(worth))
    )
    pairs = assign(iou)
    assert sum(iou[i, j] for i, j in pairs) == pytest.approx(best)
    assert all(iou[i, j] >= 0.5 for i, j in pairs)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)


def test_an_annotation_agrees_with_itself(instances):
    coco = read(instances.annotations("val2017"))
    few = coco.of_images(coco.images["image_id"].sort().to_list()[:30])
    tables = agreement(few, Annotator(few, few.categories, None), label_space("coco81"))
    found = tables["instances"]
    assert set(found["kind"]) == {"matched"}
    assert (found["annotation_id"] == found["other_id"]).all() and (found["iou"] == 1).all()
    assert (found["boundary_f"].drop_nulls() == 1).all()
    assert found.height == few.annotations.filter(~pl.col("iscrowd")).height
    assert score(tables["counts"], "miou_d") == 1


def test_what_each_lacks_and_what_they_call_differently():
    first = built((3, 0, 0, 10, 10), (3, 20, 0, 10, 10), (5, 40, 0, 10, 10))
    other = built((3, 1, 0, 10, 10), (3, 40, 1, 10, 10), (5, 40, 20, 10, 10))
    assert kinds(first, second(other)) == [
        ("conflict", 13, 12),
        ("extra", None, 13),
        ("matched", 11, 11),
        ("missed", 12, None),
    ]


def test_a_class_that_the_second_did_not_finish_is_not_held_against_it():
    first, none = built((3, 0, 0, 10, 10), (5, 40, 0, 10, 10)), built()
    assert [kind for kind, *_ in kinds(first, second(none))] == ["missed", "missed"]
    assert kinds(first, second(none, [(1, 3)])) == [("missed", 11, None), ("not said", 12, None)]
    counts = agreement(first, second(none, [(1, 3)]), OWN)["counts"]
    assert counts.rows() == [(1, 1, 0, 0, 100)]


def test_a_crowd_excuses_what_it_holds_of_its_class_on_either_side():
    crowd = (3, 0, 0, 30, 30, [True])
    inside, outside = (3, 5, 5, 10, 10), (5, 5, 5, 10, 10)
    assert [kind for kind, *_ in kinds(built(inside, outside), second(built(crowd)))] == ["in crowd", "missed"]
    assert sorted(kind for kind, *_ in kinds(built(crowd), second(built(inside, outside)))) == ["extra", "in crowd"]


def test_boundary_f_of_a_shifted_square():
    mask = np.zeros((40, 40), bool)
    mask[10:30, 10:30] = True
    shifted = np.roll(mask, 4, 1)
    assert boundary_f(mask, mask, 0) == 1
    assert boundary_f(mask, shifted, 4) == 1
    # Of the 76 contour pixels, those of the top and bottom sides that the other square has too: 2 × 16.
    assert boundary_f(mask, shifted, 0) == pytest.approx(32 / 76)
    assert boundary_f(mask, np.zeros_like(mask), 3) is None
    assert boundary_f(np.ones_like(mask), mask, 3) is None


def test_other_images_and_other_sizes_are_refused():
    first = built((3, 0, 0, 10, 10))
    with pytest.raises(UserError, match=r"no image in common \(1 and 1 images, compared by id\)"):
        agreement(first, second(built(images=((2, 40, 60),))), OWN)
    with pytest.raises(UserError, match=r"1 shared images have two sizes \(first: image 1, \(H, W\) = \(40, 60\) and"):
        agreement(first, second(built(images=((1, 60, 40),))), OWN)


def test_a_summary_of_nothing_is_empty_and_of_few_images_has_no_interval():
    tables = agreement(built(), second(built()), OWN)
    assert tables["instances"].height == 0
    rows = summary(tables["instances"], tables["images"])
    assert rows["estimate"].is_null().all() and rows["of"].sum() == 0
    tables = agreement(built((3, 0, 0, 10, 10)), second(built((3, 2, 0, 10, 10))), OWN)
    row = summary(tables["instances"], tables["images"]).row(0, named=True)
    assert row["estimate"] == pytest.approx(80 / 120) and row["low"] is None


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sample")
    sample.make(folder, train=0, val=40)
    coco, _ = check(folder / "annotations" / "instances_val.json")
    exact = annotator(folder / "exact" / "instances_val.json", coco.categories)
    return folder, agreement(coco, exact, label_space("coco81", coco.categories))


def test_planted_defects_are_found_as_what_they_are(spoiled):
    folder, tables = spoiled
    found = planted(tables["instances"], folder, "val")
    assert found.height == sample.defects(folder).filter(split="val").height > 20
    expected = {"missing": "extra", "merged": "extra", "duplicated": "missed", "wrong category": "conflict"}
    for row in found.iter_rows(named=True):
        assert row["kind"] == expected.get(row["defect"], "matched"), row
    moved = found.filter(pl.col("defect").is_in(["shifted", "coarsened", "cut off"]))["iou"].mean()
    assert moved < tables["instances"].filter(kind="matched")["iou"].mean() - 0.1
    assert planted(tables["instances"], folder / "val", "val").height == 0


def test_masks_and_their_iou_are_pycocotools(spoiled):
    folder, tables = spoiled
    first, other = (Peer(folder / name / "instances_val.json") for name in ("annotations", "exact"))
    pairs = tables["instances"].drop_nulls("iou")
    assert pairs.height > 100
    for row in pairs.iter_rows(named=True):
        one = first.annToRLE(first.anns[row["annotation_id"]])
        two = other.annToRLE(other.anns[row["other_id"]])
        assert row["iou"] == pytest.approx(coco_mask.iou([one], [two], [False])[0, 0])
        assert row["pixels"] == coco_mask.area(one)


def test_a_summary_is_of_all_instances_and_its_interval_holds_the_estimate(spoiled):
    _, tables = spoiled
    found, rows = tables["instances"], summary(tables["instances"], tables["images"])
    counts = dict(found["kind"].value_counts().iter_rows())
    assert set(counts) <= set(KINDS)
    by = {row["statistic"]: row for row in rows.iter_rows(named=True)}
    assert by["missed"]["of"] == counts["matched"] + counts["conflict"] + counts["missed"]
    assert by["extra"]["estimate"] == pytest.approx(counts["extra"] / by["extra"]["of"])
    assert by["iou"]["estimate"] == pytest.approx(found.filter(kind="matched")["iou"].mean())
    assert all(row["low"] <= row["estimate"] <= row["high"] for row in by.values())
    assert rows.equals(summary(found, tables["images"]))


def test_panoptic_annotations_in_detection_format_are_annotations():
    from cocoseg.coco.categories import COCO
    from cocoseg.coco.files import located

    try:
        path = located("extra/panopticapi_sample/sample_data/panoptic_coco_detection_format.json")
    except UserError as error:
        pytest.skip(f"panoptic annotations are not on this machine: {error}")
    theirs = annotator(path, pl.DataFrame(COCO, CATEGORIES, orient="row"))
    tables = agreement(theirs.coco, theirs, label_space("coco81"))
    assert tables["images"].height == 2 and set(tables["instances"]["kind"]) == {"matched"}
