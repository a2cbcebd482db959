"""A second annotator's categories, and what it says about what it lacks."""

import json

import polars as pl
import pytest

from cocoseg.challenges.annotators import LVIS, annotator
from cocoseg.coco.categories import COCO
from cocoseg.coco.files import located
from cocoseg.coco.read import CATEGORIES
from cocoseg.errors import UserError

OURS = pl.DataFrame(COCO, CATEGORIES, orient="row")
SQUARE = [[2, 2, 8, 2, 8, 8, 2, 8]]


@pytest.fixture
def file(tmp_path):
    def write(categories, annotations=(), **of_image):
        rows = [
            {"id": k, "image_id": 1, "category_id": category, "segmentation": SQUARE}
            for k, category in enumerate(annotations, 1)
        ]
        content = {
            "images": [{"id": 1, "height": 10, "width": 10, **of_image}],
            "annotations": rows,
            "categories": categories,
        }
        path = tmp_path / "other.json"
        path.write_text(json.dumps(content))
        return path

    return write


@pytest.fixture(scope="session")
def lvis():
    try:
        return annotator(located("extra/lvis_val_100.json"), OURS)
    except UserError as error:
        pytest.skip(f"LVIS's annotations are not on this machine: {error}")


def test_categories_are_connected_by_name_whatever_the_case(file):
    path = file([{"id": 7, "name": "Wine_Glass"}, {"id": 8, "name": "sofa"}], [7, 8])
    second = annotator(path, OURS)
    assert second.categories.rows() == [(46, "wine glass", 7, "Wine_Glass", True)]
    assert second.coco.annotations["category_id"].to_list() == [46]
    assert second.complete is None


def test_synsets_come_before_names(file):
    rodent, device = ({"id": k, "name": "mouse", "synset": f"mouse.n.0{k}"} for k in (1, 4))
    second = annotator(file([rodent, device], [1, 4]), OURS)
    assert second.categories.rows() == [(74, "mouse", 4, "mouse", True)]


def test_a_file_of_other_things_is_refused(file):
    with pytest.raises(UserError, match=r"other.json has no category in common with the first annotator \(person, "):
        annotator(file([{"id": 1, "name": "acorn"}]), OURS)


@pytest.mark.parametrize(
    ("negative", "unfinished", "annotated", "complete"),
    [
        ([], [], [], []),
        ([1], [], [], [1]),
        ([], [], [1], [1]),
        ([], [1], [1], []),
        ([2], [], [1], [1, 18]),
        ([3], [], [], []),  # a kind of dog: nothing is said about dogs
    ],
)
def test_a_category_is_complete_where_the_file_says_so(file, negative, unfinished, annotated, complete):
    categories = [
        {"id": 1, "name": "baby", "synset": "person.n.01"},
        {"id": 2, "name": "dog", "synset": "dog.n.01"},
        {"id": 3, "name": "pug-dog", "synset": "pug.n.01"},
    ]
    path = file(categories, annotated, neg_category_ids=negative, not_exhaustive_category_ids=unfinished)
    assert annotator(path, OURS).complete["category_id"].to_list() == complete


def test_the_map_to_lvis_is_about_coco_and_no_synset_is_in_it_twice():
    assert set(LVIS) <= {name for _, name, _ in COCO}
    synsets = [synset for several in LVIS.values() for synset in several]
    assert len(synsets) == len(set(synsets))


def test_every_synset_of_the_map_is_in_lvis(lvis):
    assert set(lvis.categories["name"]) == set(LVIS)
    assert lvis.categories.height == sum(map(len, LVIS.values()))
    assert lvis.categories.filter("same").height == len(LVIS)


def test_where_lvis_is_complete_is_what_its_own_lists_say(lvis):
    file = json.loads(located("extra/lvis_val_100.json").read_text())
    (person,) = (c["id"] for c in file["categories"] if c["synset"] == "person.n.01")
    there = {a["image_id"] for a in file["annotations"] if a["category_id"] == person}
    certain = {
        image["id"]
        for image in file["images"]
        if person in image["neg_category_ids"]
        or (image["id"] in there and person not in image["not_exhaustive_category_ids"])
    }
    assert set(lvis.complete.filter(category_id=1)["image_id"]) == certain
    assert 0 < len(certain) < len(file["images"])
