"""Checkpoints are whole, exact, and of this training only."""

import numpy as np
import pytest

from cocoseg.errors import UserError
from cocoseg.models import checkpoint
from cocoseg.models.checkpoint import Checkpoint

STATE = Checkpoint(
    {"model": "seed-cnn", "steps": 9},
    [{"step": 1, "loss": 0.1 + 0.2}, {"step": 2, "loss": 1e-17, "val_miou": 0.5}],
    [np.float32([[1 / 3]]), np.int64(7), np.arange(12, dtype=np.uint32)],
)


def test_a_state_comes_back_to_the_bit(tmp_path):
    path = tmp_path / "deeper" / "checkpoint.npz"
    checkpoint.write(path, STATE)
    back = checkpoint.read(path, STATE.settings)
    assert (back.settings, back.rows) == (STATE.settings, STATE.rows)
    for one, other in zip(back.variables, STATE.variables, strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def test_more_than_ten_variables_keep_their_order(tmp_path):
    many = Checkpoint({}, [], [np.int64(i) for i in range(1200)])
    checkpoint.write(tmp_path / "c.npz", many)
    assert checkpoint.read(tmp_path / "c.npz", {}).variables == list(range(1200))


def test_none_is_none(tmp_path):
    assert checkpoint.read(tmp_path / "checkpoint.npz", {}) is None


def test_another_training_is_refused_with_what_differs(tmp_path):
    checkpoint.write(tmp_path / "c.npz", STATE)
    with pytest.raises(UserError, match=r"other settings \(steps 9, now 10\); delete it or give another folder"):
        checkpoint.read(tmp_path / "c.npz", {"model": "seed-cnn", "steps": 10})


def test_an_interrupted_write_leaves_the_one_before(tmp_path, monkeypatch):
    checkpoint.write(tmp_path / "c.npz", STATE)

    def die(stream, **arrays):
        stream.write(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", die)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(tmp_path / "c.npz", Checkpoint(STATE.settings, [], []))
    monkeypatch.undo()
    assert checkpoint.read(tmp_path / "c.npz", STATE.settings).rows == STATE.rows
