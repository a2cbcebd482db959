"""The page of cards tells of each encoder what it is."""

import re
from pathlib import Path

import pytest

from cocoseg.models import backend, encoder, layers

PAGE = Path(__file__).parents[3] / "book" / "models" / "cards.md"
ROWS = dict(re.findall(r"^\| `([\w-]+)`.*\| ([\d, ]+) \|$", PAGE.read_text(), re.MULTILINE))


def test_every_encoder_is_on_the_page():
    assert sorted(ROWS) == encoder.names()


@pytest.mark.parametrize("name", encoder.names())
def test_its_channels_are_those_of_the_page(name):
    image = backend.keras().Input((64, 64, 3))
    taps = encoder.features(f"{name}:random", image, layers.initialiser(0))
    assert [tap.shape[-1] for tap in taps] == [int(n) for n in ROWS[name].split(",")]
