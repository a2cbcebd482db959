"""What a chapter needs of the runs: the edition that is being built, and the line that says where a figure is from."""

from cocoseg.drawing.figure import Provenance
from cocoseg.runs.edition import Edition
from cocoseg.runs.record import Run


def source(run: Run) -> str:
    """The data of a run in words: `instances/val2017`."""
    values = run.parameters
    return "/".join(values[key] for key in ("data", "split") if key in values)


def surveyed(book: Edition) -> list[Run]:
    """The surveys of what the edition is about, in its order.

    Surveys of other data, on which its models are trained or judged, only name the images and are left out.
    """
    learnt = {e.parameters.get("data") for e in book.entries if e.notebook in ("train", "evaluate")} - {book.dataset}
    return [run for run in book.runs("survey") if run.parameters["data"] not in learnt]


def provenance(book: Edition, run: Run, up: str = "../") -> Provenance:
    """The origin of a figure: run, date, data, commit, and whether the run still holds.

    `up` leads from the page to the folder `book/`; pages of a part are one folder below it.
    """
    state = next(entry.state for entry in book.entries if entry.name == run.name)
    status = state.state if state.verified or state.state != "current" else "unverified"
    return Provenance(
        run=run.name,
        date=run.facts["started"],
        dataset=source(run),
        commit=run.facts["git"]["commit"] or "none",
        status=status,
        href=f"{up}runs/{run.name}/notebook.html",
    )
