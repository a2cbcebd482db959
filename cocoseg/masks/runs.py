"""Arithmetic on masks given as runs, see `cocoseg.coco.rasterise`."""

import numba


@numba.njit(cache=True)
def common(a, b):
    """Pixels that two masks share; each is int64 (R, 2).

    >>> import numpy as np
    >>> common(np.array([[0, 4], [6, 9]]), np.array([[2, 7]]))
    3
    """
    pixels, i, j = 0, 0, 0
    while i < len(a) and j < len(b):
        pixels += max(0, min(a[i, 1], b[j, 1]) - max(a[i, 0], b[j, 0]))
        if a[i, 1] < b[j, 1]:
            i += 1
        else:
            j += 1
    return pixels
