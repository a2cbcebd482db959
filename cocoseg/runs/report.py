"""The state of every run, one after the other."""

from cocoseg.runs.edition import edition, everywhere
from cocoseg.runs.record import RUNS
from cocoseg.runs.state import State, state


def brief(reasons: tuple[str, ...], most: int = 2) -> str:
    """Reasons in one line, of long lists only the first entries.

    >>> brief(("notebook changed", "code changed: a, b, c, d"))
    'notebook changed; code changed: a, b and 2 more'
    """
    short = []
    for reason in reasons:
        what, colon, rest = reason.partition(": ")
        named = rest.split(", ")
        more = f" and {len(named) - most} more" if len(named) > most else ""
        short.append(what + colon + ", ".join(named[:most]) + more)
    return "; ".join(short)


def states(name: str | None = None) -> list[State]:
    """The states of the runs of one edition, or of all editions and then of every other run in the folder."""
    entries = edition(name).entries if name else everywhere()
    found = [entry.state for entry in entries]
    if name is None:
        asked = {entry.name for entry in entries}
        folders = {
            f.parent.name.removesuffix(".attempt") for f in [*RUNS.glob("*/run.json"), *RUNS.glob("*/attempt.json")]
        }
        found += [state(folder) for folder in sorted(folders - asked)]
    return found
