"""Scores: each definition against a plain loop over images and classes, and against who else computes it."""

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import VOID
from cocoseg.errors import UserError
from cocoseg.results.counts import confusion, confusions, counts
from cocoseg.results.metrics import (
    METRICS,
    by_group,
    classes,
    cube,
    definitions,
    metric,
    per_class,
    per_image,
    score,
    scores,
    worst,
)

N = 6


def tabulate(pairs, n=N):
    return counts(confusions((k, confusion(t, p, n)) for k, (t, p) in enumerate(pairs)))


@pytest.fixture
def pairs(blobs):
    """Five images of six classes: some are missing from some truths and predictions, class 5 from every truth."""
    made = [blobs(N, seed) for seed in range(5)]
    for k, (truth, prediction) in enumerate(made):
        truth[(truth == 5) | (truth == k)] = 0
        prediction[(prediction == (k + 1) % 5) & (prediction > 0)] = 0
    return made


def masks(pair, c):
    truth, prediction = pair
    known = truth != VOID
    return (truth == c) & known, (prediction == c) & known


def iou(pairs_, c):
    """IoU over all pixels of the pairs, nan for 0 / 0."""
    both = sum((t & p).sum() for t, p in (masks(pair, c) for pair in pairs_))
    either = sum((t | p).sum() for t, p in (masks(pair, c) for pair in pairs_))
    return both / either if either else np.nan


def in_truth(pair, c):
    return masks(pair, c)[0].any()


def in_either(pair, c):
    return masks(pair, c)[0].any() or masks(pair, c)[1].any()


def mean(values):
    values = list(values)
    return np.mean(values) if values else np.nan


def naive(pairs, name, first):
    kinds = range(first, N)
    occurs = in_either if name.endswith("union") or name == "miou_d" else in_truth
    if name.startswith("miou_d"):
        return mean(iou(pairs, c) for c in kinds if any(occurs(pair, c) for pair in pairs))
    if name.startswith("miou_i"):
        images = ([iou([pair], c) for c in kinds if occurs(pair, c)] for pair in pairs)
        return mean(mean(image) for image in images if image)
    if name.startswith("miou_c"):
        images = ([iou([pair], c) for pair in pairs if occurs(pair, c)] for c in kinds)
        return mean(mean(image) for image in images if image)
    t = {c: np.concatenate([masks(pair, c)[0].ravel() for pair in pairs]) for c in kinds}
    p = {c: np.concatenate([masks(pair, c)[1].ravel() for pair in pairs]) for c in kinds}
    found = {c: (t[c] & p[c]).sum() for c in kinds}
    true = sum(t[c].sum() for c in kinds)
    match name:
        case "fw_iou":
            return sum(t[c].sum() / true * iou(pairs, c) for c in kinds if t[c].any())
        case "pixel_accuracy":
            return sum(found.values()) / true
        case "mean_accuracy":
            return mean(found[c] / t[c].sum() for c in kinds if t[c].any())
        case "mean_precision":
            return mean(found[c] / p[c].sum() for c in kinds if p[c].any())
        case "mean_dice":
            return mean(2 * found[c] / (t[c].sum() + p[c].sum()) for c in kinds if t[c].any() or p[c].any())


@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("name", [m.name for m in METRICS])
def test_each_metric_is_what_a_loop_over_masks_finds(pairs, name, background):
    expected = naive(pairs, name, 0 if background else 1)
    assert score(tabulate(pairs), name, background=background) == pytest.approx(expected, rel=1e-12)


def test_the_namesakes_differ(pairs):
    values = [score(tabulate(pairs), name) for name in ("miou_d", "miou_d_truth", "miou_i", "miou_c", "miou_c_union")]
    assert len({round(value, 6) for value in values}) == len(values)


def keras_miou(pairs, n):
    import keras

    theirs = keras.metrics.MeanIoU(num_classes=n)
    for truth, prediction in pairs:
        known = truth != VOID
        theirs.update_state(truth[known], prediction[known])
    return float(theirs.result())


def test_miou_equals_keras(pairs):
    assert score(tabulate(pairs), "miou_d") == pytest.approx(keras_miou(pairs, N), abs=1e-6)


def test_miou_equals_keras_on_coco(real_maps, person_maps):
    for few, n in ((real_maps, 81), (person_maps, 2)):
        assert score(tabulate(few, n=n), "miou_d") == pytest.approx(keras_miou(few, n), abs=1e-6)


@pytest.mark.parametrize("name", [m.name for m in METRICS])
def test_a_perfect_prediction_scores_1_and_an_entirely_wrong_one_0(pairs, name):
    truths = [truth for truth, _ in pairs]
    perfect = tabulate([(t, np.where(t == VOID, 3, t)) for t in truths])
    wrong = tabulate([(t, np.where(t == 0, 5, 0).astype(np.uint8)) for t in truths])
    assert score(perfect, name) == 1
    assert score(wrong, name) == 0


def test_absent_classes_are_no_part_of_a_mean():
    """A mean over all classes of the label space would be 2/81 here; with 1 for each absent class, 1."""
    table = tabulate([(np.uint8([[0, 7]]), np.uint8([[0, 7]]))], n=81)
    assert score(table, "miou_d") == 1
    table = tabulate([(np.uint8([[0, 7]]), np.uint8([[0, 0]]))], n=81)
    assert score(table, "miou_d") == 0.25


def test_void_scored_as_background_would_change_the_score():
    truth, prediction = np.uint8([[1, 1, 0, VOID, VOID]]), np.uint8([[1, 1, 0, 1, 1]])
    assert score(tabulate([(truth, prediction)]), "miou_d") == 1
    as_background = tabulate([(np.where(truth == VOID, 0, truth).astype(np.uint8), prediction)])
    assert score(as_background, "miou_d") < 0.5


def test_nothing_to_score_is_undefined_not_zero():
    void = tabulate([(np.full((2, 2), VOID, np.uint8), np.zeros((2, 2), np.uint8))])
    assert np.isnan(score(void, "miou_d"))
    background = tabulate([(np.zeros((2, 2), np.uint8), np.zeros((2, 2), np.uint8))])
    assert np.isnan(score(background, "miou_c", background=False))
    assert scores(background).filter(~pl.col("background"))["value"].null_count() == len(METRICS)
    assert np.isnan(worst(background, 5, background=False))


def test_worst_images_by_image_and_by_class(pairs):
    table = tabulate(pairs)
    images = sorted(mean(iou([pair], c) for c in range(N) if in_truth(pair, c)) for pair in pairs)
    assert worst(table, 40) == pytest.approx(np.mean(images[:2]))
    assert worst(table, 1) == pytest.approx(images[0])
    of_classes = [sorted(iou([pair], c) for pair in pairs if in_truth(pair, c)) for c in range(1, N)]
    lowest = [np.mean(values[: max(1, int(0.4 * len(values)))]) for values in of_classes if values]
    assert worst(table, 40, by="class", background=False) == pytest.approx(np.mean(lowest))
    assert worst(table, 100) == pytest.approx(score(table, "miou_i"))
    assert worst(table, 100, by="class") == pytest.approx(score(table, "miou_c"))


def test_per_class_and_per_image_tables_have_the_means_of_the_named_metrics(pairs):
    table = tabulate(pairs)
    rows = per_class(table)
    assert rows["class"].to_list() == list(range(N))
    assert rows["iou"].mean() == pytest.approx(score(table, "miou_d"))
    assert rows["image_iou"].mean() == pytest.approx(score(table, "miou_c"))
    assert rows["recall"].mean() == pytest.approx(score(table, "mean_accuracy"))
    invented = rows.row(5, named=True)
    assert (invented["images"], invented["iou"], invented["recall"], invented["image_iou"]) == (0, 0, None, None)
    assert per_image(table)["miou"].mean() == pytest.approx(score(table, "miou_i"))
    assert per_image(table, background=False)["miou"].mean() == pytest.approx(score(table, "miou_i", background=False))


def test_groups_of_images_are_scored_apart(pairs):
    table = tabulate(pairs)
    groups = pl.DataFrame({"image_id": [0, 1, 2, 3, 99], "crowded": ["no", "no", "yes", None, "yes"]})
    rows = by_group(table, groups, "miou_d")
    assert rows["crowded"].to_list() == ["no", "yes"] and rows["images"].to_list() == [2, 1]
    assert rows["value"][0] == pytest.approx(score(tabulate(pairs[:2]), "miou_d"))


def test_a_cube_holds_the_rows_of_the_table_and_zeros(pairs):
    table = tabulate(pairs)
    pixels = cube(table, images=[1, 3, 77], classes=[0, 4, 80])
    assert pixels.shape == (3, 3, 3) and not pixels[2].any() and not pixels[:, 2].any()
    expected = table.filter(image_id=3, **{"class": 4}).select("intersection", "predicted", "true").row(0)
    assert tuple(pixels[1, 1]) == expected


def test_the_truth_decides_which_classes_are_frequent_enough(pairs):
    table = tabulate(pairs)
    assert classes(table).tolist() == [0, 1, 2, 3, 4, 5]
    assert classes(table, background=False, min_images=1).tolist() == [1, 2, 3, 4]
    assert classes(table, min_images=5).tolist() == [0]


def test_names_are_unique_and_an_unknown_one_is_refused():
    table = definitions()
    assert table["name"].is_unique().all()
    assert table["symbol"].is_unique().all()
    assert all((table[column].str.len_chars() > 0).all() for column in ("what", "source"))
    with pytest.raises(UserError, match=r"no metric 'mean_iou'.* Valid: fw_iou, .*miou_d"):
        metric("mean_iou")
    with pytest.raises(UserError, match="expected a percentage"):
        worst(pl.DataFrame(), 0)
    with pytest.raises(UserError, match="did you mean 'class'"):
        worst(pl.DataFrame(), 5, by="classes")
