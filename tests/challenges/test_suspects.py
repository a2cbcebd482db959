"""Detectors: they find what was planted and nothing where nothing was, and their calibration is counted right."""

import json

import numpy as np
import polars as pl
import pytest
from scipy.stats import binomtest

from cocoseg.challenges.beliefs import beliefs
from cocoseg.challenges.suspects import (
    DETECTORS,
    OF_MODELS,
    SUSPECTS,
    calibrated,
    hits,
    listed,
    proposed,
    sheet,
    suspects,
)
from cocoseg.challenges.traits import edges, off_edges, second_ring, straight, traits
from cocoseg.coco import datasets, sample
from cocoseg.coco.check import check
from cocoseg.coco.corrections import correct
from cocoseg.coco.datasets import dataset
from cocoseg.coco.defects import KINDS
from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import rle
from cocoseg.coco.read import read

SPACE = label_space("coco81")


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory):
    """A small sample, what is suspected in it, and the same with the planted defects."""
    root = tmp_path_factory.mktemp("sample") / "sample"
    sample.make(root, train=0, val=30)
    coco, findings = check(root / "annotations" / "instances_val.json")
    measured = traits(coco, root / "val", workers=1)
    found = suspects(coco, findings, measured, beliefs({}, coco, root / "val", SPACE), SPACE)
    return root, coco, found, hits(found, root, "val")


def test_a_detector_speaks_from_its_threshold_and_ranks_what_it_says(spoiled):
    _, coco, found, _ = spoiled
    assert dict(found.schema) == SUSPECTS
    ids = set(coco.annotations["annotation_id"])
    for (name,), rows in found.group_by("detector"):
        assert rows["rank"].to_list() == list(range(1, rows.height + 1))
        assert rows["score"].is_sorted(descending=True) and rows["score"].min() >= DETECTORS[name].threshold
        assert set(rows["annotation_id"].drop_nulls()) <= ids
        assert rows["category"].null_count() == 0 and set(rows["size"]) <= {"small", "medium", "large"}


def test_what_was_drawn_twice_is_found_and_nothing_else(spoiled):
    root, _, found, _ = spoiled
    copies = sample.defects(root).filter(kind="duplicated")
    rows = found.filter(detector="drawn twice")
    pairs = {frozenset(pair) for pair in rows.select("annotation_id", "other_id").iter_rows()}
    assert len(copies) and pairs == {frozenset(p) for p in copies.select("annotation_id", "other_id").iter_rows()}


def test_hits_are_the_planted_defects(spoiled):
    root, _, found, hit = spoiled
    assert hit.select(*SUSPECTS).equals(found)
    kinds = {}
    for row in sample.defects(root).iter_rows(named=True):
        for key in ("annotation_id", "other_id"):
            kinds.setdefault(row[key], row["kind"])
    for row in hit.iter_rows(named=True):
        there = [kinds[i] for i in (row["annotation_id"], row["other_id"]) if i is not None and i in kinds]
        assert row["planted"] in (there or [None])


def test_calibration_counts_and_its_intervals(spoiled):
    root, coco, _, hit = spoiled
    planted = listed(root, "val", coco, SPACE)
    assert set(planted["kind"]) <= set(KINDS) and planted["judged"].all()
    table = calibrated(hit, planted)
    for row in table.iter_rows(named=True):
        own = hit.filter(detector=row["detector"])
        there, on = planted, own.drop_nulls("planted")
        if row["kind"] != "any":
            there, on = there.filter(kind=row["kind"]), on.filter(planted=row["kind"])
        on = on.filter(pl.col("planted_id").is_in(there["annotation_id"].implode()))
        if row["size"] != "any":
            own, there = own.filter(size=row["size"]), there.filter(size=row["size"])
        right = on if row["size"] == "any" else on.filter(size=row["size"])
        assert (row["suspects"], row["right"], row["planted"]) == (own.height, right.height, there.height)
        assert (
            row["found"]
            == on.filter(pl.col("planted_id").is_in(there["annotation_id"].implode()))["planted_id"].n_unique()
        )
        assert row["right"] <= row["suspects"] and row["found"] <= row["planted"]
        for what, part, whole in (("precision", "right", "suspects"), ("recall", "found", "planted")):
            if row[whole]:
                interval = binomtest(row[part], row[whole]).proportion_ci(method="wilson")
                assert row[what] == row[part] / row[whole]
                assert [row[f"{what}_low"], row[f"{what}_high"]] == pytest.approx([interval.low, interval.high])
            else:
                assert row[what] is row[f"{what}_low"] is row[f"{what}_high"] is None


def test_without_planted_defects_nothing_hits(spoiled, tmp_path):
    _, coco, found, _ = spoiled
    assert hits(found, tmp_path, "val").height == listed(tmp_path, "val", coco, SPACE).height == 0
    assert calibrated(hits(found, tmp_path, "val"), listed(tmp_path, "val", coco, SPACE))["found"].sum() == 0


def test_a_region_that_a_model_sees_hits_the_missing_object_under_it(spoiled):
    root, *_ = spoiled
    missing = sample.defects(root).filter(kind="missing")
    exact = {a["id"]: a for a in json.loads((root / "exact" / "instances_val.json").read_text())["annotations"]}
    number, image_id = missing.select("annotation_id", "image_id").row(0)
    other = next(a for a in exact.values() if a["image_id"] == image_id and a["id"] != number)
    rows = pl.DataFrame(
        [
            {
                "detector": "unlabelled",
                "rank": k,
                "score": 1.0,
                "image_id": image_id,
                "region": json.dumps(exact[i]["segmentation"]),
            }
            for k, i in enumerate((number, other["id"]), 1)
        ]
    )
    table = pl.concat([pl.DataFrame(schema=SUSPECTS), rows], how="diagonal_relaxed")
    assert hits(table, root, "val")["planted_id"].to_list() == [number, None]


def test_in_a_dataset_with_defects_by_name_the_missing_objects_are_those_of_its_original(tmp_path, monkeypatch):
    monkeypatch.delenv("COCOSEG_DATA", raising=False)
    monkeypatch.setattr(datasets, "HOME", tmp_path)
    sample.make(tmp_path / "data" / "mine", train=0, val=6)
    made = dataset("mine+missing40")
    original = read(dataset("mine").annotations("val"))
    sizes = {image: (height, width) for image, height, width in original.images["image_id", "height", "width"].rows()}
    missing = sample.defects(made.root)
    number, image_id = missing.select("annotation_id", "image_id").row(0)
    segmentation = dict(original.annotations["annotation_id", "segmentation"].rows())[number]
    region = rle(segmentation, *sizes[image_id])
    region = json.dumps({"size": region["size"], "counts": region["counts"].decode()})
    row = {"detector": "unlabelled", "rank": 1, "score": 1.0, "image_id": image_id, "region": region}
    table = pl.concat([pl.DataFrame(schema=SUSPECTS), pl.DataFrame([row])], how="diagonal_relaxed")
    assert missing.height > 1 and hits(table, made.root, "val")["planted_id"].to_list() == [number]


def test_a_missing_photo_says_nothing_about_the_annotation_that_has_its_number(spoiled):
    root, coco, *_ = spoiled
    number = coco.annotations["annotation_id"][0]
    finding = {"message": "", "action": "dropped", "ids": [number]}
    rows = [finding | {"code": "image-missing"}, finding | {"code": "polygon-too-short", "action": "repaired"}]
    findings = pl.DataFrame(rows, schema_overrides={"ids": pl.List(pl.Int64)})
    found = suspects(coco, findings, traits(coco, workers=1), beliefs({}, coco, root / "val", SPACE), SPACE)
    assert found.filter(detector="inconsistent")["note"].to_list() == ["polygon-too-short"]


def test_proposed_corrections_can_be_applied(spoiled, tmp_path):
    root, coco, found, _ = spoiled
    copies = sample.defects(root).filter(kind="duplicated")
    given = proposed(found)
    assert given["drop"] == copies["annotation_id"].sort().to_list()
    (tmp_path / "corrections.json").write_text(json.dumps(given))
    file = root / "annotations" / "instances_val.json"
    assert correct(file, tmp_path / "corrections.json", tmp_path / "new.json")["dropped"] == len(copies)
    assert read(tmp_path / "new.json").annotations.height == coco.annotations.height - len(copies)


def test_nothing_is_added_unless_a_person_says_so(spoiled):
    _, _, found, _ = spoiled
    region = found.head(1).with_columns(detector=pl.lit("unlabelled"), region=pl.lit("{}"))
    assert proposed(region) == {"drop": [], "replace": [], "add": []}


def test_the_sheet_of_suspects_can_be_marked_and_applied(spoiled, tmp_path):
    root, _, found, _ = spoiled
    table = sheet(found)
    assert table.height == found.height and set(table["verdict"]) == {""}
    file, marked = root / "annotations" / "instances_val.json", tmp_path / "suspects.csv"
    table.write_csv(marked)
    assert set(correct(file, marked, tmp_path / "new.json").values()) == {0}
    twice = pl.when(detector="drawn twice").then(pl.lit("drop other")).otherwise(pl.lit("keep"))
    table.with_columns(verdict=twice).write_csv(marked)
    assert correct(file, marked, tmp_path / "new.json")["dropped"] == found.filter(detector="drawn twice").height > 0


def test_an_empty_file_has_no_suspects(spoiled):
    root, coco, *_ = spoiled
    none = coco.of_images([])
    _, findings = check(root / "annotations" / "instances_val.json")
    found = suspects(none, findings, traits(none, workers=1), beliefs({}, none, root / "val", SPACE), SPACE)
    assert found.height == 0 and dict(found.schema) == SUSPECTS


def test_without_photos_what_is_drawn_is_judged_all_the_same(spoiled):
    root, coco, *_ = spoiled
    with_photos, without = traits(coco, root / "val", workers=1), traits(coco, workers=1)
    assert without["edge_gain"].null_count() == without.height
    assert without["straight"].equals(with_photos["straight"])


def test_the_number_of_processes_does_not_matter(spoiled):
    root, coco, *_ = spoiled
    few = coco.of_images(coco.images["image_id"].to_list()[:3])
    assert traits(few, root / "val", workers=1).equals(traits(few, root / "val", workers=2))


def test_a_shifted_contour_is_told_how_far_it_is_off():
    image = np.full((80, 80, 3), 40, np.uint8)
    image[20:60, 20:60] = 200
    strength = edges(image)
    ring = np.array([(x, y) for x in range(20, 60) for y in range(20, 60) if {x, y} & {20, 59}])
    assert off_edges(strength, ring, 1600) == (0, 0)
    gain, shift = off_edges(strength, ring + np.array([6, 0]), 1600)
    assert gain > 0.3 and shift == pytest.approx(6 / 40, abs=0.03)
    assert off_edges(np.zeros_like(strength), ring, 1600) == (0, 0)


def test_a_straight_cut_counts_unless_the_image_ends_there():
    half = [np.array([[10.0, 10], [20, 10], [20, 14], [15, 20], [10, 14]])]
    assert straight(half, 100, 100) == 1
    assert straight([ring - [0, 9] for ring in half], 100, 20) == pytest.approx(0.4)  # the left side, of 10 px
    assert second_ring([half[0], half[0][:3] + 40]) == pytest.approx(20 / (20 + 70), abs=1e-6)


def test_every_detector_that_should_find_something_names_planted_kinds():
    assert {kind for detector in DETECTORS.values() for kind in detector.finds} == set(KINDS)
    assert set(OF_MODELS) <= set(DETECTORS)
