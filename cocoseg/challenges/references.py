"""What the truth itself scores under each limit: references to hold a score against.

A network answers on a coarse grid, an annotator's hand is a few pixels off, small things are missed. Each *reference*
takes the truth, limits it in one way and by one amount, and counts it as if it were a prediction. References are no
bounds: a grid whose cells hold shares of classes, read bilinearly, says much more than a grid of labels, and a network
that is trained through its own upsampling may say more still.
"""

from collections.abc import Callable, Iterator
from functools import partial

import cv2
import msgspec
import numpy as np
import polars as pl

from cocoseg.coco.label_space import VOID, LabelSpace
from cocoseg.coco.rasterise import label_map
from cocoseg.coco.read import Coco, polygons
from cocoseg.dataset.sizes import SIZES, size_class
from cocoseg.results.boundaries import bands
from cocoseg.results.counts import COUNTS, cells, confusion
from cocoseg.results.labels import label
from cocoseg.runs.parallel import over, shards

SHARD = 25  # images
WOBBLE = 12  # px from one independent displacement of `jittered` to the next; about the distance of COCO's vertices

COLUMNS = {"reference": pl.String, "amount": pl.Float64, **COUNTS}
TABLES = ("references", "reference_bands", "reference_sizes", "reference_size_bands")
BY_SIZE = LabelSpace("sizes", ("background", *SIZES), tuple((k, k) for k in range(1, len(SIZES) + 1)))


def known(labels: np.ndarray) -> np.ndarray:
    """The label map (uint8 H×W) with each void pixel given the label of the nearest pixel that has one.

    A prediction has no void. Where all is void, it is background.

    >>> known(np.uint8([[1, 255, 255, 255, 2]]))
    array([[1, 1, 1, 2, 2]], dtype=uint8)
    """
    void = labels == VOID
    if not void.any():
        return labels
    if void.all():
        return np.zeros_like(labels)
    return _nearest(labels, ~void)[0]


def coarse(labels: np.ndarray, stride: int) -> np.ndarray:
    """The label map read from a grid of one position every `stride` px: shares of labels, resized bilinearly, largest.

    What a network can answer whose logits have that stride: each position holds the share of each label in its
    cell (area-averaged one-hot). At the right and lower edge the last pixels are repeated up to a whole cell.

    >>> coarse(np.uint8([[0, 0, 0, 1, 1, 1, 1, 1]] * 8), 4)[0]
    array([0, 0, 0, 1, 1, 1, 1, 1], dtype=uint8)
    """
    padded = _padded(labels, stride)
    small = padded.shape[0] // stride, padded.shape[1] // stride
    return _read(padded, *small)[: labels.shape[0], : labels.shape[1]]


def coarse_nearest(labels: np.ndarray, stride: int) -> np.ndarray:
    """The label map read from one label every `stride` px, that of the cell's centre, repeated over the cell.

    >>> coarse_nearest(np.uint8([[0, 0, 0, 1, 1, 1, 1, 1]] * 8), 4)[0]
    array([0, 0, 0, 0, 1, 1, 1, 1], dtype=uint8)
    """
    padded = _padded(labels, stride)
    return _repeat(padded, padded.shape[0] // stride, padded.shape[1] // stride)[: labels.shape[0], : labels.shape[1]]


def coarse_corner(labels: np.ndarray, stride: int) -> np.ndarray:
    """The label map read from one label every `stride` px, that of the cell's upper left corner, repeated.

    What `labels[::stride, ::stride]` and OpenCV's INTER_NEAREST keep: everything moves by half a cell.

    >>> coarse_corner(np.uint8([[0, 0, 0, 1, 1, 1, 1, 1]] * 8), 4)[0]
    array([0, 0, 0, 0, 1, 1, 1, 1], dtype=uint8)
    """
    cell = np.ones((stride, stride), np.uint8)
    return np.kron(labels[::stride, ::stride], cell)[: labels.shape[0], : labels.shape[1]]


def small(labels: np.ndarray, side: int) -> np.ndarray:
    """`coarse` with a grid whose short side has `side` positions; an image that is no larger stays as it is."""
    shape = _shrunk(labels.shape, side)
    return labels if shape == labels.shape else _read(labels, *shape)


def small_nearest(labels: np.ndarray, side: int) -> np.ndarray:
    """`coarse_nearest` with a grid whose short side has `side` positions; an image that is no larger stays as it is."""
    shape = _shrunk(labels.shape, side)
    return labels if shape == labels.shape else _repeat(labels, *shape)


def dilated(labels: np.ndarray, r: float) -> np.ndarray:
    """Objects grow into the background by r px (Euclidean); where two meet, each pixel goes to the nearer.

    >>> dilated(np.uint8([[1, 0, 0, 0, 2]]), 1)
    array([[1, 1, 0, 2, 2]], dtype=uint8)
    """
    if not labels.any():
        return labels
    grown, away = _nearest(labels, labels > 0)
    return np.where(away <= r, grown, labels)


def eroded(labels: np.ndarray, r: float) -> np.ndarray:
    """The background grows into objects by r px (Euclidean); where objects touch each other, nothing moves.

    >>> eroded(np.uint8([[1, 1, 1, 0, 2]]), 1)
    array([[1, 1, 0, 0, 0]], dtype=uint8)
    """
    if labels.all():
        return labels
    away = cv2.distanceTransform((labels > 0).view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    return labels * (away > r)


def jittered(labels: np.ndarray, r: float, rng: np.random.Generator) -> np.ndarray:
    """Every contour is moved at random, smoothly along it: by r px (standard deviation) across and down.

    Each pixel takes the label of a place displaced by a random field, bicubic between independent normal displacements
    `WOBBLE` px apart.
    """
    height, width = labels.shape
    grid = rng.standard_normal((2, height // WOBBLE + 2, width // WOBBLE + 2)).astype(np.float32)
    x, y = (_scaled(cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC), r) for field in grid)
    across, down = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(labels, across + x, down + y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REPLICATE)


def moved(rings: list[np.ndarray], r: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Polygons (each f64 (V, 2), px) whose every vertex is moved at random: by r px (standard deviation) each way."""
    return [ring + rng.normal(0, r, ring.shape) for ring in rings]


def redrawn(rings: list[np.ndarray], share: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Polygons (each f64 (V, 2), px) drawn along the same outline a second time, with other vertices.

    Each has `share` as many vertices, at least three, at equal distances along the outline, from a random place on:
    what another hand might draw that follows the outline exactly and is as coarse.

    >>> square = np.array([[0.0, 0], [8, 0], [8, 8], [0, 8]])
    >>> len(redrawn([square], 1.0, np.random.default_rng(0))[0])
    4
    """
    return [_resampled(ring, max(3, round(share * len(ring))), rng.random()) for ring in rings]


OF_LABELS: dict[str, tuple[Callable, tuple[float, ...]]] = {
    "stride, bilinear": (coarse, (4, 8, 16, 32)),
    "stride, nearest": (coarse_nearest, (4, 8, 16, 32)),
    "stride, corner": (coarse_corner, (4, 8, 16, 32)),
    "short side, bilinear": (small, (128, 192, 256, 384, 512)),
    "short side, nearest": (small_nearest, (128, 192, 256, 384, 512)),
    "dilated": (dilated, (1, 2, 3, 5)),
    "eroded": (eroded, (1, 2, 3, 5)),
}
AT_RANDOM = {"jittered": (jittered, (1, 2, 3, 5))}
OF_POLYGONS = {"vertices moved": (moved, (1, 2, 3, 5)), "redrawn": (redrawn, (1.0, 0.5, 0.25))}
MISSED = {"missed": (8, 16, 32, 64)}
"""The references by name, with their amounts: stride in px, short side in px, r in px, share of the vertices, and for
'missed' the side in px of the square below whose area objects are left out."""


def references(coco: Coco, space: LabelSpace, *, seed: int = 0, workers: int | None = None) -> dict[str, pl.DataFrame]:
    """Every reference of a checked file, counted: tables by name, each sorted.

    - `references`: reference str, amount f64, and the columns of `cocoseg.results.counts` (image_id, class,
      intersection, predicted, true; i64, px). The truth is painted 'small-on-top', crowds void.
    - `reference_bands`: the same for boundary IoU (`cocoseg.results.boundaries.bands`).
    - `reference_sizes`, `reference_size_bands`: the same where the classes are background and COCO's three size classes
      (0 to 3), painted in place of the categories: what each reference does to small, medium and large objects.

    Every metric and interval of `cocoseg.results` applies to the rows of one reference and amount. Chance depends on
    the seed and the image's id alone. Instances without polygons stay as they are in 'vertices moved' and 'redrawn'.
    """
    ids = coco.images["image_id"].to_list()
    pieces = [coco.of_images(piece) for piece in shards(ids, SHARD)]
    done = over(partial(_measure, space=space, seed=seed), pieces, workers=workers, desc="references")
    empty = pl.DataFrame(schema=COLUMNS)
    return {
        name: pl.concat([empty, *(tables[name] for tables in done)]).sort("reference", "amount", "image_id", "class")
        for name in TABLES
    }


def of(tables: pl.DataFrame, reference: str, amount: float) -> pl.DataFrame:
    """The counts table of one reference, for `cocoseg.results.metrics` and `cocoseg.results.intervals`."""
    return tables.filter(reference=reference, amount=amount).drop("reference", "amount")


def limited(
    annotations: pl.DataFrame, height: int, width: int, space: LabelSpace, rng: Callable[[], np.random.Generator]
) -> Iterator[tuple[str, float, np.ndarray]]:
    """(reference, amount, label map) of one image; the maps are uint8 H×W without void.

    `rng` makes a generator in its first state, so that an amount does not depend on which others there are.
    """
    truth = known(label_map(annotations, height, width, space))
    for name, (limit, amounts) in OF_LABELS.items():
        for amount in amounts:
            yield name, amount, limit(truth, amount)
    for name, (limit, amounts) in AT_RANDOM.items():
        for amount in amounts:
            yield name, amount, limit(truth, amount, rng())
    for name, (limit, amounts) in OF_POLYGONS.items():
        for amount in amounts:
            drawn = _drawn(annotations, partial(limit, rng=rng()), amount)
            yield name, amount, known(label_map(drawn, height, width, space))
    for name, amounts in MISSED.items():
        for side in amounts:
            seen = annotations.filter(pl.col("iscrowd") | (pl.col("area") >= side**2))
            yield name, side, known(label_map(seen, height, width, space))


def _measure(coco: Coco, space: LabelSpace, seed: int) -> dict[str, pl.DataFrame]:
    parts = {name: [] for name in TABLES}
    for image, annotations in coco.by_image():
        image_id, height, width = image["image_id"], image["height"], image["width"]
        rng = partial(np.random.default_rng, [seed, image_id])
        within = annotations.filter(pl.Series(space.lookup(annotations["category_id"].to_numpy()) >= 0))
        by_size = within.with_columns(
            category_id=size_class().replace_strict(SIZES, range(1, len(SIZES) + 1), return_dtype=pl.Int64)
        )
        for rows, classes, (pixels, edges) in ((within, space, TABLES[:2]), (by_size, BY_SIZE, TABLES[2:])):
            truth = label_map(rows, height, width, classes)
            for reference, amount, answer in limited(rows, height, width, classes, rng):
                key = {"reference": reference, "amount": float(amount)}
                matrix = confusion(truth, answer, classes.n)
                counted = np.stack([matrix.diagonal(), matrix.sum(0), matrix.sum(1)], -1)
                parts[pixels].append((key, cells(image_id, counted)))
                parts[edges].append((key, cells(image_id, bands(truth, answer, classes.n))))
    return {name: _table(rows) for name, rows in parts.items()}


def _table(rows: list[tuple[dict, np.ndarray]]) -> pl.DataFrame:
    lengths = [len(array) for _, array in rows]
    counted = np.concatenate([np.zeros((0, len(COUNTS)), np.int64), *(array for _, array in rows)])
    keys = {
        name: np.repeat(np.array([key[name] for key, _ in rows], kind), lengths)
        for name, kind in (("reference", object), ("amount", float))
    }
    columns = keys | dict(zip(COUNTS, counted.T, strict=True))
    return pl.DataFrame(columns, COLUMNS)


def _nearest(labels: np.ndarray, given: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each pixel the label of the nearest `given` one (bool H×W, not all false), and how far it is in px."""
    missing = (~given).view(np.uint8)
    # OpenCV knows which is the nearest by an approximate distance only.
    _, at = cv2.distanceTransformWithLabels(missing, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL)
    of = np.zeros(at.max() + 1, np.uint8)
    of[at[given]] = labels[given]
    return of[at], cv2.distanceTransform(missing, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)


def _padded(labels: np.ndarray, stride: int) -> np.ndarray:
    height, width = labels.shape
    return cv2.copyMakeBorder(labels, 0, -height % stride, 0, -width % stride, cv2.BORDER_REPLICATE)


def _shrunk(shape: tuple[int, int], side: int) -> tuple[int, int]:
    scale = min(1.0, side / min(shape))
    return round(shape[0] * scale), round(shape[1] * scale)


def _read(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    present = np.flatnonzero(np.bincount(labels.ravel(), minlength=256))
    shares = [
        cv2.resize((labels == k).astype(np.float32), (width, height), interpolation=cv2.INTER_AREA) for k in present
    ]
    return present.astype(np.uint8)[label(np.stack(shares, -1), *labels.shape)]


def _repeat(labels: np.ndarray, height: int, width: int) -> np.ndarray:
    shrunk = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
    return cv2.resize(shrunk, labels.shape[::-1], interpolation=cv2.INTER_NEAREST_EXACT)


def _scaled(field: np.ndarray, deviation: float) -> np.ndarray:
    return field * (deviation / field.std())


def _drawn(annotations: pl.DataFrame, change: Callable, amount: float) -> pl.DataFrame:
    """The annotations with every polygon of an instance changed."""
    columns = annotations.select("segmentation", "encoding", "iscrowd").iter_rows()
    changed = [
        msgspec.json.encode([ring.ravel().tolist() for ring in change(polygons(segmentation), amount)])
        if encoding == "polygon" and not crowd
        else segmentation
        for segmentation, encoding, crowd in columns
    ]
    return annotations.with_columns(segmentation=pl.Series(changed, dtype=pl.Binary))


def _resampled(ring: np.ndarray, n: int, start: float) -> np.ndarray:
    closed = np.vstack([ring, ring[:1]])
    along = np.append(0, np.cumsum(np.hypot(*np.diff(closed, axis=0).T)))
    at = (np.arange(n) + start) / n * along[-1]
    return np.column_stack([np.interp(at, along, closed[:, k]) for k in range(2)])
