"""Where the time of a training goes."""

import contextlib
import time
from collections.abc import Iterable, Iterator


class Clock:
    """Seconds since it began, upon those `before`, and the seconds of the present step by phase."""

    def __init__(self, before: float = 0.0):
        self.start = time.perf_counter() - before
        self.seconds: dict[str, float] = {}

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

    def row(self) -> dict[str, float]:
        """Columns for the present step: seconds, and `<phase>_seconds`.

        >>> clock = Clock(before=60)
        >>> with clock.phase("step"):
        ...     pass
        >>> sorted(clock.row()), clock.row()["seconds"] > 60
        (['seconds', 'step_seconds'], True)
        """
        phases = {f"{name}_seconds": seconds for name, seconds in self.seconds.items()}
        return {"seconds": time.perf_counter() - self.start, **phases}
