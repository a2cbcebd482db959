"""COCO 2017 from COCO's own server: its archives whole, or some of its images by id.

Both fill a folder in COCO's layout (`annotations/instances_<split>.json`, `<split>/<file name>`), go on where
an interrupted download stopped, and do nothing when all is there. Whatever is not whole yet ends in `.part`.

COCO's server speaks plain HTTP. An archive is therefore compared with a pinned SHA-256 before it is opened,
an image with the size in pixels that its annotation file states.
"""

import hashlib
import os
import re
import shutil
import stat
import zipfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import requests
from filelock import FileLock, Timeout
from PIL import Image, UnidentifiedImageError

from cocoseg.coco import transfer
from cocoseg.coco.subset import Image as Entry
from cocoseg.coco.subset import images, subset
from cocoseg.errors import UserError, nearest
from cocoseg.progress import progress

SERVER = "http://images.cocodataset.org"


@dataclass(frozen=True)
class Archive:
    """One of COCO's archives and what is taken from it."""

    path: str  # on the server
    size: int  # bytes
    sha256: str
    folder: str  # the one folder in it
    wanted: str  # the names of the files taken from that folder, a regular expression
    count: int  # how many files that are
    unpacked: int  # their bytes together, at least

    def within(self, folder: Path) -> bool:
        """Whether `folder` holds all that is wanted."""
        if not folder.is_dir():
            return False
        files = [entry for entry in os.scandir(folder) if re.fullmatch(self.wanted, entry.name)]
        return len(files) == self.count and sum(file.stat().st_size for file in files) >= self.unpacked


# COCO publishes no checksums. Sizes and SHA-256 are those of tensorflow-datasets (url_checksums/coco.txt), and the
# loader of keras-cv pins the same. Independent copies that state both have this SHA-256 together with the MD5 that
# PaddleDetection pins; for the annotations that MD5 is also the server's own ETag.
ARCHIVES = {
    "annotations": Archive(
        path="annotations/annotations_trainval2017.zip",
        size=252_907_541,
        sha256="113a836d90195ee1f884e704da6304dfaaecff1f023f49b6ca93c4aaae470268",
        folder="annotations",
        wanted=r"instances_(train|val)2017\.json",
        count=2,
        unpacked=469_785_474 + 19_987_840,
    ),
    "val": Archive(
        path="zips/val2017.zip",
        size=815_585_330,
        sha256="4f7e2ccb2866ec5041993c9cf2a952bbed69647b115d0f74da7ce8f4bef82f05",
        folder="val2017",
        wanted=r"\d{12}\.jpg",
        count=5_000,
        unpacked=807_000_000,
    ),
    "train": Archive(
        path="zips/train2017.zip",
        size=19_336_861_798,
        sha256="69a8bb58ea5f8f99d24875f21416de2e9ded3178e903f1f7603e283b9e06d929",
        folder="train2017",
        wanted=r"\d{12}\.jpg",
        count=118_287,
        unpacked=19_140_000_000,
    ),
}


def download(what: str, folder: str | Path, *, server: str = SERVER) -> Path:
    """Put `annotations`, `val` or `train` of COCO 2017 into `folder`; returns where their files are.

    The archive is removed once it is unpacked; of the annotations only the `instances` files are kept. A
    `UserError` says what stands in the way: no such archive, no room, no network, a file that is not COCO's.

    >>> download("validation", "data/coco")
    Traceback (most recent call last):
    ...
    cocoseg.errors.UserError: COCO 2017 has no archive 'validation'; valid: annotations, train, val
    """
    if what not in ARCHIVES:
        raise UserError(f"COCO 2017 has no archive {what!r}; {nearest(what, ARCHIVES)}")
    archive, folder = ARCHIVES[what], Path(folder)
    target = folder / archive.folder
    with _filling(folder):
        part, unpacking = folder / f"{Path(archive.path).name}.part", folder / f"{archive.folder}.part"
        if not archive.within(target):
            here = sum(_size(file) for file in [part, *unpacking.glob("*")])
            _require(archive.size + int(archive.unpacked * 1.05) - here, folder)
            transfer.fetch(f"{server}/{archive.path}", part, archive.size)
            _verify(part, archive.sha256)
            _unpack(part, archive, unpacking, target)
        part.unlink(missing_ok=True)
    return target


def download_images(
    ids: Iterable[int], annotations: str | Path, folder: str | Path, *, server: str = SERVER, workers: int = 8
) -> Path:
    """Put the images `ids` of the file `annotations` into `folder/<split>`; returns where they are.

    The file's name, `instances_<split>.json`, says which split. An image comes from `server`, at the path of
    its `coco_url` (`/<split>/<file name>` if it has none), `workers` at a time; one that is there already
    stays. When all are there, `folder/annotations` gets the annotations of these images (see `subset`), unless
    it is where `annotations` is. A `UserError` names ids that the file does not have, an image that the server
    does not have or that is not of the stated size, a lack of room or of network.
    """
    annotations, folder, ids = Path(annotations), Path(folder), set(ids)
    name = re.fullmatch(r"instances_(\w+)\.json", annotations.name)
    if not name:
        raise UserError(f"{annotations} names no split; an annotation file is called instances_<split>.json")
    split = name[1]
    target = folder / split
    wanted = {entry: _url(entry, split, server) for entry in images(annotations, ids)}
    wanted = {entry: url for entry, url in wanted.items() if not (target / entry.file_name).exists()}
    with _filling(folder):
        _require(len(wanted) * 170_000, folder)  # a photo of COCO 2017 has 163 kB on average
        target.mkdir(exist_ok=True)
        session, pool = transfer.session(workers), ThreadPoolExecutor(workers)
        try:
            jobs = [pool.submit(_image, session, url, target, entry) for entry, url in wanted.items()]
            for job in progress(as_completed(jobs), total=len(jobs), desc=split, unit="image"):
                job.result()
        finally:
            pool.shutdown(cancel_futures=True)
        if annotations.parent.resolve() != (folder / "annotations").resolve():
            subset(annotations, ids, folder / "annotations" / annotations.name)
    return target


def _url(entry: Entry, split: str, server: str) -> str:
    if not re.fullmatch(r"\w[\w. -]*", entry.file_name):
        raise UserError(f"image {entry.id} has the file name {entry.file_name!r}; expected a plain one")
    return server + (urlsplit(entry.coco_url or "").path or f"/{split}/{entry.file_name}")


def _image(session: requests.Session, url: str, target: Path, entry: Entry) -> None:
    """Fetch one image, which gets its name once it is whole and known to be the one that is meant."""
    part = target / f"{entry.file_name}.part"
    part.write_bytes(transfer.content(session, url))
    try:
        with Image.open(part) as opened:
            found = "{} × {} pixels".format(*opened.size)
    except UnidentifiedImageError:
        found = "no image"
    if found != (expected := f"{entry.width} × {entry.height} pixels"):
        part.unlink()
        raise UserError(f"{url} is {found}; expected {expected}")
    part.replace(target / entry.file_name)


def _verify(part: Path, sha256: str) -> None:
    digest = hashlib.sha256()
    with part.open("rb") as file, progress(total=_size(part), desc=f"checking {part.stem}", unit="B") as bar:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            bar.update(len(chunk))
    if (found := digest.hexdigest()) != sha256:
        part.unlink()
        raise UserError(f"{part.stem} is not COCO's and was removed: SHA-256 {found}, not {sha256}; try again")


def _unpack(part: Path, archive: Archive, unpacking: Path, target: Path) -> None:
    """Bring the wanted files of the archive into `target`; a new `target` appears at once, and whole."""
    with zipfile.ZipFile(part) as opened:
        wanted = [member for member in opened.infolist() if _wants(archive, member)]
        if len(wanted) != archive.count:
            raise UserError(f"{part.stem} holds {len(wanted):,} of the expected {archive.count:,} files")
        unpacking.mkdir(exist_ok=True)
        for member in progress(wanted, desc=f"unpacking {part.stem}", unit="file"):
            name = Path(member.filename).name
            if member.file_size not in (_size(target / name), _size(unpacking / name)):
                with opened.open(member) as source, (unpacking / name).open("wb") as file:
                    shutil.copyfileobj(source, file, 1 << 20)
    if target.exists():
        for file in unpacking.iterdir():
            file.replace(target / file.name)
        unpacking.rmdir()
    else:
        unpacking.rename(target)


def _wants(archive: Archive, member: zipfile.ZipInfo) -> bool:
    """Whether this file is taken; one outside the archive's folder, or a link, condemns the archive."""
    folder, _, name = member.filename.partition("/")
    link = stat.S_ISLNK(member.external_attr >> 16)
    if folder != archive.folder or "/" in name or "\\" in name or name == ".." or link:
        raise UserError(f"{archive.path} is not COCO's: it holds {member.filename!r}")
    return re.fullmatch(archive.wanted, name) is not None


@contextmanager
def _filling(folder: Path):
    """One download at a time into `folder`; what goes wrong on the way is told in one line."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder / ".download.lock", blocking=False):
            yield
    except Timeout:
        raise UserError(f"another download into {folder} is going on; wait, or choose another folder") from None
    except requests.HTTPError as error:
        answer = error.response
        raise UserError(f"{answer.url} cannot be had: {answer.status_code} {answer.reason}") from None
    except requests.RequestException as error:
        url = error.request.url if error.request else "the server"
        raise UserError(f"{url} does not answer ({error}); what came is kept, try again") from None
    except zipfile.BadZipFile as error:
        raise UserError(f"the archive cannot be unpacked: {error}") from None
    except OSError as error:
        raise UserError(f"cannot fill {folder}: {error.strerror or error}") from None


def _require(need: int, folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if need > free:
        raise UserError(f"{folder} needs {need / 1e9:.1f} GB more, but its disk has {free / 1e9:.1f} GB free")


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
