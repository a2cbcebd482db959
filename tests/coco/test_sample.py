"""The sample promises features, an exact truth and listed defects: each promise is looked for in the default one."""

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import polars as pl
import pytest
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from cocoseg.coco import sample
from cocoseg.coco.datasets import Dataset, dataset
from cocoseg.errors import UserError

SPLITS = ("train", "val")
EXPECTED = {
    "version": 6,
    "annotations/train": "bcb432797513",
    "annotations/val": "a9c23ad7d3d6",
    "exact/train": "dde399a3f756",
    "exact/val": "1881a3234a91",
}


@pytest.fixture(scope="module")
def default() -> Dataset:
    """The sample as everybody gets it."""
    return dataset("sample")


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    folder = tmp_path_factory.mktemp("small") / "sample"
    sample.make(folder, train=24, val=20, seed=5)
    return folder


def load(root, split: str, kind: str = "annotations") -> dict:
    return json.loads((root / kind / f"instances_{split}.json").read_text())


def both(root, kind: str = "annotations") -> list[dict]:
    return [a for split in SPLITS for a in load(root, split, kind)["annotations"]]


def decoded(annotation: dict, image: dict) -> np.ndarray:
    segmentation = annotation["segmentation"]
    rle = coco_mask.frPyObjects(segmentation, image["height"], image["width"])
    return coco_mask.decode(coco_mask.merge(rle) if isinstance(segmentation, list) else rle)


def compressed(annotation: dict, image: dict) -> dict:
    segmentation = annotation["segmentation"]
    if isinstance(segmentation, list):
        return coco_mask.merge(coco_mask.frPyObjects(segmentation, image["height"], image["width"]))
    return {"size": segmentation["size"], "counts": segmentation["counts"].encode()}


# Making


def test_the_same_seed_makes_the_same_bytes_and_more_images_change_no_earlier_one(small, tmp_path):
    sample.make(tmp_path / "same", train=24, val=20, seed=5)
    sample.make(tmp_path / "fewer", train=6, val=3, seed=5)
    sample.make(tmp_path / "other", train=6, val=3, seed=6)
    for file in sorted(path.relative_to(small) for path in small.rglob("*") if path.is_file()):
        assert (small / file).read_bytes() == (tmp_path / "same" / file).read_bytes(), file
    for split in SPLITS:
        more, fewer, other = (load(root, split, "exact") for root in (small, tmp_path / "fewer", tmp_path / "other"))
        ids = {image["id"] for image in fewer["images"]}
        assert fewer["annotations"] == [a for a in more["annotations"] if a["image_id"] in ids]
        assert fewer["annotations"] != other["annotations"]
        for picture in (tmp_path / "fewer" / split).iterdir():
            assert picture.read_bytes() == (small / split / picture.name).read_bytes()


def test_what_is_generated_has_not_changed_without_its_version(small):
    """If this fails, the generator has changed: raise `sample.VERSION`, so that samples on disk are made anew."""
    digests = {
        f"{kind}/{split}": hashlib.sha256((small / kind / f"instances_{split}.json").read_bytes()).hexdigest()[:12]
        for kind in ("annotations", "exact")
        for split in SPLITS
    }
    assert {"version": sample.VERSION, **digests} == EXPECTED


def test_ensure_makes_the_sample_once_for_all_who_ask_and_again_for_a_new_version(tmp_path, monkeypatch):
    made = []
    whole = sample.make

    def tiny(folder, **_):
        made.append(folder)
        whole(folder, train=1, val=1)

    monkeypatch.setattr(sample, "make", tiny)
    root = tmp_path / "data" / "sample"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(sample.ensure, [root] * 4))
    assert len(made) == 1 and load(root, "val")["images"]
    left = root.parent / ".sample.part" / "new" / "annotations"  # of a process that was killed
    left.mkdir(parents=True)
    monkeypatch.setattr(sample, "VERSION", sample.VERSION + 1)
    sample.ensure(root)
    sample.ensure(root)
    assert len(made) == 2 and json.loads((root / "sample.json").read_text())["version"] == sample.VERSION
    assert sorted(path.name for path in root.parent.iterdir() if path.is_dir()) == ["sample"]


def test_folders_with_other_things_are_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    with pytest.raises(UserError, match="not empty"):
        sample.make(tmp_path)
    with pytest.raises(UserError, match="not a generated sample"):
        sample.ensure(tmp_path)
    with pytest.raises(UserError, match="val=-1"):
        sample.make(tmp_path / "new", val=-1)
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == ["mine"]


def test_a_split_may_be_empty(tmp_path):
    sample.make(tmp_path / "sample", train=1, val=0)
    assert load(tmp_path / "sample", "val")["annotations"] == []


# COCO's format


@pytest.mark.parametrize("split", SPLITS)
def test_pycocotools_reads_every_mask(default, split, capsys):
    for kind in ("annotations", "exact"):
        coco = COCO(default.root / kind / f"instances_{split}.json")
        annotations = coco.loadAnns(coco.getAnnIds())
        assert len({a["id"] for a in annotations}) == len(annotations) > 500
        for a in annotations:
            mask, image = coco.annToMask(a), coco.imgs[a["image_id"]]
            assert mask.shape == (image["height"], image["width"])
            assert mask.any() or a["area"] < 6
            x, y, w, h = a["bbox"]
            assert 0 <= x <= x + w <= image["width"] and 0 <= y <= y + h <= image["height"]


@pytest.mark.parametrize("split", SPLITS)
def test_images_are_as_the_file_says(default, split):
    for image in load(default.root, split)["images"]:
        assert image["file_name"] == f"{image['id']:012d}.jpg"
        assert cv2.imread(str(default.images(split) / image["file_name"])).shape[:2] == (
            image["height"],
            image["width"],
        )


def test_categories_are_cocos_own(default, instances):
    real = load(instances.root, "val2017")["categories"]
    ours = load(default.root, "train")["categories"]
    assert all(category in real for category in ours)
    assert len({category["supercategory"] for category in ours}) >= 10


def test_area_and_bbox_are_those_of_the_polygons(default):
    for a in both(default.root):
        if not a["iscrowd"]:
            rings = [np.array(ring).reshape(-1, 2) for ring in a["segmentation"]]
            assert a["area"] == pytest.approx(sum(cv2.contourArea(ring.astype(np.float32)) for ring in rings), rel=1e-4)
            low, high = np.vstack(rings).min(0), np.vstack(rings).max(0)
            assert a["bbox"] == pytest.approx([*low, *(high - low)], abs=0.006)


# Features


def test_categories_have_a_long_tail(default):
    counts = (
        pl.DataFrame({"category": [a["category_id"] for a in both(default.root)]})
        .group_by("category")
        .len()["len"]
        .sort()
    )
    n = len(counts)
    gini = sum((2 * k - n - 1) * c for k, c in enumerate(counts, 1)) / (n * counts.sum())
    assert n == len(sample.CATEGORIES)
    assert gini > 0.45 and counts[-1] > 0.3 * counts.sum() and counts[0] < 0.015 * counts.sum()


def test_every_category_is_in_both_splits(default):
    for split in SPLITS:
        assert {a["category_id"] for a in load(default.root, split)["annotations"]} == {
            i for i, _ in sample.CATEGORIES.values()
        }


def test_there_are_images_without_objects(default):
    for split in SPLITS:
        coco = load(default.root, split, "exact")
        empty = {image["id"] for image in coco["images"]} - {a["image_id"] for a in coco["annotations"]}
        assert 0.01 < len(empty) / len(coco["images"]) < 0.1


def test_there_are_crowds_as_rle(default):
    crowds = [a for a in both(default.root) if a["iscrowd"]]
    names = {i: name for name, (i, _) in sample.CATEGORIES.items()}
    assert {"person", "bird", "boat"} <= {names[a["category_id"]] for a in crowds}
    assert len(crowds) > 30 and all(isinstance(a["segmentation"]["counts"], list) for a in crowds)


def test_there_are_tiny_small_medium_and_large_objects(default):
    area = np.array([a["area"] for a in both(default.root, "exact")])
    assert np.mean(area < 30) > 0.03
    assert (
        np.mean(area < 32**2) > 0.4 and np.mean((area >= 32**2) & (area < 96**2)) > 0.25 and np.sum(area >= 96**2) > 20
    )


def test_there_are_objects_in_several_parts_and_with_holes(default):
    several, holes = 0, {}
    coco = load(default.root, "train")
    images = {image["id"]: image for image in coco["images"]}
    names = {i: name for name, (i, _) in sample.CATEGORIES.items()}
    polygons = [a for a in coco["annotations"] if not a["iscrowd"]]
    for a in polygons:
        several += len(a["segmentation"]) > 1
        mask = np.pad(decoded(a, images[a["image_id"]]), 1)
        if cv2.connectedComponents(1 - mask, connectivity=4)[0] > 2:
            holes[names[a["category_id"]]] = holes.get(names[a["category_id"]], 0) + 1
    assert several / len(polygons) > 0.1
    assert all(holes.get(name, 0) >= 3 for name in ("bicycle", "chair", "cup", "donut")), holes


def test_objects_hide_objects_and_reach_beyond_the_picture(default):
    coco = load(default.root, "train", "exact")
    size = {image["id"]: (image["width"], image["height"]) for image in coco["images"]}
    cut = [a["bbox"][0] == 0 or a["bbox"][0] + a["bbox"][2] == size[a["image_id"]][0] for a in coco["annotations"]]
    assert np.mean(cut) > 0.08
    boxes = {}
    for a in coco["annotations"]:
        boxes.setdefault(a["image_id"], []).append(a["bbox"])
    touching = [
        np.triu(coco_mask.iou(b, b, [0] * len(b)), 1).max() > 0.1 for b in (np.array(b) for b in boxes.values())
    ]
    assert np.mean(touching) > 0.3


def test_scenes_have_structure(default):
    """What the book's analyses should find: cars low, birds high; a parasol or umbrella where people are."""
    coco = load(default.root, "train", "exact")
    height = {image["id"]: image["height"] for image in coco["images"]}
    middle, images = {}, {}
    for a in coco["annotations"]:
        middle.setdefault(a["category_id"], []).append((a["bbox"][1] + a["bbox"][3] / 2) / height[a["image_id"]])
        images.setdefault(a["category_id"], set()).add(a["image_id"])
    ids = {name: i for name, (i, _) in sample.CATEGORIES.items()}
    assert np.mean(middle[ids["car"]]) > 0.55 > 0.45 > np.mean(middle[ids["bird"]]) > np.mean(middle[ids["kite"]])
    with_people = len(images[ids["umbrella"]] & images[ids["person"]]) / len(images[ids["umbrella"]])
    assert with_people > len(images[ids["person"]]) / len(height)
    assert not images[ids["elephant"]] & images[ids["car"]]


def test_leaked_images_are_listed_and_look_alike(default):
    pairs = load(default.root, "val")["info"]["near_duplicates"]
    assert len(pairs) == 3
    for val, train in pairs:
        names = (default.images("val") / f"{val:012d}.jpg", default.images("train") / f"{train:012d}.jpg")
        one, two = (cv2.resize(cv2.imread(str(name), cv2.IMREAD_GRAYSCALE), (16, 12)).ravel() for name in names)
        assert names[0].read_bytes() != names[1].read_bytes() and np.corrcoef(one, two)[0, 1] > 0.97


# Truth


@pytest.mark.parametrize("split", SPLITS)
def test_exact_masks_never_overlap(default, split):
    coco = load(default.root, split, "exact")
    total = {image["id"]: np.zeros((image["height"], image["width"]), np.uint8) for image in coco["images"]}
    for a in coco["annotations"]:
        mask = coco_mask.decode(compressed(a, {}))
        assert mask.sum() == a["area"] >= sample.SEEN
        total[a["image_id"]] += mask
    assert max(t.max() for t in total.values()) == 1


@pytest.mark.parametrize("split", SPLITS)
def test_annotations_agree_with_the_truth_except_where_a_defect_is_listed(default, split):
    coco, exact = load(default.root, split), load(default.root, split, "exact")
    images, truth = {i["id"]: i for i in coco["images"]}, {a["id"]: a for a in exact["annotations"]}
    planted = sample.defects(default.root).filter(split=split)
    kinds = dict(planted.select("annotation_id", "kind").iter_rows())
    overlap = {"none": []}
    for a in coco["annotations"]:
        kind, image = kinds.get(a["id"], "none"), images[a["image_id"]]
        if a["iscrowd"] or kind == "duplicated":
            continue
        true = truth[a["id"]]
        assert (a["category_id"] != true["category_id"]) == (kind == "wrong category")
        iou = coco_mask.iou([compressed(a, image)], [compressed(true, image)], [0])[0, 0]
        overlap.setdefault(kind, []).append((true["area"], iou))
    good = np.array(overlap["none"])
    for low, high, median, worst in ((6, 100, 0.85, 0.4), (100, 1024, 0.9, 0.55), (1024, 1e9, 0.94, 0.7)):
        iou = good[(good[:, 0] >= low) & (good[:, 0] < high), 1]
        assert np.median(iou) > median and iou.min() > worst
    for kind in ("shifted", "coarsened", "cut off", "merged"):
        assert np.median(np.array(overlap[kind])[:, 1]) < 0.85


@pytest.mark.parametrize("split", SPLITS)
def test_defects_listed_are_defects_present(default, split):
    coco, exact = load(default.root, split), load(default.root, split, "exact")
    planted = sample.defects(default.root).filter(split=split)
    present, true = ({a["id"]: a for a in each["annotations"]} for each in (coco, exact))
    listed = {kind: planted.filter(kind=kind) for kind in sample.RATES}
    assert all(len(rows) for rows in listed.values())
    copies, swallowed = set(listed["duplicated"]["annotation_id"]), set(listed["merged"]["other_id"])
    unseen = {i for i, a in true.items() if i not in present and a["area"] < 20}  # too little to click around
    assert set(present) - set(true) == copies
    assert set(true) - set(present) - unseen == (set(listed["missing"]["annotation_id"]) | swallowed) - unseen
    assert len(unseen) < 0.03 * len(true)
    assert planted["annotation_id"].is_unique().all()
    assert 0.1 < len(planted) / len(true) < 0.25
    for row in planted.iter_rows(named=True):
        twin = true[row["other_id"] if row["kind"] == "duplicated" else row["annotation_id"]]
        assert (row["image_id"], row["category_id"]) == (twin["image_id"], twin["category_id"])
        assert row["severity"] >= (0.0999 if row["kind"] in ("shifted", "coarsened", "cut off") else 0)
