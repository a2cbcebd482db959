"""A dataset in COCO's format that is not COCO: other categories, ids far from 1, polygons, RLE and crowds mixed."""

import json
from pathlib import Path

import numpy as np
from PIL import Image
from pycocotools import mask as coco_mask

CATEGORIES = ({"id": 40, "name": "beech"}, {"id": 7, "name": "birch"}, {"id": 10**9, "name": "ruler"})


def make(
    root: Path, split: str = "train", images: int = 12, categories=CATEGORIES, crowds: bool = True, nested: bool = True
) -> Path:
    """Write a split of blades and stripes on noise: `root`/annotations/instances_<split>.json and its photographs.

    `nested`: the photographs are in two folders.
    """
    random = np.random.default_rng(sum(map(ord, split)))
    pictures, annotations = [], []
    for k in range(images):
        width, height = (int(n) for n in random.integers(60, 120, 2))
        name = f"plot {k % 2}/{split} {k}.png" if nested else f"{split} {k}.png"
        photo = random.integers(0, 256, (height, width, 3), np.uint8)
        (root / split / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo).save(root / split / name)
        pictures.append({"id": 10**12 + 5 * k, "file_name": name, "width": width, "height": height})
        for n in range(k % 4):
            is_crowd = crowds and n == 2
            outline = _blade(random, width, height)
            annotations.append(
                {
                    "id": 3 * len(annotations),
                    "image_id": pictures[-1]["id"],
                    "category_id": categories[(k + n) % len(categories)]["id"],
                    "segmentation": outline if n == 0 else _rle(outline, height, width, compressed=n == 1),
                    "iscrowd": int(is_crowd),
                }
            )
    (root / "annotations").mkdir(parents=True, exist_ok=True)
    file = root / "annotations" / f"instances_{split}.json"
    file.write_text(json.dumps({"images": pictures, "annotations": annotations, "categories": list(categories)}))
    return root


def _blade(random, width, height) -> list[list[float]]:
    """An ellipse as a polygon, partly outside of the image."""
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)
    x, y = random.uniform(10, width - 10), random.uniform(10, height - 10)
    a, b = random.uniform(6, 30, 2)
    points = np.column_stack([x + a * np.cos(turn), y + b * np.sin(turn)]).clip(0, [width, height])
    return [points.round(2).ravel().tolist()]


def _rle(outline, height, width, compressed) -> dict:
    rle = coco_mask.merge(coco_mask.frPyObjects(outline, height, width))
    if compressed:
        return rle | {"counts": rle["counts"].decode()}
    columns = np.asarray(coco_mask.decode(rle)).T.ravel()
    ends = np.flatnonzero(np.diff(columns, prepend=0, append=1 - columns[-1]))
    return {"size": [height, width], "counts": np.diff(ends, prepend=0).tolist()}
