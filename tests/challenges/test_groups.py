"""Groups that were not annotated as groups: found by who is near whom, and by who lies in whom."""

import polars as pl

from cocoseg.challenges.groups import covering, groups


def people(*places, category=1, image=1, start=1):
    """Instances with boxes of 10 px, whose left upper corners are at these places."""
    return pl.DataFrame(
        [
            {"annotation_id": start + k, "image_id": image, "category_id": category, "left": float(x), "top": float(y),
             "width": 10.0, "height": 10.0, "pixels": 80 + k}
            for k, (x, y) in enumerate(places)
        ]
    )  # fmt: skip


def crowd(category, image=1):
    return pl.DataFrame({"image_id": [image], "category_id": [category], "iscrowd": [True]})


ROW = [(15 * k, 0) for k in range(12)]  # gaps of half a box: grown by a quarter on each side, they meet


def test_neighbours_of_a_category_are_one_group_that_its_largest_instance_stands_for():
    (row,) = groups(people(*ROW), crowd(2)).iter_rows(named=True)
    assert (row["annotation_id"], row["score"], row["note"]) == (12, 12, "box 0, 0, 175, 10")


def test_who_stands_apart_does_not_belong():
    assert groups(people(*ROW, (0, 40)), crowd(2))["score"].to_list() == [12]
    assert groups(people((0, 0), (16, 0)), crowd(2)).is_empty()


def test_other_categories_and_other_images_are_other_groups():
    rows = pl.concat([people(*ROW[:3]), people(*ROW[3:], category=2, start=50), people(*ROW, image=2, start=80)])
    assert groups(rows, crowd(5))["score"].to_list() == [3, 9, 12]


def test_where_the_rest_is_a_crowd_the_group_was_seen():
    assert groups(people(*ROW), crowd(1)).is_empty()
    assert groups(people(*ROW), crowd(1, image=2)).height == 1


def test_an_instance_is_counted_the_others_of_its_category_in_it():
    pairs = pl.DataFrame(
        [
            {"image_id": 1, "small_id": small, "large_id": 9, "small_category_id": kind, "large_category_id": 1,
             "small_pixels": 100, "common": common}
            for small, kind, common in ((1, 1, 100), (2, 1, 80), (3, 1, 79), (4, 2, 100))
        ]
    )  # fmt: skip
    assert covering(pairs).rows() == [(1, 9, 2.0, "")]


def test_nothing_has_no_groups():
    assert groups(people((0, 0)).clear(), crowd(1)).is_empty()
