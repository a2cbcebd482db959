"""What a notebook writes down, and what a chapter reads of it."""

import json

import polars as pl
import pytest

from cocoseg.errors import UserError
from cocoseg.runs.record import Recorder, Run


@pytest.fixture
def run(tmp_path):
    """A finished run with a small table, and a large one that stays on the machine that made it."""
    notes = Recorder(tmp_path / "mine")
    notes.tables({"classes": pl.DataFrame({"n": [1]}), "anatomy": pl.DataFrame({"n": [2]})})
    notes.scores(images=3)
    (notes.folder / "local").mkdir()
    (notes.folder / "anatomy.parquet").rename(notes.folder / "local" / "anatomy.parquet")
    (notes.folder / "run.json").write_text(json.dumps({"too_large_for_git": {"anatomy.parquet": "a hash"}}))
    return Run(notes.folder)


def test_a_table_is_read_wherever_it_had_to_be_put(run):
    assert run.table("classes")["n"].to_list() == [1]
    assert run.table("anatomy")["n"].to_list() == [2]
    assert run.scores == {"images": 3}


def test_a_table_that_stayed_on_another_machine_is_one_line(run):
    (run.folder / "local" / "anatomy.parquet").unlink()
    with pytest.raises(UserError, match=r"'anatomy' of run mine is too large for git; .* make the run here"):
        run.table("anatomy")


def test_an_unknown_table_gets_the_nearest(run):
    with pytest.raises(UserError, match=r"no table 'clases'; did you mean 'classes'"):
        run.table("clases")
