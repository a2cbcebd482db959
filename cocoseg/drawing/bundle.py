"""What the pages load that is made, not written: Vega with its libraries, and the look as JSON and CSS."""

import json
from pathlib import Path

from cocoseg.drawing import look


def write(folder: Path) -> None:
    """Writes `vega.js` (0.9 MB: Vega, Vega-Lite, Vega-Embed, and `window.cocosegLook`) and `look.css` into the folder.

    The builder calls it with the copy of `book/_assets` that it hands to Sphinx.
    """
    import vl_convert

    themes = {"light": look.vega("light"), "dark": look.vega("dark"), "swaps": look.swaps()}
    snippet = f"window.vegaEmbed = vegaEmbed; window.cocosegLook = {json.dumps(themes)};"
    folder.mkdir(parents=True, exist_ok=True)
    # A scope of its own: the libraries' one-letter names would collide with those of other scripts on the page.
    (folder / "vega.js").write_text(f"(() => {{{vl_convert.javascript_bundle(snippet)}}})();", encoding="utf-8")
    (folder / "look.css").write_text(look.css(), encoding="utf-8")
