"""Work over shards gives the same for any number of processes."""

import pytest

from cocoseg.runs import parallel
from cocoseg.runs.fingerprint import digest


def work(piece):
    from cocoseg.masks import __name__ as name  # a module that only the workers load

    return [digest(str(item)) for item in piece], name


def fail(piece):
    raise ValueError(f"piece {piece} went wrong")


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_results_come_in_the_order_of_the_pieces(workers):
    pieces = parallel.shards(list(range(7)), 3)
    assert [len(piece) for piece in pieces] == [3, 3, 1]
    assert parallel.over(work, pieces, workers=workers) == [work(piece) for piece in pieces]


def test_the_modules_of_workers_count_as_used():
    parallel.over(work, [[1], [2]], workers=2)
    assert "cocoseg.masks" in parallel.modules()


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_in_a_worker_reaches_the_caller(workers):
    with pytest.raises(ValueError, match="went wrong"):
        parallel.over(fail, [[1], [2], [3]], workers=workers)


def test_no_pieces_give_no_results():
    assert parallel.over(work, []) == []
