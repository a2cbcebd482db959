"""The evaluations of an edition, side by side where they can be: grouped by what they were asked."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import polars as pl

from cocoseg.coco.derived import defect_of
from cocoseg.models.encoder import UNTRAINED
from cocoseg.results.intervals import MIN_IMAGES
from cocoseg.results.metrics import score
from cocoseg.runs.chapter import recipe
from cocoseg.runs.edition import Edition, Entry
from cocoseg.runs.record import RUNS, Run


@dataclass(frozen=True, eq=False)
class Evaluation:
    """One model on one split: its run, and the training that it comes from, None for predictions made elsewhere."""

    entry: Entry
    run: Run
    training: Run | None

    @property
    def name(self) -> str:
        return self.entry.role.removeprefix("evaluate-")

    @cached_property
    def counts(self) -> pl.DataFrame:
        return self.run.table("counts")

    @cached_property
    def score(self) -> float:
        """mIoU^D, by which evaluations are ranked."""
        return score(self.counts, "miou_d")

    @property
    def model(self) -> str:
        return self.run.scores["model"]

    @property
    def architecture(self) -> str:
        """The model, and whether its encoder started from drawn weights."""
        drawn = self.training and self.training.parameters.get("encoder", "").endswith(UNTRAINED)
        return f"{self.model} from scratch" if drawn else self.model

    @property
    def seed(self) -> int | None:
        return self.training.parameters["seed"] if self.training else None

    @property
    def size(self) -> int | None:
        """The side of what the network sees, in px: as asked when it was evaluated, else of its training's crops."""
        return self.run.parameters.get("size") or (self.training.parameters.get("size") if self.training else None)

    @property
    def planted(self) -> bool:
        """Whether it learned from planted defects, or is judged against them."""
        return any(defect_of(run.parameters["data"]) for run in (self.run, self.training) if run)

    @property
    def recipe(self) -> str:
        """What was trained and asked, but for the seed: evaluations of one recipe are several draws of the same."""
        asked = {key: value for key, value in recipe(self.run).items() if key != "training"}
        return repr((self.model, asked, recipe(self.training) if self.training else None))


@dataclass(frozen=True, eq=False)
class Group:
    """Evaluations of the same images against the same truth, best first."""

    source: str
    space: str
    evaluations: tuple[Evaluation, ...]

    @property
    def best(self) -> Evaluation:
        return self.evaluations[0]

    @cached_property
    def images(self) -> int:
        return self.best.counts["image_id"].n_unique()

    @cached_property
    def names(self) -> dict[int, str]:
        """The name of each class."""
        return dict(self.best.run.table("classes").iter_rows())

    @cached_property
    def min_images(self) -> int:
        """In how many images a class has to be to enter a mean with an interval: `MIN_IMAGES`, if any class is in so
        many, else 1."""
        most = self.best.counts.filter(pl.col("true") > 0)["class"].value_counts()["count"].max()
        return MIN_IMAGES if (most or 0) >= MIN_IMAGES else 1

    @property
    def least(self) -> str:
        """`min_images` in words."""
        return f"at least {self.min_images} image{'s' if self.min_images > 1 else ''}"

    @cached_property
    def rare(self) -> int:
        """How many classes but background are in the truth of fewer than `MIN_IMAGES` images."""
        images = self.best.counts.filter(pl.col("true") > 0, pl.col("class") > 0)["class"].value_counts()
        return len(self.names) - 1 - images.filter(pl.col("count") >= MIN_IMAGES).height

    @property
    def demonstration(self) -> bool:
        """Whether most classes are too rare here for an interval: scores then show how, not how well."""
        return self.rare > (len(self.names) - 1) / 2

    @property
    def title(self) -> str:
        title = f"{self.source}, {self.space}, {self.images:,} images"
        return f"{title} (a demonstration)" if self.demonstration else title

    @property
    def about(self) -> str:
        """What a sentence says that the group is about, and why it is no more than a demonstration, if so."""
        if not self.demonstration:
            return f"{self.source} ({self.space})"
        classes = len(self.names) - 1
        rare = f"{self.rare} of its {classes} classes are" if classes > 1 else "its class is"
        return f"{self.source} ({self.space}; a demonstration: {rare} in fewer than {MIN_IMAGES} images)"

    @cached_property
    def recipes(self) -> dict[str, list[Evaluation]]:
        """The evaluations of each recipe, best recipe first, under the name of its architecture; where two recipes have
        one, with the size of its inputs; where that is one too, under the name of their best evaluation."""
        found: dict[str, list[Evaluation]] = {}
        for evaluation in self.evaluations:
            found.setdefault(evaluation.recipe, []).append(evaluation)
        bests = [members[0] for members in found.values()]
        models = [e.architecture for e in bests]
        sized = [f"{e.architecture} at {e.size} px" for e in bests]
        named = [
            model if models.count(model) == 1 else size if sized.count(size) == 1 else e.name
            for e, model, size in zip(bests, models, sized, strict=True)
        ]
        by_name = dict(zip(named, found.values(), strict=True))
        return dict(sorted(by_name.items(), key=lambda item: -sum(e.score for e in item[1]) / len(item[1])))

    @cached_property
    def labels(self) -> dict[str, str]:
        """What pages call each evaluation, by its name: as its recipe, with the seed where the recipe has several."""
        found = {}
        for name, members in self.recipes.items():
            seeds = [e.seed for e in members]
            for e in members:
                seeded = f"{name} (seed {e.seed})" if seeds.count(e.seed) == 1 and name != members[0].name else e.name
                found[e.name] = name if len(members) == 1 else seeded
        return found

    def label(self, evaluation: Evaluation) -> str:
        """What pages call an evaluation of this group; no two have one label."""
        return self.labels[evaluation.name]


def groups(book: Edition, tables: Sequence[str] = ("counts",)) -> list[Group]:
    """The evaluations of an edition that have all these tables, in groups that may be compared; the largest first.

    Two are in one group if they are of one split and label space and their counts have the same truth. Of groups of one
    size the one that the edition names first is first. Those of `planted` are in no group.
    """
    found: dict[tuple, list[Evaluation]] = {}
    for one in _evaluations(book, tables):
        if one.planted:
            continue
        known = one.counts.filter(pl.col("true") > 0).select("image_id", "class", "true")
        source = f"{one.run.parameters['data']}/{one.run.parameters['split']}"
        found.setdefault((source, one.run.scores["space"], frozenset(known.rows())), []).append(one)
    made = [
        Group(source, space, tuple(sorted(members, key=lambda e: -e.score)))
        for (source, space, _), members in found.items()
    ]
    return sorted(made, key=lambda group: -len(group.evaluations))


def planted(book: Edition) -> list[Evaluation]:
    """The evaluations that belong to an experiment of their own: of what learned from planted defects, or against
    them."""
    return [one for one in _evaluations(book, ["counts"]) if one.planted]


def _evaluations(book: Edition, tables: Sequence[str]) -> Iterator[Evaluation]:
    trainings = {run.name: run for run in book.runs("train")}
    for entry in book.entries:
        if entry.notebook == "evaluate" and all(entry.has(table) for table in tables):
            run = Run(RUNS / entry.name)
            yield Evaluation(entry, run, trainings.get(run.parameters.get("training")))
