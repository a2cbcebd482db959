"""Small datasets by hand and by chance; real and generated images as pycocotools sees them."""

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import settings
from hypothesis import strategies as st
from pycocotools.coco import COCO

from cocoseg.coco import sample
from cocoseg.coco.label_space import label_space
from cocoseg.coco.read import ANNOTATIONS, CATEGORIES, IMAGES, Coco, read
from cocoseg.masks.shard import decode

settings.register_profile("masks", deadline=None, max_examples=40)
settings.load_profile("masks")

NAMED = ((3, "cat", "animal"), (5, "dog", "animal"), (8, "cup", "kitchen"))


def runs_of(mask):
    """The runs of a mask H×W, from where it changes along its columns."""
    flat = np.asarray(mask, bool).T.reshape(-1)
    return np.flatnonzero(np.diff(flat, prepend=False, append=False)).reshape(-1, 2)


def segmentation(drawn):
    """The encoding and the JSON of polygons or of a mask H×W."""
    if isinstance(drawn, list):
        return "polygon", json.dumps(drawn).encode()
    counts = np.diff(runs_of(drawn).ravel(), prepend=0, append=drawn.size).tolist()
    return "rle-counts", json.dumps({"size": drawn.shape, "counts": counts}).encode()


def build(images, drawn, categories=NAMED):
    """A file of (image id, width, height) and (image id, category id, polygons or mask[, crowd]); the annotations have
    the ids 11, 12, … and no area."""
    rows = []
    for k, (image, category, shape, *crowd) in enumerate(drawn, 11):
        encoding, content = segmentation(shape)
        key = {"annotation_id": k, "image_id": image, "category_id": category, "iscrowd": any(crowd)}
        rows.append(dict.fromkeys(ANNOTATIONS) | key | {"encoding": encoding, "segmentation": content})
    pictures = [{"image_id": i, "file_name": f"{i}.png", "width": w, "height": h, "license": 1} for i, w, h in images]
    named = pl.DataFrame(categories, CATEGORIES, orient="row")
    return Coco(pl.DataFrame(pictures, IMAGES), named, pl.DataFrame(rows, ANNOTATIONS))


@st.composite
def some_mask(draw, height=None, width=None):
    """Any pixels: bool H×W, up to 12×12 if no size is given."""
    height, width = height or draw(st.integers(1, 12)), width or draw(st.integers(1, 12))
    pixels = st.lists(st.booleans(), min_size=height * width, max_size=height * width)
    return np.array(draw(pixels)).reshape(height, width)


def some_polygon():
    """x, y, x, y, … of 1 to 12 points in hundredths of pixels, partly outside of the image, often crossing itself."""
    coordinate = st.integers(-300, 1200).map(lambda n: n / 100) | st.integers(-3, 12)
    return st.lists(coordinate, min_size=2, max_size=24).map(lambda flat: flat[: len(flat) // 2 * 2])


@st.composite
def some_coco(draw):
    """Up to three images of up to 8×8 px with up to six annotations in any order: polygons, RLE, crowds."""
    images = [(7 * i + 2, draw(st.integers(1, 8)), draw(st.integers(1, 8))) for i in range(draw(st.integers(0, 3)))]
    drawn = []
    for _ in range(draw(st.integers(0, 6)) if images else 0):
        image, width, height = draw(st.sampled_from(images))
        shape = draw(some_mask(height, width) | st.lists(some_polygon(), min_size=1, max_size=3))
        drawn.append((image, draw(st.sampled_from([3, 5, 8])), shape, draw(st.booleans())))
    return build(images, drawn)


DEGENERATE = {
    "nothing at all": build([], [], ()),
    "images without annotations": build([(1, 4, 4), (2, 3, 5)], []),
    "one image of 1 px": build([(1, 1, 1)], [(1, 3, np.ones((1, 1), bool))]),
    "a mask without pixels": build([(1, 4, 4)], [(1, 3, [[1, 1, 3, 1]])]),
    "polygons of few points": build([(1, 9, 9)], [(1, 3, [[1, 1, 5, 5], [2, 2, 6, 2, 6, 6], []])]),
    "a polygon around the image": build([(1, 4, 4)], [(1, 3, [[-90, -90, 90, -90, 90, 90, -90, 90]])]),
    "all crowds": build([(1, 4, 4)], [(1, 3, np.ones((4, 4), bool), 1), (1, 5, np.ones((4, 4), bool), 1)]),
}


@pytest.fixture(params=DEGENERATE, scope="session")
def degenerate(request):
    """Datasets that have little or nothing in them."""
    return DEGENERATE[request.param]


@pytest.fixture(scope="session")
def made():
    """`build`, `runs_of`, and the strategies `some_mask` and `some_coco`."""
    functions = {f.__name__: staticmethod(f) for f in (build, runs_of, some_mask, some_coco)}
    return type("Made", (), functions)


@pytest.fixture(scope="session", params=["instances", "person", "sample"])
def path(request, tmp_path_factory):
    """A real file with all categories, one with persons only, and the exact masks of a generated sample."""
    if request.param == "sample":
        folder = tmp_path_factory.mktemp("sample")
        sample.make(folder, train=0, val=15)
        return folder / "exact" / "instances_val.json"
    split = {"instances": "val2017", "person": "minival"}[request.param]
    return request.getfixturevalue(request.param).annotations(split)


@pytest.fixture(scope="session")
def peer(path):
    """pycocotools' index of the file."""
    return COCO(path)


@pytest.fixture(scope="session")
def coco(path):
    """Forty images of the file, those with crowds first."""
    every = read(path)
    crowded = every.annotations.filter("iscrowd")["image_id"].unique().sort().to_list()
    others = every.images.filter(~pl.col("image_id").is_in(crowded))["image_id"].sort().to_list()
    return every.of_images([*crowded, *others][:40])


@pytest.fixture(scope="session")
def space(coco):
    return label_space("own", coco.categories)


@pytest.fixture(scope="session")
def shard(coco):
    return decode(coco)


@pytest.fixture(scope="session")
def masks(shard, peer):
    """pycocotools' mask of each row of `shard.annotations`: uint8 H×W."""
    return [np.array(peer.annToMask(peer.anns[i])) for i in shard.annotations["annotation_id"].to_list()]
