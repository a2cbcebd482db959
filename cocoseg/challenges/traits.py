"""What can be measured of every instance without a model: how it was drawn, and how it sits on the photo's edges.

These are the measures that the detectors of annotation errors (`cocoseg.challenges.suspects`) rank instances by.
"""

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from cocoseg.coco.read import Coco, polygons
from cocoseg.masks.anatomy import anatomy
from cocoseg.masks.shard import decode
from cocoseg.models.labels import image as photo
from cocoseg.runs.parallel import over, shards

SHARD = 50  # images
ON_SIDE = 0.05  # px
BORDER = 2.0  # px
REACH = 0.2  # of the square root of the area
GRID = 4  # shifts to each side

DRAWN = {"straight": pl.Float64, "second_ring": pl.Float64}
SEEN = {"edge_gain": pl.Float64, "edge_shift": pl.Float64} | {
    f"{channel}_{what}": pl.Float64 for what in ("mean", "spread") for channel in ("red", "green", "blue")
}


def traits(coco: Coco, folder: Path | str | None = None, *, workers: int | None = None) -> pl.DataFrame:
    """One row per instance, crowds left out, sorted by annotation_id: `cocoseg.masks.anatomy.anatomy`, and

    - `image_height`, `image_width` i32;
    - `straight` f64: longest exactly upright or level side of the outline (`straight`), `second_ring` f64: share of the
      second largest polygon in the area of all; null for RLE;
    - of the photo: `edge_gain`, `edge_shift` f64 (`off_edges`), and mean and standard deviation of its colours on the
      mask, `red_mean` … `blue_spread` f64, 0 to 255; null without one.

    Args:
        coco: an annotation file that `cocoseg.coco.check` let pass.
        folder: of the image files, or None.
        workers: processes; any number of them gives the same table.
    """
    folder = Path(folder) if folder is not None and Path(folder).is_dir() else None
    pieces = [coco.of_images(some) for some in shards(coco.images["image_id"].to_list(), SHARD) or [[]]]
    done = over(partial(_measured, folder=folder), pieces, workers=workers, desc="traits")
    return pl.concat(done).sort("annotation_id")


def straight(rings: list[np.ndarray], height: int, width: int) -> float:
    """How much of one side of an outline's box is drawn exactly along it: the largest share of the four sides, 0 to 1.

    A side within `BORDER` px of the image's border says nothing: there the image ends, not the annotation.

    >>> square = np.array([[4.0, 4], [8, 4], [8, 6], [6, 9], [4, 6]])
    >>> straight([square], 20, 20), straight([square], 20, 8)
    (1.0, 1.0)
    >>> straight([np.array([[4.0, 4], [8, 6], [6, 9]])], 20, 20)
    0.0
    """
    points = np.vstack(rings)
    low, high = points.min(0), points.max(0)
    most = 0.0
    for axis, limit in ((0, width), (1, height)):
        extent = high[1 - axis] - low[1 - axis]
        for at in (low[axis], high[axis]):
            if extent <= 0 or at <= BORDER or at >= limit - BORDER:
                continue
            on = 0.0
            for ring in rings:
                after = np.roll(ring, -1, 0)
                along = (np.abs(ring[:, axis] - at) <= ON_SIDE) & (np.abs(after[:, axis] - at) <= ON_SIDE)
                on += float(np.abs(after[along, 1 - axis] - ring[along, 1 - axis]).sum())
            most = max(most, min(1.0, on / extent))
    return most


def second_ring(rings: list[np.ndarray]) -> float:
    """Share of the second largest of an annotation's polygons in the area of all, 0 with one polygon.

    >>> square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    >>> second_ring([square]), second_ring([square, square + 10])
    (0.0, 0.5)
    """
    areas = sorted((abs(float(cv2.contourArea(ring.astype(np.float32)))) for ring in rings), reverse=True)
    return areas[1] / sum(areas) if len(areas) > 1 and areas[1] > 0 else 0.0


def edges(image: np.ndarray) -> np.ndarray:
    """How strong the edge at each pixel of a photo is: float32 H×W, the length of the gradient of its smoothed colours.

    Of the three colours the steepest counts; very strong edges count as strong ones, or a single one would win.
    """
    smooth = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.0)
    across, down = (cv2.Sobel(smooth, cv2.CV_32F, *order, ksize=3) / 8 for order in ((1, 0), (0, 1)))
    return np.minimum(np.sqrt(across**2 + down**2).max(-1), 24.0)


def off_edges(strength: np.ndarray, contour: np.ndarray, area: float) -> tuple[float, float]:
    """Whether a contour would lie on stronger edges if it were shifted: (gain, shift).

    Gain is 1 − mean edge strength where the contour is, over that where it is best; shift is how far that is, in parts
    of the square root of the area. Shifts are tried on a grid of up to `REACH` of that root each way.

    Args:
        strength: float32 H×W, as from `edges`.
        contour: int (N, 2), x and y of the mask's border pixels.
        area: of the mask, px².

    >>> image = np.zeros((40, 40, 3), np.uint8); image[10:30, 10:30] = 255
    >>> ring = np.array([(x, y) for x in range(10, 30) for y in range(10, 30) if {x, y} & {10, 29}])
    >>> strength = edges(image)
    >>> off_edges(strength, ring, 400)[1], round(off_edges(strength, ring + np.array([4, 0]), 400)[1], 1)
    (0.0, 0.2)
    """
    height, width = strength.shape
    steps = np.arange(-GRID, GRID + 1) / GRID * REACH * np.sqrt(area)
    means = np.empty((len(steps), len(steps)))
    for i, down in enumerate(steps):
        y = np.clip(np.rint(contour[:, 1] + down).astype(np.int64), 0, height - 1)
        for j, across in enumerate(steps):
            x = np.clip(np.rint(contour[:, 0] + across).astype(np.int64), 0, width - 1)
            means[i, j] = strength[y, x].mean()
    here, best = means[GRID, GRID], means.max()
    if best <= 0 or here >= best:
        return 0.0, 0.0
    i, j = np.unravel_index(means.argmax(), means.shape)
    return float(1 - here / best), float(np.hypot(steps[i], steps[j]) / np.sqrt(area))


def _measured(coco: Coco, folder: Path | None) -> pl.DataFrame:
    shard = decode(coco)
    names = dict(coco.images.select("image_id", "file_name").iter_rows())
    rows = shard.annotations.select("encoding", "segmentation", "height", "width").iter_rows()
    drawn = [
        (straight(rings := polygons(segmentation), height, width), second_ring(rings))
        if encoding == "polygon"
        else (None,) * len(DRAWN)
        for encoding, segmentation, height, width in rows
    ]
    seen = [(None,) * len(SEEN)] * len(shard.runs)
    for image in shard.by_image() if folder else ():
        if picture := _photo(folder / names[image.image_id], image.height, image.width):
            seen[image.rows] = [_on_photo(*picture, shard.runs[k]) for k in range(*image.rows.indices(len(shard.runs)))]
    extra = shard.annotations.select("annotation_id", image_height="height", image_width="width").hstack(
        pl.DataFrame(drawn, DRAWN, orient="row").hstack(pl.DataFrame(seen, SEEN, orient="row"))
    )
    return anatomy(shard).join(extra, on="annotation_id").filter(~pl.col("iscrowd"), pl.col("width").is_not_null())


def _photo(path: Path, height: int, width: int) -> tuple[np.ndarray, np.ndarray] | None:
    image = photo(path) if path.is_file() else None
    return None if image is None or image.shape[:2] != (height, width) else (image, edges(image))


def _on_photo(image: np.ndarray, strength: np.ndarray, runs: np.ndarray) -> tuple[float | None, ...]:
    if not len(runs):
        return (None,) * len(SEEN)
    height, width = strength.shape
    left, right = int(runs[0, 0] // height), int((runs[-1, 1] - 1) // height) + 1
    canvas = np.zeros((right - left + 2) * height, np.uint8)
    for start, end in runs - (left - 1) * height:
        canvas[start:end] = 1
    mask = canvas.reshape(-1, height).T
    border = mask & ~cv2.erode(mask, np.ones((3, 3), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=1)
    y, x = np.nonzero(border)
    inside = (x + left - 1 > 0) & (x + left - 1 < width - 1) & (y > 0) & (y < height - 1)
    gain = off_edges(strength, np.stack([x + left - 1, y], 1)[inside], float(mask.sum())) if inside.any() else (0, 0)
    rows, columns = np.nonzero(mask)
    colours = image[rows, columns + left - 1].astype(np.float64)
    return (*map(float, gain), *colours.mean(0).tolist(), *colours.std(0).tolist())
