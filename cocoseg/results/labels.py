"""From a network's scores to a label map at the image's own size: bilinear, then the argmax."""

import numba
import numpy as np

from cocoseg.errors import UserError


def label(scores: np.ndarray, height: int, width: int) -> np.ndarray:
    """The class of every pixel, uint8 H×W, of scores on a grid that covers the whole image, float h×w×n.

    Logits or probabilities are resized bilinearly (half-pixel centres, as `cv2.resize` with INTER_LINEAR), then the
    largest is taken, the first of equals. Nothing of size H×W×n is made: between four neighbours that agree on a class
    every pixel has it, and elsewhere a class that is behind another at all four cannot win. Scores that are not h×w×n
    with n at most 254, or not finite, are a `UserError`.

    >>> label(np.float32([[[3, 0], [0, 1]]]), 1, 8)
    array([[0, 0, 0, 0, 0, 1, 1, 1]], dtype=uint8)
    """
    if scores.ndim != 3 or 0 in scores.shape or scores.shape[2] > 254:
        raise UserError(f"scores of shape {scores.shape}; expected (h, w, n), one score per class, n at most 254")
    if not np.isfinite(scores).all():
        raise UserError("scores that are not finite (nan or infinite); the model's weights or input are broken")
    if scores.shape[:2] == (height, width):
        return scores.argmax(-1).astype(np.uint8)
    labels = np.empty((height, width), np.uint8)
    scores = np.ascontiguousarray(scores, np.float32)
    _label(scores, scores.argmax(-1), *_grid(scores.shape[0], height), *_grid(scores.shape[1], width), labels)
    return labels


def _grid(small: int, large: int) -> tuple[np.ndarray, np.ndarray]:
    """For each of `large` positions, the share of the later neighbour; and where each neighbour's positions start."""
    at = ((np.arange(large) + 0.5) * (small / large) - 0.5).clip(0, small - 1)
    first = np.floor(at).astype(np.int64)
    return (at - first).astype(np.float32), np.searchsorted(first, np.arange(small + 1))


@numba.njit(cache=True, nogil=True)
def _label(scores, best, down, rows, right, columns, labels):
    height, width, n = scores.shape
    candidates = np.empty(n, np.int64)
    one = np.float32(1)
    for a in range(height):
        b = min(a + 1, height - 1)
        for c in range(width):
            d = min(c + 1, width - 1)
            k = best[a, c]
            if best[a, d] == k and best[b, c] == k and best[b, d] == k:
                labels[rows[a] : rows[a + 1], columns[c] : columns[c + 1]] = k
                continue
            found = 0
            for j in range(n):
                if (
                    scores[a, c, j] >= scores[a, c, k]
                    or scores[a, d, j] >= scores[a, d, k]
                    or scores[b, c, j] >= scores[b, c, k]
                    or scores[b, d, j] >= scores[b, d, k]
                ):
                    candidates[found] = j
                    found += 1
            for y in range(rows[a], rows[a + 1]):
                for x in range(columns[c], columns[c + 1]):
                    top = np.float32(-np.inf)
                    for j in candidates[:found]:
                        above = scores[a, c, j] * (one - right[x]) + scores[a, d, j] * right[x]
                        below = scores[b, c, j] * (one - right[x]) + scores[b, d, j] * right[x]
                        score = above * (one - down[y]) + below * down[y]
                        if score > top:
                            top = score
                            labels[y, x] = j
