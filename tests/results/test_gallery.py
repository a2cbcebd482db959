"""Which images are looked at: by their own scores, and by what they cost the dataset."""

import numpy as np
import polars as pl
import pytest

from cocoseg.results.counts import COUNTS, confusion, confusions, counts
from cocoseg.results.gallery import GALLERY, apart, gallery, ranking
from cocoseg.results.metrics import per_image, score

N = 5


@pytest.fixture
def pairs(blobs):
    made = [blobs(N, seed) for seed in range(7)]
    truth, prediction = made[3]
    truth[truth == 4] = 0
    prediction[:] = np.where(truth == 255, 0, truth)  # perfect
    made.append((np.zeros_like(truth), made[0][1]))  # nothing to find
    for truth, prediction in made:
        truth[truth == 4], prediction[prediction == 2] = 0, 4  # class 4 is only ever invented
    return made


def tabulate(pairs):
    return counts(confusions((k, confusion(t, p, N)) for k, (t, p) in enumerate(pairs)))


def test_the_cost_of_an_image_is_what_the_dataset_gains_if_it_is_predicted_perfectly(pairs):
    table, name = tabulate(pairs), "miou_d_truth"
    rows = ranking(table)
    assert set(rows["image_id"]) == set(range(7))
    for image_id, cost in rows.select("image_id", "cost").iter_rows():
        mended = list(pairs)
        truth = pairs[image_id][0]
        mended[image_id] = truth, np.where(truth == 255, 0, truth).astype(np.uint8)
        assert cost == pytest.approx(score(tabulate(mended), name) - score(table, name), abs=1e-12)


def test_scores_are_those_of_each_image(pairs):
    table = tabulate(pairs)
    rows = ranking(table)
    assert rows["miou"].is_sorted(descending=True)
    expected = per_image(table).join(rows, on="image_id")
    assert expected["miou"].to_list() == pytest.approx(expected["miou_right"].to_list())
    assert (1 - expected["accuracy"]).to_list() == pytest.approx(expected["wrong"].to_list())


def test_each_kind_has_its_images_in_order(pairs):
    rows = gallery(tabulate(pairs), each=2)
    assert rows.schema == pl.Schema(GALLERY)
    ranked = ranking(tabulate(pairs))["image_id"].to_list()
    kinds = {kind: part["image_id"].to_list() for (kind,), part in rows.group_by("kind", maintain_order=True)}
    assert kinds["best"] == ranked[:2] and kinds["worst"] == ranked[:-3:-1] and kinds["typical"] == ranked[2:4]
    costs = rows.filter(kind="costly")["cost"]
    assert costs.is_sorted(descending=True) and costs[0] == ranking(tabulate(pairs))["cost"].max()
    assert rows["rank"].to_list() == [1, 2] * 4


def test_few_images_are_all_of_each_kind_and_none_make_an_empty_gallery(pairs):
    rows = gallery(tabulate(pairs[:2]), each=6)
    assert rows.group_by("kind").len()["len"].to_list() == [2] * 4
    assert gallery(pl.DataFrame(schema=COUNTS)).schema == pl.Schema(GALLERY)
    assert gallery(tabulate(pairs[7:])).is_empty()


def test_models_differ_most_where_their_own_scores_lie_furthest_apart(pairs):
    perfect = [(truth, np.where(truth == 255, 0, truth).astype(np.uint8)) for truth, _ in pairs]
    ranked = ranking(tabulate(pairs)).sort("miou", "image_id")
    rows = apart([tabulate(pairs), tabulate(perfect)])
    assert rows.sort("low", "image_id")["image_id"].to_list() == ranked["image_id"].to_list()
    assert rows["low"].sort().to_list() == ranked["miou"].to_list() and set(rows["high"]) == {1.0}
    assert rows["gap"].is_sorted(descending=True) and rows["gap"][0] == 1 - rows["low"][0]
