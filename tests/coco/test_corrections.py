"""Corrections: what is dropped, replaced and added, that nothing else changes, and what is refused."""

import json
from copy import deepcopy

import numpy as np
import pytest
from click.testing import CliRunner
from pycocotools.coco import COCO
from pycocotools.mask import frPyObjects

from cocoseg.cli import main
from cocoseg.coco.corrections import VERDICTS, correct
from cocoseg.coco.read import read
from cocoseg.errors import UserError


def square(number, x=2, image_id=1):
    ring = [x, 2, x + 8, 2, x + 8, 10, x, 10]
    return {
        "segmentation": [ring], "area": 64.0, "iscrowd": 0, "image_id": image_id, "bbox": [x, 2, 8, 8],
        "category_id": 1, "id": number,
    }  # fmt: skip


SMALL = {
    "info": {"year": 2017},
    "images": [{"id": 1, "height": 20, "width": 40, "file_name": "1.jpg"}],
    "annotations": [square(7), square(9, 12), square(12, 22)],
    "categories": [{"id": 1, "name": "person", "supercategory": "person"}],
}


@pytest.fixture
def files(tmp_path):
    (tmp_path / "instances.json").write_text(json.dumps(SMALL))

    def corrected(corrections):
        text = corrections if isinstance(corrections, str) else json.dumps(corrections)
        (tmp_path / "corrections.json").write_text(text)
        counts = correct(
            tmp_path / "instances.json", tmp_path / "corrections.json", tmp_path / "new" / "instances.json"
        )
        return counts, json.loads((tmp_path / "new" / "instances.json").read_text())

    corrected.folder = tmp_path
    return corrected


def test_nothing_to_correct_leaves_everything(files):
    assert files({}) == ({"dropped": 0, "replaced": 0, "added": 0}, SMALL)


def test_annotations_are_dropped_replaced_and_added_and_all_else_stays(files):
    moved = square(9, 13)
    counts, document = files(
        {"drop": [7], "replace": [moved], "add": [{k: v for k, v in square(0, 30).items() if k != "id"}]}
    )
    assert counts == {"dropped": 1, "replaced": 1, "added": 1}
    assert document["annotations"] == [moved, SMALL["annotations"][2], square(13, 30)]
    assert {k: v for k, v in document.items() if k != "annotations"} == {
        k: v for k, v in SMALL.items() if k != "annotations"
    }


def test_what_is_missing_of_an_annotation_is_the_masks(files):
    bare = {"image_id": 1, "category_id": 1, "segmentation": [[2, 2, 10, 2, 10, 10, 2, 10]]}
    added = files({"add": [bare]})[1]["annotations"][-1]
    assert (added["id"], added["area"], added["bbox"], added["iscrowd"]) == (13, 64, [2, 2, 8, 8], 0)


@pytest.mark.parametrize(
    ("corrections", "complaint"),
    [
        ("[1]", "corrections.json: .* expected a JSON object with the lists drop, replace and add"),
        ("{", "expected a JSON object"),
        ({"dropp": [7]}, "unknown field `dropp`"),
        ({"drop": ["7"]}, "Expected `int`"),
        ({"drop": [8]}, "annotation 8 is not in instances.json"),
        ({"drop": [0]}, "annotation 0 is not in instances.json"),
        ({"replace": [square(8)]}, "annotation 8 is not in instances.json"),
        ({"drop": [7, 7]}, "annotation 7 is named twice"),
        ({"drop": [7], "replace": [square(7)]}, "annotation 7 is named twice"),
        ({"replace": [square(7), square(7)]}, r"replace\[1\]: annotation 7 is replaced twice"),
        ({"replace": [{k: v for k, v in square(7).items() if k != "id"}]}, r"replace\[0\]: it has no id"),
        ({"add": [square(7)]}, r"add\[0\]: annotation 7 is in instances.json"),
        ({"add": [square(20), square(20)]}, r"add\[1\]: annotation 20 is in"),
        ({"add": [square(20, image_id=2)]}, r"add\[0\]: image 2 is not in instances.json"),
        ({"add": [{**square(20), "category_id": 2}]}, r"add\[0\]: category 2 is not in instances.json"),
        ({"add": [{"image_id": 1, "category_id": 1}]}, r"add\[0\]: .*segmentation"),
        ({"add": [{**square(20), "segmentation": [[1, 2, 3]]}]}, r"add\[0\]: a polygon has an x without a y"),
        ({"add": [{**square(20), "segmentation": [[50, 2, 60, 2, 60, 9]]}]}, r"add\[0\]: the mask covers no pixel"),
        ({"add": [{**square(20), "segmentation": {"size": [4, 4], "counts": [16]}}]}, r"add\[0\]: the RLE is of 4×4"),
    ],
)  # fmt: skip
def test_bad_corrections_are_refused_and_nothing_is_written(files, corrections, complaint):
    with pytest.raises(UserError, match=complaint):
        files(corrections)
    assert not (files.folder / "new").exists()


def test_a_file_that_is_not_there_or_not_coco_is_refused(files, tmp_path):
    (tmp_path / "c.json").write_text("{}")
    with pytest.raises(UserError, match="cannot read"):
        correct(tmp_path / "no.json", tmp_path / "c.json", tmp_path / "new.json")
    with pytest.raises(UserError, match=r"c.json: it has no list 'images'; expected a COCO instances file"):
        correct(tmp_path / "c.json", tmp_path / "c.json", tmp_path / "new.json")


def test_a_real_file_corrected_is_what_pycocotools_reads_after_the_same_by_hand(instances, tmp_path, capsys):
    file = instances.annotations("val2017")
    content = json.loads(file.read_text())
    one, two, three = content["annotations"][:3]
    larger = {**two, "segmentation": [[0, 0, 30, 0, 30, 30, 0, 30]]}
    expected = deepcopy(content)
    expected["annotations"] = [larger, *content["annotations"][2:], {**three, "id": 10**13}]
    (tmp_path / "by-hand.json").write_text(json.dumps(expected))
    given = {"drop": [one["id"]], "replace": [larger], "add": [{**three, "id": 10**13}]}
    (tmp_path / "corrections.json").write_text(json.dumps(given))
    result = CliRunner().invoke(
        main, ["data", "correct", str(file), str(tmp_path / "corrections.json"), "--to", str(tmp_path / "new.json")]
    )
    assert result.exit_code == 0 and "1 dropped, 1 replaced, 1 added" in result.output
    ours, theirs = COCO(str(tmp_path / "new.json")), COCO(str(tmp_path / "by-hand.json"))
    assert ours.dataset == theirs.dataset
    assert (ours.annToMask(ours.anns[two["id"]]) == theirs.annToMask(theirs.anns[two["id"]])).all()
    assert np.array_equal(
        read(tmp_path / "new.json").annotations["annotation_id"], [a["id"] for a in expected["annotations"]]
    )


def test_a_mistake_on_the_command_line_is_one_line(files):
    (files.folder / "corrections.json").write_text("[]")
    paths = [str(files.folder / name) for name in ("instances.json", "corrections.json")]
    result = CliRunner().invoke(main, ["data", "correct", *paths, "--to", str(files.folder / "new.json")])
    assert result.exit_code == 2 and result.output.count("\n") == 1


RLE = frPyObjects([[30, 2, 38, 2, 38, 10, 30, 10]], 20, 40)[0]
REGION = {"size": [20, 40], "counts": RLE["counts"].decode()}


@pytest.fixture
def marked(files):
    """Corrects by a sheet with these rows: (verdict, values of the columns)."""

    def corrected(*rows, columns="verdict,rank,image_id,annotation_id,other_id,category,region"):
        (files.folder / "suspects.csv").write_text("\n".join([columns, *rows]) + "\n")
        target = files.folder / "new.json"
        return correct(files.folder / "instances.json", files.folder / "suspects.csv", target), json.loads(
            target.read_text()
        )

    return corrected


def test_a_sheet_changes_what_has_a_verdict(marked):
    quoted = '"' + json.dumps(REGION).replace('"', '""') + '"'
    counts, document = marked(
        ",1,1,12,,person,",
        "keep,2,1,12,,person,",
        "drop,1,1,7,9,person,",
        "Drop other,2,1,7,9,person,",
        "drop,3,1,7,,person,",  # suspected by two detectors
        f"add,1,1,,,person,{quoted}",
    )
    assert counts == {"dropped": 2, "replaced": 0, "added": 1}
    kept, new = document["annotations"]
    assert kept == SMALL["annotations"][2]
    assert (new["id"], new["image_id"], new["category_id"], new["segmentation"]) == (13, 1, 1, REGION)
    assert new["area"] == 64 and new["bbox"] == [30, 2, 8, 8]


def test_a_sheet_without_verdicts_changes_nothing(marked):
    assert marked(",1,1,7,,person,")[1] == SMALL


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("dorp,1,1,7,,person,", "line 3: unknown verdict 'dorp'; did you mean 'drop'?"),
        ("drop,1,1,8,,person,", "line 3: annotation 8 is not in instances.json"),
        ("drop,1,1,,,person,", "line 3: 'drop' needs annotation_id; got ''"),
        ("drop other,1,1,7,,person,", "line 3: 'drop other' needs other_id; got ''"),
        ("add,1,1,7,,person,", "line 3: 'add' needs a region"),
        ("add,1,1,,,persn,{}", "line 3: no category 'persn' in instances.json; did you mean 'person'?"),
        ("add,1,,,,person,{}", "line 3: 'add' needs image_id"),
        ("add,1,5,,,person,{}", "line 3: image 5 is not in instances.json"),
        ("add,1,1,,,person,{", "line 3: region: "),
        ("add,1,1,,,person,{}", "line 3: "),
    ],
)
def test_a_verdict_that_cannot_be_followed_is_named_by_its_line(marked, files, row, message):
    with pytest.raises(UserError) as error:
        marked(",1,1,7,,person,", row)
    assert f"suspects.csv: {message}" in str(error.value) and "\n" not in str(error.value)
    assert not (files.folder / "new.json").exists()


def test_a_sheet_without_a_column_is_refused(marked):
    with pytest.raises(UserError, match=r"suspects.csv: no column 'verdict'; expected verdict, image_id"):
        marked("1,7", columns="image_id,annotation_id")


def test_the_help_names_every_verdict():
    text = CliRunner().invoke(main, ["data", "correct", "--help"]).output
    assert all(f"{verdict}  " in text and what in text for verdict, what in VERDICTS.items())
