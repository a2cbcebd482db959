"""Progress on long work, shown in the terminal of whoever waits for it."""

import os
import sys

from tqdm import tqdm


def progress(iterable=None, *, total=None, desc=None, unit="it", initial=0):
    """A `tqdm` bar on the terminal that started the work.

    A notebook that runs under `cocoseg run` is executed in a kernel of its own, whose output is kept in the
    notebook. The bar goes to the terminal named by `COCOSEG_TERMINAL` instead, and nowhere where there is none,
    so that an executed notebook holds results only.
    """
    terminal = os.environ.get("COCOSEG_TERMINAL")
    if terminal is None:
        return tqdm(iterable, total=total, desc=desc, unit=unit, initial=initial, disable=None)
    if not terminal:
        return tqdm(iterable, total=total, desc=desc, unit=unit, initial=initial, disable=True)
    stream = open(terminal, "w") if sys.platform != "win32" else sys.stderr  # noqa: SIM115
    return tqdm(iterable, total=total, desc=desc, unit=unit, initial=initial, file=stream, leave=False)
