"""Small datasets by hand and by chance; the real ones as pycocotools sees them."""

import numpy as np
import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import ANNOTATIONS, CATEGORIES, IMAGES, Coco, read

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

CATEGORY = ("category_id", "name", "supercategory")


def build(images, boxes, categories=((3, "cat", "animal"), (5, "dog", "animal"), (8, "cup", "kitchen"))):
    """A file of (image id, width, height) and rectangles (image id, category id, x, y, w, h[, crowd])."""
    rows = []
    for k, (image, category, x, y, w, h, *crowd) in enumerate(boxes):
        outline = f"[[{x},{y},{x + w},{y},{x + w},{y + h},{x},{y + h}]]".encode()
        box = {"x": float(x), "y": float(y), "w": float(w), "h": float(h), "area": float(w * h)}
        rows.append(
            {
                **{"annotation_id": k + 1, "image_id": image, "category_id": category, **box},
                **{"iscrowd": bool(crowd and crowd[0]), "encoding": "polygon", "segmentation": outline},
            }
        )
    pictures = [{"image_id": i, "file_name": f"{i}.png", "width": w, "height": h, "license": 1} for i, w, h in images]
    named = [dict(zip(CATEGORY, row, strict=True)) for row in categories]
    return Coco(pl.DataFrame(pictures, IMAGES), pl.DataFrame(named, CATEGORIES), pl.DataFrame(rows, ANNOTATIONS))


@st.composite
def some_coco(draw):
    """Up to six images of 1 to 40 px and up to a dozen rectangles in them, crowds among them."""
    side = st.integers(1, 40)
    images = [(7 * i + 2, draw(side), draw(side)) for i in range(draw(st.integers(0, 6)))]
    boxes = []
    for _ in range(draw(st.integers(0, 12)) if images else 0):
        i, width, height = draw(st.sampled_from(images))
        x, y = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
        w, h = draw(st.integers(1, width - x)), draw(st.integers(1, height - y))
        boxes.append((i, draw(st.sampled_from([3, 5, 8])), x, y, w, h, draw(st.booleans())))
    return build(images, boxes)


DEGENERATE = {
    "nothing at all": build([], [], ()),
    "images without annotations": build([(1, 4, 4), (2, 3, 5)], []),
    "categories without images": build([], []),
    "one image of 1 px": build([(1, 1, 1)], [(1, 3, 0, 0, 1, 1)]),
    "one category": build([(1, 9, 9), (2, 9, 9)], [(1, 3, 0, 0, 4, 4)], ((3, "cat", "animal"),)),
    "all crowds": build([(1, 9, 9), (2, 9, 9)], [(1, 3, 0, 0, 4, 4, 1), (2, 5, 1, 1, 4, 4, 1)]),
    "no sizes, no boxes": Coco(
        build([(1, 9, 9)], []).images,
        build([(1, 9, 9)], []).categories,
        build([(1, 9, 9)], [(1, 3, 0, 0, 4, 4)]).annotations.with_columns(
            pl.lit(None, pl.Float64).alias(name) for name in ("area", "x", "y", "w", "h")
        ),
    ),
}


@pytest.fixture(params=DEGENERATE, scope="session")
def degenerate(request):
    """Datasets that have little or nothing in them."""
    return DEGENERATE[request.param]


@pytest.fixture(scope="session")
def made():
    """`build`, and `some_coco`, the strategy."""
    return type("Made", (), {"build": staticmethod(build), "some_coco": staticmethod(some_coco)})


@pytest.fixture(scope="session")
def animals():
    """Four images: two cats and a dog; a cat and a crowd of dogs; a crowd of cups; nothing."""
    return build(
        [(1, 40, 20), (2, 20, 40), (3, 30, 30), (4, 40, 20)],
        [
            (1, 3, 0, 0, 10, 10),
            (1, 3, 20, 5, 10, 10),
            (1, 5, 5, 5, 10, 10),
            (2, 3, 2, 2, 8, 8),
            (2, 5, 1, 20, 18, 18, 1),
            (3, 8, 4, 4, 20, 20, 1),
        ],
    )


@pytest.fixture(scope="session")
def real(instances):
    """val2017 of `instances`: our tables, pycocotools' index, and the label space of its categories."""
    path = instances.annotations("val2017")
    coco = read(path)
    return type("Real", (), {"coco": coco, "peer": COCO(path), "space": label_space("own", coco.categories)})


@pytest.fixture(scope="session")
def real_masks(real):
    """Each instance of `real` decoded by pycocotools: {annotation id: uint8 H×W}."""
    return {i: np.asarray(real.peer.annToMask(annotation)) for i, annotation in real.peer.anns.items()}
