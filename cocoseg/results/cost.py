"""What predicting costs on this machine: time for an image, and memory."""

import os
import resource
import sys

import polars as pl

from cocoseg.runs.machine import machine


def throughput(images: pl.DataFrame) -> float | None:
    """Images a second of a predictor that takes one image at a time: 1 over the median of `seconds`; None if unknown.

    `images`: as from `cocoseg.results.predict.evaluate`. The median, because the first call of a network compiles it.

    >>> throughput(pl.DataFrame({"seconds": [9.0, 0.5, 0.5]}))
    2.0
    """
    typical = images["seconds"].median()
    return typical and 1 / typical


def cost(images: pl.DataFrame) -> dict[str, float | str | None]:
    """The cost of an evaluation in this process, by name.

    - `device`: the GPU that TensorFlow computed on, else the processor and its cores.
    - `images_per_second` (`throughput`), `latency_ms` and `latency_p95_ms`: median and 95th percentile, from the image
      in memory to its label map, one image at a time. None where nothing was predicted.
    - `peak_memory_mib`: of the whole process, everything it loaded included. `peak_gpu_mib`: None without a GPU.
    """
    gpu = _gpu_peak()
    here = machine()
    seconds = images["seconds"]
    high = seconds.quantile(0.95)
    return {
        "device": here["gpus"][0] if gpu and here["gpus"] else f"{here['processor']}, {here['cores']} cores",
        "images_per_second": throughput(images),
        "latency_ms": None if high is None else 1e3 * seconds.median(),
        "latency_p95_ms": None if high is None else 1e3 * high,
        "peak_memory_mib": round(peak_memory() / 2**20),
        "peak_gpu_mib": gpu and round(gpu / 2**20),
    }


def peak_memory() -> int:
    """The most memory that this process ever had in use, in bytes."""
    try:
        with open("/proc/self/status") as lines:  # ru_maxrss begins with what the parent had
            return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _gpu_peak() -> int | None:
    """The most memory that TensorFlow had in use on its first GPU, in bytes; None if it has none or is not loaded."""
    if "tensorflow" not in sys.modules or os.environ.get("CUDA_VISIBLE_DEVICES") == "-1":
        return None
    config = sys.modules["tensorflow"].config
    return config.experimental.get_memory_info("GPU:0")["peak"] if config.list_physical_devices("GPU") else None
