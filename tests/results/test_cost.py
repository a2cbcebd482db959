"""What predicting costs: the typical image decides, and what was not measured is not there."""

import numpy as np
import polars as pl
import pytest

from cocoseg.results.cost import cost, peak_memory, throughput


def test_throughput_is_that_of_the_typical_image():
    assert throughput(pl.DataFrame({"seconds": [30.0, 0.25, 0.25, 0.25]})) == 4


def test_latency_is_the_median_and_the_95th_percentile():
    seconds = np.arange(1, 101) / 1000
    row = cost(pl.DataFrame({"seconds": seconds}))
    assert row["latency_ms"] == pytest.approx(50.5) and row["latency_p95_ms"] == pytest.approx(95, abs=1)
    assert row["images_per_second"] == pytest.approx(1000 / 50.5)
    assert row["device"] and row["peak_gpu_mib"] is None


def test_label_maps_predicted_elsewhere_cost_nothing_that_is_known():
    row = cost(pl.DataFrame({"seconds": [None, None]}, {"seconds": pl.Float64}))
    assert row["images_per_second"] is row["latency_ms"] is row["latency_p95_ms"] is None


def test_the_peak_grows_with_what_is_held():
    before = peak_memory()
    held = np.ones(max(64 * 2**20, before // 4), np.uint8)
    assert peak_memory() >= 32 * 2**20 and held.sum() == len(held)
