"""One notebook, one run: whole or not at all, and only when something has changed."""

import json

import nbformat
import polars as pl
import pytest

from cocoseg.errors import UserError
from cocoseg.runs import execute, record


def test_a_run_remembers_what_was_run_on_what_and_what_came_out(project):
    out = project.cocoseg("run", "measure", "-p", "number", "21", "--name", "m")
    assert "twice: 42" in out
    folder = project.runs / "m"
    assert pl.read_parquet(folder / "values.parquet")["value"].to_list() == [42]
    facts = project.facts("m")
    assert facts["parameters"] == {"number": 21, "word": "no"} and facts["given"] == {"number": 21}
    assert {"cocoseg.masks.measured", "cocoseg.runs.record"} <= set(facts["code"])
    assert set(facts["outputs"]) == {"notebook.ipynb", "values.parquet", "scores.json"}
    assert facts["machine"]["cores"] and facts["machine"]["packages"]["numpy"] and facts["seconds"] > 0
    assert {p.name for p in project.runs.iterdir()} == {"m", ".locks"}
    assert str(project.root) not in "".join(p.read_text() for p in folder.iterdir() if p.suffix != ".parquet")


def test_nothing_is_done_when_nothing_has_changed_unless_forced(project):
    project.cocoseg("run", "measure")
    (name,) = [p.name for p in project.runs.glob("[!.]*")]
    first = (project.runs / name / "run.json").stat().st_mtime_ns
    assert "nothing has changed" in project.cocoseg("run", "measure")
    assert (project.runs / name / "run.json").stat().st_mtime_ns == first
    assert "done in" in project.cocoseg("run", "measure", "--force")
    assert (project.runs / name / "run.json").stat().st_mtime_ns > first


def test_a_run_that_an_edition_asks_for_gets_the_editions_name(project):
    project.cocoseg("run", "measure", "-p", "number", "3")
    assert (project.runs / "coco-measure" / "run.json").is_file()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["mesure"], "no notebook 'mesure'; did you mean 'measure'?"),
        (["measure", "-p", "nunber", "1"], "has no parameter 'nunber'; did you mean 'number'?"),
        (["measure", "-p", "number", "101"], "101 is out of range; valid: 0 to 100"),
        (["measure", "-p", "number", "1", "-p", "number", "2"], "given twice"),
        (["judge", "-p", "training", "no-such-run"], "no finished run 'no-such-run'"),
        (["measure", "--name", "../x"], "cannot be the name of a run"),
        (["measure", "--name", "a b"], "cannot be the name of a run"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_anything_starts(project, arguments, message):
    error = project.cocoseg("run", *arguments, fails=2)
    assert message in error and error.count("\n") == 1
    assert not project.runs.exists() or not any(project.runs.iterdir())


def test_a_part_of_a_splits_name_is_enough_where_no_other_split_has_it(tmp_path):
    (tmp_path / "annotations").mkdir()
    for split in ("train2017", "val2017", "minival"):
        (tmp_path / "annotations" / f"instances_{split}.json").touch()

    def meant(split):
        values = {"data": str(tmp_path), "split": split}
        return execute._split_in_full(values, {"data": str(tmp_path)}).get("split", split)

    assert [meant(s) for s in ("train", "val2017", "val", "test")] == ["train2017", "val2017", "val", "test"]


def test_a_failed_run_keeps_its_notebook_up_to_the_error_and_leaves_the_good_one_alone(project):
    project.cocoseg("run", "measure", "--name", "m")
    good = project.facts("m")
    error = project.cocoseg("run", "measure", "-p", "word", "boom", "--name", "m", fails=1)
    assert error.splitlines()[-1].endswith("ValueError: the cell went wrong")
    attempt = project.runs / "m.attempt"
    cells = nbformat.read(attempt / "notebook.ipynb", as_version=4).cells
    assert any(o.get("ename") == "ValueError" for c in cells for o in c.get("outputs", []))
    assert project.facts("m") == good
    assert "failed       m" not in project.cocoseg("status", fails=0)  # the good run stands

    project.cocoseg("run", "measure", "-p", "word", "boom", "--name", "other", fails=1)
    assert "ValueError: the cell went wrong" in project.cocoseg("status").split("failed       other")[1]


def test_a_killed_run_leaves_nothing_that_looks_whole_and_goes_on_from_its_checkpoint(project):
    training = ["run", "train", "-p", "steps", "40", "-p", "pause", "0.1", "--name", "t"]
    project.killed(*training, when=project.runs / "t.attempt" / "checkpoint" / "step")
    assert not (project.runs / "t").exists()
    assert "interrupted  t" in project.cocoseg("status")
    reached = int((project.runs / "t.attempt" / "checkpoint" / "step").read_text())
    project.cocoseg(*training)
    assert project.scores("t")["started_at"] >= reached > 0
    assert len(project.facts("t")["continues"]) == 1
    assert not (project.runs / "t.attempt").exists() and not (project.runs / "t" / "checkpoint").exists()


def test_a_begun_training_is_only_given_up_for_another_where_that_is_asked_for(project):
    project.killed(
        *["run", "train", "-p", "steps", "40", "-p", "pause", "0.1", "--name", "t"],
        when=project.runs / "t.attempt" / "checkpoint" / "step",
    )
    another = ["run", "train", "-p", "steps", "3", "--name", "t"]
    error = project.cocoseg(*another, fails=2)
    assert "t is an unfinished training with steps 40, pause 0.1; give another --name, or --force" in error
    assert int((project.runs / "t.attempt" / "checkpoint" / "step").read_text()) > 0
    project.cocoseg(*another, "--force")
    assert project.scores("t") == {"started_at": 0, "steps": 3}


def test_so_is_a_finished_one_but_a_measurement_is_made_anew(project):
    project.cocoseg("run", "train", "-p", "steps", "3", "--name", "t")
    error = project.cocoseg("run", "train", "-p", "steps", "4", "--name", "t", fails=2)
    assert "t is a finished training with steps 3; give another --name" in error
    assert project.scores("t")["steps"] == 3
    for number in "12":
        project.cocoseg("run", "measure", "-p", "number", number, "--name", "m")
    assert project.scores("m") == {"twice": 4}


def test_a_training_that_goes_on_from_another_takes_from_it_what_makes_the_network(tmp_path, monkeypatch):
    monkeypatch.setattr(record, "RUNS", tmp_path)
    (tmp_path / "parent").mkdir()
    network = {"model": "fpn", "encoder": "resnet50", "space": "voc21", "size": 192}
    data = {"data": "mine", "split": "train", "fold": "1/2"}
    facts = {"parameters": network | data | {"steps": 9, "seed": 3}}
    (tmp_path / "parent" / "run.json").write_text(json.dumps(facts))
    assert execute.from_parent({"init_from": "parent", "steps": "5"}) == {
        **network,
        **data,
        "init_from": "parent",
        "steps": "5",
    }
    other = {"init_from": "parent", "data": "theirs", "size": "288"}
    assert execute.from_parent(other) == network | other
    assert "encoder" not in execute.from_parent({"init_from": "parent", "model": "fpn"})
    assert execute.from_parent({"steps": "5"}) == {"steps": "5"}


def test_two_processes_do_not_make_the_same_run(project):
    training = ["run", "train", "-p", "steps", "100", "-p", "pause", "0.1", "--name", "t"]
    first = project.start(*training)
    try:
        while not (project.runs / "t.attempt" / "checkpoint").exists():
            assert first.poll() is None
        assert "being made by another process" in project.cocoseg(*training, fails=2)
    finally:
        first.kill()
        first.communicate()


def test_a_file_too_large_for_git_stays_on_this_machine_and_the_run_says_so(project):
    notebook = project.root / "book" / "notebooks" / "measure.ipynb"
    content = nbformat.read(notebook, as_version=4)
    content.cells[-1].source = content.cells[-1].source.replace(
        "notes.done()", "(notes.folder / 'weights.npz').write_bytes(bytes(11 * 2**20))\nnotes.done()"
    )
    nbformat.write(content, notebook)
    project.cocoseg("run", "measure", "--name", "m")
    assert (project.runs / "m" / "local" / "weights.npz").is_file()
    facts = project.facts("m")
    assert "weights.npz" in facts["too_large_for_git"] and "weights.npz" not in facts["outputs"]


def test_help_lists_the_parameters_of_a_notebook(project):
    text = project.cocoseg("run", "--help", "measure")
    assert "number" in text and "what is doubled (0 to 100)" in text and "one of no, boom" in text
    assert "judge, measure, train" in project.cocoseg("run", "--help")


def test_the_notebook_runs_in_jupyter_as_it_is(project):
    import subprocess
    import sys

    done = subprocess.run(
        [
            *(sys.executable, "-m", "jupyter", "nbconvert", "--to", "notebook", "--execute", "--stdout"),
            str(project.root / "book" / "notebooks" / "measure.ipynb"),
        ],
        cwd=project.root,
        env={**__import__("os").environ, "PYTHONPATH": str(project.root)},
        capture_output=True,
        text=True,
    )
    if "nbconvert" in done.stderr and done.returncode:
        pytest.skip("nbconvert is not installed")
    assert done.returncode == 0, done.stderr
    assert json.loads((project.runs / "draft.attempt" / "scores.json").read_text()) == {"twice": 2}


def test_an_attempt_goes_on_only_with_the_same_inputs_and_the_same_runs_that_it_read(tmp_path):
    facts = {"hashes": {"data": "1"}, "reads": {"parent": "a"}, "started": "now", "git": {}}
    step = tmp_path / "t.attempt" / "checkpoint" / "step"
    for change, stays in ({}, True), ({"reads": {"parent": "b"}}, False), ({"hashes": {"data": "2"}}, False):
        execute._prepare(tmp_path / "t.attempt", dict(facts), fresh=True)
        step.parent.mkdir()
        step.touch()
        execute._prepare(tmp_path / "t.attempt", facts | change, fresh=False)
        assert step.exists() == stays


def test_a_training_from_before_a_parameter_was_there_is_not_another_one(tmp_path):
    (tmp_path / "t").mkdir()
    (tmp_path / "t" / "run.json").write_text(json.dumps({"parameters": {"steps": 3}}))
    facts = {"kind": "training", "parameters": {"steps": 3, "fold": ""}}
    execute._refuse_loss(tmp_path / "t.attempt", facts)
    with pytest.raises(UserError, match="t is a finished training with steps 3; give another --name"):
        execute._refuse_loss(tmp_path / "t.attempt", facts | {"parameters": {"steps": 4, "fold": ""}})
