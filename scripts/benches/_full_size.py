"""An annotation file of train2017's size and shape, made of real annotations drawn again and again."""

import json
import random
from pathlib import Path

from cocoseg.coco.datasets import dataset

IMAGES, ANNOTATIONS = 118_287, 860_001  # instances_train2017.json


def write(path: Path, images: int = IMAGES, annotations: int = ANNOTATIONS) -> None:
    """Write an instances file of that many images and annotations (up to 8.5 an image), as COCO writes them.

    Images of the development files are drawn with all their annotations, so that sizes, crowds and objects that occur
    together are real; then annotations are left out at random, down to the number wanted.
    """
    rng = random.Random(0)
    files = [json.loads(dataset("instances").annotations(split).read_bytes()) for split in ("train2017", "val2017")]
    pool = {image["id"]: (image, []) for file in files for image in file["images"]}
    for file in files:
        for annotation in file["annotations"]:
            pool[annotation["image_id"]][1].append(_without_ids(annotation))
    drawn = rng.choices(list(pool.values()), k=images)
    objects = [(number, text) for number, (_, texts) in enumerate(drawn) for text in texts]
    kept = sorted(rng.sample(range(len(objects)), annotations))
    with path.open("w") as out:
        out.write('{"info": {}, "images": [')
        for number, (image, _) in enumerate(drawn):
            out.write(", " * (number > 0) + json.dumps(image | {"id": number, "file_name": f"{number:012d}.jpg"}))
        out.write('], "annotations": [')
        for written, i in enumerate(kept):
            number, text = objects[i]
            out.write(f'{", " * (written > 0)}{text}, "image_id": {number}, "id": {900_000_000_000 + written}}}')
        out.write(f'], "categories": {json.dumps(files[0]["categories"])}}}')


def _without_ids(annotation: dict) -> str:
    segmentation = json.dumps(annotation["segmentation"], separators=(",", ":"))
    rest = {key: annotation[key] for key in ("area", "iscrowd", "bbox", "category_id")}
    return f'{{"segmentation": {segmentation}, {json.dumps(rest)[1:-1]}'
