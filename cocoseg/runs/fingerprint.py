"""Content hashes: of code, notebooks, parameters, data and files.

A run is *current* while four of these are what `run.json` says: notebook, parameters, code and data.
"""

import ast
import functools
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

import nbformat


def digest(*parts: str | bytes) -> str:
    """SHA-256 of the parts, each preceded by its length, as 16 hexadecimal digits.

    >>> digest("ab", "c") == digest("a", "bc")
    False
    """
    sha = hashlib.sha256()
    for part in parts:
        part = part.encode() if isinstance(part, str) else part
        sha.update(b"%d:" % len(part) + part)
    return sha.hexdigest()[:16]


def _canonical(node) -> str:
    if isinstance(node, ast.AST):
        fields = [(name, value) for name, value in ast.iter_fields(node) if value not in (None, [])]
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
            fields = [(name, body if name == "body" else value) for name, value in fields]
        if isinstance(node, ast.JoinedStr):  # Python 3.12 has an empty constant where others have none
            fields = [("values", [v for v in node.values if getattr(v, "value", None) != ""])]
        inner = ",".join(f"{name}={_canonical(value)}" for name, value in fields if name not in ("kind", "ctx"))
        return f"{type(node).__name__}({inner})"
    if isinstance(node, list):
        return "[" + ",".join(map(_canonical, node)) + "]"
    return repr(node)


def source(text: str) -> str:
    """Hash of Python source by its syntax tree: comments, layout and docstrings do not count.

    Empty fields are left out, so that the hash is the same on Python 3.11 to 3.13, whose trees differ in them.

    >>> source("def f(x):  # why\\n    'What.'\\n    return x") == source("def f(x): return x")
    True
    >>> source("x = 1") == source("x = 2")
    False
    """
    return digest(_canonical(ast.parse(text)))


def loaded() -> list[str]:
    """Names of the `cocoseg` modules that this process has imported."""
    return sorted(name for name in sys.modules if name.partition(".")[0] == "cocoseg")


@functools.cache
def _module(path: str, _changed: int) -> str:
    return source(Path(path).read_text())


def code(modules: Iterable[str]) -> dict[str, str]:
    """The hash of each module's source; a module that no longer exists hashes to ''."""
    hashes = {}
    for name in sorted(modules):
        try:
            spec = importlib.util.find_spec(name)
        except ModuleNotFoundError:
            spec = None
        path = spec and spec.origin
        hashes[name] = _module(path, os.stat(path).st_mtime_ns) if path else ""
    return hashes


def notebook(path: Path) -> str:
    """Hash of a notebook's code cells but the one with parameters, which are hashed by value."""
    cells = nbformat.read(path, as_version=4).cells
    texts = [
        cell.source for cell in cells if cell.cell_type == "code" and "parameters" not in cell.metadata.get("tags", [])
    ]
    return source("\n".join(texts))


def values(parameters: Mapping) -> str:
    """Hash of parameters, whatever their order."""
    return digest(json.dumps(parameters, sort_keys=True))


@functools.cache
def _file(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:16]


def file(path: Path) -> str:
    """Hash of a file's bytes."""
    stat = path.stat()
    return _file(path, stat.st_size, stat.st_mtime_ns)


def data(annotations: Path, images: Path) -> str:
    """Hash of a split: the annotation file's bytes, and the name and size in bytes of every image."""
    listing = []
    if images.is_dir():
        for folder, _, names in os.walk(images):
            base = Path(folder)
            listing += [f"{(base / n).relative_to(images).as_posix()} {(base / n).stat().st_size}" for n in names]
    return digest(file(annotations), *sorted(listing))
