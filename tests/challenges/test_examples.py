"""Objects that were drawn twice."""

import numpy as np

from cocoseg.challenges.examples import CLASSES, SMALLEST, twice


def test_each_kind_of_moved_contour_is_shown_once_and_the_sound_one_agrees_best():
    shown = twice()
    assert set(shown) == {"no defect", "shifted", "coarsened", "cut off"}
    assert next(iter(shown)) == "no defect"
    for kind, example in shown.items():
        assert example.defect == kind
        assert example.image.shape == (*example.labels.shape, 3)
        counts = np.bincount(example.labels.ravel(), minlength=len(CLASSES))
        assert example.iou == counts[1] / counts[1:].sum()
        assert counts[[1, 3]].sum() >= SMALLEST
        assert 0.5 < example.iou < 1
