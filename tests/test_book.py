"""The committed book: notebooks without outputs, runs that hold, and a site that works with no network."""

import ast
import os
import re
import subprocess
import sys

import nbformat
import pytest
import yaml

from cocoseg.coco.datasets import HOME
from cocoseg.runs import edition as editions
from cocoseg.runs.parameters import NOTEBOOKS
from cocoseg.runs.record import RUNS
from tests import browser

ALL = sorted(NOTEBOOKS.glob("*.ipynb"))


def test_the_seven_notebooks_are_there():
    assert [path.stem for path in ALL] == ["agreement", "audit", "evaluate", "properties", "quality", "survey", "train"]


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs_and_is_plain_python(path):
    content = nbformat.read(path, as_version=4)
    nbformat.validate(content)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert sum("parameters" in cell.metadata.get("tags", []) for cell in code) == 1
    for cell in code:
        ast.parse(cell.source)
    assert code[-1].source.rstrip().endswith("run.done()")
    assert "https://github.com/cocoseg/cocoseg" in code[0].source  # Colab: the first cell fetches the library


def committed_runs():
    return sorted(path.parent for path in RUNS.glob("coco-*/run.json"))


@pytest.mark.parametrize("folder", committed_runs(), ids=lambda folder: folder.name)
def test_a_published_run_shows_no_photo_and_names_no_machines_paths(folder):
    notebook = nbformat.read(folder / "notebook.ipynb", as_version=4)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    photos = [cell for cell in notebook.cells if "photos" in cell.metadata.get("tags", [])]
    assert not any(key.startswith("image/") for c in photos for o in c.outputs for key in o.get("data", {}))
    text = (folder / "notebook.ipynb").read_text() + (folder / "run.json").read_text()
    assert str(HOME) not in text and os.path.expanduser("~") + "/" not in text
    assert not any(output.get("output_type") == "error" for output in outputs)
    files = [file for file in folder.iterdir() if file.is_file()]
    assert all(file.stat().st_size <= 10 * 2**20 for file in files)


def test_the_published_edition_has_all_its_runs():
    assert [e.name for e in editions.edition("coco").entries if not e.usable] == []


def test_every_page_of_the_table_of_contents_exists_and_every_page_is_in_it():
    toc = yaml.safe_load((HOME / "_toc.yml").read_text())
    listed = set(re.findall(r"book/[\w/-]+", str(toc)))
    pages = {
        p.relative_to(HOME).with_suffix("").as_posix()
        for p in (HOME / "book").rglob("*.md")
        if not {"runs", "_assets"} & set(p.parts)
    }
    pages |= {p.relative_to(HOME).with_suffix("").as_posix() for p in ALL} | {"book/runs/index"}
    assert listed == pages


def test_no_sentence_of_a_chapter_may_come_to_nothing():
    """An expression in prose that shows nothing, in whichever edition, fails its build."""
    silent = [
        page.name for page in (HOME / "book").rglob("*.md") if re.search(r"\{eval\}`[^`]*None`", page.read_text())
    ]
    assert silent == []


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The published edition, built from the committed runs."""
    build = tmp_path_factory.mktemp("build")
    done = subprocess.run(
        [sys.executable, "-m", "cocoseg", "build"],
        cwd=HOME,
        env={**os.environ, "COCOSEG_BUILD": str(build)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return build / "html"


def test_no_chapter_of_the_published_edition_waits_for_a_run(site):
    pages = list((site / "book").rglob("*.html"))
    assert len(pages) > 15
    assert not [page.name for page in pages if "This page waits for its runs" in page.read_text()]


def test_figures_say_where_they_come_from(site):
    for part in ("dataset", "masks", "models", "results", "challenges"):
        page = (site / "book" / part / "index.html").read_text()
        assert 'class="cs-figure' in page and "cs-origin" in page and "Download the table" in page, part


def test_the_site_works_in_a_browser_from_the_file_system(site):
    """Every page; of the executed notebooks, which differ in their parameters only, one of each kind."""
    one_of_each = {entry.notebook: entry.name for entry in editions.edition("coco").entries}
    pages = [page.relative_to(site) for page in site.rglob("*.html") if "_static" not in page.parts]
    opened = [str(p) for p in pages if p.name != "notebook.html" or p.parent.name in one_of_each.values()]
    assert set(one_of_each) == {path.stem for path in ALL} and len(opened) > 50
    assert browser.check(site, opened) == []
