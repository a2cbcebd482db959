"""What mending a kind of mistake gains: equal to mending the label maps themselves, and shared out fairly."""

from itertools import permutations

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import VOID
from cocoseg.results.counts import cells, confusion, confusions, counts
from cocoseg.results.decomposition import decomposition, shapley, values
from cocoseg.results.intervals import draws, interval
from cocoseg.results.metrics import METRICS, score
from cocoseg.results.mistakes import KINDS, mistake_counts, mistake_table, mistakes

N = 4


@pytest.fixture
def pairs(blobs):
    made = []
    for seed in range(4):
        truth, prediction = blobs(N, seed)
        prediction[:40, 60:] = 0
        truth[90:, :50] = np.where(truth[90:, :50] == VOID, VOID, 0)
        made.append((truth, prediction))
    return made


def tabulate(pairs):
    return counts(confusions((k, confusion(t, p, N)) for k, (t, p) in enumerate(pairs)))


def mistaken(pairs):
    parts = [cells(k, mistake_counts(mistakes(t, p), t, p, N)[..., None]) for k, (t, p) in enumerate(pairs)]
    return mistake_table(parts)


def mend(pairs, chosen):
    """The predictions with the pixels of the chosen kinds put right."""
    wanted = [k + 1 for k in range(len(KINDS)) if chosen >> k & 1]
    return [(t, np.where(np.isin(mistakes(t, p), wanted), t, p)) for t, p in pairs]


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("name", ["miou_d", "miou_d_truth", "miou_i", "miou_c", "fw_iou", "mean_precision"])
def test_mending_in_the_counts_is_mending_the_label_maps(pairs, name, background):
    table, wrong = tabulate(pairs), mistaken(pairs)
    found = values(table, wrong, name, np.ones((1, len(pairs))), background=background)[:, 0]
    for chosen in (0, 1, 2, 4, 32, 64, 37, 90, 127):
        expected = score(tabulate(mend(pairs, chosen)), name, background=background)
        assert found[chosen] == pytest.approx(expected, rel=1e-12), (name, chosen)


@pytest.mark.parametrize("name", [m.name for m in METRICS])
def test_the_gains_sum_to_what_is_missing_and_the_shares_to_one(pairs, name):
    table = tabulate(pairs)
    rows = decomposition(table, mistaken(pairs), name)
    assert rows["gain"].sum() == pytest.approx(1 - score(table, name), abs=1e-12)
    assert rows["share"].sum() == pytest.approx(1)
    assert rows["kind"].to_list() == list(KINDS)


def test_a_shapley_value_is_the_mean_over_all_orders():
    rng = np.random.default_rng(0)
    value = np.concatenate([[0], rng.random(15)])
    gains = np.zeros(4)
    for order in permutations(range(4)):
        coalition = 0
        for player in order:
            gains[player] += value[coalition | 1 << player] - value[coalition]
            coalition |= 1 << player
    np.testing.assert_allclose(shapley(value), gains / 24)


def test_the_gains_of_single_mends_do_not_sum_which_is_why_they_are_shared(pairs):
    table = tabulate(pairs)
    rows = decomposition(table, mistaken(pairs))
    assert rows["alone"].sum() < 0.95 * (1 - score(table, "miou_d_truth"))


@pytest.mark.parametrize("name", ["miou_d_truth", "miou_i"])
def test_intervals_are_those_of_the_decomposition_of_resampled_images(pairs, name):
    table, wrong = tabulate(pairs), mistaken(pairs)
    drawn = []
    for weights in next(draws(len(pairs), 30, 0)):
        chosen = [pairs[k] for k, times in enumerate(weights) for _ in range(int(times))]
        drawn.append(decomposition(tabulate(chosen), mistaken(chosen), name, resamples=1)["gain"].to_numpy())
    low, high = np.nanquantile(np.array(drawn, float), [0.05, 0.95], axis=0)
    rows = decomposition(table, wrong, name, resamples=30, level=0.9)
    np.testing.assert_allclose(rows["gain_low"], low, atol=1e-12)
    np.testing.assert_allclose(rows["gain_high"], high, atol=1e-12)
    assert (rows["gain_low"] < rows["gain_high"]).any()


def test_classes_of_few_images_can_be_left_out(pairs):
    pairs[0] = tuple(np.where(m == 3, 0, m) for m in pairs[0])
    table = tabulate(pairs)
    rows = decomposition(table, mistaken(pairs), "miou_d_truth", min_images=len(pairs), resamples=1)
    expected = interval(table, "miou_d_truth", min_images=len(pairs), resamples=1)["estimate"][0]
    assert rows["gain"].sum() == pytest.approx(1 - expected, abs=1e-12)
    assert expected != pytest.approx(score(table, "miou_d_truth"))


def test_an_invented_class_leaves_the_mean_when_it_is_mended():
    truth = np.zeros((60, 60), np.uint8)
    prediction = truth.copy()
    prediction[20:40, 20:40] = 3
    rows = decomposition(tabulate([(truth, prediction)]), mistaken([(truth, prediction)]), "miou_d")
    assert dict(rows.select("kind", "gain").iter_rows())["invented object"] == pytest.approx(1 - (3200 / 3600) / 2)


def test_a_perfect_prediction_has_nothing_to_share(pairs):
    perfect = [(t, np.where(t == VOID, 0, t).astype(np.uint8)) for t, _ in pairs]
    rows = decomposition(tabulate(perfect), mistaken(perfect))
    assert rows["gain"].to_list() == [0] * 7 and rows["pixels"].sum() == 0 and rows["share"].null_count() == 7


def test_the_counts_of_a_label_map_without_mistakes_table_are_as_they_were(pairs):
    empty = mistaken([])
    assert values(tabulate(pairs), empty, "miou_d", np.ones((1, len(pairs))))[-1, 0] == pytest.approx(
        score(tabulate(pairs), "miou_d")
    )
    assert isinstance(empty, pl.DataFrame)
