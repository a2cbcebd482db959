"""The page on adding a model tells what works: its file, put in its place, is a model that trains."""

import importlib
import re
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from cocoseg.coco.label_space import label_space
from cocoseg.models import architectures
from cocoseg.models.registry import build, names
from cocoseg.models.storage import load, save
from cocoseg.models.train import train
from cocoseg.runs import parameters

PAGE = Path(__file__).parents[2] / "book" / "models" / "adding.md"


@pytest.fixture
def dilated(tmp_path, monkeypatch):
    """The page's file, in a folder beside the architectures."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "dilated.py").write_text(code)
    monkeypatch.setattr(architectures, "__path__", [*architectures.__path__, str(tmp_path)])
    importlib.invalidate_caches()
    yield
    parameters.parameters.cache_clear()


def test_the_page_s_model_trains(dilated, rectangles, tmp_path):
    assert "dilated" in names()
    model, curve = train(
        "dilated", str(rectangles.root), "train", "person", tmp_path / "run", size=16, batch=2, steps=2, workers=1
    )
    assert curve.height == 2 and curve["loss"].is_finite().all()
    assert model.body.stride == 1
    save(model, tmp_path / "kept")
    assert pl.read_parquet(tmp_path / "kept" / "layers.parquet")["multiply_adds"].sum() > 0
    np.testing.assert_allclose(load(tmp_path / "kept").body.arrays["000"], model.body.arrays["000"], atol=1e-3)
    assert model(np.zeros((20, 30, 3), np.uint8)).shape == (16, 24, label_space("person").n)


def test_the_page_s_command_is_accepted(dilated):
    parameters.parameters.cache_clear()
    (command,) = re.findall(r"cocoseg run train (.*) --name", PAGE.read_text())
    given = dict(re.findall(r"-p (\S+) (\S+)", command))
    assert parameters.resolve(parameters.path("train"), given)["model"] == "dilated"


def test_its_seed_is_all_it_depends_on(dilated):
    one, other = (build("dilated", label_space("person"), 16, seed=5).body.arrays for _ in range(2))
    for key, array in one.items():
        np.testing.assert_array_equal(array, other[key])
