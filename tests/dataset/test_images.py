"""What an image is like."""

from collections import Counter

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from cocoseg.coco.label_space import label_space
from cocoseg.dataset.categories import contents
from cocoseg.dataset.images import HELD, effective_number, images, labelled, per_image, sizes, states, summary
from cocoseg.dataset.label_maps import measure


@pytest.fixture(scope="session")
def real_images(real):
    return images(real.coco, contents(real.coco))


def test_every_image_has_a_row_also_an_empty_one(animals):
    table = images(animals, contents(animals))
    assert table.select("image_id", *HELD, "state").rows() == [
        (1, 2, 1, 3, 0, "instances"),
        (2, 2, 1, 1, 1, "instances"),
        (3, 1, 1, 0, 1, "crowds only"),
        (4, 0, 0, 0, 0, "empty"),
    ]
    assert table["aspect"].to_list() == [2.0, 0.5, 1.0, 2.0]
    assert table["median_side"].to_list() == [10, 8, None, None]
    assert table["small"].to_list() == [3, 1, 0, 0]
    assert table["effective_categories"].to_list() == pytest.approx([3 / 2 ** (2 / 3), 1, None, None])


def test_real_counts_are_those_of_pycocotools(real, real_images):
    assert len(real_images) == len(real.peer.imgs)
    for row in real_images.iter_rows(named=True):
        held = real.peer.imgToAnns[row["image_id"]]
        instances = [a for a in held if not a["iscrowd"]]
        assert row["instances"] == len(instances)
        assert row["crowds"] == len(held) - len(instances)
        assert row["categories"] == len({a["category_id"] for a in held})
        assert row["supercategories"] == len({real.peer.cats[a["category_id"]]["supercategory"] for a in held})
        assert row["small"] == sum(a["area"] < 32**2 for a in instances)
        assert row["large"] == sum(a["area"] >= 96**2 for a in instances)
        if instances:
            of_category = Counter(a["category_id"] for a in instances)
            assert row["effective_categories"] == pytest.approx(np.exp(stats.entropy([*of_category.values()])))
            assert row["median_side"] == pytest.approx(np.median([a["area"] ** 0.5 for a in instances]))


def test_states_and_distributions_add_up_to_all_images(real_images):
    assert states(real_images)["images"].sum() == len(real_images)
    assert sizes(real_images)["images"].sum() == len(real_images)
    table = per_image(real_images)
    assert table.group_by("quantity").agg(pl.col("images").sum())["images"].to_list() == [len(real_images)] * 4
    instances = table.filter(quantity="instances")
    assert dict(instances.select("value", "images").rows()) == Counter(real_images["instances"])


def test_summary_is_that_of_numpy_and_a_normal_interval(real_images):
    row = summary(real_images, ["instances"]).row(0, named=True)
    values = real_images["instances"].to_numpy()
    low, high = stats.norm.interval(0.95, values.mean(), stats.sem(values))
    assert (row["mean"], row["median"], row["maximum"]) == (values.mean(), np.median(values), values.max())
    assert (row["mean_low"], row["mean_high"]) == pytest.approx((low, high), rel=1e-4)
    assert row["p95"] == np.quantile(values, 0.95)


def test_summary_leaves_out_what_is_not_known():
    table = summary(pl.DataFrame({"a": [None, 3.0], "b": pl.Series([None, None], dtype=pl.Float64)}), ["a", "b"])
    assert table.select("images", "mean", "mean_low", "p5").rows() == [(1, 3, None, 3), (0, None, None, None)]


def test_labelled_shares_by_hand(animals):
    space = label_space("own", animals.categories)
    table = labelled(measure(animals, space)["pixels"], space)
    assert table["labelled"].to_list() == pytest.approx([275 / 800, 64 / 800, 0, 0])  # the dog hides 25 px of a cat
    assert table["void"].to_list() == pytest.approx([0, 324 / 800, 400 / 900, 0])
    assert table["classes"].to_list() == [2, 1, 0, 0]
    assert table["effective_classes"][1:].to_list() == [1, None, None]


def test_real_labelled_shares_from_the_masks_of_pycocotools(real, real_masks):
    table = labelled(measure(real.coco, real.space)["pixels"], real.space)
    for row in table.sample(40, seed=0).iter_rows(named=True):
        held = real.peer.imgToAnns[row["image_id"]]
        image = real.peer.imgs[row["image_id"]]
        union = np.zeros((image["height"], image["width"]), bool)
        for annotation in held:
            if not annotation["iscrowd"]:
                union |= real_masks[annotation["id"]] > 0
        assert row["labelled"] == pytest.approx(union.mean())
        assert row["labelled"] + row["background"] + row["void"] == pytest.approx(1)


@given(st.lists(st.lists(st.integers(0, 1000), min_size=1, max_size=8), max_size=5))
def test_effective_number_lies_between_one_and_the_number_of_kinds(rows):
    table = pl.DataFrame(
        [(i, n) for i, counts in enumerate(rows) for n in counts],
        {"image_id": pl.Int64, "n": pl.Int64},
        orient="row",
    )
    found = dict(effective_number(table).iter_rows())
    assert found.keys() == {i for i, counts in enumerate(rows) if any(counts)}
    for i, value in found.items():
        assert 1 - 1e-9 <= value <= np.count_nonzero(rows[i]) + 1e-9
        assert value == pytest.approx(np.exp(stats.entropy(rows[i])))


def test_little_or_nothing_is_described_too(degenerate):
    table = images(degenerate, contents(degenerate))
    assert len(table) == len(degenerate.images)
    assert states(table)["images"].sum() == len(table)
    assert per_image(table)["images"].sum() == 4 * len(table)
    assert sizes(table)["images"].sum() == len(table)
    assert summary(table, ["instances"])["images"].item() == len(table)
