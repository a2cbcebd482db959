"""A small dataset that can be learnt: red rectangles are persons, crowds and other categories among them."""

import json

import cv2
import numpy as np
import pytest

from cocoseg.coco.datasets import Dataset


def crowd(height, width):
    """The fields of an annotation that make it a crowd of persons all over its image."""
    everything = {"size": [height, width], "counts": [0, height * width]}
    return {"category_id": 1, "iscrowd": 1, "segmentation": everything}


def make(root, images=24, seed=0):
    """Write such a dataset to a folder; image 5 holds nothing but a crowd."""
    rng = np.random.default_rng(seed)
    (root / "annotations").mkdir(parents=True)
    (root / "train").mkdir()
    rows, annotations = [], []
    for i in range(1, images + 1):
        height, width = (48, 64) if i % 3 else (70, 50)
        photo = rng.integers(0, 120, (height, width, 3), np.uint8)
        for category in (1, 3) if i % 2 else (1,):
            x, y = (int(v) for v in rng.integers(0, (width // 2, height // 2)))
            w, h = width // 3, height // 2
            photo[y : y + h, x : x + w, 0 if category == 1 else 1] = 255
            box = {"bbox": [x, y, w, h], "area": w * h, "iscrowd": 0}
            corners = [[x, y, x + w, y, x + w, y + h, x, y + h]]
            where = {"id": len(annotations) + 1, "image_id": i, "category_id": category}
            annotations.append(where | box | {"segmentation": corners})
        if i == 5:
            annotations[-2:] = [annotations[-1] | crowd(height, width)]
        cv2.imwrite(str(root / "train" / f"{i:03d}.png"), photo[..., ::-1])
        rows.append({"id": i, "file_name": f"{i:03d}.png", "height": height, "width": width})
    categories = [
        {"id": 1, "name": "person", "supercategory": "person"},
        {"id": 3, "name": "car", "supercategory": "vehicle"},
    ]
    content = {"images": rows, "annotations": annotations, "categories": categories}
    (root / "annotations" / "instances_train.json").write_text(json.dumps(content))
    return Dataset(root.name, root)


@pytest.fixture(scope="session")
def rectangles(tmp_path_factory):
    return make(tmp_path_factory.mktemp("data") / "rectangles")


@pytest.fixture
def crowds(tmp_path):
    """A dataset of nothing but crowds: every pixel is void."""
    data = make(tmp_path / "crowds", images=4)
    path = data.annotations("train")
    content = json.loads(path.read_text())
    for annotation in content["annotations"]:
        image = content["images"][annotation["image_id"] - 1]
        annotation |= crowd(image["height"], image["width"])
    path.write_text(json.dumps(content))
    return data


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Label maps of tests are kept apart from those of trainings."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COCOSEG_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield
