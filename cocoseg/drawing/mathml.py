"""A Sphinx extension that writes formulas as MathML, which browsers draw by themselves: no MathJax, no fonts.

In `conf.py`: `extensions = ["cocoseg.drawing.mathml"]` and `html_math_renderer = "mathml"`. LaTeX that has no
MathML is a warning, so that a strict build refuses it.
"""

import re
from xml.etree import ElementTree

from docutils import nodes
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)


def mathml(latex: str, *, block: bool = False) -> str:
    """LaTeX as a `<math>` element that keeps its source as alternative text; unknown commands are a `ValueError`.

    >>> mathml("x^2")
    '<math display="inline" alttext="x^2"><mrow><msup><mi>x</mi><mn>2</mn></msup></mrow></math>'
    >>> mathml(r"\\nosuch x")
    Traceback (most recent call last):
    ...
    ValueError: no MathML for \\nosuch
    """
    from latex2mathml.converter import convert_to_element

    try:
        unnumbered = re.sub(r"(\\(?:begin|end)\{(?:align|gather))\}", r"\1*}", latex)  # Sphinx numbers equations
        element = convert_to_element(unnumbered, display="block" if block else "inline")
    except Exception as error:  # the library's errors have no common base
        raise ValueError(f"no MathML for {latex!r}: {type(error).__name__}") from error
    for text in element.itertext():
        if re.match(r"\\[A-Za-z]", text):
            raise ValueError(f"no MathML for {text}")
    element.attrib.pop("xmlns", None)
    element.set("alttext", " ".join(latex.split()))
    # latex2mathml writes symbols as character references.
    return re.sub(r"&amp;(#x[0-9A-Fa-f]+;)", r"&\1", ElementTree.tostring(element, encoding="unicode"))


def _converted(node: nodes.Element, *, block: bool) -> str:
    try:
        return mathml(node.astext(), block=block)
    except ValueError as error:
        logger.warning(str(error), location=node)
        return f"<code>{node.astext()}</code>"


def _visit_inline(translator, node: nodes.math) -> None:
    translator.body.append(_converted(node, block=False))
    raise nodes.SkipNode


def _visit_block(translator, node: nodes.math_block) -> None:
    translator.body.append(translator.starttag(node, "div", CLASS="cs-equation"))
    translator.body.append(_converted(node, block=True))
    if node["number"]:
        translator.body.append(f'<span class="eqno">({get_node_equation_number(translator, node)})')
        translator.add_permalink_ref(node, "Link to this equation")
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app) -> dict:
    app.add_html_math_renderer("mathml", (_visit_inline, None), (_visit_block, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
