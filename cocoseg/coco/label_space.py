"""Label spaces: which class each COCO category becomes, and in which order.

A label space is a value. Class 0 is `background`, 255 is void, and a category that is in no class is dropped
before anything is painted.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import polars as pl

from cocoseg.coco.categories import COCO, VOC
from cocoseg.errors import UserError, nearest

VOID = 255
NAMES = ("person", "supercategories", "voc21", "coco81", "own")


@dataclass(frozen=True)
class LabelSpace:
    """Ordered classes (`classes[0]` is 'background') and the category ids that map to them.

    >>> space = label_space("voc21")
    >>> space.n, space.classes[15], space.lookup(np.array([1, 62, 90]))
    (21, 'person', array([15,  9, -1], dtype=int16))
    """

    name: str
    classes: tuple[str, ...]
    category_ids: tuple[tuple[int, int], ...]  # (category id, class), by id
    void: int = field(default=VOID, init=False)

    @property
    def n(self) -> int:
        """Number of classes, background included, void not."""
        return len(self.classes)

    def lookup(self, category_ids: np.ndarray) -> np.ndarray:
        """The class of each category id, i16 of the same shape; -1 where the category is outside the space."""
        ids, classes = self._arrays
        at = np.searchsorted(ids, category_ids)
        return np.where(ids[at] == category_ids, classes[at], np.int16(-1))

    @cached_property
    def _arrays(self) -> tuple[np.ndarray, np.ndarray]:
        # The largest id ends the list, so that a search never runs past it; it is in no dataset.
        pairs = (*self.category_ids, (np.iinfo(np.int64).max, -1))
        return np.array([i for i, _ in pairs]), np.array([number for _, number in pairs], np.int16)


def label_space(name: str, categories: pl.DataFrame | None = None) -> LabelSpace:
    """The label space of that name.

    'person' (2 classes), 'supercategories' (13), 'voc21' (PASCAL VOC's 20 objects in VOC's order) and 'coco81' go by
    COCO's own category ids. 'own' has one class per category name of `categories` (as `Coco.categories`), ordered
    by id; a category called background is class 0. An unknown name, a file whose ids are not COCO's, and more
    than 254 classes are a `UserError`.

    >>> label_space("voc12")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: no label space 'voc12'; did you mean 'voc21'? Valid: ...
    """
    match name:
        case "person":
            pairs = [(i, category) for i, category, _ in COCO if category == "person"]
        case "supercategories":
            pairs = [(i, group) for i, _, group in COCO]
        case "voc21":
            ids = {category: i for i, category, _ in COCO}
            pairs = [(ids[category], voc) for voc, category in VOC]
        case "coco81":
            pairs = [(i, category) for i, category, _ in COCO]
        case "own":
            if categories is None:
                raise UserError("label space 'own' needs the categories of an annotation file")
            pairs = sorted(categories.select("category_id", "name").unique().iter_rows())
        case _:
            raise UserError(f"no label space {name!r}; {nearest(name, NAMES)}")
    if name != "own" and categories is not None:
        _refuse_other_ids(name, {i for i, _ in pairs}, categories)
    classes = ("background", *dict.fromkeys(c for _, c in pairs if c.lower() != "background"))
    if len(classes) > 254:
        raise UserError(
            f"{len(classes) - 1} categories do not fit a uint8 label map (253 classes, background, void = 255); "
            "leave those you do not study out of the file's 'categories' (their annotations are then dropped), or give "
            "label_space('own', …) a table of fewer"
        )
    number = {c: n for n, c in enumerate(classes)}
    return LabelSpace(name, classes, tuple(sorted((i, number.get(c, 0)) for i, c in pairs)))


def _refuse_other_ids(name: str, wanted: set[int], categories: pl.DataFrame) -> None:
    coco = {i: category for i, category, _ in COCO}
    mine = [(i, c) for i, c in categories.select("category_id", "name").iter_rows() if i in wanted]
    for i, category in mine:
        if category.lower() != coco[i]:
            raise UserError(
                f"label space {name!r} goes by COCO's ids, and category {i} is {category!r} here but {coco[i]!r} in "
                "COCO; use label space 'own'"
            )
    if not mine:
        raise UserError(f"label space {name!r} goes by COCO's ids, and none of its categories is here; use 'own'")
