"""Two ways to do the same work, measured in turn so that a busy moment of the machine meets both."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from cocoseg.runs.machine import machine

ROOT = Path(__file__).resolve().parents[2]


class Cost(NamedTuple):
    """What a piece of work took: seconds, seconds of processor time and peak MiB, its workers included."""

    seconds: float
    processor: float
    memory: float


def row(bench: str, ours: float, peer: float, unit: str) -> dict[str, Any]:
    """One line of a bench's result; `ratio` is how many times less ours takes."""
    here = machine()
    name = f"{here['processor']}, {here['cores']} cores, {here['memory_gib']} GiB, Python {here['python']}"
    name = f"{name}, {date.today()}"
    return {"bench": bench, "ours": ours, "peer": peer, "ratio": peer / ours, "unit": unit, "machine": name}


def alternate(
    ours: Callable[[], Any], peer: Callable[[], Any], times: int = 5, clock: Callable[[], float] = time.perf_counter
) -> tuple[float, float]:
    """Seconds of each in this process: the best of `times` rounds in which both take a turn.

    With `time.process_time` as the clock these are seconds of processor time, which a busy machine hardly changes.
    """
    best = [float("inf"), float("inf")]
    for _ in range(times):
        for side, work in enumerate((ours, peer)):
            start = clock()
            work()
            best[side] = min(best[side], clock() - start)
    return best[0], best[1]


def alternate_fresh(ours: str, peer: str, times: int = 3) -> tuple[Cost, Cost]:
    """The cost of each, the best of `times` rounds, every turn in a process of its own (see `fresh`)."""
    costs = [[], []]
    for _ in range(times):
        for side, code in enumerate((ours, peer)):
            costs[side].append(fresh(code))
    return tuple(Cost(*map(min, zip(*side, strict=True))) for side in costs)


def fresh(code: str) -> Cost:
    """The cost of Python code in a process of its own.

    `code` is `imports; work`, split at the first semicolon; only the work is timed. The memory is that of the process
    and of those that it starts, imports included.
    """
    imports, _, work = code.partition(";")
    program = f"""
import json, os, resource, time
{imports}
def processor():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
start, before = time.perf_counter(), processor()
result = {work.strip()}
seconds, processor = time.perf_counter() - start, processor() - before
try:  # of this process alone; ru_maxrss begins with what the parent had
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
except OSError:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
print(json.dumps([seconds, processor, peak]))
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (ROOT, ROOT / "scripts")))}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as child:
        peak = 0.0
        while child.poll() is None:
            peak = max(peak, _resident(child.pid))
            time.sleep(0.2)
        printed = child.stdout.read()
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, code)
    *times, own = json.loads(printed.splitlines()[-1])
    return Cost(*times, max(peak, own))


def _resident(pid: int) -> float:
    """MiB of a process and all that it started; what they share counts once."""
    total = 0
    try:
        process = psutil.Process(pid)
        for one in [process, *process.children(recursive=True)]:
            used = one.memory_full_info()
            total += getattr(used, "pss", used.uss)
    except psutil.NoSuchProcess:
        pass
    return total / 2**20
