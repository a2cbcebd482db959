"""Errors that a user can cause and mend: one line, no traceback."""

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """What is wrong with the input, what was expected, and the nearest valid choice, in one line."""


def nearest(word: str, choices: Iterable[str]) -> str:
    """The end of an error message about an unknown `word`.

    >>> nearest("voc12", ["person", "voc21"])
    "did you mean 'voc21'? Valid: person, voc21"
    >>> nearest("x", ["person", "voc21"])
    'valid: person, voc21'
    """
    choices = sorted(choices)
    close = difflib.get_close_matches(word, choices, 1)
    listing = ", ".join(choices) or "nothing"
    return f"did you mean {close[0]!r}? Valid: {listing}" if close else f"valid: {listing}"
