"""From runs to a site: every number computed, and a site whole or not at all."""

import re
import shutil
from types import SimpleNamespace

import pytest

from cocoseg.runs import build as module
from tests.runs.conftest import ROOT

HEAD = """---
kernelspec: {display_name: Python 3, language: python, name: python3}
jupytext: {text_representation: {extension: .md, format_name: myst}}
"""
CHAPTER = """---

# Chapter

```{code-cell} python
:tags: [remove-input]
from cocoseg.runs.edition import edition

run = edition().run("measure")
```

The number is {eval}`run.scores["twice"]`.
"""


@pytest.fixture
def book(project):
    """The miniature with a book of two pages about its run."""
    home = project.root
    shutil.copy(ROOT / "_config.yml", home)
    shutil.copytree(ROOT / "book" / "_assets", home / "book" / "_assets")
    (home / "requirements.txt").write_text("")
    (home / "book" / "references.bib").write_text("")
    (home / "_toc.yml").write_text(
        "format: jb-book\nroot: book/index\nparts:\n- caption: Part\n  chapters:\n  - file: book/chapter\n"
        "  - file: book/runs/index\n"
    )
    project.runs.mkdir()
    (home / "book" / "index.md").write_text("# Book\n\nSee {doc}`chapter`.\n")
    (project.runs / "index.md").write_text("# Runs\n\nAll of them.\n")
    chapter(project, HEAD + "needs: measure\n" + CHAPTER)
    project.edition("runs:\n  measure: {notebook: measure, parameters: {number: 3}}\n")
    return project


def chapter(project, text):
    (project.root / "book" / "chapter.md").write_text(text)


def text(project, page="book/chapter.html", below=""):
    content = (project.root / "_build" / "html" / below / page).read_text()
    return re.sub(r"<[^>]+>", "", content)


def tree(project):
    root = project.root / "_build" / "html"
    return {f.relative_to(root): f.read_bytes() for f in root.rglob("*") if f.is_file()}


def test_a_site_follows_its_runs(book):
    # A run that is missing: the page says which command makes it, and the build does not fail, unless it is strict.
    book.cocoseg("build")
    assert "cocoseg run measure -p number 3 --name coco-measure" in text(book)
    error = book.cocoseg("build", "--strict", fails=1)
    assert "not current: coco-measure" in error

    # --run makes it, and the page shows its number.
    book.cocoseg("build", "--run", "--strict")
    assert "The number is 6." in text(book)
    assert (book.root / "_build/html/book/runs/coco-measure/notebook.html").is_file()
    before = tree(book)

    # Nothing has changed, nothing is done.
    assert "nothing has changed" in book.cocoseg("build")
    assert tree(book) == before

    # The code changed: the page says so, a strict build refuses.
    book.module("def twice(number):\n    return 2 * number + 1\n")
    assert "coco-measure" in book.cocoseg("build", "--strict", fails=1)
    assert tree(book) == before

    # A changed run changes the number, though no page changed.
    book.cocoseg("build", "--run")
    assert "The number is 7." in text(book)

    # A chapter that fails leaves the site as it was.
    before = tree(book)
    chapter(book, HEAD + CHAPTER + "\n```{code-cell} python\n1 / 0\n```\n")
    assert "ZeroDivisionError" in book.cocoseg("build", fails=1)
    assert tree(book) == before

    # So does a warning of Sphinx.
    chapter(book, HEAD + CHAPTER + "\n{doc}`nowhere`\n")
    assert "nowhere" in book.cocoseg("build", fails=1)
    assert tree(book) == before

    # And a build that is killed; the next one succeeds.
    chapter(book, HEAD + CHAPTER.replace("The number is", "The new number is"))
    book.killed("build", when=book.root / "_build" / "coco.stage" / "_build" / "html" / "_static")
    assert tree(book) == before
    book.cocoseg("build")
    assert "The new number is 7." in text(book)


def test_an_edition_stands_below_the_published_one_and_both_find_each_other(book):
    book.edition("runs:\n  measure: {notebook: measure, parameters: {number: 5}}\n", "sample")
    book.cocoseg("build")
    assert "sample/index.html" not in (book.root / "_build/html/_static/editions.js").read_text()
    book.cocoseg("build", "--edition", "sample", "--run")
    assert "The number is 10." in text(book, below="sample")
    assert "sample/index.html" in (book.root / "_build/html/_static/editions.js").read_text()
    assert "../index.html" in (book.root / "_build/html/sample/_static/editions.js").read_text()

    # Building the published edition anew keeps the other.
    book.cocoseg("build", "--run")
    assert "The number is 6." in text(book) and "The number is 10." in text(book, below="sample")


def test_a_failed_run_is_no_run(book):
    book.edition("runs:\n  measure: {notebook: measure, parameters: {number: 3, word: boom}}\n")
    assert "the cell went wrong" in book.cocoseg("build", "--run", fails=1)
    book.cocoseg("build")
    assert "This page waits for its runs" in text(book)


def test_a_page_that_needs_a_run_no_edition_has_is_refused(book):
    chapter(book, HEAD + "needs: mesure\n" + CHAPTER)
    assert "did you mean 'measure'" in book.cocoseg("build", fails=2)


def test_a_page_is_left_out_of_an_edition_that_does_not_ask_for_its_run(book):
    book.edition("runs:\n  other: {notebook: judge, parameters: {}}\n", "mine")
    book.cocoseg("build", "--edition", "mine")
    page = text(book, below="mine")
    assert "Not in this edition" in page and "does not ask for: measure" in page and "book/editions/mine.yml" in page


def test_an_unknown_edition_is_refused(book):
    assert "did you mean 'coco'" in book.cocoseg("build", "--edition", "cocoo", fails=2)


@pytest.mark.parametrize(
    ("words", "tries"), [("zmq.error.ZMQError: Address already in use", 2), ("WARNING: no such page", 1)]
)
def test_a_kernel_that_lost_its_port_is_given_another_and_other_failures_are_final(tmp_path, monkeypatch, words, tries):
    began = []

    def jupyter_book(command, stdout, **_):
        began.append(command)
        stdout.write(words)
        return SimpleNamespace(returncode=1)

    monkeypatch.setattr(module, "BUILD", tmp_path)
    monkeypatch.setattr(module.subprocess, "run", jupyter_book)
    with pytest.raises(module.BuildFailed, match=words):
        module._jupyter_book(tmp_path / "stage", "coco", print)
    assert len(began) == tries
