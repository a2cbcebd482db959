"""Which labels occur together."""

from itertools import combinations, pairwise, permutations

import networkx as nx
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import squareform
from sklearn.metrics import mutual_info_score

from cocoseg.dataset.categories import contents
from cocoseg.dataset.cooccurrence import order, pairs, predictions, presence

IMAGES = st.lists(st.sets(st.sampled_from("abcde")), min_size=1, max_size=12)


def held(images):
    rows = [(i, label) for i, labels in enumerate(images) for label in sorted(labels)]
    return pl.DataFrame(rows, {"image_id": pl.Int64, "label": pl.String}, orient="row")


@pytest.fixture(scope="session")
def real_pairs(real):
    return pairs(presence(contents(real.coco), real.coco.categories), len(real.coco.images))


def test_a_crowd_is_present_and_a_supercategory_once(animals):
    named = presence(contents(animals), animals.categories)
    assert named.rows() == [(1, "cat"), (1, "dog"), (2, "cat"), (2, "dog"), (3, "cup")]
    grouped = presence(contents(animals), animals.categories, by="supercategory")
    assert grouped.rows() == [(1, "animal"), (2, "animal"), (3, "kitchen")]


def test_real_pairs_are_those_of_pycocotools(real, real_pairs):
    names = {c["name"]: i for i, c in real.peer.cats.items()}
    images = {name: set(real.peer.getImgIds(catIds=[i])) for name, i in names.items()}
    seen = [name for name in sorted(names) if images[name]]
    assert len(real_pairs) == len(seen) * (len(seen) - 1) / 2
    total = len(real.peer.imgs)
    for row in real_pairs.iter_rows(named=True):
        a, b = images[row["first"]], images[row["second"]]
        assert (row["images_first"], row["images_second"], row["images_both"]) == (len(a), len(b), len(a & b))
        assert row["lift"] == pytest.approx(len(a & b) / total / (len(a) / total * len(b) / total))
        if a & b:
            assert row["pmi"] == pytest.approx(np.log2(row["lift"]))
            assert row["npmi"] == pytest.approx(row["pmi"] / -np.log2(len(a & b) / total))
        else:
            assert (row["lift"], row["lift_low"], row["pmi"], row["npmi"]) == (0, 0, None, -1)


def test_real_pairs_are_the_projection_of_the_graph_of_images_and_categories(real, real_pairs):
    graph = nx.Graph()
    for annotation in real.peer.anns.values():
        graph.add_edge(("image", annotation["image_id"]), real.peer.cats[annotation["category_id"]]["name"])
    names = [node for node in graph if isinstance(node, str)]
    projected = nx.bipartite.weighted_projected_graph(graph, names)
    ours = {(a, b): n for a, b, n in real_pairs.select("first", "second", "images_both").iter_rows() if n}
    assert ours == {tuple(sorted(edge)): projected.edges[edge]["weight"] for edge in projected.edges}


@settings(max_examples=30)
@given(IMAGES)
def test_intervals_hold_the_measured_value_and_no_measure_leaves_its_range(images):
    table = pairs(held(images), len(images))
    for row in table.iter_rows(named=True):
        assert row["lift_low"] <= row["lift"] <= row["lift_high"] or row["images_both"] > 0
        assert 0 <= row["lift_low"] < row["lift_high"]
        assert -1 <= row["npmi"] <= 1 + 1e-9
        assert 0 < row["p"] <= row["q"] <= 1


def test_the_interval_of_lift_covers_the_truth():
    random = np.random.default_rng(0)
    for p_a, p_b, lift in ((0.5, 0.05, 1.0), (0.05, 0.04, 3.0), (0.03, 0.03, 0.3)):
        p_ab = p_a * p_b * lift
        cells = random.multinomial(400, [p_ab, p_a - p_ab, p_b - p_ab, 1 - p_a - p_b + p_ab], 200)
        covered = []
        for seed, (both, only_a, only_b, _) in enumerate(cells):
            images = ["ab"] * both + ["a"] * only_a + ["b"] * only_b
            if both + only_a and both + only_b:
                row = pairs(held(images), 400, seed=seed).row(0, named=True)
                covered.append(row["lift_low"] <= lift <= row["lift_high"])
        assert np.mean(covered) > 0.9


def test_the_interval_is_that_of_resampled_images():
    images = ["ab"] * 60 + ["a"] * 90 + ["b"] * 50 + [""] * 300
    row = pairs(held(images), len(images)).row(0, named=True)
    a, b = (np.array([letter in labels for labels in images]) for letter in "ab")
    draws = np.random.default_rng(1).integers(0, len(images), (4000, len(images)))
    lift = (a & b)[draws].mean(1) / a[draws].mean(1) / b[draws].mean(1)
    low, high = np.quantile(lift, [0.025, 0.975])
    assert (row["lift_low"], row["lift_high"]) == pytest.approx((low, high), rel=0.05)


def test_the_order_of_a_small_dataset_is_the_best_of_its_tree():
    images = ["ab", "ab", "cd", "cd", "bc", "a", "d", "e"]
    table = pairs(held(images), len(images))
    found = order(table)["label"].to_list()
    distance = squareform((1 - table["npmi"].to_numpy()) / 2)
    at = {label: i for i, label in enumerate("abcde")}

    def length(labels):
        return sum(distance[at[x], at[y]] for x, y in pairwise(labels))

    together = [
        labels
        for labels in permutations("abcde")
        if all(abs(labels.index(x) - labels.index(y)) == 1 for x, y in (("a", "b"), ("c", "d")))
    ]
    assert length(found) <= min(map(length, together)) + 1e-9


def test_the_order_holds_each_label_once(real_pairs):
    table = order(real_pairs)
    assert table["position"].to_list() == list(range(len(table)))
    assert set(table["label"]) == set(real_pairs["first"]) | set(real_pairs["second"])


@given(IMAGES)
def test_uncertainty_is_the_mutual_information_over_the_entropy_of_the_target(images):
    table = predictions(held(images), len(images))
    labels = sorted(set().union(*images))
    assert len(table) == len(labels) * (len(labels) - 1)
    for row in table.iter_rows(named=True):
        a = [row["given"] in image for image in images]
        b = [row["target"] in image for image in images]
        entropy = mutual_info_score(b, b)
        expected = mutual_info_score(a, b) / entropy if entropy > 1e-12 else 0
        assert row["uncertainty"] == pytest.approx(expected, abs=1e-9)
        assert row["probability"] == pytest.approx(np.mean([y for x, y in zip(a, b, strict=True) if x]))
        assert row["base"] == pytest.approx(np.mean(b))
        assert row["low"] <= row["probability"] <= row["high"]


def test_a_pair_and_its_two_predictions_agree(real, real_pairs):
    total = len(real.coco.images)
    table = predictions(presence(contents(real.coco), real.coco.categories), total)
    there = table.rename({"given": "first", "target": "second"})
    joined = real_pairs.join(there, on=["first", "second"])
    assert len(joined) == len(real_pairs) == len(table) / 2
    np.testing.assert_allclose(joined["probability"] / joined["base"], joined["lift"])


def test_labels_in_every_image_are_together_and_independent():
    row = pairs(held(["ab", "ab"]), 2).row(0, named=True)
    assert (row["lift"], row["pmi"], row["npmi"], row["p"]) == (1, 0, 0, 1)


@pytest.mark.parametrize("together", range(1, 40))
def test_labels_that_only_occur_together_are_at_no_distance(together):
    table = pairs(held(["ab"] * together + ["cd"] * 3 + ["e"]), together + 4)
    assert table["npmi"].max() <= 1
    assert len(order(table)) == 5


def test_the_order_of_images_does_not_matter():
    images = ["ab", "a", "bc", "", "abc"]
    same = [pairs(held(images), 5), pairs(held(images[::-1]), 5)]
    assert same[0].equals(same[1])


def test_little_or_nothing_has_pairs_too(degenerate):
    named = presence(contents(degenerate), degenerate.categories)
    seen = named["label"].n_unique()
    total = len(degenerate.images)
    table = pairs(named, total)
    assert len(table) == len([*combinations(range(seen), 2)])
    assert len(predictions(named, total)) == 2 * len(table)
    assert len(order(table)) == (seen if seen > 1 else 0)
