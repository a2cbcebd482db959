"""Hashes change with what counts, and with nothing else."""

import nbformat
import pytest

from cocoseg.runs import fingerprint
from cocoseg.runs.parameters import NOTEBOOKS

TEXT = '''
"""Module."""
import math

class A:
    """Class."""
    def f(self, x: int = 0, *rest, key=None, **more) -> str:
        """Function."""
        return f"{x!r:>{key}} and {math.pi:.3f}" "tail" f"{x=}"
'''


@pytest.mark.parametrize(
    "other",
    [
        TEXT.replace('"""Module."""', "").replace('"""Class."""', '"""Something else."""'),
        TEXT.replace("import math", "import math  # for pi\n\n\n"),
        TEXT.replace("        return", "        # why\n        return"),
    ],
)
def test_comments_layout_and_docstrings_do_not_count(other):
    assert other != TEXT
    assert fingerprint.source(other) == fingerprint.source(TEXT)


@pytest.mark.parametrize("old, new", [("x: int = 0", "x: int = 1"), ("3f", "2f"), ("*rest, ", ""), ("pi", "tau")])
def test_code_counts(old, new):
    assert fingerprint.source(TEXT.replace(old, new)) != fingerprint.source(TEXT)


def test_a_string_that_is_no_docstring_counts():
    assert fingerprint.source("x = 'a'") != fingerprint.source("x = 'b'")


def test_the_hash_is_the_same_on_every_python():
    # Computed once on Python 3.11, 3.12 and 3.13; the continuous integration runs this on all three.
    assert fingerprint.source(TEXT) == "ccc5c124f36cdce5"


def test_code_names_every_module_and_forgets_those_that_are_gone():
    hashes = fingerprint.code(["cocoseg.errors", "cocoseg.no_such_module", "cocoseg.no_room.module"])
    assert hashes["cocoseg.errors"]
    assert hashes["cocoseg.no_such_module"] == hashes["cocoseg.no_room.module"] == ""


def test_every_loaded_module_of_the_package_is_found():
    assert {"cocoseg.errors", "cocoseg.runs.fingerprint"} <= set(fingerprint.loaded())


@pytest.fixture
def copy(tmp_path):
    content = nbformat.read(NOTEBOOKS / "survey.ipynb", as_version=4)
    path = tmp_path / "copy.ipynb"

    def changed(change):
        change(content)
        nbformat.write(content, path)
        return fingerprint.notebook(path)

    return changed


def test_outputs_text_and_default_parameters_of_a_notebook_do_not_count(copy):
    before = copy(lambda content: None)

    def change(content):
        content.cells[0].source += " More text."
        next(c for c in content.cells if "parameters" in c.metadata.get("tags", [])).source += "\nmore: int = 1  # x"
        next(c for c in content.cells if c.cell_type == "code").outputs = [nbformat.v4.new_output("stream", text="out")]

    assert copy(change) == before


def test_code_of_a_notebook_counts(copy):
    before = copy(lambda content: None)
    assert copy(lambda content: content.cells.append(nbformat.v4.new_code_cell("x = 1"))) != before


def test_parameters_hash_by_value_and_not_by_order():
    assert fingerprint.values({"a": 1, "b": [2]}) == fingerprint.values({"b": [2], "a": 1})
    assert fingerprint.values({"a": 1}) != fingerprint.values({"a": 1.5})


@pytest.fixture
def split(tmp_path):
    annotations, images = tmp_path / "a.json", tmp_path / "images"
    annotations.write_text("{}")
    (images / "sub").mkdir(parents=True)
    (images / "sub" / "1.jpg").write_bytes(b"123")
    return annotations, images


def test_data_are_the_annotations_bytes_and_the_images_names_and_sizes(split):
    annotations, images = split
    before = fingerprint.data(annotations, images)
    assert fingerprint.data(annotations, images) == before

    (images / "sub" / "1.jpg").write_bytes(b"321")
    assert fingerprint.data(annotations, images) == before  # a size, not the bytes: 19 GB are not read at every status
    (images / "sub" / "1.jpg").write_bytes(b"1234")
    longer = fingerprint.data(annotations, images)
    (images / "sub" / "1.jpg").rename(images / "sub" / "2.jpg")
    renamed = fingerprint.data(annotations, images)
    annotations.write_text("{ }")
    assert len({before, longer, renamed, fingerprint.data(annotations, images)}) == 4


def test_data_without_images(split):
    annotations, images = split
    assert fingerprint.data(annotations, images.parent / "none") != fingerprint.data(annotations, images)
