"""Downloading, from a server on this machine that behaves as badly as a test asks it to."""

import hashlib
import io
import json
import re
import shutil
import threading
import zipfile
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from filelock import FileLock
from PIL import Image

from cocoseg.coco import transfer
from cocoseg.coco.download import ARCHIVES, download, download_images
from cocoseg.errors import UserError


class Server(ThreadingHTTPServer):
    """Serves `files` (path → bytes) with ranges and ETags like COCO's; its other attributes make it misbehave."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []  # path and Range of every request
        self.breaks = []  # of each of the next bodies, how many bytes are sent before the connection breaks
        self.busy = 0  # how many of the next answers are 503
        self.ranges = True
        self.lengths = True
        self.tag = None
        self.lock = threading.Lock()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def version_string(self):
        return "AmazonS3"

    def log_message(self, *_):
        pass

    def do_GET(self):
        server, span = self.server, self.headers["Range"]
        with server.lock:
            server.asked.append((self.path, span))
            busy, server.busy = server.busy > 0, max(server.busy - 1, 0)
            stop = server.breaks.pop(0) if server.breaks and not busy else None
        body = server.files.get(self.path)
        if busy or body is None:
            self.send_response(503 if busy else 404)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        start = int(re.fullmatch(r"bytes=(\d+)-", span)[1]) if span and server.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if server.lengths:
            self.send_header("Content-Length", str(len(body) - start))
        self.send_header("ETag", f'"{server.tag or hashlib.md5(body).hexdigest()}"')
        self.end_headers()
        self.wfile.write(body[start:][:stop])
        self.close_connection = stop is not None or not server.lengths


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setattr(transfer, "PAUSES", (0, 0, 0))
    monkeypatch.setattr(transfer, "_CHUNK", 10)
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def jpeg(width=8, height=6, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 255, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")
    return file.getvalue()


def zipped(files):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return file.getvalue()


PHOTOS = {f"{image_id:012}.jpg": jpeg(seed=image_id) for image_id in range(1, 6)}


def serve(server, monkeypatch, body, what="val", count=1, unpacked=0):
    """Put these bytes on the server, and pin them, in the place of one of COCO's archives."""
    facts = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest(), "count": count, "unpacked": unpacked}
    monkeypatch.setitem(ARCHIVES, what, replace(ARCHIVES[what], **facts))
    server.files[f"/{ARCHIVES[what].path}"] = body
    return body


@pytest.fixture
def archive(server, monkeypatch):
    """COCO's val2017 archive with five photos in it."""
    body = zipped({"val2017/": b""} | {f"val2017/{name}": photo for name, photo in PHOTOS.items()})
    return serve(server, monkeypatch, body, count=len(PHOTOS), unpacked=sum(map(len, PHOTOS.values())))


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def halves(folder):
    return sorted(file.name for file in folder.rglob("*.part"))


# Archives


def test_an_archive_becomes_a_folder_in_cocos_layout(server, archive, tmp_path):
    assert download("val", tmp_path / "coco", server=server.url) == tmp_path / "coco" / "val2017"
    assert contents(tmp_path / "coco" / "val2017") == PHOTOS
    assert not halves(tmp_path)


def test_only_the_instances_files_are_kept_of_the_annotations(server, monkeypatch, tmp_path):
    names = ["captions_val2017", "instances_train2017", "instances_val2017", "person_keypoints_val2017"]
    serve(server, monkeypatch, zipped({f"annotations/{name}.json": name * 9 for name in names}), "annotations", 2)
    found = contents(download("annotations", tmp_path, server=server.url))
    assert found == {f"{name}.json": (name * 9).encode() for name in names if "instances" in name}


def test_what_is_there_is_not_fetched_again(server, archive, tmp_path):
    download("val", tmp_path, server=server.url)
    server.asked.clear()
    download("val", tmp_path, server=server.url)
    assert server.asked == []


def test_a_folder_with_fewer_images_is_completed_and_keeps_its_other_files(server, archive, tmp_path):
    (tmp_path / "val2017").mkdir()
    (tmp_path / "val2017" / "mine.jpg").write_bytes(b"mine")
    (tmp_path / "val2017" / "000000000001.jpg").write_bytes(PHOTOS["000000000001.jpg"])
    download("val", tmp_path, server=server.url)
    assert contents(tmp_path / "val2017") == PHOTOS | {"mine.jpg": b"mine"}


def test_a_broken_connection_goes_on_where_it_broke(server, archive, tmp_path):
    server.breaks = [100, 50]
    download("val", tmp_path, server=server.url)
    assert [span for _, span in server.asked] == [None, "bytes=100-", "bytes=150-"]
    assert contents(tmp_path / "val2017") == PHOTOS


def test_a_later_call_goes_on_where_an_earlier_one_was_stopped(server, archive, tmp_path):
    (tmp_path / "val2017.zip.part").write_bytes(archive[:200])
    download("val", tmp_path, server=server.url)
    assert server.asked == [("/zips/val2017.zip", "bytes=200-")]
    assert contents(tmp_path / "val2017") == PHOTOS


def test_a_server_without_ranges_is_asked_for_the_whole_again(server, archive, tmp_path):
    server.ranges = False
    server.breaks = [100]
    download("val", tmp_path, server=server.url)
    assert contents(tmp_path / "val2017") == PHOTOS


def test_a_server_that_keeps_breaking_is_given_up_and_what_came_is_kept(server, archive, tmp_path):
    server.breaks = [100] + [0] * 9
    with pytest.raises(UserError, match=r"does not answer .*what came is kept, try again"):
        download("val", tmp_path, server=server.url)
    assert (tmp_path / "val2017.zip.part").read_bytes() == archive[:100]
    assert not (tmp_path / "val2017").exists()
    server.breaks = []
    download("val", tmp_path, server=server.url)
    assert contents(tmp_path / "val2017") == PHOTOS


def test_an_answer_that_ends_early_without_saying_so_is_noticed(server, archive, tmp_path):
    server.lengths = server.ranges = False
    server.breaks = [100] * 9
    with pytest.raises(UserError, match="the connection ends early"):
        download("val", tmp_path, server=server.url)


def test_a_busy_server_is_asked_again(server, archive, tmp_path):
    server.busy = 2
    download("val", tmp_path, server=server.url)
    assert contents(tmp_path / "val2017") == PHOTOS


def test_a_server_without_the_archive_is_told_in_one_line(server, archive, tmp_path):
    server.files.clear()
    with pytest.raises(UserError, match=r"zips/val2017.zip cannot be had: 404 Not Found$"):
        download("val", tmp_path, server=server.url)


def test_no_server_is_told_in_one_line(server, archive, tmp_path):
    with pytest.raises(UserError, match=r"127\.0\.0\.1:9/zips/val2017\.zip does not answer"):
        download("val", tmp_path, server="http://127.0.0.1:9")


def test_wrong_bytes_are_never_opened_and_a_second_try_starts_afresh(server, archive, tmp_path):
    server.files["/zips/val2017.zip"] = archive[:-1] + bytes([archive[-1] ^ 1])
    with pytest.raises(UserError, match=r"val2017.zip is not COCO's and was removed: SHA-256"):
        download("val", tmp_path, server=server.url)
    assert not halves(tmp_path)
    server.files["/zips/val2017.zip"] = archive
    download("val", tmp_path, server=server.url)
    assert contents(tmp_path / "val2017") == PHOTOS


@pytest.mark.parametrize("start", [0, 100])
def test_an_archive_of_another_size_is_refused_before_it_is_fetched(server, archive, tmp_path, start):
    (tmp_path / "val2017.zip.part").write_bytes(archive[:start])
    server.files["/zips/val2017.zip"] = archive + b"more"
    with pytest.raises(UserError, match=f"has {len(archive) + 4:,} bytes, not the {len(archive):,} expected"):
        download("val", tmp_path, server=server.url)
    assert (tmp_path / "val2017.zip.part").stat().st_size == start


def test_a_longer_part_than_the_archive_is_no_beginning_of_it(server, archive, tmp_path):
    (tmp_path / "val2017.zip.part").write_bytes(archive + b"more")
    download("val", tmp_path, server=server.url)
    assert contents(tmp_path / "val2017") == PHOTOS


@pytest.mark.parametrize(
    "name",
    ["../outside.jpg", "val2017/../../outside.jpg", "/outside.jpg", "val2017/a\\b.jpg", "other/1.jpg", "val2017/.."],
)
def test_an_archive_that_reaches_outside_its_folder_is_refused(server, monkeypatch, tmp_path, name):
    serve(server, monkeypatch, zipped({"val2017/000000000001.jpg": jpeg(), name: b"x"}))
    with pytest.raises(UserError, match="is not COCO's: it holds"):
        download("val", tmp_path / "coco", server=server.url)
    assert [file.name for file in tmp_path.iterdir()] == ["coco"]
    assert not (tmp_path / "coco" / "val2017").exists()


def test_an_archive_with_a_link_is_refused(server, monkeypatch, tmp_path):
    link = zipfile.ZipInfo("val2017/000000000001.jpg")
    link.external_attr = 0o120777 << 16
    serve(server, monkeypatch, zipped({link: b"/etc/passwd"}))
    with pytest.raises(UserError, match="is not COCO's"):
        download("val", tmp_path, server=server.url)


def test_an_archive_with_too_few_images_is_refused(server, monkeypatch, tmp_path):
    serve(server, monkeypatch, zipped({"val2017/000000000001.jpg": jpeg()}), count=2)
    with pytest.raises(UserError, match="holds 1 of the expected 2 files"):
        download("val", tmp_path, server=server.url)


def test_a_damaged_archive_of_the_right_checksum_is_told_in_one_line(server, monkeypatch, tmp_path):
    serve(server, monkeypatch, b"no archive")
    with pytest.raises(UserError, match="cannot be unpacked"):
        download("val", tmp_path, server=server.url)


@pytest.mark.parametrize("after", [0, 1, 4])
def test_an_unpacking_that_is_killed_shows_no_folder_and_goes_on(server, archive, monkeypatch, tmp_path, after):
    copy, copied = shutil.copyfileobj, []

    def killed(source, file, length):
        if len(copied) == after:
            file.write(b"half a photo")
            raise KeyboardInterrupt
        copied.append(file)
        copy(source, file, length)

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfileobj", killed)
        with pytest.raises(KeyboardInterrupt):
            download("val", tmp_path, server=server.url)
    assert not (tmp_path / "val2017").exists()
    server.asked.clear()
    download("val", tmp_path, server=server.url)
    assert server.asked == []
    assert contents(tmp_path / "val2017") == PHOTOS
    assert not halves(tmp_path)


def test_too_small_a_disk_is_refused_before_anything_is_asked(server, archive, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(UserError, match=r"needs 0\.0 GB more, but its disk has 0\.0 GB free"):
        download("val", tmp_path, server=server.url)
    assert server.asked == []


def test_two_downloads_do_not_write_into_one_folder(server, archive, tmp_path):
    with FileLock(tmp_path / ".download.lock"), pytest.raises(UserError, match=r"another download into .* is going on"):
        download("val", tmp_path, server=server.url)


def test_an_unknown_archive_is_named_with_the_nearest():
    with pytest.raises(UserError, match="no archive 'trian'; did you mean 'train'"):
        download("trian", "nowhere")


def test_the_real_archives_are_pinned():
    for archive in ARCHIVES.values():
        assert re.fullmatch(r"[0-9a-f]{64}", archive.sha256)
        assert archive.size > 10**8
    assert re.fullmatch(ARCHIVES["train"].wanted, "000000000009.jpg")


# Images by id


@pytest.fixture
def annotations(server, tmp_path):
    """An annotation file of five photos that are on the server, at the path of their `coco_url` or the default one."""
    images = [
        {"id": i, "file_name": f"{i:012}.jpg", "width": 8, "height": 6, "license": i % 2, "date": "2013 é"}
        for i in range(1, 6)
    ]
    images[0]["coco_url"] = "http://images.cocodataset.org/train2017/000000000001.jpg"
    rows = [
        {"id": 10 * i + k, "image_id": i, "category_id": 1, "segmentation": [[0.5, 1e-3, 2, 2, 1, 3]], "area": 1.50}
        for k in range(2)
        for i in range(1, 6)
    ]
    document = {
        "info": {"year": 2017},
        "images": images,
        "annotations": rows,
        "categories": [{"id": 1, "name": "person"}],
    }
    file = tmp_path / "official" / "instances_val2017.json"
    file.parent.mkdir()
    file.write_text(json.dumps(document))
    server.files = {f"/{'train' if i == 1 else 'val'}2017/{i:012}.jpg": PHOTOS[f"{i:012}.jpg"] for i in range(1, 6)}
    return file


def test_images_and_their_annotations_make_a_dataset(server, annotations, tmp_path):
    target = download_images([1, 3], annotations, tmp_path / "few", server=server.url)
    assert target == tmp_path / "few" / "val2017"
    assert contents(target) == {name: PHOTOS[name] for name in ("000000000001.jpg", "000000000003.jpg")}
    document = json.loads((tmp_path / "few/annotations/instances_val2017.json").read_bytes())
    assert [image["id"] for image in document["images"]] == [1, 3]
    assert [row["id"] for row in document["annotations"]] == [10, 30, 11, 31]
    assert document["categories"] == [{"id": 1, "name": "person"}]


def test_images_that_are_there_are_not_fetched_again(server, annotations, tmp_path):
    download_images([1, 2], annotations, tmp_path, server=server.url)
    server.asked.clear()
    download_images(iter([1, 2, 3, 3]), annotations, tmp_path, server=server.url)
    assert server.asked == [("/val2017/000000000003.jpg", None)]


def test_annotations_in_the_same_folder_stay_as_they_are(server, annotations, tmp_path):
    file = tmp_path / "coco" / "annotations" / "instances_val2017.json"
    file.parent.mkdir(parents=True)
    before = shutil.copy(annotations, file).read_bytes()
    download_images([2], file, tmp_path / "coco", server=server.url)
    assert file.read_bytes() == before


def test_an_image_is_fetched_again_when_its_connection_breaks(server, annotations, tmp_path):
    server.breaks = [10, 10]
    target = download_images([2], annotations, tmp_path / "few", server=server.url)
    assert contents(target) == {"000000000002.jpg": PHOTOS["000000000002.jpg"]}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (b"<html>Please log in</html>", "is no image; expected 8 × 6 pixels"),
        (jpeg(9, 6), "is 9 × 6 pixels; expected 8 × 6 pixels"),
        (None, "cannot be had: 404 Not Found"),
    ],
)
def test_what_is_not_the_image_is_refused_and_no_dataset_appears(server, annotations, tmp_path, wrong, message):
    server.files["/val2017/000000000003.jpg"] = wrong
    with pytest.raises(UserError, match=f"val2017/000000000003.jpg {message}"):
        download_images([2, 3, 4], annotations, tmp_path / "few", server=server.url)
    assert not (tmp_path / "few" / "annotations").exists()
    assert not halves(tmp_path)


def test_an_image_that_differs_from_the_servers_md5_is_refused(server, annotations, tmp_path):
    server.tag = "0" * 32
    with pytest.raises(UserError, match="arrived damaged: its MD5 is not the server's"):
        download_images([2], annotations, tmp_path / "few", server=server.url)


def test_ids_that_the_file_does_not_have_are_named_before_anything_is_asked(server, annotations, tmp_path):
    with pytest.raises(UserError, match=r"7 of 8 image ids are not in .*: 6, 7, 8, 9, 10, …"):
        download_images(range(5, 13), annotations, tmp_path / "few", server=server.url)
    assert server.asked == []


@pytest.mark.parametrize("name", ["../1.jpg", "a/1.jpg", "..", "", "/etc/passwd", "a\\b.jpg", ".hidden"])
def test_a_file_name_that_is_no_plain_name_is_refused(server, annotations, tmp_path, name):
    document = json.loads(annotations.read_bytes())
    document["images"][2]["file_name"] = name
    annotations.write_text(json.dumps(document))
    with pytest.raises(UserError, match="image 3 has the file name"):
        download_images([3], annotations, tmp_path / "few", server=server.url)
    assert server.asked == []


def test_a_file_whose_name_says_no_split_is_refused(tmp_path):
    with pytest.raises(UserError, match=r"called instances_<split>.json"):
        download_images([1], tmp_path / "captions_val2017.json", tmp_path)


def test_the_disk_is_checked_for_images_too(server, annotations, monkeypatch, tmp_path):
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(100, 90, 10))
    with pytest.raises(UserError, match="GB free"):
        download_images([2], annotations, tmp_path / "few", server=server.url)
