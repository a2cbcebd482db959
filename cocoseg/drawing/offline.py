"""A Sphinx extension that takes out of the theme's pages what a browser refuses, or need not load, from `file://`.

The PyData theme preloads its icon fonts in a mode that `file://` does not allow, and loads 1.5 MB of JavaScript that
draws the same icons again.
"""

import re
from pathlib import Path

NEEDLESS = re.compile(
    r'<link rel="preload" as="font"[^>]*>\n?|<script src="[^"]*/fontawesome/[^"]*/js/all\.min\.js[^"]*"></script>\n?'
)


def clean(html: str) -> str:
    """A page without the needless tags.

    >>> clean('<link rel="preload" as="font" crossorigin href="a.woff2"><p>')
    '<p>'
    """
    return NEEDLESS.sub("", html)


def _clean_all(app, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        for page in Path(app.outdir).rglob("*.html"):
            html = page.read_text(encoding="utf-8")
            if (cleaned := clean(html)) != html:
                page.write_text(cleaned, encoding="utf-8")


def setup(app) -> dict:
    app.connect("build-finished", _clean_all)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
