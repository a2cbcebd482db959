"""Work over shards of a dataset, in the processes of one machine."""

import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed

from cocoseg.progress import progress
from cocoseg.runs import fingerprint

_worker_modules: set[str] = set()


def modules() -> list[str]:
    """The `cocoseg` modules that this process and its workers have imported."""
    return sorted({*fingerprint.loaded(), *_worker_modules})


def shards(items: Sequence, size: int) -> list[Sequence]:
    """Consecutive pieces of at most `size` items.

    >>> shards([1, 2, 3], 2)
    [[1, 2], [3]]
    """
    return [items[start : start + size] for start in range(0, len(items), size)]


def _call(function: Callable, shard):
    return function(shard), fingerprint.loaded()


def over(function: Callable, pieces: Sequence, *, workers: int | None = None, desc: str | None = None) -> list:
    """`[function(piece) for piece in pieces]`, computed by `workers` processes (default: one a core).

    `function` must be picklable and depend on its piece only, so that the result is the same for any number of
    workers. With one worker, or one piece, no process is started.

    >>> over(len, [[1, 2], [3]], workers=1)
    [2, 1]
    """
    workers = min(workers or os.cpu_count() or 1, len(pieces))
    if workers <= 1:
        return [function(piece) for piece in progress(pieces, desc=desc, unit="shard")]
    results: list = [None] * len(pieces)
    # A forked worker would inherit the threads' locks of polars; one started afresh does not.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        futures = {pool.submit(_call, function, piece): k for k, piece in enumerate(pieces)}
        try:
            for future in progress(as_completed(futures), total=len(pieces), desc=desc, unit="shard"):
                results[futures[future]], names = future.result()
                _worker_modules.update(names)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return results
