"""Figures and tables as the book shows them: a finding as title, the drawing, where its numbers come from.

Each function returns an `Html` that Jupyter and myst-nb embed. A page needs `book/_assets/charts.js` to make
charts interactive and tables sortable; without it (in a notebook, in print) a chart is its still drawing.
"""

import html
import json
import math
import re
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import polars as pl

from cocoseg.drawing import svg
from cocoseg.errors import UserError

LONG = 30  # characters; a column of longer text keeps room to read on a phone
FOLDED_FROM = 6  # runs; the lines of more are folded
CANVAS_FROM = 3_000  # rows; from here on Vega is faster on a canvas than in SVG


@dataclass(frozen=True)
class Html:
    """A piece of the page: HTML for a browser, text for everything else."""

    html: str
    text: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Provenance:
    """Where a figure's numbers come from: a run, when and on what it was made, and whether it still holds.

    `date` is ISO 8601, `status` one of `current`, `stale`, `unverified`, `failed`; `href`, if any, leads from the
    page to the executed notebook.
    """

    run: str
    date: str
    dataset: str
    commit: str
    status: str = "current"
    href: str | None = None


def figure(
    chart,
    *,
    title: str,
    alt: str,
    provenance: Provenance | Sequence[Provenance],
    table: pl.DataFrame | None = None,
    caption: str | None = None,
) -> Html:
    """An interactive Altair chart of any kind, with its finding, origin and data.

    `title` states what is to be seen, `alt` says the same to somebody who cannot see it, `caption` holds units and
    how to read. The `table` behind the chart (by default the chart's own data, if a DataFrame) can be
    downloaded as CSV. A single or layered chart without a width takes that of the page; facets and concatenations take
    fewer columns on a narrow screen. A chart that Vega cannot draw is an error here, not an empty box on the page.

    >>> import altair as alt
    >>> df = pl.DataFrame({"supercategory": ["person", "food"], "share": [0.3, 0.1]})
    >>> here = Provenance("survey-val", "2026-11-20", "instances/val2017", "0eaacff")
    >>> figure(
    ...     alt.Chart(df).mark_bar().encode(x="share:Q", y="supercategory:N"),
    ...     title="People cover a third of the labelled pixels",
    ...     alt="Bar chart: person 30 %, food 10 % of the labelled pixels.",
    ...     provenance=here,
    ... )
    Figure: People cover a third of the labelled pixels
    """
    if table is None and isinstance(chart.data, pl.DataFrame):
        table = chart.data
    spec = _spec(chart)
    still, height = svg.of_chart(spec)
    still = still or f'<p class="cs-alt">{html.escape(alt)}</p>'
    rows = sum(len(values) for values in spec.get("datasets", {}).values())
    renderer = "canvas" if rows > CANVAS_FROM else "svg"
    drawing = (
        f'<div class="cs-chart" data-renderer="{renderer}">'
        f'<div class="cs-drawing" role="img" aria-label="{html.escape(alt)}" style="min-height:{height}px">'
        f"{still}</div>"
        f'<script type="application/json">{_script(spec)}</script></div>'
    )
    return _figure("chart", drawing, title, caption, provenance, table)


def picture(
    source,
    *,
    title: str,
    alt: str,
    provenance: Provenance | Sequence[Provenance],
    table: pl.DataFrame | None = None,
    caption: str | None = None,
) -> Html:
    """A Matplotlib figure, or an image file (SVG, PNG, JPEG, WebP), framed like a chart.

    Text and lines drawn with the inks of `look.LIGHT` follow the page's light or dark mode. A missing or
    other file is a `UserError`.
    """
    return _figure("picture", _picture(source, alt), title, caption, provenance, table)


def table(
    df: pl.DataFrame,
    *,
    title: str,
    provenance: Provenance | Sequence[Provenance],
    formats: Mapping[str, str | Callable[[Any], str]] | None = None,
    labels: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
    caption: str | None = None,
) -> Html:
    """A table whose rows can be sorted by any column, and downloaded as CSV.

    The first column heads its row. `formats` maps a column to a format specification (`",d"`, `".1%"`, `".3f"`) or a
    function; `labels` maps a column to its heading; `links` maps a column to the column that holds its hrefs, which is
    itself not shown. Missing values show as a dash and sort last. A name that is not a column is a `UserError`.

    >>> here = Provenance("survey-val", "2026-11-20", "instances/val2017", "0eaacff")
    >>> df = pl.DataFrame({"category": ["cat", "dog"], "instances": [1203, 980]})
    >>> table(df, title="Cats lead", provenance=here, formats={"instances": ",d"})
    Table: Cats lead
    """
    formats, labels, links = dict(formats or {}), dict(labels or {}), dict(links or {})
    strangers = {*formats, *labels, *links, *links.values()} - set(df.columns)
    if strangers:
        raise UserError(f"the table has no column {sorted(strangers)[0]!r}; columns: {', '.join(df.columns)}")
    shown = [name for name in df.columns if name not in links.values()]
    numeric = {name for name in shown if df[name].dtype.is_numeric()}

    long = {name for name in shown if df[name].dtype == pl.String and (df[name].str.len_chars().max() or 0) > LONG}

    def attributes(name: str) -> str:
        return ' class="cs-number"' if name in numeric else ' class="cs-long"' if name in long else ""

    def cell(i: int, row: dict, name: str) -> str:
        value = row[name]
        text = html.escape(_text(value, formats.get(name), df[name].dtype))
        if name in links and row[links[name]]:
            text = f'<a href="{html.escape(row[links[name]])}">{text}</a>'
        key = f' data-key="{value!r}"' if name in numeric and value is not None else ""
        return f"<th scope=row{key}>{text}</th>" if i == 0 else f"<td{attributes(name)}{key}>{text}</td>"

    head = "".join(
        f"<th scope=col{attributes(name)}><button type=button>{html.escape(labels.get(name, name))}</button></th>"
        for name in shown
    )
    body = "".join(
        "<tr>" + "".join(cell(i, row, name) for i, name in enumerate(shown)) + "</tr>"
        for row in df.iter_rows(named=True)
    )
    drawing = (
        f'<div class="cs-scroll" tabindex=0 role=region aria-label="{html.escape(title)}"><table class="cs-table">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )
    return _figure("table", drawing, title, caption, provenance, df.select(shown))


def facts(items: Sequence[tuple[str, str]]) -> Html:
    """Headline figures side by side: each a value, already formatted, and what it counts.

    >>> facts([("118,287", "images"), ("80", "categories")])
    118,287 images; 80 categories
    """
    cells = "".join(f"<div><dd>{html.escape(value)}</dd><dt>{html.escape(what)}</dt></div>" for value, what in items)
    return Html(f'<dl class="cs-facts">{cells}</dl>', "; ".join(f"{value} {what}" for value, what in items))


def download(df: pl.DataFrame, name: str, text: str) -> Html:
    """A table that is not shown, as a link to its CSV file.

    >>> download(pl.DataFrame({"category": ["cat"]}), "cats", "All cats")
    All cats: cats.csv
    """
    return Html(f"<p>{_download(df, name, html.escape(text))}</p>", f"{text}: {name}.csv")


def number(value: float, digits: int = 3) -> str:
    """A number for prose: thousands with commas, else so many significant digits, a true minus sign.

    >>> number(118287), number(0.60547), number(-2.0), number(12345.678), number(0.00002691)
    ('118,287', '0.605', '−2', '12,346', '0.0000269')
    """
    text = f"{value:.{digits}g}"
    if float(value).is_integer() or "e+" in text:
        text = f"{value:,.0f}"
    elif "e-" in text:
        text = f"{Decimal(text):f}"
    return _minus(text)


def _figure(kind, drawing, title, caption, provenance, data) -> Html:
    name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60]
    origins = [provenance] if isinstance(provenance, Provenance) else provenance
    link = "" if data is None else _download(data, name, "Download the table (CSV)")
    note = f'<p class="cs-caption">{html.escape(caption)}</p>' if caption else ""
    return Html(
        f'<figure class="cs-figure cs-{kind}-figure" id="{name}">'
        f'<figcaption><p class="cs-title">{html.escape(title)}</p>{note}</figcaption>{drawing}'
        f'<div class="cs-origin">{_origins(origins)}{link}</div></figure>',
        f"{'Table' if kind == 'table' else 'Figure'}: {title}",
    )


def _download(data: pl.DataFrame, name: str, text: str) -> str:
    csv = quote(_flat(data).write_csv(), safe=" ,:;/?@!$&'()*+=-_.~")
    href = f"data:text/csv;charset=utf-8,{html.escape(csv)}"
    return f'<a class="cs-download" download="{name}.csv" href="{href}">{text}</a>'


def _origins(several: Sequence[Provenance]) -> str:
    """A line for each run; many are folded behind one that counts them."""
    lines = "<br>".join(map(_origin, several))
    if len(several) < FOLDED_FROM:
        return f"<span>{lines}</span>"
    states = Counter(p.status for p in several)
    told = ", ".join(f'<span class="cs-status cs-{state}">{count} {state}</span>' for state, count in states.items())
    return f"<details><summary>{len(several)} runs: {told}</summary>{lines}</details>"


def _origin(p: Provenance) -> str:
    run = html.escape(p.run)
    run = f'<a href="{html.escape(p.href)}">{run}</a>' if p.href else run
    return (
        f"Run {run} · <time>{html.escape(p.date[:10])}</time> · {html.escape(p.dataset)} · "
        f'commit <code>{html.escape(p.commit[:8])}</code> · <span class="cs-status cs-{p.status}">{p.status}</span>'
    )


def _flat(df: pl.DataFrame) -> pl.DataFrame:
    """CSV has no lists: they become JSON."""
    nested = [name for name, dtype in df.schema.items() if dtype.is_nested()]
    as_json = [pl.col(n).map_elements(lambda v: json.dumps(list(v)), return_dtype=pl.String) for n in nested]
    return df.with_columns(as_json)


def _text(value, format, dtype) -> str:
    if value is None:
        return "–"
    if callable(format):
        return format(value)
    if format is None:
        format = "," if dtype.is_integer() else ".3g" if dtype.is_float() else ""
    return _minus(f"{value:{format}}") if dtype.is_numeric() else f"{value:{format}}"


def _minus(text: str) -> str:
    """A true minus sign, and none before a zero."""
    return text.replace("-", "−" if re.search("[1-9]", text) else "")


def _spec(chart) -> dict:
    import altair as alt

    with alt.theme.enable("none"), alt.data_transformers.enable("default", max_rows=None):
        spec = _short(chart.to_dict())
    repeated = {"facet", "row", "column"} & spec.get("encoding", {}).keys()
    if ("mark" in spec or "layer" in spec) and not repeated and "width" not in spec:
        spec["width"] = "container"
    return spec


def _short(value):
    """Six significant digits are more than a screen shows, and a third of the page; JSON has no NaN."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {k: _short(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_short(v) for v in value]
    return value


def _script(value) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c")


def _picture(source, alt: str) -> str:
    if not isinstance(source, str | Path):
        return f'<div class="cs-picture">{svg.inline(svg.of_figure(source), alt)}</div>'
    path = Path(source)
    kinds = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".webp": "webp"}
    if not path.is_file():
        raise UserError(f"no picture at {path}")
    if path.suffix == ".svg":
        return f'<div class="cs-picture">{svg.inline(path.read_text(encoding="utf-8"), alt)}</div>'
    if path.suffix not in kinds:
        raise UserError(f"{path.name} is not a picture that a page can show: .svg, {', '.join(kinds)}")
    data = b64encode(path.read_bytes()).decode()
    image = f'<img src="data:image/{kinds[path.suffix]};base64,{data}" alt="{html.escape(alt)}">'
    return f'<div class="cs-picture cs-opaque">{image}</div>'
