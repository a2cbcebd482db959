"""Check an annotation file: what is wrong in it, object by object, and what is done about it.

`check` never fails on what a file holds. It returns the file without what cannot be used, with what can be mended
mended, and one row per finding. `FINDINGS` says what each code means.

Tolerances. Rasterising moves an outline by up to half a pixel, so an area agrees with its mask if they differ by at
most half a pixel along the mask's outline; and a box agrees if no side is off by more than 2 px (COCO's boxes of
crowds are 1 px short). In COCO itself (8,901 annotations of the development files) nothing is further off but the
area of every second crowd (68 of 141), which COCO did not take from the mask. Size classes go by that field, so it
stays as it is.
"""

from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

import msgspec
import numba
import numpy as np
import polars as pl
from PIL import Image

from cocoseg.coco.rasterise import Rle, SegmentationError, decode, runs_of
from cocoseg.coco.read import ANNOTATIONS, Coco, parse
from cocoseg.errors import UserError
from cocoseg.progress import progress

BOX_TOLERANCE = 2.0  # px, each side
OUTSIDE_TOLERANCE = 1.0  # px
MAX_PIXELS = 1 << 28  # of an image; twice what PIL takes for a decompression bomb


@dataclass(frozen=True)
class Kind:
    """A kind of finding: the objects it is about, what is done with them, and what it means."""

    of: str
    action: str  # 'dropped' | 'repaired' | 'kept'
    meaning: str


FINDINGS: dict[str, Kind] = {
    "id-missing": Kind("object", "dropped", "an image, category or annotation without an id that it needs"),
    "malformed": Kind("object", "dropped", "a field is of another type than in COCO's format"),
    "category-id-repeated": Kind("category", "dropped", "an earlier category has this id"),
    "image-id-repeated": Kind("image", "dropped", "an earlier image has this id"),
    "annotation-id-repeated": Kind("annotation", "repaired", "an earlier annotation has this id: given a new one"),
    "file-name-escapes": Kind("image", "dropped", "file_name leads out of the folder of images"),
    "image-missing": Kind("image", "dropped", "the image file is not in the folder"),
    "image-unreadable": Kind("image", "dropped", "the image file has no readable header"),
    "image-size-differs": Kind("image", "dropped", "the image file has another size than the annotations' image"),
    "image-size-missing": Kind("image", "repaired", "no height or width: taken from the image file"),
    "image-size-unknown": Kind(
        "image", "dropped", f"height or width missing, not positive, or beyond {MAX_PIXELS:,} px"
    ),
    "image-dropped": Kind("annotation", "dropped", "its image was dropped"),
    "image-unknown": Kind("annotation", "dropped", "image_id is the id of no image"),
    "category-unknown": Kind("annotation", "dropped", "category_id is the id of no category"),
    "segmentation-missing": Kind("annotation", "dropped", "there is no segmentation"),
    "segmentation-malformed": Kind("annotation", "dropped", "the segmentation is neither polygons nor an RLE"),
    "not-finite": Kind("annotation", "dropped", "a coordinate is not a finite number"),
    "polygon-too-short": Kind("annotation", "repaired", "a polygon has fewer than three points: left out"),
    "rle-size": Kind("annotation", "dropped", "the RLE is of another size than the image"),
    "rle-corrupt": Kind("annotation", "dropped", "the runs of the RLE do not add up to the image"),
    "mask-empty": Kind("annotation", "dropped", "the mask covers no pixel"),
    "outside-image": Kind("annotation", "kept", f"coordinates more than {OUTSIDE_TOLERANCE:g} px outside the image"),
    "area-missing": Kind("annotation", "repaired", "no area: set to the mask's pixels"),
    "area-differs": Kind("annotation", "kept", "area is off by more than half a pixel along the mask's outline"),
    "bbox-missing": Kind("annotation", "repaired", "no bbox: set to the mask's"),
    "bbox-differs": Kind(
        "annotation", "repaired", f"a side of bbox is off by more than {BOX_TOLERANCE:g} px: set to the mask's"
    ),
}


class _Found:
    """Findings, as they are made."""

    def __init__(self):
        self.rows = []

    def add(self, code: str, message: str, *ids: int) -> None:
        self.rows.append((code, message, list(ids), FINDINGS[code].action))

    def table(self) -> pl.DataFrame:
        schema = {"code": pl.String, "message": pl.String, "ids": pl.List(pl.Int64), "action": pl.String}
        return pl.DataFrame(self.rows, schema, orient="row")


def check(path: Path | str, images: Path | str | None = None) -> tuple[Coco, pl.DataFrame]:
    """Read an annotation file and report what is wrong: (what remains of it, findings).

    With `images`, the folder of the image files, their headers are checked too. Findings have one row per object and
    kind: code str (a key of `FINDINGS`), message str, ids list[i64] (the object's, empty where it has none), action
    str ('dropped', 'repaired' or 'kept'). What remains can be rasterised: ids are unique, references resolve, and
    each annotation has a mask that is not empty, an area and a bbox. Only a file that is not in COCO's format at
    all, or a folder that is not there, is a `UserError`.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     file = Path(folder) / "instances.json"
    ...     _ = file.write_text('{"images": [], "annotations": [{"id": 1, "category_id": 1}], "categories": []}')
    ...     coco, findings = check(file)
    >>> findings.row(0)
    ('id-missing', 'annotations[0]: Object missing required field `image_id`', [], 'dropped')
    """
    if images is not None and not Path(images).is_dir():
        raise UserError(f"no folder of images {images}; check without one, or download the images")
    found = _Found()

    def refuse(table: str, position: int, reason: str) -> None:
        found.add("id-missing" if "missing required field" in reason else "malformed", f"{table}[{position}]: {reason}")

    coco = _with_unique_ids(parse(path, refuse), found)
    usable = _usable_images(coco.images, None if images is None else Path(images), found)
    masks = _with_masks(_with_references(coco, usable, found), usable, found)
    return Coco(usable, coco.categories, _with_area_and_box(masks, found)), found.table()


def summary(findings: pl.DataFrame) -> pl.DataFrame:
    """Findings by kind, in the order of `FINDINGS`: code, action, objects (how many), examples (5 ids), meaning."""
    kinds = pl.DataFrame({"code": list(FINDINGS), "meaning": [kind.meaning for kind in FINDINGS.values()]})
    counts = findings.group_by("code", "action").agg(
        pl.len().alias("objects"),
        pl.col("ids").list.explode().drop_nulls().head(5).alias("examples"),
    )
    return kinds.join(counts, "code", maintain_order="left").select("code", "action", "objects", "examples", "meaning")


def _with_unique_ids(coco: Coco, found: _Found) -> Coco:
    def first_of(table: pl.DataFrame, of: str) -> pl.DataFrame:
        repeated = ~table[f"{of}_id"].is_first_distinct()
        for i in table[f"{of}_id"].filter(repeated):
            found.add(f"{of}-id-repeated", f"{of} {i} is there again", i)
        return table.filter(~repeated)

    ids = coco.annotations["annotation_id"].to_numpy().copy()
    repeated = (~coco.annotations["annotation_id"].is_first_distinct()).to_numpy()
    free = np.setdiff1d(np.arange(1, len(ids) + repeated.sum() + 1), ids)[: repeated.sum()]
    for old, new in zip(ids[repeated].tolist(), free.tolist(), strict=True):
        found.add("annotation-id-repeated", f"annotation {old} is there again, now {new}", old)
    ids[repeated] = free
    return Coco(
        first_of(coco.images, "image"),
        first_of(coco.categories, "category"),
        coco.annotations.with_columns(annotation_id=ids),
    )


def _usable_images(images: pl.DataFrame, folder: Path | None, found: _Found) -> pl.DataFrame:
    rows = images.select("image_id", "file_name", "height", "width").iter_rows()
    sizes = [_size(*row, folder, found) for row in rows]
    return images.with_columns(
        height=pl.Series([height for height, _ in sizes], dtype=pl.Int32),
        width=pl.Series([width for _, width in sizes], dtype=pl.Int32),
    ).drop_nulls(["height", "width"])


def _size(
    image_id: int, file_name: str, height: int | None, width: int | None, folder: Path | None, found: _Found
) -> tuple[int, int] | tuple[None, None]:
    """Height and width of an image that can be used, else (None, None)."""
    about = f"image {image_id} ({file_name!r})"
    stated = (height, width) if (height or 0) > 0 and (width or 0) > 0 and height * width <= MAX_PIXELS else None
    name = PureWindowsPath(file_name)  # knows both separators
    if name.drive or name.root or ".." in name.parts:
        found.add("file-name-escapes", f"{about}: the name leads out of the folder", image_id)
        return None, None
    if folder is None:
        if stated is None:
            found.add("image-size-unknown", f"{about}: height {height}, width {width}", image_id)
        return stated or (None, None)
    try:
        with Image.open(folder / file_name) as image:
            actual = (image.height, image.width)
    except FileNotFoundError:
        found.add("image-missing", f"{about}: no such file", image_id)
        return None, None
    except Exception as error:  # PIL's readers raise whatever a broken header makes them raise
        found.add("image-unreadable", f"{about}: {error}", image_id)
        return None, None
    if stated is None:
        found.add("image-size-missing", f"{about}: height {height}, width {width}; the file has {actual}", image_id)
    elif stated != actual:
        found.add("image-size-differs", f"{about}: {stated} in the annotations, {actual} in the file (H, W)", image_id)
        return None, None
    return actual


def _with_references(coco: Coco, usable: pl.DataFrame, found: _Found) -> pl.DataFrame:
    rows = coco.annotations
    known_image = rows["image_id"].is_in(coco.images["image_id"].implode())
    has_image = rows["image_id"].is_in(usable["image_id"].implode())
    has_category = rows["category_id"].is_in(coco.categories["category_id"].implode())
    for code, column, wrong in (
        ("image-unknown", "image_id", ~known_image),
        ("image-dropped", "image_id", known_image & ~has_image),
        ("category-unknown", "category_id", has_image & ~has_category),
    ):
        for i, other in rows.filter(wrong).select("annotation_id", column).iter_rows():
            found.add(code, f"annotation {i}: {column} {other}", i)
    return rows.filter(has_image & has_category)


# What is measured of a mask: its pixels, the sides between a pixel on it and one off it, its box; and the extent of
# what was drawn, polygons or mask, all in px.
MEASURED = ("pixels", "sides", "mask_x", "mask_y", "mask_w", "mask_h", "left", "top", "right", "bottom")


def _with_masks(annotations: pl.DataFrame, images: pl.DataFrame, found: _Found) -> pl.DataFrame:
    """The annotations that have a mask, and what is measured of it."""
    rows = annotations.select("annotation_id", "image_id", "segmentation")
    rows = rows.join(images.select("image_id", "height", "width"), "image_id", maintain_order="left")
    measured = np.zeros((len(rows), len(MEASURED)))
    mended = {}
    for n, (i, _, segmentation, height, width) in enumerate(progress(rows.iter_rows(), total=len(rows), desc="masks")):
        try:
            content = decode(segmentation)
            measured[n] = _measure(content, runs_of(content, height, width), height)
        except SegmentationError as error:
            found.add(error.code, f"annotation {i}: {error}", i)
            continue
        if measured[n, 0] == 0:
            found.add("mask-empty", f"annotation {i}: the mask covers no pixel of {height}×{width}", i)
        elif isinstance(content, list) and any(len(polygon) < 6 for polygon in content):
            found.add("polygon-too-short", f"annotation {i}: a polygon has fewer than three points", i)
            mended[n] = msgspec.json.encode([polygon for polygon in content if len(polygon) >= 6])
    segmentations = annotations["segmentation"]
    if mended:
        segmentations = segmentations.scatter(list(mended), list(mended.values()))
    return annotations.with_columns(
        segmentations,
        rows["height"],
        rows["width"],
        *(pl.Series(m, v) for m, v in zip(MEASURED, measured.T, strict=True)),
    ).filter(pl.col("pixels") > 0)


def _with_area_and_box(masks: pl.DataFrame, found: _Found) -> pl.DataFrame:
    """The annotations, with the mask's area where there is none, and its bbox where theirs is not the mask's."""

    def report(code: str, where: pl.Expr, message: str) -> None:
        for row in masks.filter(where).iter_rows(named=True):
            found.add(code, f"annotation {row['annotation_id']}: {message.format(**row)}", row["annotation_id"])

    image = {"x": pl.col("width"), "y": pl.col("height")}
    stated = {
        "left": pl.col("x"),
        "top": pl.col("y"),
        "right": pl.col("x") + pl.col("w"),
        "bottom": pl.col("y") + pl.col("h"),
    }
    axis = {"left": "x", "top": "y", "right": "x", "bottom": "y"}
    off = pl.max_horizontal(
        (pl.col(side).clip(0, image[axis[side]]) - stated[side].clip(0, image[axis[side]])).abs() for side in stated
    )
    outside = pl.max_horizontal(
        -pl.col("left"), -pl.col("top"), pl.col("right") - pl.col("width"), pl.col("bottom") - pl.col("height")
    )
    no_box = pl.any_horizontal(pl.col("x", "y", "w", "h").is_null())
    wrong_box = ~no_box & (off > BOX_TOLERANCE)
    no_area = pl.col("area").is_null()
    wrong_area = (pl.col("area") - pl.col("pixels")).abs() > pl.col("sides") / 2
    mask_box = "{mask_x:.0f}, {mask_y:.0f}, {mask_w:.0f}, {mask_h:.0f}"
    report(
        "outside-image",
        outside > OUTSIDE_TOLERANCE,
        "x {left:g} to {right:g}, y {top:g} to {bottom:g} in {width}×{height}",
    )
    report("area-missing", no_area, "no area, the mask has {pixels:.0f} px")
    report("area-differs", wrong_area, "area {area:g}, the mask has {pixels:.0f} px")
    report("bbox-missing", no_box, f"no bbox, the mask's is {mask_box}")
    report("bbox-differs", wrong_box, f"bbox {{x:g}}, {{y:g}}, {{w:g}}, {{h:g}}, the mask's is {mask_box}")
    return masks.with_columns(
        pl.col("area").fill_null(pl.col("pixels")),
        *(pl.when(no_box | wrong_box).then(f"mask_{c}").otherwise(c).alias(c) for c in "xywh"),
    ).select(*ANNOTATIONS)


def _measure(content: list[list[float]] | Rle, runs: np.ndarray, height: int) -> tuple[float, ...]:
    pixels, sides, x0, y0, x1, y1 = _pixels(runs, height)
    box = (x0, y0, x1 - x0, y1 - y0)
    if isinstance(content, Rle):
        return pixels, sides, *box, x0, y0, x1, y1
    xs = [x for polygon in content for x in polygon[::2]]
    ys = [y for polygon in content for y in polygon[1::2]]
    return pixels, sides, *box, min(xs, default=0), min(ys, default=0), max(xs, default=0), max(ys, default=0)


@numba.njit(cache=True)
def _pixels(runs, height):
    """Pixels of a mask, the sides they have with other pixels, and its box: x0, y0, x1, y1 (exclusive)."""
    pixels = beside = 0
    x0 = y0 = np.int64(1) << 40
    x1 = y1 = np.int64(0)
    other = 0
    for start, end in runs:
        first, last = start // height, (end - 1) // height
        pixels += end - start
        beside += end - start - 1 - (last - first)
        x0, x1 = min(x0, first), max(x1, last + 1)
        y0 = min(y0, start % height if first == last else 0)
        y1 = max(y1, (end - 1) % height + 1 if first == last else height)
        # Pixels whose left neighbour, `height` before them, is on the mask too.
        while other < len(runs) and runs[other, 1] + height <= start:
            other += 1
        at = other
        while at < len(runs) and runs[at, 0] + height < end:
            beside += min(end, runs[at, 1] + height) - max(start, runs[at, 0] + height)
            at += 1
    return pixels, 4 * pixels - 2 * beside, x0, y0, x1, y1
