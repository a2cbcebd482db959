"""The README's table of benches is that of the committed rows, and rows are what `--json` promises."""

import importlib
import json
import subprocess
import sys

import pytest

from cocoseg.coco.check import check
from cocoseg.coco.datasets import HOME

ROW = {"bench", "ours", "peer", "ratio", "unit", "machine"}


@pytest.fixture
def benches(monkeypatch):
    """Import a module of scripts/benches."""
    monkeypatch.syspath_prepend(HOME / "scripts")
    return lambda name: importlib.import_module(f"benches.{name}")


def test_the_table_in_the_readme_is_that_of_the_committed_rows(benches):
    readme = benches("_readme")
    results = json.loads(readme.RESULTS.read_text())
    assert readme.shown(readme.README.read_text()) == [readme.markdown(results)]


def test_committed_rows_are_whole_and_their_ratio_is_that_of_their_numbers(benches):
    rows = [row for rows in json.loads(benches("_readme").RESULTS.read_text()).values() for row in rows]
    assert rows
    for row in rows:
        assert set(row) == ROW
        assert row["ratio"] == pytest.approx(row["peer"] / row["ours"])


def test_a_bench_replaces_its_own_rows_only(benches, tmp_path, monkeypatch):
    readme = benches("_readme")
    monkeypatch.setattr(readme, "RESULTS", tmp_path / "results.json")
    monkeypatch.setattr(readme, "README", tmp_path / "README.md")
    readme.README.write_text("before\n<!-- scripts/bench NAME --readme -->\n<!-- end -->\nafter\n")
    row = {"bench": "a", "ours": 2.0, "peer": 2468.0, "ratio": 1234.0, "unit": "s", "machine": "here"}
    readme.put("one", [row])
    readme.put("two", [row | {"bench": "b", "machine": "there"}])
    readme.put("one", [row | {"ours": 4.0, "ratio": 617.0}])
    text = readme.README.read_text()
    assert text.startswith("before\n") and text.endswith("<!-- end -->\nafter\n")
    assert "| a | 4 s | 2,468 s | 617 |\n| b | 2 s | 2,468 s | 1,234 |" in text
    assert "Measured on here (one); there (two)." in text


def test_a_generated_file_has_the_size_asked_for_and_real_annotations(benches, instances, tmp_path):
    benches("_full_size").write(tmp_path / "file.json", images=40, annotations=200)
    coco, findings = check(tmp_path / "file.json")
    assert (len(coco.images), len(coco.annotations), len(coco.categories)) == (40, 200, 80)
    assert set(findings["code"]) <= {"area-differs"}  # as COCO's own crowds have it


def test_the_survey_and_the_loop_beside_it_find_the_same(benches, instances, tmp_path, monkeypatch):
    survey = benches("survey")
    monkeypatch.setattr(survey, "FIRST", 25)
    benches("_full_size").write(tmp_path / "file.json", images=30, annotations=200)
    survey.compare(tmp_path / "file.json")
    monkeypatch.setattr(survey, "_measures", lambda mask: (1, 1, 1, 1))
    with pytest.raises(AssertionError):
        survey.compare(tmp_path / "file.json")


def test_costs_count_what_a_process_and_its_workers_take(benches):
    fresh = benches("_side_by_side").fresh
    idle = fresh("import time; time.sleep(0.3)")
    assert idle.seconds >= 0.3 > idle.processor
    big = fresh("import time; [bytes([1]) * 10**8, time.sleep(0.5)]")
    assert big.memory > idle.memory + 90


def test_every_bench_explains_itself():
    done = subprocess.run(
        [sys.executable, HOME / "scripts/bench", "--help"], capture_output=True, text=True, check=True
    )
    names = [file.stem for file in (HOME / "scripts/benches").glob("[a-z]*.py")]
    assert {"read", "rasterise", "survey"} <= set(names)
    assert all(name in done.stdout for name in names)
