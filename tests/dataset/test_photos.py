"""The photographs."""

import numpy as np
import polars as pl
import pytest
from PIL import Image, ImageFilter, ImageOps, ImageStat
from scipy import ndimage

from cocoseg.coco.read import read
from cocoseg.dataset.photos import kinds, near_duplicates, photos
from cocoseg.dataset.survey import pieces


@pytest.fixture
def album(made, tmp_path):
    """Five files: noise in colour, the same in grey, the same blurred, one broken; one is missing."""
    noise = np.random.default_rng(0).integers(0, 256, (40, 60, 3), np.uint8)
    picture = Image.fromarray(noise)
    picture.save(tmp_path / "1.png")
    ImageOps.grayscale(picture).save(tmp_path / "2.png")
    picture.filter(ImageFilter.GaussianBlur(2)).save(tmp_path / "3.png")
    (tmp_path / "4.png").write_bytes(b"not a picture")
    return made.build([(i, 60, 40) for i in range(1, 6)], []), tmp_path


def test_light_and_sharpness_by_other_means(album):
    coco, folder = album
    table = photos(coco, folder)
    for row in table.filter(status="read").iter_rows(named=True):
        luma = Image.open(folder / f"{row['image_id']}.png").convert("L")
        statistics = ImageStat.Stat(luma)
        y = np.asarray(luma, float)
        assert row["brightness"] == pytest.approx(statistics.mean[0] / 255)
        assert row["contrast"] == pytest.approx(statistics.stddev[0] / 255)
        assert row["sharpness"] == pytest.approx(ndimage.laplace(y, mode="mirror").var())
    assert table["sharpness"][2] < 0.05 * table["sharpness"][0]


def test_a_file_that_is_not_there_or_no_picture_says_so(album):
    coco, folder = album
    table = photos(coco, folder)
    assert table["status"].to_list() == ["read", "read", "read", "unreadable", "missing"]
    assert table["grey"].to_list() == [False, True, False, None, None]
    assert table["phash"][3:].to_list() == [None, None]
    counted = dict(kinds(table).select("kind", "images").rows())
    assert counted == {"colour": 2, "grey": 1, "missing": 1, "unreadable": 1}


def test_flat_and_tiny_pictures_are_measured(made, tmp_path):
    for i, colour in enumerate(("black", "white")):
        Image.new("RGB", (1, 1), colour).save(tmp_path / f"{i}.png")
    table = photos(made.build([(0, 1, 1), (1, 1, 1)], []), tmp_path)
    assert table.select("brightness", "contrast", "sharpness", "grey").rows() == [(0, 0, 0, True), (1, 0, 0, True)]


def test_other_modes_are_read_as_colour(made, tmp_path):
    picture = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 20, 3), np.uint8))
    for i, mode in enumerate(("CMYK", "P", "RGBA", "1")):
        picture.convert(mode).save(tmp_path / f"{i}.tif")
    coco = made.build([(i, 20, 20) for i in range(4)], [])
    coco.images.replace_column(1, pl.Series("file_name", [f"{i}.tif" for i in range(4)]))
    assert photos(coco, tmp_path)["status"].to_list() == ["read"] * 4


def test_duplicates_are_found_within_and_between():
    words = np.random.default_rng(0).integers(0, 2**63, 40, dtype=np.uint64)
    words[7] = words[3] ^ np.uint64(0b1011)
    a = pl.DataFrame({"image_id": range(40), "phash": [f"{int(w):016x}" for w in words]})
    assert near_duplicates(a).rows() == [(3, 7, 3)]
    found = near_duplicates(a, a.head(5), distance=64)
    assert len(found) == 200
    for first, second, distance in found.sample(50, seed=0).iter_rows():
        assert distance == (int(words[first]) ^ int(words[second])).bit_count()
    assert near_duplicates(a, a.head(5))["distance"].to_list() == [0] * 5 + [3]
    assert near_duplicates(a.clear()).is_empty()


def test_photographs_without_a_hash_have_no_duplicates():
    a = pl.DataFrame({"image_id": [1, 2], "phash": [None, None]}, {"image_id": pl.Int64, "phash": pl.String})
    assert near_duplicates(a).is_empty()


@pytest.mark.parametrize("size", [2000, 10, 3])
def test_shards_of_any_size_give_the_same_rows(real, instances, size):
    coco = real.coco.of_images(real.coco.images["image_id"][:20].to_list())
    folder = instances.images("val2017")
    parts = [photos(part, folder) for part in pieces(coco, size)]
    assert pl.concat(parts[::-1]).sort("image_id").equals(photos(coco, folder).sort("image_id"))


def test_the_same_real_photograph_compressed_again_is_found_and_no_other(real, instances, person):
    coco = real.coco.of_images(real.coco.images["image_id"][:40].to_list())
    ours = photos(coco, instances.images("val2017"))
    again = read(person.annotations("minival")).of_images(ours["image_id"].to_list())
    found = near_duplicates(ours, photos(again, person.images("minival")))
    assert found.select("first", "second").sort("first").rows() == [(i, i) for i in sorted(ours["image_id"])]
