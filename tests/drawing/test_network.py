"""A network's drawing has a bar for each kernel, at the height of its stride, and shows what skips."""

import polars as pl
import pytest

from cocoseg.drawing.network import connections, network
from cocoseg.errors import UserError

LAYERS = pl.DataFrame(
    [
        ("image", "InputLayer", [], 1, 3, 0),
        ("fine", "Conv2D", ["image"], 1, 16, 100),
        ("pool", "MaxPooling2D", ["fine"], 2, 16, 0),
        ("coarse", "Conv2D", ["pool"], 2, 64, 400),
        ("everywhere", "GlobalAveragePooling2D", ["coarse"], 0, 64, 0),
        ("context", "Conv2D", ["everywhere"], 0, 8, 1),
        ("up", "UpSampling2D", ["coarse"], 1, 64, 0),
        ("both", "Concatenate", ["fine", "up"], 1, 80, 0),
        ("sum", "Add", ["both", "context"], 1, 80, 0),
        ("logits", "Conv2D", ["sum"], 1, 2, 50),
    ],
    schema=["name", "kind", "inputs", "stride", "channels", "multiply_adds"],
    orient="row",
)


def bars(figure):
    return {round(p.get_x() + 0.4): p for p in figure.axes[0].patches}


def test_what_a_layer_takes_is_followed_past_layers_without_a_kernel():
    assert set(connections(LAYERS)) == {
        ("fine", "coarse"),
        ("coarse", "context"),
        ("fine", "logits"),
        ("coarse", "logits"),
        ("context", "logits"),
    }


def test_a_bar_for_each_kernel_at_the_height_of_its_stride():
    figure = network(LAYERS)
    heights = [round(p.get_y() + p.get_height() / 2, 6) for _, p in sorted(bars(figure).items())]
    assert heights == [0, 1, 2, 0]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["1 px", "2 px", "image"]
    assert len(figure.axes[0].lines) == 5


def test_more_channels_are_taller_and_more_work_is_darker():
    drawn = bars(network(LAYERS))
    tall = {x: p.get_height() for x, p in drawn.items()}
    assert tall[1] > tall[0] > tall[2] > tall[3]
    darkness = {x: sum(p.get_facecolor()[:3]) for x, p in drawn.items()}
    assert darkness[1] < darkness[0] < darkness[2] + 1e-9


def test_a_model_that_is_no_network_is_refused():
    with pytest.raises(UserError, match="there is no network to draw"):
        network(LAYERS.clear())
