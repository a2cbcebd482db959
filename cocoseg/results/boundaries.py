"""Three ways to ask how well boundaries are placed, each counted for all classes at once.

- *Boundary IoU* (`bands`): IoU of the two maps' own inner bands, the pixels within d of the end of their class.
- *Trimap* (`trimaps`): counts within r ≤ 10 px of the true boundary, on both sides of it.
- *Boundary F* (`contours`): contour pixels that have a contour pixel of the same class within r in the other map.

Eroding the mask of a class takes away the pixels near any other label, whichever it is. So the bands of all classes are
found at once, from where the label map changes; by how much a label changes means nothing, and is never used.
Void of the truth is copied into the prediction first: a perfect prediction scores exactly 1.
"""

import cv2
import numba
import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID
from cocoseg.results.counts import COUNTS, refuse_labels, same_shape, void_where, with_void

REACH = 10
DIAGONAL_SHARE = 0.02

BANDS = COUNTS
TRIMAPS = {"image_id": pl.Int64, "r": pl.Int16, **COUNTS}
CONTOURS = {
    "image_id": pl.Int64,
    "r": pl.Int16,
    "class": pl.Int16,
    "predicted_matched": pl.Int64,
    "predicted": pl.Int64,
    "true_matched": pl.Int64,
    "true": pl.Int64,
}

_OUTSIDE = 254  # no class: a label map has at most 254 of them
_NEIGHBOURS = np.ones((3, 3), np.uint8)


def band_width(height: int, width: int) -> int:
    """d of boundary IoU in px: 2 % of the image's diagonal, rounded, at least 1 (Cheng et al. 2021, as in their code).

    >>> band_width(480, 640)
    16
    """
    return max(1, round(DIAGONAL_SHARE * float(np.hypot(height, width))))


def inner_band(labels: np.ndarray, d: int) -> np.ndarray:
    """The label map (uint8 H×W) with all but each class's inner band made void.

    The band of a class is what eroding its mask d times by 3×3 takes away: the pixels from which another label, void,
    or the outside of the image is at most d away (chessboard distance).

    >>> inner_band(np.ones((3, 5), np.uint8), 1)[1]
    array([  1, 255, 255, 255,   1], dtype=uint8)
    """
    # A pixel at most d from another label is at most d - 1 from a pixel that has another label beside it.
    change = cv2.morphologyEx(
        labels, cv2.MORPH_GRADIENT, _NEIGHBOURS, borderType=cv2.BORDER_CONSTANT, borderValue=_OUTSIDE
    )
    near_change = cv2.dilate(change, np.ones((2 * d - 1, 2 * d - 1), np.uint8), dst=change)
    return void_where(near_change == 0, labels)


def bands(truth: np.ndarray, prediction: np.ndarray, n: int, d: int | None = None) -> np.ndarray:
    """Counts of boundary IoU: int64 (n, 3), for each class the pixels of intersection, predicted, true.

    predicted and true are the inner bands of each map (uint8 H×W), intersection their pixels in common where both have
    the class. The same columns as the counts table, so every metric and interval applies: as `miou_d` it is
    boundary mIoU. d in px, default `band_width`.

    Source: Cheng et al. 2021, Boundary IoU, equation 2; the image's border counts as boundary, as in their code.

    >>> truth = np.zeros((20, 20), np.uint8); truth[5:15, 5:15] = 1
    >>> bands(truth, np.roll(truth, 1, 1), n=2, d=1)
    array([[ 98, 120, 120],
           [ 18,  36,  36]])
    """
    d = d or band_width(*truth.shape)
    same_shape(truth, prediction)
    pixels = np.zeros((256, 3), np.int64)
    _count_bands(np.ascontiguousarray(truth), np.ascontiguousarray(prediction), d, pixels)
    refuse_labels("truth", pixels[:, 2] > 0, n)
    refuse_labels("prediction", pixels[:, 1] > 0, n)
    return pixels[:n]


# A mask is kept as bits here, 64 pixels to a word, so that no array as large as an image is ever made: writing those
# takes most of the time of the erosions. A window of 2 d + 1 px around a pixel is of one label if all the squares of
# 2×2 px in it are; the bits say which squares are not, and squares that lean out of the image never are.


@numba.njit(cache=True, nogil=True)
def _count_bands(truth, prediction, d, pixels):
    height, width = truth.shape
    words = width // 64 + 1
    squares = np.empty((2, height + 1, words), np.uint64)
    lines = np.empty((4, width), np.uint8)
    for y in range(height + 1):
        true, hidden = lines[2 * (y % 2)], lines[2 * (y % 2) + 1]
        if y < height:
            for x in range(width):
                true[x] = truth[y, x]
                hidden[x] = VOID if true[x] == VOID else prediction[y, x]
        above = 2 * ((y + 1) % 2)
        inside = 0 < y < height
        _mixed(lines[above], true, inside, squares[0, y])
        _mixed(lines[above + 1], hidden, inside, squares[1, y])
    for side in range(2):
        _spread(squares[side].ravel(), words, d)
    one = np.uint64(1)
    for y in range(height):
        for word in range((width + 63) // 64):
            near_truth, near_prediction = _near(squares[0], y, word, d), _near(squares[1], y, word, d)
            if near_truth | near_prediction == 0:
                continue
            # Neighbours mostly have the same pair of labels: what they add is written when the pair changes.
            t, p = truth[y, 64 * word], prediction[y, 64 * word]
            both = of_prediction = of_truth = np.uint64(0)
            for x in range(64 * word, min(64 * word + 64, width)):
                if truth[y, x] != t or prediction[y, x] != p:
                    _add(pixels, t, p, both, of_prediction, of_truth)
                    t, p = truth[y, x], prediction[y, x]
                    both = of_prediction = of_truth = np.uint64(0)
                both += near_truth & near_prediction & one
                of_prediction += near_prediction & one
                of_truth += near_truth & one
                near_truth >>= one
                near_prediction >>= one
            _add(pixels, t, p, both, of_prediction, of_truth)


@numba.njit(cache=True, nogil=True)
def _add(pixels, t, p, both, of_prediction, of_truth):
    if t != VOID:
        if t == p:
            pixels[t, 0] += np.int64(both)
        pixels[p, 1] += np.int64(of_prediction)
        pixels[t, 2] += np.int64(of_truth)


@numba.njit(cache=True, nogil=True)
def _mixed(above, here, inside, bits):
    """Bit x of `bits`: whether the square whose lower right pixel is `here[x]` has more than one label."""
    mixed = np.zeros(64 * len(bits), np.uint8)
    width = len(here)
    if inside:
        for x in range(1, width):
            mixed[x] = (above[x - 1] != above[x]) | (here[x - 1] != here[x]) | (above[x] != here[x])
        mixed[0] = mixed[width] = 1
    else:
        mixed[: width + 1] = 1
    eights = mixed.view(np.uint64)
    for word in range(len(bits)):
        packed = np.uint64(0)
        for k in range(8):  # eight bytes of 0 or 1 to eight bits
            byte = eights[8 * word + k] * np.uint64(0x0102040810204080) >> np.uint64(56)
            packed |= byte << np.uint64(8 * k)
        bits[word] = packed


@numba.njit(cache=True, nogil=True)
def _spread(bits, words, d):
    """Whether one of the 2 d squares from each one on, to the right and down, is mixed: in place.

    `bits` has the rows one after the other. A window that runs on into the next row has met the end of its own, where
    a square leans out and is mixed.
    """
    length, n = 1, len(bits)
    while length < 2 * d:
        step = min(length, 2 * d - length)
        skip, shift = step // 64, np.uint64(step % 64)
        if shift:
            for i in range(n - skip - 1):
                bits[i] |= bits[i + skip] >> shift | bits[i + skip + 1] << (np.uint64(64) - shift)
        else:
            for i in range(n - skip):
                bits[i] |= bits[i + skip]
        for i in range(n - step * words):
            bits[i] |= bits[i + step * words]
        length += step


@numba.njit(cache=True, nogil=True)
def _later(bits, word, step):
    """The word of bits that starts `step` bits after the beginning of `bits[word]`; 0 beyond the end."""
    word, shift = word + step // 64, np.uint64(step % 64)
    value = bits[word] >> shift if word < len(bits) else np.uint64(0)
    if shift and word + 1 < len(bits):
        value |= bits[word + 1] << (np.uint64(64) - shift)
    return value


@numba.njit(cache=True, nogil=True)
def _near(squares, y, word, d):
    """The 64 pixels from (y, 64 word) on: whether a square of the 2 d × 2 d around each is mixed."""
    everywhere = ~np.uint64(0)
    if y < d:
        return everywhere
    row, back = squares[y - d + 1], d - 1
    first = 64 * word - back
    if first >= 0:
        return _later(row, 0, first)
    if first <= -64:
        return everywhere
    shift = np.uint64(-first)
    return row[0] << shift | (everywhere >> (np.uint64(64) - shift))


def contour(labels: np.ndarray) -> np.ndarray:
    """Contour pixels, bool H×W: those with another class among their eight neighbours.

    Neither void nor the image's border makes a contour: where a class ends there is not known.

    >>> contour(np.uint8([[1, 1, 2, 255, 2]]))
    array([[False,  True,  True, False, False]])
    """
    void = labels == VOID
    lowest = cv2.erode(labels, _NEIGHBOURS)  # void, 255, is never the lowest of several
    highest = cv2.dilate(labels * ~void, _NEIGHBOURS)
    return (lowest < highest) & ~void


def trimaps(truth: np.ndarray, prediction: np.ndarray, n: int) -> np.ndarray:
    """Counts within r px of the true contour, r = 0…10: int64 (11, n, 3) of intersection, predicted, true.

    A pixel is within r where a pixel of the other side of a contour is at most r away (chessboard distance): r = 1 is
    the two lines of pixels along it, within 0 there is nothing. Void of the truth counts nowhere.

    Source: Kohli et al. 2009, Robust Higher Order Potentials; Csurka et al. 2013, What is a Good Evaluation Measure
    for Semantic Segmentation?

    >>> truth = np.uint8([[0] * 4 + [1] * 4] * 3)
    >>> trimaps(truth, np.roll(truth, 1, 1), n=2)[:3, 1].tolist()
    [[0, 0, 0], [0, 0, 3], [3, 3, 6]]
    """
    shells = np.zeros((REACH + 1, 256, 3), np.int64)
    _count_shells(truth.ravel(), with_void(truth, prediction).ravel(), _shells(contour(truth)).ravel(), shells)
    refuse_labels("truth", shells[..., 2].any(0), n)
    refuse_labels("prediction", shells[..., 1].any(0), n)
    return shells[:, :n].cumsum(0)


def _shells(contour: np.ndarray) -> np.ndarray:
    """How far each pixel is from the other side of the contour (bool H×W), uint8 px; beyond reach it is REACH + 1."""
    reached, away = contour.view(np.uint8), np.ones(contour.shape, np.uint8)
    for _ in range(REACH):
        away += reached == 0
        reached = cv2.dilate(reached, _NEIGHBOURS)
    return away


@numba.njit(cache=True, nogil=True)
def _count_shells(truth, prediction, away, shells):
    for i in range(truth.size):
        shell, t, p = away[i], truth[i], prediction[i]
        if shell < shells.shape[0] and t != VOID:
            shells[shell, p, 1] += 1
            shells[shell, t, 2] += 1
            if t == p:
                shells[shell, t, 0] += 1


def contours(truth: np.ndarray, prediction: np.ndarray, n: int) -> np.ndarray:
    """Counts of boundary F for tolerances r = 0…10 px: int64 (11, n, 4).

    For each class: predicted contour pixels that have a true contour pixel of the class within r (Euclidean), all
    predicted contour pixels, true ones that have a predicted one within r, all true ones. Many pixels may match one.

    Source: Csurka et al. 2013, What is a Good Evaluation Measure for Semantic Segmentation?

    >>> truth = np.zeros((20, 20), np.uint8); truth[5:15, 5:15] = 1
    >>> contours(truth, np.roll(truth, 2, 1), n=2)[:3, 1].tolist()
    [[16, 36, 16, 36], [20, 36, 20, 36], [36, 36, 36, 36]]
    """
    prediction = with_void(truth, prediction)
    t, p = (void_where(~contour(labels), labels) for labels in (truth, prediction))
    matched = np.zeros((REACH + 2, 256, 2), np.int64)
    for k, (ours, theirs) in enumerate(((p, t), (t, p))):
        framed = cv2.copyMakeBorder(theirs, REACH, REACH, REACH, REACH, cv2.BORDER_CONSTANT, value=VOID)
        _count_matches(ours, framed, _OFFSETS, matched[..., k])
    for k, name in enumerate(("prediction", "truth")):
        refuse_labels(name, matched[..., k].any(0), n)
    within = matched[: REACH + 1, :n].cumsum(0)
    everything = np.broadcast_to(matched[:, :n].sum(0), within.shape)
    return np.stack([within[..., 0], everything[..., 0], within[..., 1], everything[..., 1]], -1)


def _offsets() -> np.ndarray:
    """(dy, dx, r) to every pixel within REACH of (REACH, REACH), nearest first; r is the distance rounded up."""
    line = np.arange(-REACH, REACH + 1)
    dy, dx = (a.ravel() for a in np.meshgrid(line, line, indexing="ij"))
    away = np.hypot(dy, dx)
    nearest_first = np.argsort(away, kind="stable")
    offsets = np.column_stack([dy + REACH, dx + REACH, np.ceil(away)])[nearest_first].astype(np.int64)
    return offsets[offsets[:, 2] <= REACH]


_OFFSETS = _offsets()


@numba.njit(cache=True, nogil=True)
def _count_matches(ours, theirs, offsets, matched):
    """matched[r, c]: contour pixels of class c in `ours` whose nearest in `theirs` is r away; the last r is none.

    `theirs` has a frame of REACH px of void, so that no offset leads out of it.
    """
    for i in range(ours.shape[0]):
        for j in range(ours.shape[1]):
            c = ours[i, j]
            if c == VOID:
                continue
            r = matched.shape[0] - 1
            for k in range(offsets.shape[0]):
                if theirs[i + offsets[k, 0], j + offsets[k, 1]] == c:
                    r = offsets[k, 2]
                    break
            matched[r, c] += 1
