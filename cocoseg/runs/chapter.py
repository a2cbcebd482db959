"""What a chapter needs of the runs: the edition that is being built, and the line that says where a figure is from."""

from typing import Any

from cocoseg.drawing.figure import Provenance
from cocoseg.runs.edition import Edition
from cocoseg.runs.parameters import parameters, path
from cocoseg.runs.record import Run, run


def source(run: Run) -> str:
    """The data of a run in words: `instances/val2017`."""
    values = run.parameters
    return "/".join(values[key] for key in ("data", "split") if key in values)


def recipe(run: Run) -> dict[str, Any]:
    """The parameters of a run but for its seed, with today's defaults for those that its notebook got since.

    Runs of one recipe are several draws of the same.
    """
    defaults = {name: p.default for name, p in parameters(path(run.facts["notebook"])).items()}
    return {name: value for name, value in sorted((defaults | run.parameters).items()) if name != "seed"}


def lineage(training: Run) -> list[Run]:
    """The trainings whose weights each went on from those of the one before; the given one is the last."""
    parent = training.parameters.get("init_from")
    return [*(lineage(run(parent)) if parent else []), training]


def surveyed(book: Edition) -> list[Run]:
    """The surveys of what the edition is about, in its order.

    Surveys of other data, on which its models are trained or judged, only name the images and are left out.
    """
    learnt = {e.parameters.get("data") for e in book.entries if e.notebook in ("train", "evaluate")} - {book.dataset}
    return [run for run in book.runs("survey") if run.parameters["data"] not in learnt]


def explorer(book: Edition, run: Run) -> str | None:
    """The address of an image in COCO's explorer, with `{}` for its id; None where a run's images are not COCO's."""
    own = book.name == "coco" and run.parameters["data"].partition("+")[0] != "sample"
    return "https://cocodataset.org/#explore?id={}" if own else None


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
