"""An annotation file of train2017's size and shape, made of real annotations drawn again and again."""

import json
import random
from pathlib import Path

from cocoseg.coco.datasets import dataset

IMAGES, ANNOTATIONS = 118_287, 860_001  # instances_train2017.json


def write(path: Path, source: str = "instances", images: int = IMAGES, annotations: int = ANNOTATIONS) -> None:
    """Write an instances file of that many images and annotations, as COCO writes them (470 MB).

    Images keep together: an image of the pool is drawn, with all its annotations, until there are enough, so that
    sizes, crowds and instances per image are those of the pool.
    """
    rng = random.Random(0)
    pool = [json.loads(dataset(source).annotations(s).read_bytes()) for s in dataset(source).splits]
    records = {image["id"]: (image, []) for file in pool for image in file["images"]}
    for file in pool:
        for annotation in file["annotations"]:
            records[annotation["image_id"]][1].append(annotation)
    records = list(records.values())
    drawn = rng.choices(records, k=images)
    with path.open("w") as out:
        head = {"info": pool[0]["info"], "licenses": pool[0]["licenses"]}
        out.write(json.dumps(head)[:-1] + ', "images": [')
        for i, (image, _) in enumerate(drawn):
            out.write(", " * (i > 0) + json.dumps(image | {"id": i, "file_name": f"{i:012d}.jpg"}))
        out.write('], "annotations": [')
        tails = {a["id"]: _tail(a) for _, own in records for a in own}
        written = 0
        while written < annotations:
            for i, (_, own) in enumerate(drawn):
                for annotation in own[: annotations - written]:
                    start = '{"id": %d, "image_id": %d, ' % (900_000_000_000 + written, i)
                    out.write(", " * (written > 0) + start + tails[annotation["id"]])
                    written += 1
        out.write('], "categories": ' + json.dumps(pool[0]["categories"]) + "}")


def _tail(annotation: dict) -> str:
    segmentation = json.dumps(annotation["segmentation"], separators=(",", ":"))
    rest = {k: v for k, v in annotation.items() if k not in ("id", "image_id", "segmentation")}
    return json.dumps(rest)[1:-1] + f', "segmentation": {segmentation}' + "}"
