"""One image seen several times: at other scales, mirrored, or through a sliding window; the views are averaged."""

from collections.abc import Callable, Sequence

import cv2
import numpy as np

from cocoseg.errors import UserError
from cocoseg.results.confidence import probabilities

Look = Callable[[np.ndarray, int], np.ndarray]
"""(image uint8 H×W×3, short side in px) → scores float h×w×n on a grid that covers the whole image."""

SIZES = (16, 4096)
SCALES = (0.25, 4.0)


def views(
    look: Look, size: int = 0, *, scales: Sequence[float] = (1.0,), flip: bool = False, window: int = 0
) -> Callable[[np.ndarray], np.ndarray]:
    """A predictor, image → scores, that looks at an image as it is told to.

    Args:
        look: resizes an image to a short side and gives scores.
        size: the short side in px; 0 is the image's own.
        scales: factors of `size`, one view each.
        flip: adds the mirror image of each view, mirrored back.
        window: side in px of a square that slides over the resized image in steps of at most half its side, if the
            image is larger; its scores are averaged where squares overlap. 0 looks at the whole image.

    The scores of a single view are as `look` gives them. Those of several are the mean of their probabilities
    (`cocoseg.results.confidence.probabilities`), resized bilinearly to the finest grid. Sizes, scales and windows
    out of range are a `UserError`.

    >>> bright = lambda image, size: np.stack([255.0 - image[..., 0], image[..., 0]], -1)
    >>> views(bright, flip=True)(np.zeros((2, 4, 3), np.uint8)).shape
    (2, 4, 2)
    """
    for name, value in (("size", size), ("window", window)):
        if value and not SIZES[0] <= value <= SIZES[1]:
            raise UserError(f"{name} {value} is out of range; valid: {SIZES[0]} to {SIZES[1]} px, or 0")
    if not scales:
        raise UserError("no scales; valid: one or more factors of the size, 1 to predict once")
    for scale in scales:
        if not SCALES[0] <= scale <= SCALES[1]:
            raise UserError(f"scale {scale:g} is out of range; valid: {SCALES[0]:g} to {SCALES[1]:g}")

    def predict(image: np.ndarray) -> np.ndarray:
        side = size or min(image.shape[:2])
        seen = []
        for scale in scales:
            at = max(1, round(side * scale))
            seen.append(_slide(look, image, at, window))
            if flip:
                mirrored = np.ascontiguousarray(image[:, ::-1])
                seen.append(_slide(look, mirrored, at, window)[:, ::-1])
        return seen[0] if len(seen) == 1 else _mean(seen)

    return predict


def _mean(seen: list[np.ndarray]) -> np.ndarray:
    height, width = max(scores.shape[:2] for scores in seen)
    return np.mean([_resized(probabilities(scores), height, width) for scores in seen], axis=0)


def _slide(look: Look, image: np.ndarray, size: int, window: int) -> np.ndarray:
    height, width = image.shape[:2]
    scale = size / min(height, width)
    height, width = max(1, round(height * scale)), max(1, round(width * scale))
    if not window or max(height, width) <= window:
        return look(image, size)
    smooth = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    resized = cv2.resize(image, (width, height), interpolation=smooth)
    total, seen = None, np.zeros((height, width, 1), np.float32)
    for top in _starts(height, window):
        for left in _starts(width, window):
            part = resized[top : top + window, left : left + window]
            scores = _resized(look(np.ascontiguousarray(part), min(part.shape[:2])), *part.shape[:2])
            if total is None:
                total = np.zeros((height, width, scores.shape[2]), np.float32)
            total[top : top + window, left : left + window] += scores
            seen[top : top + window, left : left + window] += 1
    return total / seen


def _starts(length: int, window: int) -> list[int]:
    """Where windows start along a side, evenly spaced, each overlapping the next by half or more.

    >>> _starts(100, 40), _starts(30, 40)
    ([0, 20, 40, 60], [0])
    """
    room = max(0, length - window)
    steps = -(-room // (window // 2))
    return np.linspace(0, room, steps + 1).round().astype(int).tolist()


def _resized(scores: np.ndarray, height: int, width: int) -> np.ndarray:
    scores = np.ascontiguousarray(scores, np.float32)
    return cv2.resize(scores, (width, height), interpolation=cv2.INTER_LINEAR).reshape(height, width, -1)
