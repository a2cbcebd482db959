"""References: the truth under one limit at a time."""

import numpy as np
import polars as pl
import pytest

from cocoseg.challenges import references as limits
from cocoseg.challenges.references import OF_LABELS, TABLES, known, limited, of, references
from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import polygons, read
from cocoseg.masks.outlines import length, rings_of
from cocoseg.results.metrics import per_class, score


def square(side=64, size=160):
    labels = np.zeros((size, size), np.uint8)
    start = (size - side) // 2
    labels[start : start + side, start : start + side] = 1
    return labels


def disc(radius=40, size=160):
    y, x = np.mgrid[:size, :size] - (size - 1) / 2
    return (np.hypot(x, y) <= radius).astype(np.uint8)


def iou(truth, answer):
    return (truth & answer).sum() / (truth | answer).sum()


@pytest.fixture(scope="module")
def coco(instances):
    """Images with crowds, and some without."""
    whole = read(instances.annotations("val2017"))
    crowded = whole.annotations.filter("iscrowd")["image_id"].unique().sort().to_list()
    return whole.of_images([*crowded[:4], *whole.images["image_id"].sort().to_list()[:6]])


@pytest.fixture(scope="module")
def counted(coco):
    return references(coco, label_space("coco81"), workers=1)


@pytest.mark.parametrize("r", [1, 2, 5, 8])
def test_a_disc_that_grows_or_shrinks_is_a_disc(r):
    assert iou(disc(40), limits.dilated(disc(40), r)) == pytest.approx((40 / (40 + r)) ** 2, abs=0.01)
    assert iou(disc(40), limits.eroded(disc(40), r)) == pytest.approx(((40 - r) / 40) ** 2, abs=0.01)


@pytest.mark.parametrize("r", [1, 2, 5])
def test_a_square_loses_its_rim_and_grows_with_round_corners(r):
    assert limits.eroded(square(64), r).sum() == (64 - 2 * r) ** 2
    corner = sum(np.hypot(x, y) <= r for x in range(1, r + 1) for y in range(1, r + 1))
    assert limits.dilated(square(64), r).sum() == 64**2 + 4 * 64 * r + 4 * corner


@pytest.mark.parametrize("stride", [4, 8, 16, 32])
def test_a_square_on_the_grid_survives_its_stride(stride):
    labels = np.zeros((160, 160), np.uint8)
    labels[32:96, 64:128] = 1
    assert (limits.coarse_nearest(labels, stride) == labels).all()
    assert (limits.coarse_corner(labels, stride) == labels).all()
    # Between two cells the shares cross in the middle, on the edge; only where four meet is a corner cut.
    assert ((limits.coarse(labels, stride) != labels).sum()) <= 4 * (stride / 2) ** 2


@pytest.mark.parametrize("stride", [8, 16])
def test_a_straight_edge_off_the_grid_is_where_it_was_for_shares_and_not_for_labels(stride):
    edge = 5 * stride + stride // 4
    labels = np.zeros((64, 192), np.uint8)
    labels[:, edge:] = 1
    # Cell 5 is background to 1/4: linear between 1/4 and 1, the shares cross 1/2 at a third of the way back to cell 4.
    crossing = 5 * stride + stride / 2 - (3 / 4 - 1 / 2) / (3 / 4) * stride
    assert (limits.coarse(labels, stride)[0] == 0).sum() == pytest.approx(crossing, abs=1)
    assert abs(crossing - edge) < stride / 10
    assert (limits.coarse_nearest(labels, stride)[0] == 0).sum() == 5 * stride
    assert (limits.coarse_corner(labels, stride)[0] == 0).sum() == 6 * stride


def test_shares_keep_more_of_a_disc_than_labels_and_a_finer_grid_more_than_a_coarse_one():
    truth = disc(37, 200)
    for shares, labels in ((limits.coarse, limits.coarse_nearest), (limits.coarse, limits.coarse_corner)):
        scores = [[iou(truth, limit(truth, stride)) for stride in (4, 8, 16)] for limit in (shares, labels)]
        assert scores[0] == sorted(scores[0], reverse=True)
        assert all(a > b for a, b in zip(*scores, strict=True))


def test_an_image_no_larger_than_the_short_side_stays_as_it_is():
    truth = disc()
    for limit in (limits.small, limits.small_nearest):
        assert limit(truth, 160) is truth
        assert limit(truth, 512) is truth
        assert limit(truth, 64).shape == truth.shape


def test_contours_move_by_as_much_as_was_asked_for():
    half = np.zeros((240, 240), np.uint8)
    half[:, 120:] = 1
    moved = [(limits.jittered(half, 3, np.random.default_rng(k)) == 0).sum(1) - 120 for k in range(20)]
    assert np.std(moved) == pytest.approx(3, rel=0.15)
    assert abs(np.mean(moved)) < 0.5


def test_a_second_drawing_follows_the_first_ones_outline(coco):
    drawn = coco.annotations.filter(pl.col("encoding") == "polygon")["segmentation"].to_list()[:50]
    for rings in map(polygons, drawn):
        again = limits.redrawn(rings, 1.0, np.random.default_rng(0))
        assert [len(ring) for ring in again] == [max(3, len(ring)) for ring in rings]
        first, second = (length(*rings_of(each)) for each in (rings, again))
        assert second <= first + 1e-6  # chords of the outline
        fine = limits.redrawn(rings, 100.0, np.random.default_rng(0))
        assert length(*rings_of(fine)) == pytest.approx(first, rel=0.02)


def test_what_is_missed_is_all_that_is_smaller(coco):
    space = label_space("coco81")
    for image, annotations in coco.by_image():
        size = image["height"], image["width"]
        maps = {(name, amount): labels for name, amount, labels in limited(annotations, *size, space, _rng)}
        for side in (8, 64):
            seen = annotations.filter((pl.col("area") >= side**2) | pl.col("iscrowd"))
            assert (maps["missed", side] == known(label_map(seen, *size, space))).all()


def _rng():
    return np.random.default_rng(0)


def test_void_gets_the_nearest_label_and_never_counts(coco, counted):
    truths = {
        image["image_id"]: label_map(a, image["height"], image["width"], label_space("coco81"))
        for image, a in coco.by_image()
    }
    assert any((labels == VOID).any() for labels in truths.values())
    for labels in truths.values():
        filled = known(labels)
        assert (filled[labels != VOID] == labels[labels != VOID]).all() and (filled != VOID).all()
    there = {image_id: int((labels != VOID).sum()) for image_id, labels in truths.items()}
    table = counted["references"].group_by("reference", "amount", "image_id").agg(pl.col("true", "predicted").sum())
    for image_id, true, predicted in table.select("image_id", "true", "predicted").iter_rows():
        assert true == predicted == there[image_id]
    assert (known(np.full((2, 2), VOID, np.uint8)) == 0).all()


def test_every_reference_is_counted_against_the_same_truth(counted):
    for name in TABLES:
        truths = {
            tuple(part.filter(pl.col("true") > 0).select("image_id", "class", "true").sort("image_id", "class").rows())
            for _, part in counted[name].group_by("reference", "amount")
        }
        assert len(truths) == 1


def test_more_of_a_limit_costs_more_and_small_objects_most(counted):
    for reference, (_, amounts) in OF_LABELS.items():
        values = [score(of(counted["references"], reference, amount), "miou_d") for amount in amounts]
        assert values == sorted(values, reverse="side" not in reference), reference
    sizes = per_class(of(counted["reference_sizes"], "stride, bilinear", 16))["iou"].to_list()
    assert sizes[1] < sizes[2] < sizes[3]
    bands = score(of(counted["reference_bands"], "eroded", 2), "miou_d")
    assert bands < score(of(counted["references"], "eroded", 2), "miou_d")


def test_neither_the_processes_nor_the_other_images_matter(coco, counted):
    few = coco.of_images(coco.images["image_id"].to_list()[:2])
    again = references(few, label_space("coco81"), workers=1)
    for name in TABLES:
        assert again[name].equals(counted[name].filter(pl.col("image_id").is_in(few.images["image_id"].implode())))
    other = references(few, label_space("coco81"), seed=1, workers=1)
    changed = {
        r
        for (r,), part in other["references"].group_by("reference")
        if not part.equals(again["references"].filter(reference=r))
    }
    assert changed == {"jittered", "vertices moved", "redrawn"}


def test_no_images_give_empty_tables(coco):
    tables = references(coco.of_images([]), label_space("person"))
    assert {name: table.height for name, table in tables.items()} == dict.fromkeys(TABLES, 0)
    assert all("reference" in table.columns for table in tables.values())
