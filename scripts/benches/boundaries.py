"""Boundary counts of COCO's label maps with 81 classes: all classes at once against one mask at a time."""

import click
import cv2
import numpy as np
from benches._label_maps import pairs
from benches._side_by_side import alternate, row

from cocoseg.coco.label_space import VOID
from cocoseg.results.boundaries import REACH, band_width, bands, contours, trimaps
from cocoseg.results.counts import with_void

N = 81
SQUARE = np.ones((3, 3), np.uint8)


@click.command(help=__doc__)
def bench():
    maps = pairs()
    labels = np.mean([len(np.union1d(*pair)) for pair in maps])
    for name, ours, peer in (
        ("boundary IoU, against 3×3 erosions", bands, eroded_bands),
        ("trimaps, against 3×3 dilations", trimaps, dilated_trimaps),
        ("boundary F, against distance transforms", contours, transformed_contours),
    ):
        for pair in maps:
            np.testing.assert_array_equal(ours(*pair, N), peer(*pair))
        fast, slow = alternate(
            lambda ours=ours: [ours(*pair, N) for pair in maps], lambda peer=peer: [peer(*pair) for pair in maps]
        )
        times = (1e3 * seconds / len(maps) for seconds in (fast, slow))
        yield row(f"{name}, {labels:.1f} classes an image", *times, "ms/image")


def classes(truth, prediction):
    return [c for c in np.union1d(truth, prediction).tolist() if c != VOID]


def eroded_bands(truth, prediction):
    """As Cheng et al. do for one mask."""
    prediction, d = with_void(truth, prediction), band_width(*truth.shape)
    counts = np.zeros((N, 3), np.int64)
    for c in classes(truth, prediction):
        t, p = (_eroded_band(labels == c, d) for labels in (truth, prediction))
        counts[c] = np.count_nonzero(t & p), np.count_nonzero(p), np.count_nonzero(t)
    return counts


def _eroded_band(mask, d):
    mask = mask.view(np.uint8)
    framed = cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    return mask - cv2.erode(framed, SQUARE, iterations=d)[1:-1, 1:-1]


def dilated_trimaps(truth, prediction):
    prediction = with_void(truth, prediction)
    found, known = classes(truth, prediction), (truth != VOID).view(np.uint8)
    near = np.zeros_like(truth)
    for c in found:
        mask = (truth == c).view(np.uint8)
        near |= mask & cv2.dilate((1 - mask) & known, SQUARE)
    counts = np.zeros((REACH + 1, N, 3), np.int64)
    for r in range(1, REACH + 1):
        for c in found:
            t, p = ((labels == c).view(np.uint8) & near & known for labels in (truth, prediction))
            counts[r, c] = np.count_nonzero(t & p), np.count_nonzero(p), np.count_nonzero(t)
        near = cv2.dilate(near, SQUARE)
    return counts


def transformed_contours(truth, prediction):
    maps = truth, with_void(truth, prediction)
    counts = np.zeros((REACH + 1, N, 4), np.int64)
    for c in classes(*maps):
        (t, to_t), (p, to_p) = (_line(labels, c) for labels in maps)
        for r in range(REACH + 1):
            counts[r, c] = [np.count_nonzero(x) for x in (p & (to_t <= r), p, t & (to_p <= r), t)]
    return counts


def _line(labels, c):
    """The contour of a class, and every pixel's Euclidean distance to it."""
    mask = (labels == c).view(np.uint8)
    line = mask & cv2.dilate((1 - mask) & (labels != VOID).view(np.uint8), SQUARE)
    away = cv2.distanceTransform(1 - line, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) if line.any() else np.inf + line
    return line.view(bool), np.round(away, 3)
