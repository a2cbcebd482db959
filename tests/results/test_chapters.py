"""A model that this project never saw gets the whole part on results: label maps in a folder, and one command."""

import json
import os
import re
import subprocess
import sys

import cv2
import numpy as np
import pytest

from cocoseg.coco.datasets import HOME
from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import read
from tests import foreign

EDITION = """\
title: Mine
dataset: mine
about: Leaves.
runs:
  evaluate-theirs:
    notebook: evaluate
    parameters: {{data: mine, split: val, space: own, predictions: {folder}}}
"""

# A page's cells and expressions in their order, as the builder executes them; prints what each page shows.
EXECUTE = r"""
import ast, json, re, sys
from pathlib import Path
from cocoseg.runs import build, edition

edition.EDITIONS = Path(sys.argv[1])
PARTS = re.compile(r"^```\{code-cell\} python\n(?::[^\n]*\n)*(.*?)^```$|\{eval\}`([^`]+)`", re.MULTILINE | re.DOTALL)
shown = {}
for page in map(Path, sys.argv[2:]):
    text, scope, found = page.read_text(), {}, []
    assert not build.missing(edition.edition(), text), page
    for code, expression in PARTS.findall(text):
        tree = ast.parse(code)
        ends = isinstance(tree.body[-1], ast.Expr) if tree.body else False
        last = ast.Expression(tree.body.pop().value) if ends else expression
        exec(compile(tree, page.name, "exec"), scope)
        if last:
            value = eval(compile(last, page.name, "eval"), scope)
            found.append(str(getattr(value, "data", getattr(value, "html", value))))
    shown[page.stem] = "\n".join(found)
print(json.dumps(shown))
"""


def shifted(labels):
    """A prediction that is wrong along every boundary, and in one corner."""
    moved = np.roll(labels, (2, 3), (0, 1))
    moved[:12, :12] = 1
    return np.where(moved == VOID, 0, moved).astype(np.uint8)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """What each page on results shows of an edition of nothing but such an evaluation."""
    folder = tmp_path_factory.mktemp("theirs")
    root = foreign.make(folder / "data" / "mine", "val", 24, nested=False)
    coco = read(root / "annotations" / "instances_val.json")
    files = dict(coco.images["image_id", "file_name"].iter_rows())
    for image_id, labels in label_maps(coco, label_space("own", coco.categories)):
        file = folder / "net" / files[image_id]
        file.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(file), shifted(labels))
    (folder / "mine.yml").write_text(EDITION.format(folder=folder / "net"))
    runs = {"COCOSEG_DATA": str(folder / "data"), "COCOSEG_RUNS": str(folder / "runs"), "COCOSEG_EDITION": "mine"}

    def done(*command):
        made = subprocess.run(
            [sys.executable, *command], cwd=HOME, env={**os.environ, **runs}, capture_output=True, text=True
        )
        assert made.returncode == 0, made.stdout + made.stderr
        return made.stdout

    asked = {"data": "mine", "split": "val", "space": "own", "predictions": str(folder / "net")}
    given = [word for key, value in asked.items() for word in ("-p", key, value)]
    done("-m", "cocoseg", "run", "evaluate", *given, "--name", "mine-evaluate-theirs")
    chapters = sorted((HOME / "book" / "results").glob("*.md"))
    return json.loads(done("-c", EXECUTE, str(folder), *map(str, chapters)))


def test_every_page_shows_the_model(pages):
    silent = {"calibration": "label maps that somebody else predicted", "compare": "there is nothing to compare"}
    assert len(pages) == len(list((HOME / "book" / "results").glob("*.md")))
    for page, shown in pages.items():
        assert silent.get(page, "net") in shown, page


def test_no_page_shows_a_number_that_is_none(pages):
    words = {page: re.sub(r"<script.*?</script>|<[^>]*>", " ", shown, flags=re.DOTALL) for page, shown in pages.items()}
    assert [(page, *re.findall(r".{,40}\b(?:nan|None)\b.{,40}", text)) for page, text in words.items()] == [
        (page,) for page in words
    ]
