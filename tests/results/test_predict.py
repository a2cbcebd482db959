"""The one pass: each image is predicted once, scored at its own size, and dropped only with a reason."""

import json

import cv2
import numpy as np
import polars as pl
import pytest
from PIL import Image

from cocoseg.coco.label_space import VOID, label_space
from cocoseg.coco.rasterise import label_maps
from cocoseg.coco.read import Coco, read
from cocoseg.errors import UserError
from cocoseg.results.boundaries import bands, contours, trimaps
from cocoseg.results.counts import CONFUSIONS, COUNTS, confusion
from cocoseg.results.metrics import score
from cocoseg.results.predict import FINDINGS, IMAGES, evaluate, evaluate_stored

PERSON = label_space("person")


def box(x, y, w, h):
    return [[x, y, x + w, y, x + w, y + h, x, y + h]]


@pytest.fixture
def split(tmp_path):
    """(coco, folder) of three grey images of different size with a person each; a crowd in the second."""
    sizes = [(40, 60), (50, 30), (33, 47)]
    images = [{"id": k, "file_name": f"{k}.png", "height": h, "width": w} for k, (h, w) in enumerate(sizes)]
    annotations = [
        {"id": k, "image_id": k, "category_id": 1, "iscrowd": 0, "bbox": [5, 5, 20, 20], "area": 400}
        | {"segmentation": box(5, 5, 20, 20)}
        for k in range(3)
    ]
    crowd = {"size": [50, 30], "counts": [1250, 250]}
    annotations.append(annotations[1] | {"id": 9, "iscrowd": 1, "segmentation": crowd})
    categories = [{"id": 1, "name": "person", "supercategory": "person"}]
    path = tmp_path / "instances_val.json"
    path.write_text(json.dumps({"images": images, "annotations": annotations, "categories": categories}))
    coco = read(path)
    for image_id, truth in label_maps(coco, PERSON):
        cv2.imwrite(str(tmp_path / f"{image_id}.png"), np.where(truth == 1, 200, 30))
    return coco, tmp_path


class Bright:
    """A predictor that finds what is bright, at half the resolution or its own, and knows what it was shown."""

    def __init__(self, shrink=1):
        self.shrink, self.seen = shrink, []

    def __call__(self, image):
        assert image.dtype == np.uint8 and image.shape[2] == 3
        self.seen.append(image.shape[:2])
        small = cv2.resize(image[..., 0], None, fx=1 / self.shrink, fy=1 / self.shrink, interpolation=cv2.INTER_AREA)
        person = small.astype(np.float32) / 255
        return np.stack([1 - person, person], -1)


def test_each_image_is_predicted_once_and_a_perfect_model_scores_1(split):
    model = Bright()
    tables = evaluate(model, *split, PERSON)
    assert model.seen == [(40, 60), (50, 30), (33, 47)]
    for name in ("counts", "bands"):
        assert score(tables[name], "miou_d") == score(tables[name], "miou_i") == 1
    assert tables["findings"].is_empty()


def test_the_tables_hold_what_is_counted_image_by_image(split):
    coco, folder = split
    tables = evaluate(Bright(shrink=4), coco, folder, PERSON)
    assert {name: table.schema for name, table in tables.items() if name in ("images", "confusions", "counts")} == {
        "images": pl.Schema(IMAGES),
        "confusions": pl.Schema(CONFUSIONS),
        "counts": pl.Schema(COUNTS),
    }
    for image_id, truth in label_maps(coco, PERSON):
        scores = Bright(shrink=4)(cv2.imread(str(folder / f"{image_id}.png")))
        prediction = cv2.resize(scores, truth.shape[::-1]).argmax(-1).astype(np.uint8)
        matrix = confusion(truth, prediction, 2)
        assert matrix[0, 1] + matrix[1, 0] > 0
        mine = {name: table.filter(image_id=image_id) for name, table in tables.items() if name != "findings"}
        expected = np.column_stack([matrix.diagonal(), matrix.sum(0), matrix.sum(1)])
        for name, array in (("counts", expected), ("bands", bands(truth, prediction, 2))):
            assert mine[name].select("intersection", "predicted", "true").to_numpy().tolist() == array.tolist()
        last = trimaps(truth, prediction, 2)[10]
        assert (
            mine["trimaps"].filter(r=10).select("intersection", "predicted", "true").to_numpy().tolist()
            == last.tolist()
        )
        lines = contours(truth, prediction, 2)[3]
        assert mine["contours"].filter(r=3).to_numpy()[:, 3:].tolist() == lines.tolist()
        row = mine["images"].row(0, named=True)
        assert (row["height"], row["width"], row["ignored"]) == (*truth.shape, (truth == VOID).sum())
        assert row["seconds"] >= 0


def test_mistakes_objects_and_confidences_are_counted_in_the_same_pass(split):
    coco, folder = split
    model = Bright(shrink=4)
    tables = evaluate(model, coco, folder, PERSON)
    assert len(model.seen) == 3
    wrong = tables["confusions"].filter(pl.col("true_class") != pl.col("predicted_class"))
    keys = ["image_id", "true_class", "predicted_class"]
    total = tables["mistakes"].group_by(keys).agg(pl.col("pixels").sum()).sort(keys)
    assert total.equals(wrong.sort(keys)) and total.height
    objects = tables["instances"]
    assert objects["annotation_id"].to_list() == [0, 1, 2] and objects["area"].to_list() == [400] * 3
    found = tables["counts"].filter(**{"class": 1})
    assert objects["visible"].to_list() == found["true"].to_list()
    assert objects["recovered"].to_list() == objects["noticed"].to_list() == found["intersection"].to_list()
    looked_at = tables["confidences"].group_by("image_id").agg(pl.col("pixels").sum()).sort("image_id")["pixels"]
    assert looked_at.to_list() == [150, 72, 96]  # of the second, a crowd hides the last column of seven
    sure = tables["confidences"]
    assert (sure["correct"] <= sure["pixels"]).all() and (sure["confidence"] <= sure["pixels"]).all()


def test_the_predicted_label_maps_are_kept_and_score_the_same_again(split):
    coco, folder = split
    tables = evaluate(Bright(shrink=4), coco, folder, PERSON, keep=folder / "deep" / "kept")
    assert sorted(file.name for file in (folder / "deep" / "kept").iterdir()) == ["0.png", "1.png", "2.png"]
    again = evaluate_stored(folder / "deep" / "kept", coco, PERSON)
    for name in set(tables) - {"images", "confidences"}:
        assert again[name].equals(tables[name]), name
    assert again["confidences"].is_empty() and again["confidences"].schema == tables["confidences"].schema


def test_the_tables_of_an_evaluation_are_small(instances):
    """Run folders are committed: a model of 81 classes must not fill them."""
    import io

    coco = read(instances.annotations("val2017"))
    few = coco.of_images(coco.images["image_id"].sort().head(4))
    rng = np.random.default_rng(0)
    tables = evaluate(
        lambda _: rng.standard_normal((8, 8, 81)), few, instances.images("val2017"), label_space("coco81")
    )
    written = {}
    for name, rows in tables.items():
        rows.write_parquet(stream := io.BytesIO(), compression="zstd", compression_level=9)
        written[name] = stream.tell()
    # A dozen classes in every image, drawn by chance, are more than a network predicts; of so few images, a third of
    # the bytes is what every file has.
    assert sum(written.values()) / 4 < 12_000, written


def test_the_crowd_is_ignored_unless_it_is_said_to_be_its_class(split):
    assert evaluate(Bright(), *split, PERSON)["images"]["ignored"].to_list() == [0, 250, 0]
    as_person = evaluate(Bright(), *split, PERSON, crowd="class")
    assert as_person["images"]["ignored"].to_list() == [0, 0, 0]
    assert score(as_person["counts"], "miou_d") < 1


def test_images_that_cannot_be_scored_are_findings_and_the_others_are_scored(split):
    coco, folder = split
    (folder / "0.png").unlink()
    (folder / "1.png").write_bytes(b"not an image")
    tables = evaluate(Bright(), coco, folder, PERSON)
    assert tables["images"]["image_id"].to_list() == [2]
    assert tables["findings"].schema == pl.Schema(FINDINGS)
    assert tables["findings"].select("code", "ids", "action").rows() == [
        ("image-missing", [0], "dropped"),
        ("image-unreadable", [1], "dropped"),
    ]


def test_an_image_of_another_size_than_its_annotations_is_not_stretched_onto_them(split):
    coco, folder = split
    cv2.imwrite(str(folder / "2.png"), np.zeros((47, 33), np.uint8))
    finding = evaluate(Bright(), coco, folder, PERSON)["findings"].row(0, named=True)
    assert finding["code"] == "image-size-differs" and finding["ids"] == [2]
    assert "(47, 33), its annotations (33, 47)" in finding["message"]


def test_the_orientation_tag_of_a_photo_is_ignored(split):
    coco, folder = split
    tag = Image.Exif()
    tag[0x0112] = 6  # turn by 90 degrees to show
    Image.open(folder / "0.png").convert("RGB").save(folder / "0.png", exif=tag)
    model = Bright()
    evaluate(model, coco, folder, PERSON)
    assert model.seen[0] == (40, 60)


def test_images_are_given_as_rgb(split):
    coco, folder = split
    Image.new("RGB", (60, 40), (250, 0, 0)).save(folder / "0.png")
    colours = []

    def model(image):
        colours.append(image[0, 0].tolist())
        return Bright()(image)

    evaluate(model, coco, folder, PERSON)
    assert colours[0] == [250, 0, 0]


def test_nothing_to_score_is_refused(split, tmp_path):
    coco, _ = split
    with pytest.raises(UserError, match=r"none of the 3 images can be scored \(first: 0.png is not in"):
        evaluate(Bright(), coco, tmp_path / "elsewhere", PERSON)
    with pytest.raises(UserError, match="none of the 0 images"):
        evaluate(Bright(), coco.of_images([]), tmp_path, PERSON)


def test_scores_that_do_not_fit_the_label_space_are_refused(split):
    with pytest.raises(UserError, match="the model scores 2 classes; expected the 21 of label space 'voc21'"):
        evaluate(Bright(), *split, label_space("voc21"))


def test_a_broken_model_is_refused_at_the_first_image(split):
    with pytest.raises(UserError, match="image 0: scores that are not finite"):
        evaluate(lambda image: np.full((4, 4, 2), np.nan), *split, PERSON)


def test_predictions_made_elsewhere_are_scored_alike(split):
    coco, folder = split
    stored = folder / "predictions"
    stored.mkdir()
    model = Bright(shrink=4)
    for image in coco.images.iter_rows(named=True):
        scores = model(cv2.imread(str(folder / image["file_name"])))
        labels = cv2.resize(scores, (image["width"], image["height"])).argmax(-1).astype(np.uint8)
        Image.fromarray(labels).save(stored / image["file_name"])
    palette = Image.open(stored / "1.png")
    palette.putpalette([0, 0, 0, 255, 0, 0])
    palette.save(stored / "1.png")
    assert Image.open(stored / "1.png").mode == "P"
    mine, theirs = evaluate(Bright(shrink=4), coco, folder, PERSON), evaluate_stored(stored, coco, PERSON)
    for name in ("confusions", "counts", "bands", "trimaps", "contours"):
        assert mine[name].equals(theirs[name])
    assert theirs["images"]["seconds"].null_count() == 3


def test_photos_of_one_name_in_two_folders_keep_their_own_predictions(split, tmp_path):
    coco, folder = split
    names = {name: f"{'night' if k else 'day'}/photo.png" for k, name in enumerate(coco.images["file_name"].head(2))}
    for name, new in names.items():
        (folder / new).parent.mkdir()
        (folder / name).rename(folder / new)
    images = coco.images.head(2).with_columns(pl.col("file_name").replace_strict(names))
    coco = Coco(images, coco.categories, coco.annotations).of_images(images["image_id"])
    tables = evaluate(Bright(), coco, folder, PERSON, keep=tmp_path / "kept")
    again = evaluate_stored(tmp_path / "kept", coco, PERSON)
    assert tables["counts"].equals(again["counts"]) and tables["images"].height == 2


def test_stored_predictions_that_do_not_fit_are_findings_or_refused(split):
    coco, folder = split
    stored = folder / "predictions"
    stored.mkdir()
    Image.new("L", (60, 40)).save(stored / "0.png")
    Image.new("L", (5, 5)).save(stored / "1.png")
    (stored / "2.png").write_bytes(b"not an image")
    codes = evaluate_stored(stored, coco, PERSON)["findings"]["code"].to_list()
    assert codes == ["prediction-size-differs", "prediction-unreadable"]
    (stored / "2.png").unlink()
    assert "prediction-missing" in evaluate_stored(stored, coco, PERSON)["findings"]["code"]
    Image.new("L", (60, 40), 7).save(stored / "0.png")
    with pytest.raises(UserError, match="image 0: the prediction has label 7"):
        evaluate_stored(stored, coco, PERSON)
    Image.new("RGB", (60, 40)).save(stored / "0.png")
    with pytest.raises(UserError, match=r"0\.png has mode RGB; expected a label map"):
        evaluate_stored(stored, coco, PERSON)


def test_coco_is_scored(person):
    coco = read(person.annotations("minival"))
    few = coco.of_images(coco.images["image_id"].head(5))
    tables = evaluate(lambda image: np.float32([[[1, 0]]]), few, person.images("minival"), PERSON)
    assert tables["images"].height == 5 and tables["findings"].is_empty()
    assert score(tables["counts"], "miou_d", background=False) == 0
    pixels = tables["images"].select(pl.col("height").cast(pl.Int64) * pl.col("width") - pl.col("ignored")).sum().item()
    assert tables["counts"]["true"].sum() == tables["counts"]["predicted"].sum() == pixels
