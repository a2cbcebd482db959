"""What a run ran on: recorded, never compared."""

import os
import platform
import shutil
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any

PACKAGES = (
    "numpy",
    "polars",
    "numba",
    "opencv-python-headless",
    "pycocotools",
    "tensorflow",
    "keras",
    "papermill",
)


def _output(*command: str, cwd: Path | None = None) -> str:
    if not shutil.which(command[0]):
        return ""
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd)
    return done.stdout.strip() if done.returncode == 0 else ""


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


def machine() -> dict[str, Any]:
    """Processor, cores, memory, GPUs, operating system, Python and package versions."""
    import psutil

    gpus = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "gpus": gpus,
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES if _installed(name)},
    }


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


def commit(home: Path) -> dict[str, Any]:
    """The git commit of the code and whether the package or the notebooks differ from it."""
    head = _output("git", "rev-parse", "--short=10", "HEAD", cwd=home)
    changed = _output("git", "status", "--porcelain", "--", "cocoseg", "book/notebooks", cwd=home)
    return {"commit": head or None, "uncommitted_changes": bool(changed)}
