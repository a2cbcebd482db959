"""A small book with every kind of figure, built as the real one is, and opened in a browser."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from cocoseg.coco.datasets import HOME
from cocoseg.drawing import bundle
from tests import browser

HERE = Path(__file__).parent / "site"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    stage = tmp_path_factory.mktemp("stage")
    shutil.copytree(HERE, stage, dirs_exist_ok=True)
    shutil.copy(HOME / "_config.yml", stage)
    shutil.copytree(HOME / "book" / "_assets", stage / "book" / "_assets")
    bundle.write(stage / "book" / "_assets")
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(stage)]
    command += ["--all", "--warningiserror", "--nitpick", "--keep-going"]
    built = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(HOME)})
    assert built.returncode == 0, built.stdout[-3000:] + built.stderr[-3000:]
    return stage / "_build" / "html"


def test_pages_are_sound_from_files_and_over_http(site):
    assert browser.check(site) == []
    assert browser.check(site, ["book/index.html", "book/charts.html"], http=True) == []


def test_no_page_names_a_script_style_or_image_of_another_server(site):
    named = [
        f"{page.relative_to(site)}: {tag.get('src') or tag.get('href')}"
        for page, tag in browser.loads(site)
        if (tag.get("src") or tag.get("href")).startswith(("http:", "https:", "//"))
    ]
    assert named == []


def test_prose_holds_computed_numbers_and_formulas_are_mathml(site):
    assert "People are drawn 11,004 times, once in every 1.4 instances" in browser.text(site / "book" / "index.html")
    assert "Finding: <strong>bold</strong> 0.5." in (site / "book" / "index.html").read_text()
    formulas = (site / "book" / "formulas.html").read_text()
    assert formulas.count("<math ") == 4 and "mathjax.js" not in formulas.lower()
    assert ">(1)<" in formulas.replace(" ", "")


@pytest.fixture(scope="module")
def page(site):
    with browser.chromium() as opened:
        page = opened.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
        yield page


def charts(page, site):
    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto((site / "book" / "charts.html").as_uri())
    page.wait_for_function(browser.DRAWN)
    return page


def test_a_theme_switch_redraws_the_charts_in_the_other_inks(page, site):
    charts(page, site)
    label = "document.querySelector('.cs-chart .role-axis-label text').getAttribute('fill')"
    bar = "document.querySelector('.cs-chart .role-mark path').getAttribute('fill')"
    light, colour = page.evaluate(label), page.evaluate(bar)
    page.locator(".theme-switch-button").first.click()
    page.wait_for_function("document.documentElement.dataset.theme === 'dark'")
    page.wait_for_function(browser.DRAWN)
    assert (light, page.evaluate(label)) == ("#57626d", "#a3adb8")
    assert page.evaluate(bar) == colour


def test_small_multiples_take_fewer_columns_on_a_phone_and_fill_the_width(page, site):
    charts(page, site)
    last = "[...document.querySelectorAll('.cs-chart')].at(-1)"
    places = f"{last}.querySelectorAll('.cell > g > path.background')"
    columns = f"new Set([...{places}].map(p => Math.round(p.getBoundingClientRect().left))).size"
    width = f"{last}.querySelector('svg').clientWidth"
    assert page.evaluate(columns) == 3
    assert 690 <= page.evaluate(width) <= 704
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function(f"{columns} === 1")
    assert page.evaluate(width) <= 390


def test_a_chart_answers_to_its_search_field_and_to_the_pointer(page, site):
    charts(page, site)
    page.get_by_placeholder("supercategory").fill("zzz")
    page.locator(".cs-chart .role-mark path").first.hover()
    page.wait_for_selector("#vg-tooltip-element.visible")
    assert "instances" in page.inner_text("#vg-tooltip-element")


def test_drawing_the_charts_moves_nothing(page, site):
    page.add_init_script(
        "new PerformanceObserver(l => l.getEntries().forEach(e => window.shift = (window.shift ?? 0) + e.value))"
        ".observe({type: 'layout-shift', buffered: true})"
    )
    charts(page, site)
    page.wait_for_timeout(200)
    assert (page.evaluate("window.shift") or 0) < 0.1


def test_a_table_sorts_by_number_then_the_other_way_with_missing_values_last(page, site):
    page.goto((site / "book" / "index.html").as_uri())
    head = page.get_by_role("button", name="share of pixels")
    names = "[...document.querySelectorAll('.cs-table tbody th')].map(th => th.textContent)"
    head.click()
    assert page.evaluate(names) == ["person", "chair", "car", "zebra", "potted plant", "toaster"]
    assert page.locator("th[aria-sort=descending]").inner_text().strip().endswith("share of pixels")
    head.click()
    assert page.evaluate(names) == ["potted plant", "zebra", "car", "chair", "person", "toaster"]


def test_the_table_downloads_as_csv_from_a_file_page(page, site):
    page.goto((site / "book" / "index.html").as_uri())
    with page.expect_download() as download:
        page.locator("a.cs-download").first.click()
    assert download.value.suggested_filename == "persons-outnumber-toasters-a-thousand-to-one.csv"
    assert Path(download.value.path()).read_text().splitlines()[:2] == [
        "category,supercategory,instances,share of pixels",
        "person,person,11004,0.3021",
    ]


def test_cards_can_be_filtered_walked_through_and_enlarged(page, site):
    page.goto((site / "book" / "cards.html").as_uri())
    cards = page.locator(".cs-card:visible")
    assert (
        cards.count() == 2 and page.locator(".cs-gallery output").inner_text() == "2 of 3 cards"
    )  # the worst, at first
    page.get_by_label("images").select_option("")
    assert cards.count() == 3
    page.get_by_label("main mistake").select_option("spill")
    page.get_by_label("class").select_option("dog")
    assert cards.count() == 1
    page.get_by_label("class").select_option("")
    cards.first.focus()
    page.keyboard.press("ArrowRight")
    assert cards.nth(1).evaluate("card => card === document.activeElement")
    page.keyboard.press("Enter")
    assert page.locator("dialog[open] .cs-strip figcaption").all_inner_texts() == [
        "photo",
        "truth",
        "prediction",
        "errors",
    ]
    page.locator("dialog[open]").click()
    page.locator("dialog").wait_for(state="detached")


def test_the_chosen_models_are_side_by_side_where_they_differ_most_first(page, site):
    page.goto((site / "book" / "cards.html").as_uri())
    images, panels = page.locator(".cs-strips > li > p"), page.locator(".cs-strips figcaption:visible")
    assert images.all_inner_texts() == ["image 2", "image 1"]
    assert panels.all_inner_texts() == ["photo", "truth", "unet", "fpn"] * 2
    page.get_by_label("first").select_option("floor")
    assert images.all_inner_texts() == ["image 1", "image 2"]
    assert panels.all_inner_texts() == ["photo", "truth", "fpn", "floor"] * 2


def test_columns_of_a_table_can_be_chosen(page, site):
    page.goto((site / "book" / "cards.html").as_uri())
    heads = page.locator(".cs-choose th[scope=col]:visible")
    assert heads.all_inner_texts() == ["evaluation", "mIoU"]
    page.locator(".cs-columns summary").click()
    page.get_by_label("memory").check()
    assert heads.all_inner_texts() == ["evaluation", "mIoU", "memory"]
