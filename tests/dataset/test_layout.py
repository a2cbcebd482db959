"""Where classes lie."""

import cv2
import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cocoseg.coco.label_space import label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.dataset.label_maps import measure
from cocoseg.dataset.layout import GRID, POINTS, SIDES, border, border_gaps, centre, heat, sample, stops_short
from cocoseg.dataset.pixels import totals


def maps_of(coco, space):
    tables = measure(coco, space)
    return heat(tables["samples"], totals(tables["pixels"], space))


@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 50), st.integers(1, 50)), elements=st.integers(0, 3)))
def test_each_point_hits_the_pixel_it_lies_in(label_map):
    height, width = label_map.shape
    expected = np.zeros((3, 4, 4), int)
    for i in range(16):
        for j in range(16):
            value = label_map[int((i + 0.5) / 16 * height), int((j + 0.5) / 16 * width)]
            if value < 3:
                expected[value, i // 4, j // 4] += 1
    assert np.array_equal(sample(label_map, 3, grid=4), expected)


def test_a_cell_of_whole_pixels_is_measured_exactly():
    label_map = np.random.default_rng(0).integers(0, 2, (GRID * POINTS, GRID * POINTS), np.uint8)
    means = cv2.resize(label_map.astype(np.float64), (GRID, GRID), interpolation=cv2.INTER_AREA)
    assert np.allclose(sample(label_map, 2)[1] / POINTS**2, means)


def test_real_samples_are_close_to_the_area_of_the_class_in_the_cell(real):
    for _, label_map in list(label_maps(real.coco, real.space))[:20]:
        hits = sample(label_map, real.space.n) / POINTS**2
        for kind in np.unique(label_map[label_map < real.space.n]):
            area = cv2.resize((label_map == kind).astype(np.float64), (GRID, GRID), interpolation=cv2.INTER_AREA)
            assert np.abs(hits[kind] - area).mean() < 0.02
            assert hits[kind].mean() == pytest.approx(area.mean(), abs=4e-3)


def test_the_heat_map_is_the_mean_over_the_images_that_hold_the_class(real):
    table = maps_of(real.coco, real.space)
    person = table.filter(name="person")["probability"].to_numpy().reshape(GRID, GRID)
    held = [label_map for _, label_map in label_maps(real.coco, real.space) if (label_map == 1).any()]
    assert np.allclose(person, np.mean([sample(m, 2)[1] for m in held], 0) / POINTS**2)
    assert table.group_by("class").len()["len"].unique().to_list() == [GRID**2]


def test_a_class_in_the_middle_is_central_one_in_the_corner_is_not(made):
    coco = made.build([(1, 64, 64)], [(1, 3, 30, 30, 4, 4), (1, 5, 0, 56, 8, 8)])
    cat, dog = centre(maps_of(coco, label_space("own", coco.categories))).filter(pl.col("class") > 0).rows(named=True)
    assert (cat["x"], cat["y"]) == (0.5, 0.5)
    assert cat["centre_bias"] > 0.9
    assert (dog["x"], dog["y"]) == pytest.approx((4 / 64, 60 / 64))
    assert dog["centre_bias"] < -0.5


def test_an_even_class_has_no_centre_bias(made):
    coco = made.build([(1, 64, 64)], [(1, 3, 0, 0, 64, 64)])
    table = centre(maps_of(coco, label_space("own", coco.categories)))
    row = table.filter(name="cat").row(0, named=True)
    random = np.random.default_rng(0).random((1_000_000, 2)) - 0.5
    assert row["distance"] == pytest.approx(np.hypot(*random.T).mean(), abs=1e-3)
    assert row["centre_bias"] == pytest.approx(0, abs=1e-3)


def test_a_class_smaller_than_the_lattice_has_no_centre(made):
    coco = made.build([(1, 1000, 1000)], [(1, 3, 0, 0, 1, 1)])
    table = centre(maps_of(coco, label_space("own", coco.categories)))
    assert table.filter(name="cat").rows() == [(1, "cat", None, None, None, None)]


def test_borders_by_hand(made):
    coco = made.build(
        [(1, 10, 10)],
        [(1, 3, 0, 0, 4, 4), (1, 3, 6, 3, 4, 4), (1, 3, 2, 2, 4, 4), (1, 5, 0, 0, 10, 10, 1)],
    )
    assert border(coco).rows() == [
        (3, "cat", "animal", 3, 2, 2 / 3, 1, 1, 1, 0),
        (5, "dog", "animal", 0, 0, None, 0, 0, 0, 0),
        (8, "cup", "kitchen", 0, 0, None, 0, 0, 0, 0),
    ]


def test_real_borders_are_those_that_the_masks_touch(real, real_masks):
    table = border(real.coco)
    touching = 0
    for annotation in real.peer.anns.values():
        if not annotation["iscrowd"]:
            mask = real_masks[annotation["id"]]
            touching += bool(mask[:, [0, -1]].any() or mask[[0, -1]].any())
    # a box ends where the outline does, a mask with the last pixel whose centre is inside
    assert table["cut"].sum() == pytest.approx(touching, rel=0.03)
    assert table["instances"].sum() == len(real.peer.getAnnIds(iscrowd=False))


def test_real_gaps_by_brute_force(real):
    table = border_gaps(real.coco, 12)
    found = {side: np.zeros(13, int) for side in SIDES}
    for annotation in real.peer.anns.values():
        x, y, w, h = annotation["bbox"]
        image = real.peer.imgs[annotation["image_id"]]
        for side, gap in zip(SIDES, (x, y, image["width"] - x - w, image["height"] - y - h), strict=True):
            if not annotation["iscrowd"] and gap < 12.5:
                found[side][max(0, int(np.floor(gap + 0.5)))] += 1
    for side in SIDES:
        assert table.filter(side=side)["instances"].to_list() == found[side].tolist()


def test_a_gap_of_nothing_is_cut(real):
    cut = border(real.coco).select(SIDES).sum()
    none = border_gaps(real.coco).filter(gap=0)
    assert dict(none.select("side", "instances").rows()) == cut.row(0, named=True)


def test_boxes_strewn_at_random_do_not_stop_short(made):
    random = np.random.default_rng(0)
    boxes = [(1, 3, *random.uniform(1, 60, 2).tolist(), *random.uniform(1, 39, 2).tolist()) for _ in range(20_000)]
    table = stops_short(border_gaps(made.build([(1, 100, 100)], boxes)))
    near = table.filter(pl.col("side").is_in(["left", "top"]))
    assert (near["excess"].abs() < 4 * near["chance"].sqrt()).all()


def test_many_real_outlines_stop_short_of_the_bottom(real):
    table = stops_short(border_gaps(real.coco)).rows_by_key("side", named=True, unique=True)
    assert table["bottom"]["excess"] > 2 * max(table[side]["excess"] for side in ("left", "top", "right"))


def test_little_or_nothing_is_laid_out_too(degenerate):
    table = maps_of(degenerate, label_space("own", degenerate.categories))
    assert len(centre(table)) == len(table) / GRID**2
    assert len(border(degenerate)) == len(degenerate.categories)
    assert len(border_gaps(degenerate)) == 4 * 41
    assert stops_short(border_gaps(degenerate))["short"].sum() <= 4 * len(degenerate.annotations)
