"""Single files within the data folders, such as a second annotator's."""

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
    if Path(name).parts[:1] == ("sample",):
        dataset("sample")
    for path in (*(folder / name for folder in folders()), Path(name).expanduser()):
        if path.is_file():
            return path
    raise UserError(f"no file {name!r} in {', '.join(map(str, folders()))}, nor at this path itself")
