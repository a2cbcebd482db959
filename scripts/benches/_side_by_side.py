"""Two ways to do the same work, measured in turn so that a busy moment of the machine meets both."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cocoseg.runs.machine import machine

ROOT = Path(__file__).resolve().parents[2]


def row(bench: str, ours: float, peer: float, unit: str) -> dict[str, Any]:
    """One line of a bench's result; `ratio` is how many times less ours takes."""
    here = machine()
    name = f"{here['processor']}, {here['cores']} cores, {here['memory_gib']} GiB, Python {here['python']}"
    return {"bench": bench, "ours": ours, "peer": peer, "ratio": peer / ours, "unit": unit, "machine": name}


def alternate(ours: Callable[[], Any], peer: Callable[[], Any], times: int = 5) -> tuple[float, float]:
    """Seconds of each in this process: the best of `times` rounds in which both take a turn."""
    best = [float("inf"), float("inf")]
    for _ in range(times):
        for side, work in enumerate((ours, peer)):
            start = time.perf_counter()
            work()
            best[side] = min(best[side], time.perf_counter() - start)
    return best[0], best[1]


def alternate_fresh(ours: str, peer: str, times: int = 3) -> tuple[tuple[float, float], tuple[float, float]]:
    """(seconds, peak MiB) of each, the best of `times` rounds, every turn in a process of its own.

    `ours` and `peer` are Python: `imports; work` is split at the first semicolon, and only the work is timed. The
    peak is of the whole process, imports included.
    """
    costs = [[], []]
    for _ in range(times):
        for side, code in enumerate((ours, peer)):
            costs[side].append(_fresh(code))
    return tuple(tuple(map(min, zip(*side, strict=True))) for side in costs)


def _fresh(code: str) -> tuple[float, float]:
    imports, _, work = code.partition(";")
    program = f"""
import sys, time, json, resource
{imports}
start = time.perf_counter()
result = {work.strip()}
seconds = time.perf_counter() - start
try:  # of this process alone; ru_maxrss begins with what the parent had
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps([seconds, peak]))
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    return tuple(json.loads(done.stdout.splitlines()[-1]))
