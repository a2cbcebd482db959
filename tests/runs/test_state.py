"""Current or stale, and why."""

import json

import pytest

from cocoseg.errors import UserError
from cocoseg.runs import state


@pytest.fixture
def made(project):
    for role in (["measure", "-p", "number", "3"], ["train", "-p", "steps", "2"]):
        project.cocoseg("run", *role)
    project.cocoseg("run", "judge", "-p", "training", "coco-train")
    return project


def states(project, *arguments) -> dict[str, str]:
    lines = project.cocoseg("status", *arguments).splitlines()
    return {line.split()[1]: line.split()[0] for line in lines if not line.startswith(" ")}


def test_states(made):
    assert states(made) == {"coco-measure": "current", "coco-train": "current", "coco-judge": "current"}
    made.cocoseg("status", "--strict")

    # A comment is no change; a line of code turns the runs that used it stale, and no others.
    made.module("def twice(number):\n    # a sum\n    return 2 * number\n")
    assert set(states(made).values()) == {"current"}
    made.module("def twice(number):\n    return number + number\n")
    assert states(made) == {"coco-measure": "stale", "coco-train": "current", "coco-judge": "current"}
    assert "code changed: cocoseg.masks.measured" in made.cocoseg("status")
    made.cocoseg("status", "--strict", fails=1)

    # So does an edition that asks for something else.
    made.module("def twice(number):\n    return 2 * number\n")
    edition = (made.root / "book" / "editions" / "coco.yml").read_text().partition("runs:")
    made.edition("runs:" + edition[2].replace("number: 3", "number: 4"))
    assert "parameters changed: number 3 → 4" in made.cocoseg("status")
    made.edition("runs:" + edition[2])

    # A training is a fact of its commit: drift is told, and it stays current.
    notebook = made.root / "book" / "notebooks" / "train.ipynb"
    notebook.write_text(notebook.read_text().replace("notes.scores(", "notes.scores(more=1, "))
    assert states(made)["coco-train"] == "current"
    assert "since this training: notebook changed" in made.cocoseg("status")

    # So with a parameter that its notebook has got since, unless the edition asks for a value of it.
    text = notebook.read_text()
    notebook.write_text(text.replace("pause: float", "size: int = 8  # px\\npause: float"))
    assert states(made)["coco-train"] == "current"
    assert "since this training: parameters since added: size" in made.cocoseg("status")
    made.edition("runs:" + edition[2].replace("steps: 2", "steps: 2, size: 16"))
    assert "parameters changed: size None → 16" in made.cocoseg("status")
    made.edition("runs:" + edition[2])
    notebook.write_text(text)

    # What reads a run becomes stale when the run says something else.
    made.cocoseg("run", "train", "-p", "steps", "2", "--force")
    assert states(made)["coco-judge"] == "stale"
    assert "reads run coco-train, which changed" in made.cocoseg("status")

    # A table that somebody edited is found out.
    made.cocoseg("run", "judge", "-p", "training", "coco-train")
    (made.runs / "coco-judge" / "scores.json").write_text(json.dumps({"steps": 99}))
    assert "not what the run wrote: scores.json" in made.cocoseg("status")

    # A run that is gone is missing.
    (made.runs / "coco-measure" / "run.json").unlink()
    assert states(made)["coco-measure"] == "missing"


def test_a_comparison_is_stale_once_the_other_file_says_something_else(tmp_path):
    (tmp_path / "annotations").mkdir()
    for file in ("annotations/instances_val.json", "other.json"):
        (tmp_path / file).write_text("{}")
    split = {"data": str(tmp_path), "split": "val"}
    both = split | {"other": str(tmp_path / "other.json")}
    then = state.data(both)
    assert then == state.data(both) != state.data(split)
    (tmp_path / "other.json").write_text("[]")
    assert state.data(both) not in (then, None)
    (tmp_path / "other.json").unlink()
    assert state.data(both) is None


def test_an_evaluation_of_label_maps_is_stale_once_one_of_them_changes(tmp_path):
    predictions = tmp_path / "predictions"
    predictions.mkdir()
    (predictions / "1.png").write_bytes(b"one")
    values = {"data": "sample", "split": "val", "predictions": str(predictions), "onnx": "", "training": ""}
    before = state.data(values)
    assert before not in (None, state.data(values | {"predictions": ""}))
    (predictions / "1.png").write_bytes(b"two")
    after = state.data(values)
    (predictions / "2.png").write_bytes(b"one")
    assert len({before, after, state.data(values)}) == 3
    (predictions / "notes.txt").write_text("not a label map")
    assert state.data(values) != after
    with pytest.raises(UserError, match="no folder"):
        state.beside(values | {"predictions": str(tmp_path / "none")})
    assert state.data(values | {"predictions": str(tmp_path / "none")}) is None
