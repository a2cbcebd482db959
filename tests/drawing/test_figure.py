"""A figure says what it shows, to everybody, and where its numbers are from."""

import json
import math
from dataclasses import replace
from urllib.parse import unquote

import altair as alt
import numpy as np
import polars as pl
import pytest
from bs4 import BeautifulSoup
from matplotlib.figure import Figure
from PIL import Image

from cocoseg.drawing import figure as drawing
from cocoseg.drawing import look
from cocoseg.drawing.figure import Provenance, facts, figure, number, picture, table
from cocoseg.errors import UserError

HERE = Provenance("survey-val", "2026-11-20T10:11:12", "instances/val2017", "0eaacff12345", "stale", "../run.html")
BARS = pl.DataFrame({"category": ["cat", "a < b"], "share": [0.123456789, 0.5]})


def chart(df=BARS):
    return alt.Chart(df).mark_bar().encode(x="share:Q", y="category:N")


def parsed(made):
    return BeautifulSoup(made.html, "html.parser")


def drawn(**options):
    return parsed(figure(chart(), **{"title": "Cats lead", "alt": "Two bars", "provenance": HERE} | options))


def spec(page):
    return json.loads(page.select_one("script[type='application/json']").string)


def download(page):
    return unquote(page.select_one("a.cs-download")["href"].removeprefix("data:text/csv;charset=utf-8,"))


def test_a_figure_is_a_figure_with_its_finding_as_caption():
    page = drawn(caption="Share of pixels.")
    assert page.figure.figcaption.select_one(".cs-title").text == "Cats lead"
    assert page.figure.figcaption.select_one(".cs-caption").text == "Share of pixels."


def test_the_drawing_has_an_alternative_text():
    image = drawn(alt='A "quoted" <b>').select_one("[role=img]")
    assert image["aria-label"] == 'A "quoted" <b>'


def test_the_origin_is_run_date_data_commit_and_status():
    origin = drawn().select_one(".cs-origin")
    assert "survey-val · 2026-11-20 · instances/val2017 · commit 0eaacff1 · stale" in origin.text
    assert origin.a["href"] == "../run.html"
    assert origin.select_one(".cs-status.cs-stale")


def test_a_figure_of_several_runs_names_them_all():
    assert drawn(provenance=[HERE, HERE]).select_one(".cs-origin").text.count("survey-val") == 2


def test_many_runs_are_folded_and_counted_by_their_state():
    other = replace(HERE, run="survey-train", status="current")
    origin = drawn(provenance=[HERE, HERE, HERE, HERE, other, other]).select_one(".cs-origin")
    assert origin.select_one("details > summary").text == "6 runs: 4 stale, 2 current"
    assert len(origin.select("details > a")) == 6
    assert drawn(provenance=[HERE] * 5).select_one(".cs-origin details") is None


def test_the_charts_own_data_can_be_downloaded():
    assert pl.read_csv(download(drawn()).encode()).equals(BARS)


def test_the_table_given_is_what_is_downloaded_with_lists_as_json():
    given = pl.DataFrame({"ids": [[1, 2], []], "what": ["a,b", 'c"d']})
    back = pl.read_csv(download(drawn(table=given)).encode())
    assert back["ids"].to_list() == ["[1, 2]", "[]"]
    assert back["what"].to_list() == ["a,b", 'c"d']


def test_the_spec_carries_the_data_in_six_digits_and_no_theme():
    made = spec(drawn())
    assert next(iter(made["datasets"].values()))[0]["share"] == 0.123457
    assert "config" not in made


def test_data_that_looks_like_html_stays_data():
    hostile = pl.DataFrame({"category": ["</script><script>alert(1)</script>"], "share": [1.0]})
    page = parsed(figure(chart(hostile), title="</p><b>", alt="x", provenance=HERE))
    assert len(page.select("script")) == 1
    assert next(iter(spec(page)["datasets"].values()))[0]["category"].startswith("</script>")
    assert page.select_one(".cs-title").text == "</p><b>"


def test_a_missing_value_is_valid_json():
    holes = pl.DataFrame({"category": ["a", "b", "c"], "share": [math.nan, math.inf, None]})
    values = next(iter(spec(parsed(figure(chart(holes), title="t", alt="a", provenance=HERE)))["datasets"].values()))
    assert [row["share"] for row in values] == [None, None, None]


@pytest.mark.parametrize(
    "made, width",
    [
        (chart(), "container"),
        (chart() + chart(), "container"),
        (chart().properties(width=200), 200),
        (chart() | chart(), None),
        (chart().encode(facet=alt.Facet("category:N", columns=2)), None),
        (chart().facet("category:N", columns=2), None),
    ],
    ids=["one view", "layers", "own width", "side by side", "facet channel", "facet"],
)
def test_single_views_take_the_width_of_the_page(made, width):
    assert spec(parsed(figure(made, title="t", alt="a", provenance=HERE))).get("width") == width


def test_a_still_drawing_stands_until_the_chart_is_drawn_and_keeps_its_place():
    box = drawn().select_one(".cs-drawing")
    assert box.svg and "var(--cs-line,#e1e5e9)" in str(box.svg)
    assert f"min-height:{box.svg['height']}px" in box["style"]


def test_a_chart_of_many_rows_is_drawn_on_a_canvas_and_described_until_then():
    n = drawing.CANVAS_FROM + 1
    many = pl.DataFrame({"category": [str(i % 7) for i in range(n)], "share": np.linspace(0, 1, n)})
    points = alt.Chart(many).mark_point().encode(x="share:Q", y="category:N")
    page = parsed(figure(points, title="t", alt="Points in rows", provenance=HERE))
    assert page.select_one(".cs-chart")["data-renderer"] == "canvas"
    assert page.select_one(".cs-drawing").text == "Points in rows"


def test_more_rows_than_altair_likes_are_no_error_and_leave_its_settings_alone():
    before = alt.data_transformers.active, alt.data_transformers.options, alt.theme.active
    many = pl.DataFrame({"category": ["a"] * 6000, "share": np.arange(6000.0)})
    figure(chart(many), title="t", alt="a", provenance=HERE)
    assert (alt.data_transformers.active, alt.data_transformers.options, alt.theme.active) == before


def test_a_chart_that_vega_cannot_draw_is_an_error():
    broken = alt.Chart(BARS).mark_bar().encode(x="share:Q").transform_calculate(y="datum.share +")
    with pytest.raises(ValueError):
        figure(broken, title="t", alt="a", provenance=HERE)


def test_two_charts_on_a_page_share_no_ids():
    plot = chart().mark_line(clip=True)
    pages = [parsed(figure(plot.properties(height=h), title=f"t{h}", alt="a", provenance=HERE)) for h in (50, 60)]
    ids = [{tag["id"] for tag in page.select("[id]")} for page in pages]
    assert not ids[0] & ids[1]


def matplotlib_figure(text="a label"):
    made = Figure(figsize=(2, 1))
    ax = made.subplots()
    ax.plot([0, 1], [0, 1], color=look.LIGHT["ink"])
    ax.set_title(text, color=look.LIGHT["soft"])
    return made


def test_a_matplotlib_figure_becomes_inline_svg_that_follows_the_mode():
    page = parsed(picture(matplotlib_figure(), title="t", alt="A line", provenance=HERE))
    assert page.svg["aria-label"] == "A line" and page.svg["role"] == "img"
    assert "a label" in page.svg.text
    assert f"var(--cs-ink,{look.LIGHT['ink']})" in str(page.svg)


def test_the_same_picture_is_the_same_text_and_another_shares_no_ids():
    one, same, other = (picture(matplotlib_figure(t), title="t", alt="a", provenance=HERE).html for t in "aab")
    assert one == same
    svgs = [BeautifulSoup(html, "html.parser").svg for html in (one, other)]
    ids = [{tag["id"] for tag in svg.select("[id]")} for svg in svgs]
    assert ids[0] and not ids[0] & ids[1]
    for svg, own in zip(svgs, ids, strict=True):
        assert {tag["clip-path"][5:-1] for tag in svg.select("[clip-path]")} <= own


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp"])
def test_an_image_file_is_embedded(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    Image.new("RGB", (4, 3)).save(path)
    image = parsed(picture(path, title="t", alt="Black", provenance=HERE)).img
    assert image["src"].startswith("data:image/") and image["alt"] == "Black"


def test_an_svg_file_is_inlined(tmp_path):
    path = tmp_path / "a.svg"
    matplotlib_figure().savefig(path)
    assert parsed(picture(str(path), title="t", alt="A line", provenance=HERE)).svg["aria-label"] == "A line"


def test_a_missing_picture_or_another_file_is_one_line(tmp_path):
    with pytest.raises(UserError, match="no picture at"):
        picture(tmp_path / "a.png", title="t", alt="a", provenance=HERE)
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(UserError, match=r"a\.txt is not a picture.*\.png"):
        picture(tmp_path / "a.txt", title="t", alt="a", provenance=HERE)


ROWS = pl.DataFrame(
    {
        "category": ["cat", "<dog>"],
        "instances": [12034, None],
        "share": [0.25, -0.5],
        "when": ["2026", "2025"],
        "href": ["cat.html", None],
    }
)


def listed(**options):
    return parsed(table(ROWS, **{"title": "Cats lead", "provenance": HERE} | options))


def test_a_table_heads_its_columns_and_rows():
    page = listed(labels={"share": "share of pixels"})
    heads = page.select("thead th[scope=col]")
    assert [head.text for head in heads] == ["category", "instances", "share of pixels", "when", "href"]
    assert all(head.button for head in heads)
    assert [head.text for head in page.select("tbody th[scope=row]")] == ["cat", "<dog>"]


def test_a_zero_has_no_minus_sign():
    tiny = pl.DataFrame({"name": ["a", "b"], "less": [-0.0001, -0.02]})
    cells = parsed(table(tiny, title="t", provenance=HERE, formats={"less": ".2f"})).select("tbody td")
    assert [cell.text for cell in cells] == ["0.00", "−0.02"]
    assert (number(-0.0), number(-0.00002691)) == ("0", "−0.0000269")


def test_numbers_are_formatted_and_sort_by_their_value():
    page = listed(formats={"share": ".0%", "when": lambda year: f"in {year}"})
    cells = page.select("tbody td")
    assert [cell.text for cell in cells] == ["12,034", "25%", "in 2026", "cat.html", "–", "−50%", "in 2025", "–"]
    assert [cell.get("data-key") for cell in cells][:2] == ["12034", "0.25"]
    assert cells[4].get("data-key") is None


def test_a_column_of_hrefs_becomes_links():
    page = listed(links={"category": "href"})
    assert [a["href"] for a in page.select("tbody a")] == ["cat.html"]
    assert "href" not in [head.text for head in page.select("thead th")]
    assert "cat.html" not in download(page)


@pytest.mark.parametrize("option", ["formats", "labels", "links"])
def test_a_column_that_is_not_there_is_named(option):
    with pytest.raises(UserError, match=r"no column 'sahre'; columns: category, instances"):
        listed(**{option: {"sahre": "share"}})


def test_a_column_of_prose_keeps_room_to_be_read():
    prose = pl.DataFrame({"code": ["a"], "what": ["a finding that takes a whole sentence to say"]})
    assert parsed(table(prose, title="t", provenance=HERE)).select_one("td.cs-long")


def test_an_empty_table_is_a_table():
    assert parsed(table(ROWS.clear(), title="None", provenance=HERE)).select("thead th")


def test_facts_show_each_value_over_what_it_is():
    page = parsed(facts([("80", "categories"), ("1 < 2", "is true")]))
    assert [(d.dd.text, d.dt.text) for d in page.select("dl > div")] == [("80", "categories"), ("1 < 2", "is true")]


@pytest.mark.parametrize(
    "value, text",
    [
        (0, "0"),
        (7, "7"),
        (999.6, "1,000"),
        (1234.5, "1,234"),
        (12345.678, "12,346"),
        (0.00012345, "0.000123"),
        (-0.25, "−0.25"),
        (1e6, "1,000,000"),
    ],
)
def test_numbers_for_prose(value, text):
    assert number(value) == text


def test_everything_shows_as_text_where_there_is_no_html():
    made = table(ROWS, title="Cats lead", provenance=HERE)
    assert repr(made) == made._repr_mimebundle_()["text/plain"] == "Table: Cats lead"
