"""Where the time of a training goes."""

import contextlib
import time
from collections.abc import Iterable, Iterator

import polars as pl


class Clock:
    """Seconds since it began, upon those `before`, and the seconds of the present step by phase.

    Seconds on the wall, and of all processors together, which other work on the machine does not lengthen.
    """

    def __init__(self, before: float = 0.0, processor_before: float = 0.0):
        self.start = time.perf_counter() - before
        self.processor_start = time.process_time() - processor_before
        self.seconds: dict[str, float] = {}
        self.spent: dict[str, float] = {}

    def waiting(self, items: Iterable) -> Iterator:
        """The items, one for each step; the phase `wait` is how long an item was waited for."""
        items = iter(items)
        while True:
            self.seconds = {}
            with self.phase("wait"):
                item = next(items, self)
            if item is self:
                return
            yield item

    @contextlib.contextmanager
    def phase(self, name: str):
        """What is done within counts as this phase."""
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin
        self.spent[name] = self.spent.get(name, 0.0) + self.seconds[name]

    def shares(self) -> dict[str, float]:
        """The share of each phase in the time since it began, the longest first."""
        whole = sum(self.spent.values())
        return {name: spent / whole for name, spent in sorted(self.spent.items(), key=lambda item: -item[1])}

    def row(self) -> dict[str, float]:
        """Columns for the present step: seconds, processor_seconds, and `<phase>_seconds`.

        >>> clock = Clock(before=60)
        >>> with clock.phase("step"):
        ...     pass
        >>> sorted(clock.row()), clock.row()["seconds"] > 60
        (['processor_seconds', 'seconds', 'step_seconds'], True)
        """
        phases = {f"{name}_seconds": seconds for name, seconds in self.seconds.items()}
        return {
            "seconds": time.perf_counter() - self.start,
            "processor_seconds": time.process_time() - self.processor_start,
            **phases,
        }


def undisturbed(curve: pl.DataFrame, batch: int) -> float:
    """Seconds that all steps of a learning curve take at the speed of their fastest tenth.

    Of each step of `batch` crops, `curve` has `images_per_second` (of the step) and may have `wait_seconds` (for the
    crops). Other work on the machine makes some steps slower, and the time on the wall longer than a reader's would be.
    Validation and checkpoints are not in it.

    >>> undisturbed(pl.DataFrame({"images_per_second": [16.0] * 50 + [2.0] * 50}), batch=8)
    50.0
    """
    waited = curve["wait_seconds"].fill_null(0.0) if "wait_seconds" in curve.columns else 0.0
    return curve.height * (batch / curve["images_per_second"] + waited).quantile(0.1)
