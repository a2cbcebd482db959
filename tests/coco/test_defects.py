"""Planted defects: what they do, whom they hit, and that nothing else changes."""

import copy
import json

import numpy as np
import pytest
from pycocotools import mask as coco_mask

from cocoseg.coco.defects import KINDS, SCHEMA, plant
from cocoseg.errors import UserError


@pytest.fixture(scope="module")
def real(instances):
    return json.loads(instances.annotations("val2017").read_text())


def ids(coco: dict) -> set:
    return {a["id"] for a in coco["annotations"]}


def iou(one: dict, two: dict, image: dict) -> float:
    size = image["height"], image["width"]
    masks = [coco_mask.merge(coco_mask.frPyObjects(a["segmentation"], *size)) for a in (one, two)]
    return coco_mask.iou(masks[:1], masks[1:], [0])[0, 0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_hits_at_its_rate_and_only_what_is_listed_changes(real, kind):
    before = copy.deepcopy(real)
    planted, rows = plant(real, {kind: 0.3}, seed=1)
    assert real == before
    open_to_it = sum(not a["iscrowd"] for a in real["annotations"])
    rate = len(rows) / open_to_it
    assert (
        rate == pytest.approx(0.3, abs=0.04) if kind not in ("merged", "coarsened", "cut off") else 0.05 < rate < 0.34
    )
    listed = {row["annotation_id"] for row in rows} | {row["other_id"] for row in rows}
    old, new = ({a["id"]: a for a in each["annotations"]} for each in (real, planted))
    assert all(new[i] == old[i] for i in set(old) - listed)
    assert all(list(row) == list(SCHEMA) for row in rows)
    gone = {row["annotation_id" if kind == "missing" else "other_id"] for row in rows}
    assert set(old) - set(new) == (gone if kind in ("missing", "merged") else set())
    assert set(new) - set(old) == ({row["annotation_id"] for row in rows} if kind == "duplicated" else set())


def test_severity_is_how_much_of_the_mask_is_wrong(real):
    images, old = {i["id"]: i for i in real["images"]}, {a["id"]: a for a in real["annotations"]}
    for kind in ("shifted", "coarsened", "cut off", "merged"):
        planted, rows = plant(real, {kind: 0.2})
        new = {a["id"]: a for a in planted["annotations"]}
        for row in rows[:60]:
            i = row["annotation_id"]
            assert row["severity"] == pytest.approx(1 - iou(old[i], new[i], images[row["image_id"]]), abs=1e-4)
            assert kind == "merged" or row["severity"] > 0.0999
            assert new[i]["segmentation"] != old[i]["segmentation"] and row["area"] == old[i]["area"]


def test_geometry_is_what_the_kind_says(real):
    old = {a["id"]: a for a in real["annotations"]}

    def pairs(kind):
        planted, rows = plant(real, {kind: 0.3})
        new = {a["id"]: a for a in planted["annotations"]}
        return [(old[row["annotation_id"]], new[row["annotation_id"]], row) for row in rows]

    for before, after, _ in pairs("coarsened"):
        assert sum(map(len, after["segmentation"])) < sum(map(len, before["segmentation"]))
        corners = {tuple(p) for ring in before["segmentation"] for p in np.reshape(np.round(ring, 2), (-1, 2))}
        assert all(tuple(p) in corners for ring in after["segmentation"] for p in np.reshape(ring, (-1, 2)))
    for before, after, _ in pairs("cut off"):
        (x, y, w, h), (u, v, a, b) = before["bbox"], after["bbox"]
        moved = np.abs(np.array([u - x, v - y, u + a - x - w, v + b - y - h])) > 0.02
        assert moved.sum() >= 1 and a <= w + 0.02 and b <= h + 0.02
    for before, after, row in pairs("merged"):
        assert after["segmentation"][: len(before["segmentation"])] == np_rounded(before["segmentation"])
        assert old[row["other_id"]]["category_id"] == before["category_id"]
    supercategory = {c["id"]: c["supercategory"] for c in real["categories"]}
    confused = [(before["category_id"], after["category_id"]) for before, after, _ in pairs("wrong category")]
    assert all(a != b for a, b in confused)
    several = [(a, b) for a, b in confused if supercategory[a] != "person"]
    assert np.mean([supercategory[a] == supercategory[b] for a, b in several]) > 0.7


def np_rounded(rings: list) -> list:
    return [np.round(ring, 2).tolist() for ring in rings]


def test_what_is_hit_at_a_rate_is_hit_at_every_higher_rate(real):
    missing = [ids(real) - ids(plant(real, {"missing": rate}, seed=3)[0]) for rate in (0, 0.2, 0.4, 1)]
    assert missing[0] == set() and missing[0] < missing[1] < missing[2] < missing[3]
    assert missing[3] == {a["id"] for a in real["annotations"] if not a["iscrowd"]}


def test_chance_does_not_depend_on_other_annotations(real):
    rates = {"missing": 0.1, "shifted": 0.1, "wrong category": 0.1}
    half = {**real, "annotations": real["annotations"][::2]}
    kept = ids(half)
    assert plant(half, rates)[1] == [row for row in plant(real, rates)[1] if row["annotation_id"] in kept]


def test_seeds_and_annotations_are_hit_evenly(real):
    rows = [plant(real, {"missing": 0.3}, seed=seed)[1] for seed in range(8)]
    hit = [{row["annotation_id"] for row in each} for each in rows]
    everyone = sum(not a["iscrowd"] for a in real["annotations"])
    assert np.mean([len(h) for h in hit]) / everyone == pytest.approx(0.3, abs=0.015)
    assert len(hit[0] & hit[1]) / everyone == pytest.approx(0.09, abs=0.03)


def test_at_most_one_defect_each(real):
    planted, rows = plant(real, dict.fromkeys(KINDS, 1 / len(KINDS)), seed=2)
    involved = [i for row in rows for i in (row["annotation_id"], row["other_id"]) if i is not None]
    assert len(set(involved)) == len(involved)
    assert len(ids(planted)) == len(planted["annotations"])


def test_crowds_and_empty_files_pass_through(real):
    crowds = {**real, "annotations": [a for a in real["annotations"] if a["iscrowd"]]}
    assert plant(crowds, {"missing": 1.0}) == (crowds, [])
    assert plant({**real, "annotations": []}, {"duplicated": 1.0})[1] == []


@pytest.mark.parametrize(
    ("rates", "complaint"),
    [
        ({"mising": 0.1}, "did you mean 'missing'"),
        ({"missing": 1.2}, "expected 0 to 1"),
        ({"missing": -0.1}, "expected 0 to 1"),
        ({"missing": float("nan")}, "expected 0 to 1"),
        ({"missing": 0.6, "shifted": 0.6}, "at most 1"),
    ],
)
def test_impossible_rates_are_refused(real, rates, complaint):
    with pytest.raises(UserError, match=complaint):
        plant(real, rates)


def test_a_wrong_category_needs_another_one(real):
    with pytest.raises(UserError, match="two or more"):
        plant({**real, "categories": real["categories"][:1]}, {"wrong category": 0.1})
