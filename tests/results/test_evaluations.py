"""The evaluations of an edition, grouped by what they were asked, and under names that tell them apart."""

import json

import polars as pl
import pytest

from cocoseg.results import evaluations as module
from cocoseg.results.evaluations import groups, planted
from cocoseg.runs import edition
from cocoseg.runs.edition import Edition, Entry

SPLIT = {"data": "sample", "split": "val"}


def counts(right, true=100):
    """One image with one class besides background, of which `right` pixels are found and none invented."""
    rows = {"image_id": [1, 1], "class": [0, 1], "intersection": [300, right]}
    return pl.DataFrame(rows | {"predicted": [400 - right, right], "true": [300, true], "ignored": [0, 0]})


@pytest.fixture
def book(tmp_path, monkeypatch):
    """Makes an edition of evaluations: each `role: (model, training's parameters, counts, run's parameters)`."""
    monkeypatch.setattr(module, "RUNS", tmp_path)
    monkeypatch.setattr(edition, "RUNS", tmp_path)
    monkeypatch.setattr(Entry, "usable", True)

    def write(entry, **scores):
        (tmp_path / entry.name).mkdir()
        facts = {"notebook": entry.notebook, "parameters": entry.parameters, "too_large_for_git": []}
        (tmp_path / entry.name / "run.json").write_text(json.dumps(facts))
        (tmp_path / entry.name / "scores.json").write_text(json.dumps(scores))
        return entry

    def made(**evaluations):
        entries = []
        for role, (model, learnt, table, *more) in evaluations.items():
            role, asked = role.replace("_", "-"), SPLIT | (more[0] if more else {})
            if learnt is not None:
                learnt = SPLIT | {"space": "person", "model": model, "size": 128, "seed": 0} | learnt
                entries.append(write(Entry(f"x-train-{role}", f"train-{role}", "train", learnt)))
                asked["training"] = f"x-train-{role}"
            entries.append(
                write(
                    Entry(f"x-evaluate-{role}", f"evaluate-{role}", "evaluate", asked),
                    model=model,
                    space=(learnt or asked)["space"],
                )
            )
            table.write_parquet(tmp_path / f"x-evaluate-{role}" / "counts.parquet")
            pl.DataFrame({"class": [0, 1], "name": ["background", "person"]}).write_parquet(
                tmp_path / f"x-evaluate-{role}" / "classes.parquet"
            )
        return Edition("x", "X", "sample", "", tuple(entries))

    return made


def labels(book):
    (group,) = groups(book)
    return [group.label(e) for e in group.evaluations]


def test_a_group_has_its_best_evaluation_first(book):
    (group,) = groups(book(a=("unet", {}, counts(20)), b=("fpn", {}, counts(80)), c=("floor", {}, counts(0))))
    assert [e.name for e in group.evaluations] == ["b", "a", "c"]
    assert group.best.name == "b" and group.best.score == pytest.approx((300 / 320 + 0.8) / 2)
    assert (group.source, group.space, group.images) == ("sample/val", "person", 1)


@pytest.mark.parametrize(
    "other",
    [
        ("fpn", {}, counts(80, true=101)),
        ("fpn", {"space": "voc21"}, counts(80)),
        ("fpn", {}, counts(80), {"split": "train"}),
    ],
    ids=["another truth", "another label space", "another split"],
)
def test_what_was_asked_something_else_is_in_another_group(book, other):
    made = groups(book(a=("unet", {}, counts(20)), b=("seed-cnn", {}, counts(30)), c=other))
    assert [[e.name for e in group.evaluations] for group in made] == [["b", "a"], ["c"]]


def test_an_evaluation_without_a_table_that_is_asked_for_is_left_out(book):
    made = book(a=("unet", {}, counts(20)))
    assert groups(made, ["counts", "bands"]) == []


def test_an_evaluation_is_called_as_its_model_and_not_as_its_role(book):
    assert labels(book(person=("unet", {}, counts(80)), other=("fpn", {}, counts(20)))) == ["unet", "fpn"]


def test_several_seeds_of_a_recipe_are_told_apart_by_them(book):
    made = book(a=("unet", {"seed": 4}, counts(20)), b=("unet", {"seed": 7}, counts(80)), c=("fpn", {}, counts(50)))
    assert labels(made) == ["unet (seed 7)", "fpn", "unet (seed 4)"]
    (group,) = groups(made)
    assert {recipe: len(members) for recipe, members in group.recipes.items()} == {"unet": 2, "fpn": 1}


def test_two_recipes_of_a_model_are_told_apart_by_the_size_of_their_inputs(book):
    made = book(
        person=("unet", {"size": 288}, counts(90)),
        a=("unet", {"seed": 1}, counts(80)),
        b=("unet", {"seed": 2}, counts(70)),
        c=("unet", {}, counts(60), {"size": 512}),
    )
    assert labels(made) == ["unet at 288 px", "unet at 128 px (seed 1)", "unet at 128 px (seed 2)", "unet at 512 px"]


def test_a_model_whose_encoder_started_from_drawn_weights_is_called_so(book):
    made = book(
        a=("fpn", {"encoder": "efficientnet-lite0"}, counts(90)),
        b=("fpn", {"encoder": "efficientnet-lite0:random", "seed": 1}, counts(80)),
        c=("fpn", {"encoder": "efficientnet-lite0:random", "seed": 2}, counts(70)),
    )
    assert labels(made) == ["fpn", "fpn from scratch (seed 1)", "fpn from scratch (seed 2)"]


def test_evaluations_keep_their_names_where_nothing_else_tells_them_apart(book):
    made = book(
        a=("unet", {"loss": "dice"}, counts(90)),
        b=("unet", {"loss": "focal"}, counts(80)),
        b_2=("unet", {"loss": "focal", "seed": 1}, counts(70)),
    )
    assert labels(made) == ["a", "b", "b-2"]
    assert labels(book(c=("fpn", {}, counts(20)), c_again=("fpn", {}, counts(10)))) == ["c", "c-again"]


def test_predictions_made_elsewhere_have_no_training_and_no_seed(book):
    (group,) = groups(book(theirs=("their network", None, counts(80), {"space": "person"})))
    assert group.best.training is None and group.best.seed is None and group.best.size is None
    assert group.label(group.best) == "their network"


def test_what_has_to_do_with_planted_defects_is_in_no_group(book):
    spoiled = {"data": "sample+missing20@1"}
    evaluations = {
        "a": ("fpn", {}, counts(80)),
        "b": ("fpn", spoiled, counts(70)),
        "c": ("fpn", {}, counts(60), spoiled),
    }
    made = book(**evaluations)
    assert labels(made) == ["fpn"]
    assert [e.name for e in planted(made)] == ["b", "c"]


def many(images):
    return pl.concat([counts(80).with_columns(image_id=pl.lit(k, pl.Int64)) for k in range(images)])


@pytest.mark.parametrize(("images", "demonstration"), [(9, True), (10, False)])
def test_scores_of_classes_that_few_images_have_are_called_a_demonstration(book, images, demonstration):
    (group,) = groups(book(a=("unet", {}, many(images))))
    assert group.demonstration == demonstration
    assert ("a demonstration" in group.title) == ("in fewer than 10 images" in group.about) == demonstration
