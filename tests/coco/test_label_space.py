"""Label spaces: the classes, their order, and the COCO categories in each."""

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.categories import COCO
from cocoseg.coco.label_space import NAMES, VOID, label_space
from cocoseg.coco.read import read
from cocoseg.errors import UserError

IDS = np.array([i for i, _, _ in COCO])
# The ids between 1 and 90 that COCO's list of 91 has and its annotations have not.
GAPS = np.array([12, 26, 29, 30, 45, 66, 68, 69, 71, 83])


def categories(*pairs):
    rows = [(i, name, "none") for i, name in pairs]
    return pl.DataFrame(rows, {"category_id": pl.Int64, "name": pl.String, "supercategory": pl.String}, orient="row")


@pytest.mark.parametrize(("name", "n"), [("person", 2), ("supercategories", 13), ("voc21", 21), ("coco81", 81)])
def test_a_named_space_has_so_many_classes_and_background_first(name, n):
    space = label_space(name)
    assert space.name == name
    assert space.n == len(space.classes) == len(set(space.classes)) == n
    assert space.classes[0] == "background"
    assert space.void == VOID == 255
    assert sorted({number for _, number in space.category_ids}) == list(range(1, n))


def test_the_ids_and_names_are_those_of_the_real_file(instances):
    real = read(instances.annotations("val2017")).categories
    assert real.rows() == list(COCO)


def test_person_is_the_category_person_and_nothing_else():
    space = label_space("person")
    assert space.classes == ("background", "person")
    assert space.category_ids == ((1, 1),)


def test_the_supercategories_are_in_the_order_of_coco():
    space = label_space("supercategories")
    assert space.classes == (
        *("background", "person", "vehicle", "outdoor", "animal", "accessory", "sports", "kitchen", "food"),
        *("furniture", "electronic", "appliance", "indoor"),
    )
    names = {i: space.classes[number] for i, number in space.category_ids}
    assert names == {i: group for i, _, group in COCO}


def test_voc21_is_in_the_order_of_voc_with_the_ids_of_coco():
    space = label_space("voc21")
    assert space.classes == (
        *("background", "aeroplane", "bicycle", "bird", "boat", "bottle", "bus", "car", "cat", "chair", "cow"),
        *("diningtable", "dog", "horse", "motorbike", "person", "pottedplant", "sheep", "sofa", "train", "tvmonitor"),
    )
    # COCO's airplane, bicycle, bird, ... tv, by their ids.
    voc_order = [5, 2, 16, 9, 44, 6, 3, 17, 62, 21, 67, 18, 19, 4, 1, 64, 20, 63, 7, 72]
    assert space.lookup(np.array(voc_order)).tolist() == list(range(1, 21))


def test_coco81_closes_the_gaps_between_the_ids():
    space = label_space("coco81")
    assert space.lookup(IDS).tolist() == list(range(1, 81))
    assert space.classes[1:] == tuple(category for _, category, _ in COCO)
    assert space.lookup(np.array([1, 13, 90])).tolist() == [1, 12, 80]


def test_own_has_one_class_per_name_in_the_order_of_the_ids():
    space = label_space("own", categories((30, "cat"), (7, "dog"), (31, "dog")))
    assert space.classes == ("background", "dog", "cat")
    assert space.category_ids == ((7, 1), (30, 2), (31, 1))


def test_own_of_the_real_categories_is_coco81(instances):
    own = label_space("own", read(instances.annotations("val2017")).categories)
    assert (own.classes, own.category_ids) == (label_space("coco81").classes, label_space("coco81").category_ids)


@pytest.mark.parametrize("name", ["background", "Background"])
def test_a_category_called_background_is_class_0(name):
    space = label_space("own", categories((0, name), (1, "leaf")))
    assert space.classes == ("background", "leaf")
    assert space.lookup(np.array([0, 1])).tolist() == [0, 1]


def test_own_of_no_categories_is_background_alone():
    space = label_space("own", categories())
    assert space.n == 1
    assert space.lookup(np.array([0, 1])).tolist() == [-1, -1]


@pytest.mark.parametrize("name", ["person", "supercategories", "voc21", "coco81"])
def test_lookup_says_minus_one_outside_the_space(name):
    space = label_space(name)
    outside = np.array([*GAPS, 0, -1, 91, 10**12, np.iinfo(np.int64).min, np.iinfo(np.int64).max])
    found = space.lookup(outside)
    assert found.dtype == np.int16
    assert (found == -1).all()


def test_lookup_keeps_the_shape():
    space = label_space("voc21")
    assert space.lookup(np.array([[1, 90], [72, 12]])).tolist() == [[15, -1], [20, -1]]
    assert space.lookup(np.array([], np.int64)).shape == (0,)


def test_spaces_are_values():
    assert label_space("voc21") == label_space("voc21")
    assert len({label_space("voc21"), label_space("voc21"), label_space("coco81")}) == 2
    with pytest.raises(AttributeError):
        label_space("voc21").name = "mine"


def test_253_categories_fit_and_254_are_refused_with_the_remedy():
    most = categories(*((i, f"c{i}") for i in range(1, 254)))
    assert label_space("own", most).n == 254
    with pytest.raises(UserError, match=r"254 categories do not fit .*leave those you do not study out"):
        label_space("own", categories(*((i, f"c{i}") for i in range(1, 255))))


@pytest.mark.parametrize(("name", "meant"), [("persn", "person"), ("voc12", "voc21"), ("coco80", "coco81")])
def test_an_unknown_name_gets_the_nearest_and_the_valid_ones(name, meant):
    with pytest.raises(UserError, match=f"{name}.*did you mean '{meant}'") as error:
        label_space(name)
    assert all(valid in str(error.value) for valid in NAMES)
    assert "\n" not in str(error.value)


def test_own_needs_categories():
    with pytest.raises(UserError, match="needs the categories"):
        label_space("own")


def test_ids_that_are_not_those_of_coco_are_refused():
    with pytest.raises(UserError, match="category 1 is 'leaf' here but 'person' in COCO; use label space 'own'"):
        label_space("person", categories((1, "leaf")))
    with pytest.raises(UserError, match="none of its categories is here; use 'own'"):
        label_space("person", categories((91, "leaf")))


def test_a_file_with_some_of_the_categories_of_coco_is_welcome():
    assert label_space("coco81", categories((1, "Person"))) == label_space("coco81")
