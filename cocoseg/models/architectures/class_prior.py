"""How often each class is at each position of an image: what is known before looking at it.

The prior of semantic layout, as drawn for COCO in Caesar, Uijlings and Ferrari, "COCO-Stuff", CVPR 2018, section 4.
"""

from collections.abc import Iterable

import numpy as np

GRID = 64


def coverage(cells: int, pixels: int) -> np.ndarray:
    """The share of each cell that each pixel covers when both divide the same length: float64 cells×pixels.

    >>> coverage(2, 3).round(2)
    array([[0.67, 0.33, 0.  ],
           [0.  , 0.33, 0.67]])
    """
    cell = np.arange(cells)[:, None] / cells
    pixel = np.arange(pixels) / pixels
    overlap = np.minimum(cell + 1 / cells, pixel + 1 / pixels) - np.maximum(cell, pixel)
    return overlap.clip(0) * cells


class ClassPrior:
    """The frequency of every class in each cell of a grid laid over the image, whatever its shape."""

    def __init__(self, n: int):
        self.arrays = {"frequency": np.full((GRID, GRID, n), 1 / n, np.float32)}

    def fit(self, labels: Iterable[np.ndarray], images: Iterable[np.ndarray] = ()) -> None:
        """Mean over label maps (uint8 H×W) of each class's share of each cell, void left out.

        A cell that is void in every label map gets the shares of the whole dataset.
        """
        n = self.arrays["frequency"].shape[-1]
        area = np.zeros((GRID, GRID, n))
        for label in labels:
            rows, columns = (coverage(GRID, length) for length in label.shape)
            for k in np.unique(label[label < n]):
                area[..., k] += rows @ (label == k) @ columns.T
        whole = area.sum((0, 1))
        area[area.sum(-1) == 0] = whole if whole.any() else 1
        self.arrays = {"frequency": (area / area.sum(-1, keepdims=True)).astype(np.float32)}

    def predict(self, image: np.ndarray, size: int) -> np.ndarray:
        """Probabilities, float32 64×64×n, the same for every image."""
        return self.arrays["frequency"].astype(np.float32)


def build(n: int, seed: int) -> ClassPrior:
    """There is nothing to draw."""
    return ClassPrior(n)
