"""A network drawn from the table of its layers: how fine it computes, and what is passed on to where."""

import math

import polars as pl

from cocoseg.drawing import look
from cocoseg.drawing.pictures import _figure
from cocoseg.errors import UserError

SHADES = look.SEQUENTIAL["light"][2:7]
KERNELS = ("Conv2D", "DepthwiseConv2D", "Conv2DTranspose", "Dense")


def network(layers: pl.DataFrame):
    """A bar for each layer that has a kernel, from left to right as they are computed, at the height of its stride.

    Needs the columns name, kind, inputs, stride, channels, multiply_adds of `cocoseg.models.cost.layers`. A bar grows
    with the root of its channels, and is the darker the more of the multiply-adds it takes. Lines lead from a layer to
    those that take its output. Returns a Matplotlib figure; a table without such a layer is a `UserError`.
    """
    edges = connections(layers)
    bars = layers.filter(pl.col("kind").is_in(KERNELS))
    if bars.is_empty():
        raise UserError("the table of layers holds no layer with a kernel: there is no network to draw")
    levels = [*sorted(set(bars["stride"]) - {0}), *({0} & set(bars["stride"]))]
    place = {row["name"]: (x, levels.index(row["stride"])) for x, row in enumerate(bars.iter_rows(named=True))}
    most, widest = bars["multiply_adds"].max(), bars["channels"].max()

    def draw(figure):
        from matplotlib.patches import Rectangle

        ax = figure.subplots()
        for before, after in edges:
            (left, high), (right, low) = place[before], place[after]
            ax.plot([left, right, right], [high, high, low], color=look.LIGHT["faint"], linewidth=0.8, zorder=1)
        for row in bars.iter_rows(named=True):
            x, y = place[row["name"]]
            half = 0.08 + 0.3 * math.sqrt(row["channels"] / widest)
            shade = SHADES[min(len(SHADES) - 1, int(len(SHADES) * row["multiply_adds"] / max(1, most)))]
            ax.add_patch(Rectangle((x - 0.4, y - half), 0.8, 2 * half, facecolor=shade, edgecolor="none", zorder=2))
        names = [f"{level} px" if level else "image" for level in levels]
        ax.set_yticks(range(len(levels)), names)
        ax.set(xlim=(-1.5, bars.height + 0.5), ylim=(len(levels) - 0.4, -0.6), xticks=[])
        ax.grid(axis="x", visible=False)
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0)

    return _figure((7.5, 0.5 + 0.42 * len(levels)), draw)


def connections(layers: pl.DataFrame) -> list[tuple[str, str]]:
    """Pairs of layers that have a kernel, of which the second takes what the first has computed.

    Layers between them that have none are passed over.

    >>> connections(pl.DataFrame({
    ...     "name": ["image", "a", "relu", "b", "sum", "c"],
    ...     "kind": ["InputLayer", "Conv2D", "ReLU", "Conv2D", "Add", "Conv2D"],
    ...     "inputs": [[], ["image"], ["a"], ["relu"], ["relu", "b"], ["sum"]],
    ... }))
    [('a', 'b'), ('a', 'c'), ('b', 'c')]
    """
    origins, edges = {}, []
    for name, kind, inputs in layers.select("name", "kind", "inputs").iter_rows():
        before = dict.fromkeys(origin for tensor in inputs for origin in origins[tensor])
        if kind in KERNELS:
            edges += [(origin, name) for origin in before]
            before = {name: None}
        origins[name] = before
    return edges
