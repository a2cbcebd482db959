"""Pictures of label maps, in Matplotlib: overlays, truth beside prediction, polygons with their vertices.

`coloured` and `overlay` return arrays; the others a `matplotlib.figure.Figure`, free of pyplot's state, for
`cocoseg.drawing.figure.picture` or for `savefig`.
"""

from collections.abc import Callable, Sequence

import numpy as np

from cocoseg.drawing import look
from cocoseg.errors import UserError

VOID = 255
WRONG = "#16191d"  # no class has it
SIDE = 480  # px; a panel is shown smaller, and a page carries every pixel


def coloured(label_map: np.ndarray, classes: Sequence[str], supercategories=None) -> np.ndarray:
    """A label map (uint8, H×W) as RGBA (uint8, H×W×4): background transparent, void cream.

    An index that is neither a class nor void is a `UserError`.

    >>> coloured(np.array([[0, 1, 255]], np.uint8), ["background", "person"])[0].tolist()
    [[0, 0, 0, 0], [244, 99, 64, 255], [242, 234, 214, 255]]
    """
    strange = np.setdiff1d(label_map, [*range(len(classes)), VOID])
    if strange.size:
        raise UserError(f"the label map holds index {strange[0]}; there are {len(classes)} classes, and void is {VOID}")
    palette = np.zeros((256, 4), np.uint8)
    for i, colour in enumerate(look.colours(classes, supercategories).values()):
        palette[i] = _rgba(colour)
    palette[0] = 0
    palette[VOID] = _rgba(look.VOID)
    return palette[label_map]


def overlay(
    image: np.ndarray, label_map: np.ndarray, classes: Sequence[str], *, opacity=0.55, supercategories=None
) -> np.ndarray:
    """The label map laid over its image (RGB, uint8, H×W×3), with a line along every boundary; uint8, H×W×3.

    >>> black = np.zeros((1, 2, 3), np.uint8)
    >>> overlay(black, np.array([[0, 1]], np.uint8), ["background", "person"]).tolist()
    [[[0, 0, 0], [244, 99, 64]]]
    """
    _same_size(image, label_map)
    colours = coloured(label_map, classes, supercategories)
    alpha = opacity * (colours[..., 3:] / 255)
    alpha[_edges(label_map) & (label_map > 0)] = 1
    return (image * (1 - alpha) + colours[..., :3] * alpha).round().astype(np.uint8)


def comparison(image, truth, prediction, classes: Sequence[str], *, supercategories=None):
    """Four panels: the image, its true label map, the predicted one, and where they differ.

    Errors are black over the greyed image; void pixels of the truth are never errors.
    """
    for label_map in (truth, prediction):
        _same_size(image, label_map)
    counted = truth != VOID
    share = (counted & (truth != prediction)).sum() / max(counted.sum(), 1)
    panels = {
        "image": image,
        "truth": overlay(image, truth, classes, supercategories=supercategories),
        "prediction": overlay(image, prediction, classes, supercategories=supercategories),
        f"errors: {share:.1%} of pixels": mistaken(image, truth, prediction),
    }
    present = np.union1d(truth, prediction)
    shades = look.colours(classes, supercategories)
    key = {name: shades[name] for i, name in enumerate(classes) if i and i in present}
    return gallery(panels, key | ({"void": look.VOID} if VOID in present else {}) | {"error": WRONG})


def mistaken(image: np.ndarray, truth: np.ndarray, prediction: np.ndarray) -> np.ndarray:
    """Where two label maps (uint8 H×W) differ: black over the greyed image, void of the truth cream; RGB, uint8 H×W×3.

    >>> grey = np.full((1, 3, 3), 100, np.uint8)
    >>> mistaken(grey, np.array([[0, 1, 255]], np.uint8), np.array([[0, 0, 0]], np.uint8))[0].tolist()
    [[185, 185, 185], [22, 25, 29], [242, 234, 214]]
    """
    counted = truth != VOID
    drawn = np.repeat(image.mean(axis=2, keepdims=True) * 0.35 + 150, 3, axis=2).astype(np.uint8)
    drawn[counted & (truth != prediction)] = _rgba(WRONG)[:3]
    drawn[~counted] = _rgba(look.VOID)[:3]
    return drawn


def gallery(panels: dict[str, np.ndarray], key: dict[str, str] | None = None, *, columns: int = 2):
    """Images (uint8, H×W×3 or H×W×4) side by side under their names, with a key of colours below."""
    return _panels({name: (panel, None) for name, panel in panels.items()}, key, columns)


def polygons(image: np.ndarray, outlines: Sequence[np.ndarray], colours: Sequence[str]):
    """Polygons (each float, V×2, x and y in pixels from the upper left corner) with their vertices, over the image."""
    height, width = image.shape[:2]

    def draw(figure):
        ax = figure.subplots()
        ax.set_axis_off()
        _show(ax, _pale(image))
        for outline, colour in zip(outlines, colours, strict=True):
            _outline(ax, outline, colour)
        ax.set(xlim=(0, width), ylim=(height, 0))

    return _figure((6, 6 * height / width), draw)


def encodings(image: np.ndarray, mask: np.ndarray, outlines: Sequence[np.ndarray], colour: str):
    """One object three times: its polygons over the image, the pixels of its mask (bool H×W), and their runs, column by
    column."""

    def drawn(ax):
        for outline in outlines:
            _outline(ax, outline, colour)

    def pixels(ax):
        for outline in outlines:
            ax.plot(*_closed(outline), color=look.LIGHT["ink"], linewidth=0.9)

    def columns(ax):
        from matplotlib.collections import LineCollection

        # Two thirds of a pixel of a panel that is 2.5 in wide.
        ax.add_collection(LineCollection(runs, colors=colour, linewidths=120 / mask.shape[1], capstyle="butt"))

    flat = np.pad(mask.T, ((0, 0), (1, 1))).astype(np.int8)
    starts, ends = (np.argwhere(np.diff(flat) == change) for change in (1, -1))
    runs = [[(x + 0.5, y + 0.12), (x + 0.5, bottom - 0.12)] for (x, y), (_, bottom) in zip(starts, ends, strict=True)]
    panels = {
        f"{sum(map(len, outlines))} vertices": (_pale(image), drawn),
        f"{mask.sum():,} pixels": (_filled(mask, colour), pixels),
        f"{len(runs)} runs, by column": (_filled(mask, colour, 0), columns),
    }
    return _panels(panels, None, 3)


def anatomy(image: np.ndarray, parts: np.ndarray, holes: np.ndarray, hull: np.ndarray, disc: tuple, colour: str):
    """A mask taken apart: its parts, its holes, its box and convex hull, and the largest disc inside.

    Args:
        image: RGB, uint8 H×W×3; parts, holes: i32 H×W, 0 elsewhere; hull: float (V, 2); disc: x, y, radius in px.
    """
    from matplotlib.patches import Circle, Rectangle

    y, x = np.nonzero(parts)
    left, top, right, bottom = x.min(), y.min(), x.max() + 1, y.max() + 1
    fills = {f"part {n + 1}": shade for n, shade in enumerate(_tints(colour, parts.max()))}
    split = np.where(holes, parts.max() + 1, parts)

    def frame(ax):
        ax.add_patch(Rectangle((left, top), right - left, bottom - top, fill=False, edgecolor=look.LIGHT["soft"]))
        ax.plot(*_closed(hull), color=look.LIGHT["ink"], linewidth=1.2, linestyle="--")

    def inscribed(ax):
        ax.add_patch(Circle(disc[:2], disc[2], facecolor="none", edgecolor=look.LIGHT["ink"], linewidth=1.6))

    mask = _filled(parts > 0, colour)
    panels = {
        "image": (image, None),
        f"parts: {parts.max()}, holes: {holes.max()}": (ramp(split, [*fills.values(), WRONG]), None),
        "box and convex hull (dashed)": (mask, frame),
        f"largest disc: {2 * disc[2]:.1f} px": (mask, inscribed),
    }
    return _panels(panels, fills | ({"hole": WRONG} if holes.any() else {}), 2)


def simplified(
    image: np.ndarray,
    outlines: Sequence[np.ndarray],
    ways: dict[str, Sequence[np.ndarray]],
    colour: str,
    *,
    columns: int = 3,
):
    """Polygons as they were drawn (grey line) under what is left of them, with its vertices: a panel for each way."""

    def panel(left):
        def draw(ax):
            for outline in outlines:
                ax.plot(*_closed(outline), color=WRONG, linewidth=0.9, alpha=0.7)
            for outline in left:
                _outline(ax, outline, colour)

        return _pale(image), draw

    return _panels({name: panel(left) for name, left in ways.items()}, None, columns)


def ramp(values: np.ndarray, shades: Sequence[str]) -> np.ndarray:
    """Numbers i64 H×W from 1 up as the shades, 0 as nothing: RGBA, uint8 H×W×4.

    >>> ramp(np.array([[0, 2]]), ["#000000", "#ffffff"]).tolist()
    [[[0, 0, 0, 0], [255, 255, 255, 255]]]
    """
    return np.array([[0, 0, 0, 0], *map(_rgba, shades)], np.uint8)[values]


def _panels(panels: dict[str, tuple], key: dict[str, str] | None, columns: int):
    """Images, each with what is drawn over it in its pixel coordinates, under their names."""
    if not panels:
        raise UserError("a gallery needs at least one picture")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    tallest = max(image.shape[0] / image.shape[1] for image, _ in panels.values())
    width = 7.5 / columns

    def draw(figure):
        grid = figure.subplots(rows, columns, squeeze=False)
        for ax in grid.flat:
            ax.set_axis_off()
        for ax, (name, (image, over)) in zip(grid.flat, panels.items(), strict=False):
            _show(ax, image)
            ax.set_title(name, pad=4)
            if over:
                over(ax)
                ax.set(xlim=(0, image.shape[1]), ylim=(image.shape[0], 0))
        if key:
            _key(figure, key)

    return _figure((7.5, rows * (width * tallest + 0.3) + (0.35 if key else 0)), draw)


def _outline(ax, outline: np.ndarray, colour: str) -> None:
    from matplotlib.patches import Polygon

    ax.add_patch(Polygon(outline, facecolor=(colour, 0.28), edgecolor=colour, linewidth=1.6))
    ax.plot(*outline.T, "o", markersize=4, markerfacecolor="#fefefe", markeredgecolor=colour, markeredgewidth=1.4)


def _tints(colour: str, n: int) -> list[str]:
    """The colour, then lighter and lighter."""
    rgb = np.array(_rgba(colour)[:3])
    return ["#" + "".join(f"{round(v):02x}" for v in rgb + (255 - rgb) * 0.75 * i / max(1, n)) for i in range(n)]


def _closed(outline: np.ndarray) -> np.ndarray:
    return np.vstack([outline, outline[:1]]).T


def _pale(image: np.ndarray) -> np.ndarray:
    return (image * 0.45 + 255 * 0.55).astype(np.uint8)


def _filled(mask: np.ndarray, colour: str, opacity: float = 0.55) -> np.ndarray:
    return mask[..., None] * np.array([*_rgba(colour)[:3], round(255 * opacity)], np.uint8)


def _figure(size: tuple[float, float], draw: Callable):
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(look.matplotlib()):
        figure = Figure(figsize=size, layout="constrained")
        figure.get_layout_engine().set(w_pad=0.04, h_pad=0.04, wspace=0.01, hspace=0.01)
        draw(figure)
    return figure


def _show(ax, image: np.ndarray) -> None:
    """The image in its own pixel coordinates, with no more pixels than a page needs."""
    height, width = image.shape[:2]
    step = max(1, -(-max(height, width) // SIDE))
    ax.imshow(image[::step, ::step], extent=(0, width, height, 0), interpolation="none")


def _key(figure, key: dict[str, str]) -> None:
    from matplotlib.patches import Patch

    figure.legend(
        handles=[
            Patch(facecolor=colour, edgecolor=look.LIGHT["faint"], linewidth=0.5, label=name)
            for name, colour in key.items()
        ],
        loc="outside lower left",
        ncols=min(len(key), 6),
        handlelength=1,
        handleheight=1,
        columnspacing=1.4,
    )


def _edges(label_map: np.ndarray) -> np.ndarray:
    edges = np.zeros(label_map.shape, bool)
    across, down = label_map[:, 1:] != label_map[:, :-1], label_map[1:] != label_map[:-1]
    edges[:, 1:] |= across
    edges[:, :-1] |= across
    edges[1:] |= down
    edges[:-1] |= down
    return edges


def _same_size(image: np.ndarray, label_map: np.ndarray) -> None:
    if image.shape[:2] != label_map.shape:
        raise UserError(f"the image is {image.shape[:2]} and its label map {label_map.shape}; expected the same H×W")


def _rgba(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)] + [255]
