"""The benches' table in the README, from the rows of each bench's last run for it (`results.json`)."""

import json
import re
from pathlib import Path

RESULTS = Path(__file__).with_name("results.json")
README = Path(__file__).resolve().parents[2] / "README.md"
BETWEEN = re.compile(r"(?<=<!-- scripts/bench NAME --readme -->\n).*?(?=<!-- end -->)", re.DOTALL)


def put(bench: str, rows: list[dict]) -> None:
    """Replace the rows of a bench, and the table."""
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    results[bench] = rows
    RESULTS.write_text(json.dumps(dict(sorted(results.items())), indent=1, ensure_ascii=False) + "\n")
    README.write_text(BETWEEN.sub(lambda _: markdown(results), README.read_text()))


def markdown(results: dict[str, list[dict]]) -> str:
    """The table of all benches, and the machines that they ran on.

    >>> row = {"bench": "read", "ours": 1.5, "peer": 15.0, "ratio": 10.0, "unit": "s", "machine": "a processor"}
    >>> print(markdown({"read": [row]}), end="")
    | | cocoseg | otherwise | times less |
    |---|--:|--:|--:|
    | read | 1.5 s | 15 s | 10 |
    <BLANKLINE>
    Measured on a processor (read).
    """
    lines = ["| | cocoseg | otherwise | times less |", "|---|--:|--:|--:|"]
    machines: dict[str, list[str]] = {}
    for bench, rows in sorted(results.items()):
        for row in rows:
            ours, peer = (f"{_short(row[side])} {row['unit']}" for side in ("ours", "peer"))
            lines.append(f"| {row['bench']} | {ours} | {peer} | {_short(row['ratio'], 2)} |")
            named = machines.setdefault(row["machine"], [])
            named += [bench] if bench not in named else []
    places = "; ".join(f"{machine} ({', '.join(benches)})" for machine, benches in machines.items())
    return "\n".join([*lines, "", f"Measured on {places}.", ""])


def _short(number: float, digits: int = 3) -> str:
    """Three digits, but no whole number cut."""
    return f"{number:,.0f}" if abs(number) >= 10 ** (digits - 1) else f"{number:.{digits}g}"


def shown(readme: str) -> list[str]:
    """The tables that stand in a README: one."""
    return BETWEEN.findall(readme)
