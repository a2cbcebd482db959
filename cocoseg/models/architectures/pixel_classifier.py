"""The class of a pixel by its colour and its position alone: what is known before looking at any other pixel.

Histograms of colour for each class, as in Jones and Rehg, "Statistical color models with application to skin
detection", CVPR 1999, times how often the class is at the position: within a class, both are taken as independent.
"""

from collections.abc import Iterable

import cv2
import numpy as np

from cocoseg.models.architectures.class_prior import ClassPrior

LEVELS = 16


def bins(image: np.ndarray) -> np.ndarray:
    """The place of each pixel's colour in a histogram, int H×W, of an image, uint8 H×W×3."""
    red, green, blue = np.moveaxis(image.astype(np.int64) * LEVELS // 256, -1, 0)
    return (red * LEVELS + green) * LEVELS + blue


class PixelClassifier:
    """The logarithms of a class's share at a position and of the colour's frequency within the class, added."""

    stride = 1

    def __init__(self, n: int):
        self.prior = ClassPrior(n)
        self.likelihood = np.full((LEVELS**3, n), -np.log(LEVELS**3), np.float32)

    @property
    def arrays(self) -> dict[str, np.ndarray]:
        """`frequency`, n shares in each cell, and `likelihood`, the logarithm of a colour's frequency in each class."""
        return {**self.prior.arrays, "likelihood": self.likelihood}

    @arrays.setter
    def arrays(self, arrays: dict[str, np.ndarray]) -> None:
        self.prior.arrays = {"frequency": arrays["frequency"]}
        self.likelihood = arrays["likelihood"]

    def fit(self, labels: Iterable[np.ndarray], images: Iterable[np.ndarray]) -> None:
        """Count classes (uint8 H×W) by position and colours (uint8 H×W×3) by class, void left out.

        Each colour counts once more than it was seen.
        """
        n = self.likelihood.shape[-1]
        counts = np.ones((LEVELS**3, n))

        def counted():
            for label, image in zip(labels, images, strict=True):
                known = label < n
                pairs = bins(image)[known] * n + label[known]
                counts.ravel()[:] += np.bincount(pairs, minlength=counts.size)
                yield label

        self.prior.fit(counted())
        self.likelihood = np.log(counts / counts.sum(0)).astype(np.float32)

    def predict(self, image: np.ndarray, size: int) -> np.ndarray:
        """Logits, float32 h×w×n, of an image (uint8 H×W×3) whose short side is resized to `size`."""
        height, width = image.shape[:2]
        scale = size / min(height, width)
        shape = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(image, shape, interpolation=cv2.INTER_AREA)
        share = cv2.resize(self.prior.predict(image, size), shape, interpolation=cv2.INTER_LINEAR)
        return np.log(share.clip(1e-6)) + self.likelihood.astype(np.float32)[bins(small)]


def build(n: int, seed: int) -> PixelClassifier:
    """There is nothing to draw."""
    return PixelClassifier(n)
