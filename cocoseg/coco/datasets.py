"""Where datasets are: a name becomes a folder in COCO's layout.

A dataset is a folder with `annotations/instances_<split>.json` and `<split>/<file name>`. Its name is
`sample` (generated on first use), the name of such a folder under one of the data folders (`$COCOSEG_DATA`,
then `data/`, then `shared/coco/` beside the checkout), or a path. A name with a `+` is one of these with planted
defects, see `cocoseg.coco.derived`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from cocoseg.errors import UserError, nearest

HOME = Path(os.environ.get("COCOSEG_HOME", Path(__file__).resolve().parents[2]))


@dataclass(frozen=True)
class Dataset:
    """A folder in COCO's layout."""

    name: str
    root: Path

    @property
    def splits(self) -> list[str]:
        """Names of the splits that have an annotation file."""
        files = (self.root / "annotations").glob("instances_*.json")
        return sorted(file.stem.removeprefix("instances_") for file in files)

    def annotations(self, split: str) -> Path:
        """The annotation file of a split; an unknown split is a `UserError`."""
        if split not in self.splits:
            raise UserError(f"dataset {self.name!r} has no split {split!r}; {nearest(split, self.splits)}")
        return self.root / "annotations" / f"instances_{split}.json"

    def images(self, split: str) -> Path:
        """The folder of a split's images, which may be missing."""
        return self.root / split


def folders() -> list[Path]:
    """The data folders, in the order in which they are searched."""
    given = os.environ.get("COCOSEG_DATA")
    return ([Path(given)] if given else []) + [HOME / "data", HOME.parent / "shared" / "coco"]


def available() -> list[Dataset]:
    """Every dataset found in the data folders, each name once, nearest folder first."""
    found = {}
    for folder in folders():
        for root in sorted(folder.glob("*/annotations")):
            if next(root.glob("instances_*.json"), None):
                found.setdefault(root.parent.name, Dataset(root.parent.name, root.parent))
    return list(found.values())


def dataset(name: str) -> Dataset:
    """The dataset of that name or path; the sample is made if it is not there yet.

    >>> dataset("no such dataset")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: no dataset 'no such dataset' ...
    """
    if name == "sample":
        from cocoseg.coco import sample

        root = folders()[-2] / "sample"
        sample.ensure(root)
        return Dataset("sample", root)
    if "+" in name and not (Path(name).expanduser() / "annotations").is_dir():
        from cocoseg.coco import derived

        parts = derived.parse(name)
        base = dataset(parts.base)
        root = folders()[-2] / f"{base.name}+{name.rpartition('+')[2]}"
        derived.ensure(base.root, parts, root)
        return Dataset(root.name, root)
    known = {d.name: d for d in available()}
    if name in known:
        return known[name]
    root = Path(name).expanduser()
    if (root / "annotations").is_dir():
        return Dataset(root.resolve().name, root.resolve())
    raise UserError(
        f"no dataset {name!r} (a folder with annotations/instances_<split>.json) in "
        f"{', '.join(map(str, folders()))}; {nearest(name, [*known, 'sample'])}"
    )
