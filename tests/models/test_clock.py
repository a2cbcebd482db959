"""Where the time of a training goes."""

import time

import polars as pl
import pytest

from cocoseg.models.clock import Clock, undisturbed


def test_phases_are_of_one_step_and_shares_of_all():
    clock, rows = Clock(), []
    for seconds in clock.waiting([0.03, 0.02]):
        with clock.phase("step"):
            time.sleep(seconds)
        rows.append(clock.row())
    assert clock.spent["step"] == pytest.approx(sum(row["step_seconds"] for row in rows))
    assert clock.spent["step"] < rows[-1]["seconds"]
    assert sum(clock.shares().values()) == pytest.approx(1) and next(iter(clock.shares())) == "step"


def test_an_interrupted_training_goes_on_counting():
    row = Clock(before=60, processor_before=90).row()
    assert 60 < row["seconds"] < 61 and 90 <= row["processor_seconds"] < 91


def test_steps_that_other_work_slowed_do_not_lengthen_the_training():
    curve = pl.DataFrame({"images_per_second": [8.0] * 20 + [1.0] * 80})
    assert undisturbed(curve, batch=4) == pytest.approx(100 * 4 / 8)
