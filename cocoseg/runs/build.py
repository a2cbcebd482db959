"""From runs to a site: the book is staged, built aside, and put in place whole.

The published edition is `_build/html/`; any other edition is a folder of its name below it.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import nbformat
import yaml
from filelock import FileLock, Timeout

from cocoseg.coco.datasets import HOME
from cocoseg.errors import UserError
from cocoseg.runs import fingerprint
from cocoseg.runs.edition import Edition, Entry, edition
from cocoseg.runs.execute import execute
from cocoseg.runs.record import RUNS

PUBLISHED = "coco"
PORT_LOST = "Address already in use"
BUILD = Path(os.environ.get("COCOSEG_BUILD", HOME / "_build"))


class BuildFailed(Exception):
    """Sphinx or a chapter failed; the text ends in its last words."""


def site(name: str) -> Path:
    """The folder of an edition's site."""
    return BUILD / "html" if name == PUBLISHED else BUILD / "html" / name


def _digest(book: Edition) -> str:
    """Hash of all that a site is made of."""
    sources = [HOME / "_config.yml", HOME / "_toc.yml", HOME / "requirements.txt"]
    sources += [f for room in ("book", "cocoseg") for f in sorted((HOME / room).rglob("*")) if _is_source(f)]
    parts = [f"{file.relative_to(HOME)} {fingerprint.file(file)}" for file in sources]
    for entry in book.entries:
        state = entry.state
        pictures = sorted(f"{f} {fingerprint.file(f)}" for f in (RUNS / entry.name / "local").glob("*.png"))
        facts = fingerprint.values(state.facts)
        parts.append(f"{entry.name} {state.state} {state.why} {state.drift} {state.verified} {facts} {pictures}")
    return fingerprint.digest(*parts)


def _is_source(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts and RUNS not in file.parent.parents


def _front_matter(page: str) -> dict:
    match = re.match(r"---\n(.*?)\n---\n", page, re.DOTALL)
    return yaml.safe_load(match[1]) if match else {}


def missing(book: Edition, page: str) -> list[Entry]:
    """The runs that a page cannot do without and that are not there.

    A page's front matter names them: `needs: survey-val, evaluate` asks for the run of the role `survey-val` and for
    at least one run of the notebook `evaluate`. With a table, `evaluate/mistakes`, only a run that has it will do.
    """
    absent = []
    for need in _needs(page):
        entries, table = _answers(book, need), need.partition("/")[2]
        if not any(entry.has(table) if table else entry.usable for entry in entries):
            absent += entries
    return absent


def left_out(book: Edition, page: str) -> list[str]:
    """What a page needs and the edition does not ask for, as one about a dataset that was only surveyed.

    A need that the published edition does not know either is a `UserError`.
    """
    unmet = [need.partition("/")[0] for need in _needs(page) if not _answers(book, need)]
    for need in unmet:
        published = edition(PUBLISHED)
        if not _answers(published, need):
            published.entry(need)
    return unmet


def _needs(page: str) -> list[str]:
    return [need.strip() for need in _front_matter(page).get("needs", "").split(",") if need.strip()]


def _answers(book: Edition, need: str) -> list[Entry]:
    name = need.partition("/")[0]
    return [e for e in book.entries if e.role == name] or [e for e in book.entries if e.notebook == name]


def _stub(page: str, box: str, text: str) -> str:
    """A page's title, and why the rest of it is not there."""
    title = re.search(r"^# .*$", page, re.MULTILINE)
    return f"{title[0] if title else '# Missing'}\n\n```{{admonition}} {box}\n:class: warning\n{text}\n```\n"


def _waiting(page: str, absent: list[Entry]) -> str:
    commands = "\n".join(entry.command for entry in absent)
    return _stub(
        page,
        "This page waits for its runs",
        f"It shows what these runs measured, and they are not on this machine. Make them with\n\n"
        f"~~~bash\n{commands}\n~~~\n\nand build the book again.",
    )


def _not_asked_for(page: str, book: Edition, needs: list[str]) -> str:
    return _stub(
        page,
        "Not in this edition",
        f"The page shows runs that this edition does not ask for: {', '.join(needs)}. To have it, add them to "
        f"`book/editions/{book.name}.yml`, as `book/editions/{PUBLISHED}.yml` does.",
    )


def _notebook_page(source: Path, target: Path, title: str | None) -> None:
    content = nbformat.read(source, as_version=4)
    if title:
        first = next(cell for cell in content.cells if cell.cell_type == "markdown")
        first.source = re.sub(r"^# .*$", f"# {title}", first.source, count=1, flags=re.MULTILINE)
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, target)


def stage(book: Edition, folder: Path) -> None:
    """Lay out the sources of an edition's site in a folder."""
    shutil.copytree(
        HOME / "book",
        folder / "book",
        ignore=lambda at, names: [
            name for name in names if name.startswith(".") or (Path(at) == RUNS and (RUNS / name).is_dir())
        ],
    )
    for page in sorted((folder / "book").rglob("*.md")):
        text = page.read_text()
        if needs := left_out(book, text):
            page.write_text(_not_asked_for(text, book, needs))
        elif absent := missing(book, text):
            page.write_text(_waiting(text, absent))
    executed = [entry for entry in book.entries if entry.usable]
    for entry in executed:
        _notebook_page(
            RUNS / entry.name / "notebook.ipynb",
            folder / "book" / "runs" / entry.name / "notebook.ipynb",
            f"{entry.notebook}: {entry.role}",
        )
    toc = yaml.safe_load((HOME / "_toc.yml").read_text())
    for part in toc["parts"]:
        for chapter in part["chapters"]:
            if chapter["file"] == "book/runs/index" and executed:
                chapter["sections"] = [{"file": f"book/runs/{entry.name}/notebook"} for entry in executed]
    (folder / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))
    config = yaml.safe_load((HOME / "_config.yml").read_text())
    config.setdefault("html", {})["announcement"] = book.about
    scripts = config["sphinx"]["config"].get("html_js_files", [])
    config["sphinx"]["config"]["html_js_files"] = ["editions.js", *scripts]
    (folder / "_config.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    from cocoseg.drawing.bundle import write

    write(folder / "book" / "_assets")
    (folder / "book" / "_assets" / "editions.js").write_text(_editions_script(book.name))


def _editions_script(name: str) -> str:
    """What a page's script knows of the other editions on this machine."""
    if name != PUBLISHED:
        others = [{"title": "Published edition", "href": "../index.html"}]
    else:
        folders = [file.parent for file in sorted(site(PUBLISHED).glob("*/.digest"))]
        others = [
            {"title": f"{f.name.title()} edition, built on this machine", "href": f"{f.name}/index.html"}
            for f in folders
        ]
    return f"window.COCOSEG_EDITIONS = {json.dumps(others)};\n"


def _jupyter_book(folder: Path, name: str, say: Callable[[str], None]) -> Path:
    log = BUILD / f"{name}.log"
    command = [str(Path(sys.executable).with_name("jupyter-book")), "build", str(folder)]
    command += ["--all", "--warningiserror", "--nitpick", "--keep-going"]
    settings = {
        "COCOSEG_EDITION": name,
        "COCOSEG_HOME": str(HOME),
        "COCOSEG_RUNS": str(RUNS),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    for _ in range(2):
        with log.open("w") as stream:
            done = subprocess.run(command, stdout=stream, stderr=subprocess.STDOUT, env=os.environ | settings)
        # Between choosing a port and binding it, a kernel may lose it to another program (papermill, issue 511).
        if not (done.returncode and PORT_LOST in log.read_text()):
            break
        say("a kernel lost its port to another program; building once more")
    if done.returncode:
        lines = [line for line in log.read_text().splitlines() if "IPKernelApp" not in line]
        telling = [line for line in lines if re.search(r"WARNING|ERROR|Error|CRITICAL", line)] or lines
        for trace in sorted((folder / "_build").rglob("*.err.log")):
            telling += ["", f"{trace.stem.removesuffix('.err')}:", *trace.read_text().splitlines()[-12:]]
        raise BuildFailed("\n".join([*telling[-60:], f"the book could not be built; all of the log: {log}"]))
    return folder / "_build" / "html"


def _put_in_place(new: Path, name: str) -> None:
    target = site(name)
    old = BUILD / f"{name}.old"
    shutil.rmtree(old, ignore_errors=True)
    if name == PUBLISHED and target.exists():
        for other in target.glob("*/.digest"):
            shutil.copytree(other.parent, new / other.parent.name, copy_function=os.link)
    target.parent.mkdir(parents=True, exist_ok=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)
    if name != PUBLISHED:
        script = site(PUBLISHED) / "_static" / "editions.js"
        if script.is_file():
            part = script.with_suffix(".part")
            part.write_text(_editions_script(PUBLISHED))
            part.replace(script)


def _recover(name: str) -> None:
    """Undo a replacement that was killed between its two renames."""
    old = BUILD / f"{name}.old"
    if old.is_dir() and not site(name).exists():
        old.rename(site(name))


def build(
    name: str, *, run: bool = False, strict: bool = False, force: bool = False, say: Callable[[str], None] = print
) -> Path:
    """Build an edition's site and return its first page.

    `run` first executes what is missing or stale; `strict` refuses runs that are not current. On any failure the
    site that was there stays as it was.
    """
    book = edition(name)
    start = time.monotonic()
    if run:
        for k, entry in enumerate(book.ordered(), 1):
            say(f"[{k}/{len(book.entries)}] {entry.name}")
            _, executed = execute(entry.notebook, dict(entry.parameters), entry.name, replace=True)
            say(
                f"      {f'done after {time.monotonic() - start:,.0f} s in all' if executed else 'nothing has changed'}"
            )
        book = edition(name)
    for entry in book.entries:
        for reason in entry.state.why:
            say(f"{entry.state.state}: {entry.name}: {reason}")
    wrong = [entry.name for entry in book.entries if entry.state.state != "current"]
    if strict and wrong:
        raise BuildFailed(f"a strict build needs current runs; not current: {', '.join(wrong)}")
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(BUILD / "lock", timeout=0):
            return _build(book, force, say)
    except Timeout:
        raise UserError("the book is being built by another process") from None


def _build(book: Edition, force: bool, say: Callable[[str], None]) -> Path:
    start = time.monotonic()
    _recover(book.name)
    target = site(book.name)
    now, note = _digest(book), target / ".digest"
    if not force and note.is_file() and note.read_text() == now:
        say(f"edition {book.name}: nothing has changed")
        return target / "index.html"
    say(f"edition {book.name}: building the site")
    folder = BUILD / f"{book.name}.stage"
    shutil.rmtree(folder, ignore_errors=True)
    stage(book, folder)
    made = _jupyter_book(folder, book.name, say)
    (made / ".digest").write_text(now)
    _put_in_place(made, book.name)
    shutil.rmtree(folder)
    say(f"edition {book.name}: built in {time.monotonic() - start:,.0f} s")
    return target / "index.html"
