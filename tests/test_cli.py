"""The command line: it teaches, it is quick to do so, and a mistake is one line."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from cocoseg.cli import main


def invoke(*arguments):
    return CliRunner().invoke(main, list(arguments))


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["data"],
        ["data", "list"],
        ["data", "download"],
        ["data", "check"],
        ["data", "correct"],
        ["data", "defects"],
        ["run"],
        ["status"],
        ["build"],
        ["judge"],
    ],
)
def test_every_command_explains_itself(command):
    result = invoke(*command, "--help")
    assert result.exit_code == 0 and "Usage:" in result.output


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from cocoseg.cli import main; main(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    )
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not any(f"'{name}'" in modules for name in ("numpy", "polars", "tensorflow", "papermill", "matplotlib"))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["run", "survey", "-p", "data", "no-such-dataset"], "no dataset 'no-such-dataset'"),
        (["run", "survey", "-p", "split", "vall"], "no split 'vall'; did you mean 'val'?"),
        (["run", "survey", "-p", "space", "coco80"], "did you mean 'coco81'?"),
        (["run", "evaluate", "-p", "training", "nothing"], "no finished run 'nothing'"),
        (["data", "download", "vall"], "did you mean 'val'?"),
        (["data", "download", "annotations", "--ids", "README.md"], "--ids chooses images"),
        (["build", "--edition", "coc"], "did you mean 'coco'?"),
        (["judge", "no-such-folder", "--data", "sample", "--split", "val"], "neither a folder of label maps nor"),
        (["judge", "tests", "--data", "sample", "--split", "vall"], "did you mean 'val'?"),
        (["judge", "tests", "--data", "sample", "--split", "val", "--space", "coco80"], "did you mean 'coco81'?"),
    ],
)
def test_a_mistake_is_one_line_with_the_nearest_valid_choice(arguments, message):
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert message in result.output and result.output.count("\n") == 1
    assert len(result.output) < 700


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path):
    (tmp_path / "file").touch()
    result = invoke("export", "keras", "--out", str(tmp_path / "file" / "x.keras"))
    assert result.exit_code == 2 and result.output.count("\n") == 1
    assert f"{tmp_path / 'file'}: File exists" in result.output


def test_check_of_a_real_dataset_reports_and_drops_nothing(instances):
    result = invoke("data", "check", str(instances.root))
    assert result.exit_code == 0, result.output
    assert "instances_val2017.json: 163 images, 1,424 annotations, 80 categories" in result.output


def test_check_of_a_file_that_is_not_coco_is_one_line(tmp_path):
    file = tmp_path / "other.json"
    file.write_text("[1, 2]")
    result = invoke("data", "check", str(file))
    assert result.exit_code == 2 and result.output.count("\n") == 1


def test_findings_can_be_written_to_a_file(instances, tmp_path):
    target = tmp_path / "findings.csv"
    invoke("data", "check", str(instances.annotations("val2017")), "--csv", str(target))
    assert target.read_text().startswith("code,message,ids,action,file")


def test_list_shows_the_datasets(instances):
    assert "instances" in invoke("data", "list").output
