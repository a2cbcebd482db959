"""Drawings as SVG for the middle of a page: inks follow the page's mode, ids clash with no other drawing's."""

import hashlib
import html
import io
import re

from cocoseg.drawing import look

WIDTH = 704  # px, the width of the book's text column
LIMIT = 80_000  # characters; a longer still drawing costs a page more than it gives


def of_figure(figure) -> str:
    """A Matplotlib figure as SVG text: the same text for the same drawing, its letters still letters.

    >>> from matplotlib.figure import Figure
    >>> of_figure(Figure())[:5]
    '<?xml'
    """
    import matplotlib

    buffer = io.StringIO()
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "cocoseg"}):
        figure.savefig(buffer, format="svg", bbox_inches="tight", pad_inches=0.02, metadata={"Date": None})
    return buffer.getvalue()


def of_chart(spec: dict) -> tuple[str, int]:
    """A Vega-Lite chart drawn once, as inline SVG (empty if too long for a page), and its height in px.

    A chart that Vega cannot draw is a `ValueError`.
    """
    import vl_convert

    fixed = spec | ({"width": WIDTH} if spec.get("width") == "container" else {})
    svg = vl_convert.vegalite_to_svg(fixed, config=look.vega("light"))
    height = float(re.search(r'height="([\d.]+)"', svg)[1])
    svg = re.sub(r' (?:aria-[a-z]+|role|pointer-events|font-family|class)="[^"]*"', "", svg)
    svg = svg.replace("<svg ", f'<svg aria-hidden="true" style="font-family:{look.SANS}" ', 1)
    return (_themed(_own_ids(svg)) if len(svg) <= LIMIT else ""), round(height)


def inline(svg: str, alt: str) -> str:
    """An SVG file's text as one element with an alternative text, no wider than drawn.

    >>> inline('<?xml version="1.0"?><svg viewBox="0 0 72 36"><path/></svg>', "a line")[:4]
    '<svg'
    """
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    svg = svg.replace("'DejaVu Sans'", look.SANS)
    head = re.match(r"<svg[^>]*>", svg)[0]
    viewbox, points = re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)[^"]*"', head).group(0, 1)
    opened = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {viewbox} role="img" '
        f'aria-label="{html.escape(alt)}" style="width:{float(points) * 4 / 3:.0f}px">'
    )
    return _themed(_own_ids(opened + svg[len(head) :]))


def _own_ids(svg: str) -> str:
    salt = hashlib.sha256(svg.encode()).hexdigest()[:8]
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(r' id="([^"]+)"', lambda m: f' id="{m[1]}-{salt}"' if m[1] in used else "", svg)
    return re.sub(r'(url\(#|href="#)([^")]+)', rf"\1\2-{salt}", svg)


def _themed(svg: str) -> str:
    for name, colour in look.LIGHT.items():
        svg = svg.replace(colour, f"var(--cs-{name},{colour})")
    return svg
