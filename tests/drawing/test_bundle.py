"""What is made for the pages needs nothing from outside."""

import re

from cocoseg.drawing import bundle, look
from cocoseg.drawing.offline import clean


def test_the_bundle_holds_vega_and_the_look_in_a_scope_of_its_own(tmp_path):
    bundle.write(tmp_path / "assets")
    script = (tmp_path / "assets" / "vega.js").read_text()
    assert script.startswith("(() => {") and script.endswith("})();")
    assert "window.vegaEmbed" in script
    assert "window.cocosegLook" in script and look.DARK["ink"] in script
    assert not re.search(r"^\s*(?:import|export)\b", script, re.MULTILINE)
    assert (tmp_path / "assets" / "look.css").read_text() == look.css()


def test_pages_lose_preloads_and_the_icons_script_and_nothing_else():
    page = (
        '<link rel="preload" as="font" type="font/woff2" crossorigin href="../_static/a.woff2" />\n'
        '<script src="../_static/vendor/fontawesome/6.5.2/js/all.min.js?digest=1"></script>'
        '<script src="../_static/charts.js"></script><link rel="preload" as="script" href="b.js" />'
    )
    assert clean(page) == '<script src="../_static/charts.js"></script><link rel="preload" as="script" href="b.js" />'
