"""Files beside the datasets, such as a second annotator's, and folders of label maps that were predicted elsewhere."""

from collections.abc import Callable
from pathlib import Path

from cocoseg.coco.datasets import dataset, folders
from cocoseg.errors import UserError


def located(name: str) -> Path:
    """The file of that name in the data folders (`sample/exact/instances_val.json`), or at that path.

    The sample is made if it is not there yet.

    >>> located("no/such.json")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: no file 'no/such.json' ...
    """
    return _first(name, Path.is_file, "file")


def located_folder(name: str) -> Path:
    """As `located`, for a folder."""
    return _first(name, Path.is_dir, "folder")


def _first(name: str, fits: Callable[[Path], bool], what: str) -> Path:
    if Path(name).parts[:1] == ("sample",):
        dataset("sample")
    for path in (*(folder / name for folder in folders()), Path(name).expanduser()):
        if name and fits(path):
            return path
    raise UserError(f"no {what} {name!r} in {', '.join(map(str, folders()))}, nor at this path itself")
