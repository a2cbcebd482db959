"""Formulas become MathML, or say why they cannot."""

import re
from xml.etree import ElementTree

import pytest

from cocoseg.drawing.mathml import mathml

USED = [
    r"\mathrm{IoU}_c = \frac{n_{cc}}{t_c + p_c - n_{cc}}",
    r"\mathrm{mIoU} = \frac{1}{|C|} \sum_{c \in C} \mathrm{IoU}_c",
    r"\mathbb{E}\left[ \hat{p} \right] \approx \bar{x} \pm 1.96\,\sigma / \sqrt{n}",
    r"\operatorname{PMI}(a, b) = \log_2 \frac{p(a, b)}{p(a)\,p(b)}",
    r"1 - \prod_i (1 - \alpha_i) \le \epsilon < \infty",
    r"d(A, B) = \max_{a \in A} \min_{b \in B} \lVert a - b \rVert",
    r"f(x) = \begin{cases} 1 & x > 0 \\ 0 & \text{otherwise} \end{cases}",
    r"A \cap B \subseteq A \cup B, \quad A \setminus B = \emptyset",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}",
    r"4\pi A / P^2",
]


@pytest.mark.parametrize("latex", USED)
@pytest.mark.parametrize("block", [True, False])
def test_a_formula_is_well_formed_and_keeps_its_source(latex, block):
    made = mathml(latex, block=block)
    element = ElementTree.fromstring(made)
    assert element.tag == "math" and element.get("display") == ("block" if block else "inline")
    assert element.get("alttext") == latex
    assert "\\" not in "".join(element.itertext())
    assert not re.search(r"&amp;#", made)


def test_less_than_is_escaped():
    assert "&lt;" in mathml("a < b")


@pytest.mark.parametrize("environment", ["align", "gather"])
def test_sphinx_numbers_equations_and_nobody_else(environment):
    made = mathml(rf"\begin{{{environment}}} a &= b \\ c &= d \end{{{environment}}}", block=True)
    assert "(1)" not in "".join(ElementTree.fromstring(made).itertext())


@pytest.mark.parametrize("latex", [r"\nosuch x", r"\frac", r"\left( x", r"x^2^3", r"{"])
def test_what_has_no_mathml_is_an_error(latex):
    with pytest.raises(ValueError, match="no MathML for"):
        mathml(latex)
