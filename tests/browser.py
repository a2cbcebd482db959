"""Opens the pages of a built site in headless Chromium and says what is wrong with them."""

import functools
import re
import shutil
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import pytest
from bs4 import BeautifulSoup

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, NAMES)), None)
BROKEN_IMAGES = "[...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src.slice(0, 90))"
WAIT = 20_000  # ms
BROWSERS = 2  # side by side: each waits most of the time
LAZY = "[...document.images].forEach(i => i.loading = 'eager')"
DRAWN = """(() => {
  const mode = document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light';
  return [...document.querySelectorAll('.cs-chart')].every(chart => chart.dataset.drawn === mode);
})()"""
EMPTY_CHARTS = """[...document.querySelectorAll('.cs-chart')].filter(chart => {
  const canvas = chart.querySelector('canvas');
  if (canvas) return !canvas.width || !new Set(new Uint32Array(
    canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.buffer)).size > 2;
  return !chart.querySelector('.marks [class*=role-mark] :is(path, line, text, image)');
}).map(chart => chart.closest('figure')?.id ?? 'chart')"""
TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth + 1"
MODE = "mode => { document.documentElement.dataset.mode = mode; document.documentElement.dataset.theme = mode }"


@contextmanager
def chromium(**options):
    """A Playwright browser; the test is skipped, with the reason, where there is none."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], **options)
        yield browser
        browser.close()


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The folder over HTTP on this machine; yields its address."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def check(site: Path, pages: list[str] | None = None, *, http: bool = False) -> list[str]:
    """Every problem of the site's pages (by default all), one line each; an empty list is a good site.

    Opened from `file://`, or over HTTP: console errors, exceptions, failed and external requests, broken images,
    links to nothing, charts without marks or not redrawn in dark mode, pages wider than a phone.
    """
    site = Path(site).resolve()
    pages = pages or [str(p.relative_to(site)) for p in sorted(site.rglob("*.html")) if "_static" not in p.parts]
    with served(site) if http else nullcontext(site.as_uri()) as root, ThreadPoolExecutor(BROWSERS) as pool:
        shares = [pages[k::BROWSERS] for k in range(min(BROWSERS, len(pages)))]
        found = pool.map(lambda share: _faults(site, root, share), shares)
        return sorted(problem for problems in found for problem in problems)


def _faults(site: Path, root: str, pages: list[str]) -> list[str]:
    with chromium() as browser:
        return [problem for page in pages for problem in _problems(browser, site, root, page)]


def loads(site: Path) -> Iterator[tuple[Path, object]]:
    """Every tag of every page that makes a browser load something, and its page."""
    for page in sorted(site.rglob("*.html")):
        soup = BeautifulSoup(page.read_text("utf-8"), "html.parser")
        for tag in soup.select("script[src], link[href]:not([rel=canonical]), img[src], iframe[src]"):
            yield page, tag


def text(page: Path) -> str:
    """A page's article as text, its white space folded."""
    return " ".join(BeautifulSoup(page.read_text("utf-8"), "html.parser").select_one("article").text.split())


def _problems(browser, site: Path, root: str, name: str) -> list[str]:
    refresh = re.search(r'http-equiv="refresh"[^>]*url=([^"]+)"', (site / name).read_text("utf-8"), re.IGNORECASE)
    if refresh:
        return [] if (site / name).parent.joinpath(refresh[1]).is_file() else [f"{name}: leads to nothing"]
    found = []
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme="light")
    page = context.new_page()
    page.on("console", lambda m: m.type == "error" and found.append(f"console error: {m.text}"))
    page.on("pageerror", lambda error: found.append(f"exception: {error}"))
    page.on("requestfailed", lambda r: found.append(f"failed request: {r.url[:120]}"))
    page.on("response", lambda r: r.status >= 400 and found.append(f"HTTP {r.status}: {r.url}"))
    page.on("request", lambda r: _external(r.url, root) and found.append(f"external request: {r.url[:120]}"))
    page.goto(f"{root}/{name}", wait_until="load")
    for mode in ("light", "dark"):
        page.evaluate(MODE, mode)
        _drawn(page, mode, found)
    page.set_viewport_size({"width": 390, "height": 844})
    if page.query_selector(".cs-chart"):
        page.wait_for_timeout(300)  # charts wait a little for the width to settle
    _drawn(page, "dark", found)
    if page.evaluate(TOO_WIDE):
        found.append("wider than a phone's screen")
    page.evaluate(LAZY)
    page.wait_for_load_state("load")
    found += [f"broken image: {src}" for src in page.evaluate(BROKEN_IMAGES)]
    found += _dead_links(page, site, root)
    context.close()
    return [f"{name}: {problem}" for problem in dict.fromkeys(found)]


def _drawn(page, mode: str, found: list[str]) -> None:
    try:
        page.wait_for_function(DRAWN, timeout=WAIT)
    except Exception:
        found.append(f"a chart was not drawn in {mode} mode")
    else:
        found += [f"chart without marks in {mode} mode: {name}" for name in page.evaluate(EMPTY_CHARTS)]


def _external(url: str, root: str) -> bool:
    return not url.startswith((root, "data:", "blob:", "about:"))


def _dead_links(page, site: Path, root: str) -> list[str]:
    hrefs = page.evaluate("[...document.querySelectorAll('a[href]')].map(a => a.href)")
    dead = []
    for href in dict.fromkeys(hrefs):
        if not href.startswith(root):
            continue
        address, anchor = urldefrag(href)
        target = site / unquote(urlsplit(address).path.removeprefix(urlsplit(root).path)).lstrip("/")
        target = target / "index.html" if target.is_dir() else target
        if not target.is_file():
            dead.append(f"link to nothing: {href}")
        elif anchor and target.suffix == ".html" and f'id="{unquote(anchor)}"' not in target.read_text("utf-8"):
            dead.append(f"link to no such place: {href}")
    return dead
