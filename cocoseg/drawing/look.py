"""The one look: colours, fonts and themes shared by every chart, picture, table and page.

A colour stands for one COCO supercategory everywhere in the book, in light and in dark mode. The twelve were
searched for in CIELAB so that each has a contrast of at least 3 to both page colours (WCAG 2.2, 1.4.11
non-text contrast), that any two differ by a CIEDE2000 of 14 or more, and that neighbours in COCO's order still
differ by 12 under simulated deuteranopia and protanopia (Machado et al. 2009). No chart relies on
colour alone all the same: it labels directly or has a tooltip.
"""

import colorsys
from collections.abc import Iterable, Mapping

from cocoseg.coco.categories import COCO, VOC

SUPERCATEGORIES = {
    "person": "#f46340",
    "vehicle": "#6372dd",
    "outdoor": "#7c8e1e",
    "animal": "#7c6143",
    "accessory": "#d675a8",
    "sports": "#59927a",
    "kitchen": "#2c6e80",
    "food": "#cc173e",
    "furniture": "#b08f6a",
    "electronic": "#8e6ea1",
    "appliance": "#229ce8",
    "indoor": "#a037ab",
}
BACKGROUND = "#7b848f"
VOID = "#f2ead6"

LIGHT = {
    "paper": "#ffffff",
    "surface": "#f5f6f7",
    "line": "#e1e5e9",
    "faint": "#8a949f",
    "soft": "#57626d",
    "ink": "#1c2228",
    "accent": "#1b6a80",
    "good": "#2a7a4f",
    "warn": "#a85f00",
    "bad": "#b8243f",
}
DARK = {
    "paper": "#14181d",
    "surface": "#1c2127",
    "line": "#2d343c",
    "faint": "#76818c",
    "soft": "#a3adb8",
    "ink": "#e3e7eb",
    "accent": "#6dbdd2",
    "good": "#62b98b",
    "warn": "#e0a04a",
    "bad": "#f0788c",
}
SEQUENTIAL = {
    "light": ("#edf4f6", "#c6dee4", "#97c4d0", "#65a7b9", "#3b889f", "#216881", "#134a62", "#0b2e45"),
    "dark": ("#1d2a33", "#1f4050", "#25596c", "#2f758a", "#4792a7", "#6dafc0", "#9dccd7", "#d6eaee"),
}
DIVERGING = {
    "light": ("#9c3413", "#cf6a41", "#eaab8b", "#f1efec", "#9dc4d6", "#4c91b4", "#185a82"),
    "dark": ("#ffb08a", "#d9774c", "#8a4c36", "#2a3037", "#2d5d78", "#4a94bd", "#96cdeb"),
}

SANS = "Inter, system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"
SERIF = "'Source Serif 4', Charter, 'Iowan Old Style', Georgia, 'DejaVu Serif', serif"
MONO = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"

OF_CATEGORY = {name: supercategory for _, name, supercategory in COCO}
OF_CATEGORY |= {voc: OF_CATEGORY[name] for voc, name in VOC}


def colours(classes: Iterable[str], supercategories: Mapping[str, str] | None = None) -> dict[str, str]:
    """One hex colour per class of a label space, in its order.

    A supercategory has its own colour; classes that share a supercategory are shades of it; `background` is
    grey. `supercategories` maps a class to its supercategory and defaults to COCO's own, under COCO's and VOC's
    names; classes it does not know take the twelve colours in turn.

    >>> colours(["background", "person", "vehicle"])
    {'background': '#7b848f', 'person': '#f46340', 'vehicle': '#6372dd'}
    >>> colours(["cat", "dog"])
    {'cat': '#513f2c', 'dog': '#a6835b'}
    """
    classes = list(classes)
    known = OF_CATEGORY if supercategories is None else supercategories
    turn = list(SUPERCATEGORIES)
    groups: dict[str, list[str]] = {}
    strangers = 0
    for name in classes:
        if name == "background":
            continue
        group = name if name in SUPERCATEGORIES else known.get(name)
        if group not in SUPERCATEGORIES:
            group, strangers = turn[strangers % len(turn)], strangers + 1
        groups.setdefault(group, []).append(name)
    shades = {"background": BACKGROUND}
    for group, members in groups.items():
        shades |= zip(members, _shades(SUPERCATEGORIES[group], len(members)), strict=True)
    return {name: shades[name] for name in classes}


def _shades(colour: str, n: int) -> list[str]:
    hue, lightness, saturation = colorsys.rgb_to_hls(*(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)))
    if n == 1:
        return [colour]
    spread = min(0.13, lightness - 0.2, 0.75 - lightness) if 0.2 < lightness < 0.75 else 0.1
    levels = [lightness + spread * (2 * i / (n - 1) - 1) for i in range(n)]
    rgb = [colorsys.hls_to_rgb(hue, level, saturation) for level in levels]
    return ["#" + "".join(f"{round(255 * v):02x}" for v in c) for c in rgb]


def supercategory_scale():
    """An Altair scale of the twelve supercategories, for `alt.Color("supercategory", scale=…)`.

    >>> supercategory_scale().domain[0]
    'person'
    """
    import altair as alt

    return alt.Scale(domain=list(SUPERCATEGORIES), range=list(SUPERCATEGORIES.values()))


def vega(mode: str) -> dict:
    """The Vega-Lite config of the book's charts, `mode` being `light` or `dark`.

    >>> vega("dark")["axis"]["gridColor"] == DARK["line"]
    True
    """
    c = {"light": LIGHT, "dark": DARK}[mode]
    text = {"labelFont": SANS, "titleFont": SANS, "labelFontSize": 12, "titleFontSize": 12}
    return {
        "background": None,
        "font": SANS,
        "padding": {"left": 1, "right": 4, "top": 4, "bottom": 1},
        "view": {"stroke": None, "continuousHeight": 300, "continuousWidth": 300, "discreteWidth": {"step": 22}},
        "axis": {
            **text,
            "labelColor": c["soft"],
            "titleColor": c["soft"],
            "titleFontWeight": 500,
            "titlePadding": 8,
            "labelPadding": 5,
            "labelLimit": 160,
            "gridColor": c["line"],
            "domainColor": c["faint"],
            "tickColor": c["faint"],
            "tickSize": 4,
        },
        "axisQuantitative": {"domain": False, "ticks": False, "tickCount": 6},
        "axisBand": {"grid": False, "ticks": False, "domain": False},
        "axisPoint": {"grid": False},
        "legend": {
            **text,
            "labelColor": c["ink"],
            "titleColor": c["soft"],
            "titleFontWeight": 500,
            "orient": "top",
            "direction": "horizontal",
            "columns": 6,
            "symbolSize": 90,
            "symbolStrokeWidth": 2,
            "rowPadding": 4,
            "columnPadding": 14,
            "gradientLength": 160,
            "gradientThickness": 10,
        },
        "header": {**text, "labelColor": c["ink"], "titleColor": c["soft"], "labelFontWeight": 600},
        "title": {
            "font": SANS,
            "fontSize": 13,
            "fontWeight": 600,
            "color": c["ink"],
            "subtitleColor": c["soft"],
            "anchor": "start",
            "frame": "group",
            "offset": 8,
        },
        "mark": {"color": c["accent"]},
        "line": {"strokeWidth": 2, "strokeCap": "round", "strokeJoin": "round"},
        "point": {"filled": True, "size": 45},
        "circle": {"size": 45, "opacity": 0.85},
        "rule": {"color": c["faint"]},
        "text": {"color": c["ink"], "font": SANS, "fontSize": 12},
        "errorbar": {"rule": {"color": c["soft"]}},
        "range": {
            "category": list(SUPERCATEGORIES.values()),
            "heatmap": list(SEQUENTIAL[mode]),
            "ramp": list(SEQUENTIAL[mode]),
            "ordinal": list(SEQUENTIAL[mode]),
            "diverging": list(DIVERGING[mode]),
        },
    }


def matplotlib() -> dict:
    """The rcParams of the book's pictures, to match the charts.

    Drawn with the light ink, which `cocoseg.drawing.figure.picture` makes follow the page's mode.

    >>> matplotlib()["axes.labelcolor"] == LIGHT["soft"]
    True
    """
    from matplotlib import cycler

    return {
        "font.family": ["DejaVu Sans"],
        "font.size": 11,
        "text.color": LIGHT["ink"],
        "axes.titlesize": 12,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelcolor": LIGHT["soft"],
        "axes.edgecolor": LIGHT["faint"],
        "axes.facecolor": "none",
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": True,
        "axes.axisbelow": True,
        "axes.prop_cycle": cycler(color=list(SUPERCATEGORIES.values())),
        "grid.color": LIGHT["line"],
        "xtick.color": LIGHT["soft"],
        "ytick.color": LIGHT["soft"],
        "legend.frameon": False,
        "figure.facecolor": "none",
        "figure.dpi": 100,
        "savefig.facecolor": "none",
        "image.interpolation": "nearest",
    }


def swaps() -> dict[str, str]:
    """Light-mode hex to its dark-mode partner, for inks and ramps; class colours stay as they are.

    >>> swaps()[LIGHT["ink"]] == DARK["ink"]
    True
    """
    pairs = {LIGHT[name]: DARK[name] for name in LIGHT}
    for ramp in (SEQUENTIAL, DIVERGING):
        pairs |= zip(ramp["light"], ramp["dark"], strict=True)
    return pairs


def css() -> str:
    """The look as CSS custom properties (`--cs-ink`, `--cs-person`, …) of a light and a dark page.

    >>> "--cs-person: #f46340" in css()
    True
    """
    shared = {"sans": SANS, "serif": SERIF, "mono": MONO, **SUPERCATEGORIES, "background": BACKGROUND}

    def block(selector: str, values: Mapping[str, str]) -> str:
        return selector + " {\n" + "".join(f"  --cs-{k}: {v};\n" for k, v in values.items()) + "}\n"

    return block(":root", shared | LIGHT) + block("html[data-theme=dark]", DARK)
