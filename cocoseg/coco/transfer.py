"""Files over HTTP: tried again when a connection breaks, gone on with where it broke."""

import hashlib
import re
import time
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from cocoseg.errors import UserError
from cocoseg.progress import progress

PAUSES = (1, 2, 4, 8, 16)
"""Seconds before each new try of what broke."""

_BROKEN = (requests.exceptions.ChunkedEncodingError, requests.ConnectionError, requests.Timeout)
_CHUNK = 1 << 16  # bytes; of a connection that breaks, what came since the last whole chunk is lost
_PATIENCE = (10, 60)  # seconds to connect, seconds without a byte


def session(connections: int = 1) -> requests.Session:
    """A session that asks again, later and later, when a connection fails or the server is overloaded."""
    busy = (429, 500, 502, 503, 504)
    retry = Retry(len(PAUSES), backoff_factor=PAUSES[0], status_forcelist=busy, allowed_methods=["GET"])
    opened = requests.Session()
    for scheme in ("http://", "https://"):
        opened.mount(scheme, HTTPAdapter(max_retries=retry, pool_maxsize=connections))
    opened.headers["Accept-Encoding"] = "identity"  # lengths and ranges then count the file's own bytes
    return opened


def content(opened: requests.Session, url: str) -> bytes:
    """A small file, whole; of Amazon's storage also compared with the MD5 that it names."""
    for pause in (*PAUSES, None):
        with opened.get(url, stream=True, timeout=_PATIENCE) as response:
            response.raise_for_status()
            try:
                found = response.content
                break
            except _BROKEN:
                if pause is None:
                    raise
        time.sleep(pause)
    tag = response.headers.get("ETag", "").strip('"')
    # Elsewhere than at Amazon, where COCO's server is, an ETag of this form need not be the MD5.
    named = response.headers.get("Server") == "AmazonS3" and re.fullmatch(r"[0-9a-f]{32}", tag)
    if named and hashlib.md5(found, usedforsecurity=False).hexdigest() != tag:
        raise UserError(f"{url} arrived damaged: its MD5 is not the server's; try again")
    return found


def fetch(url: str, part: Path, size: int) -> None:
    """Add to the file `part` until it has `size` bytes.

    It goes on after the bytes that are there, also from an earlier call, where the server sends ranges, and starts
    again where it does not. Once the connection has broken `len(PAUSES)` times in a row with nothing gained, the
    error is raised. A server whose file has another size is a `UserError`.
    """
    if _size(part) > size:
        part.unlink()
    opened, furthest, tries = session(), _size(part), 0
    with progress(total=size, initial=furthest, desc=part.stem, unit="B") as bar:
        while (have := _size(part)) < size:
            broken = requests.ConnectionError("the connection ends early")
            range_ = {"Range": f"bytes={have}-"} if have else {}
            with opened.get(url, headers=range_, stream=True, timeout=_PATIENCE) as response:
                response.raise_for_status()
                try:
                    _append(response, part, size, bar)
                except _BROKEN as error:
                    broken = error
            have = _size(part)
            tries = 0 if have > furthest else tries + 1
            furthest = max(furthest, have)
            if tries == len(PAUSES):
                raise broken
            if have < size:
                time.sleep(PAUSES[tries])


def _append(response: requests.Response, part: Path, size: int, bar) -> None:
    """Write the body after what is in `part`, or from the start where the answer is the whole file."""
    span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    start, total = map(int, span.groups()) if span else (0, int(response.headers.get("Content-Length", size)))
    if total != size:
        raise UserError(f"{response.url} has {total:,} bytes, not the {size:,} expected")
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        for chunk in response.iter_content(_CHUNK):
            file.write(chunk)
            bar.n = file.tell()
            bar.update(0)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0
