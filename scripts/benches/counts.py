"""Confusion matrices of COCO's label maps with 81 classes: `cocoseg.results.counts` against what others use.

hotcoco and vernier take part where they are installed, TensorFlow for Keras; all must give the same matrix.
"""

import contextlib
from importlib.util import find_spec

import click
import numpy as np
from benches._label_maps import pairs
from benches._side_by_side import alternate, row

from cocoseg.coco.label_space import VOID
from cocoseg.results.counts import confusion

N = 81


@click.command(help=__doc__)
def bench():
    maps = pairs()
    for name, peer in peers():
        np.testing.assert_array_equal(ours(maps), peer(maps))
        fast, slow = alternate(lambda: ours(maps), lambda peer=peer: peer(maps))
        yield row(f"confusion, against {name}", *(1e3 * s / len(maps) for s in (fast, slow)), "ms/image")


def ours(maps):
    total = np.zeros((N, N), np.int64)
    for truth, prediction in maps:
        total += confusion(truth, prediction, N)
    return total


def peers():
    yield "int64 bincount", bincount
    yield "scikit-learn", scikit_learn
    yield "Keras MeanIoU", keras()
    for name, peer in (("hotcoco", hotcoco), ("vernier", vernier)):
        if find_spec(name):
            yield name, peer
        else:
            click.echo(f"{name} is not installed; to take it along: pip install {name}", err=True)


def bincount(maps):
    total = np.zeros(N * N, np.int64)
    for truth, prediction in maps:
        known = truth != VOID
        total += np.bincount(truth[known].astype(np.int64) * N + prediction[known], minlength=N * N)
    return total.reshape(N, N)


def scikit_learn(maps):
    from sklearn.metrics import confusion_matrix

    known = [truth != VOID for truth, _ in maps]
    labels = np.arange(N)
    return sum(confusion_matrix(t[k], p[k], labels=labels) for (t, p), k in zip(maps, known, strict=True))


def keras():
    from cocoseg.models.backend import keras

    metric = keras().metrics.MeanIoU(num_classes=N, ignore_class=VOID)

    def count(maps):
        metric.reset_state()
        for truth, prediction in maps:
            metric.update_state(truth, prediction)
        return np.asarray(metric.total_cm).astype(np.int64)

    return count


def hotcoco(maps):
    from hotcoco.semantic import SemanticEval

    evaluator = SemanticEval(N)
    for truth, prediction in maps:
        evaluator.update(truth, prediction)
    return evaluator.confusion()


def vernier(maps):
    from vernier.semantic import Dataset, Evaluator, Predictions

    truths, predictions = ({k: labels for k, labels in enumerate(side)} for side in zip(*maps, strict=True))
    with contextlib.redirect_stdout(None):
        summary = Evaluator().evaluate(Dataset.from_arrays(truths, N, VOID), Predictions.from_arrays(predictions))
    return summary.confusion_matrix.counts()
