"""Some columns of Parquet files at an address, fetched without the rest: posts are gigabytes, three columns are not.

The end of a file says where each column lies. What is fetched is put at its place into a sparse file of the same size,
which any reader of these columns takes for the whole. Nothing here knows what a column means.
"""

from __future__ import annotations

import html
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from fw_pipeline.contract import FetchContext
from fw_pipeline.errors import SourceError
from fw_pipeline.http import HttpClient, InvalidResponse, RateLimit, Response, Transient
from fw_pipeline.text import one_line

_TAIL = 1 << 16
"""Bytes of the end that are asked for first; the description of a file usually fits in."""
_MOST = 16 << 20
_NEAR = 1 << 20
"""Columns nearer to one another than this are fetched together with what lies between."""
_MAGIC = b"PAR1"
_BUDGET = 20_000

_WHERE = """
select
    least(coalesce(dictionary_page_offset, data_page_offset), data_page_offset) as first,
    total_compressed_size as size
from parquet_metadata($file)
where path_in_schema in $columns
order by first
"""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file of which at least some columns are here."""

    path: Path
    refs: tuple[str, ...]
    """Evidence of it, or of its parts."""


def fetched(fetch: FetchContext, address: str, columns: Sequence[str], folder: Path, subject: str) -> list[Fetched]:
    """Fetch some columns of the files at an address, whose last part may have `*` in it, into a folder.

    Raises:
        SourceError: there is no such file, or it is not Parquet.
    """
    parts = urlsplit(address)
    if not parts.hostname or parts.username:
        raise SourceError(subject, "the address cannot be asked", "write it with https:// and without a password")
    with HttpClient(fetch, rate=RateLimit(0.05), budget=_BUDGET, host_label=subject) as web:
        addresses = _listed(web, address) if "*" in parts.path else [address]
        if not addresses:
            raise SourceError(subject, f"no file is at {one_line(address, 200)}", "name files that are there")
        return [_Remote(fetch, web, it, folder, subject).columns(columns) for it in addresses]


def _listed(web: HttpClient, address: str) -> list[str]:
    """Return the addresses of the files that a pattern means, as a bucket of S3 lists them."""
    parts = urlsplit(address)
    pattern = unquote(parts.path.lstrip("/"))
    host, found, token = f"{parts.scheme}://{parts.netloc}/", [], None
    while True:
        params = {"list-type": "2", "prefix": pattern.partition("*")[0], "continuation-token": token}
        keys, token = web.get(host, params=params, name="files", read=_read_listing)
        found += [
            f"{host}{quote(key)}" for key in keys if fnmatchcase(key, pattern) and key.count("/") == pattern.count("/")
        ]
        if token is None:
            return found


def _read_listing(answer: Response) -> tuple[list[str], str | None]:
    said = answer.text()
    if "<ListBucketResult" not in said:
        raise InvalidResponse("the files are not listed there as S3 does", "name each file, with ; between")
    more = re.search(r"<NextContinuationToken>([^<]+)<", said)
    keys = [html.unescape(key) for key in re.findall(r"<Key>([^<]+)</Key>", said)]
    return keys, html.unescape(more[1]) if more else None


class _Remote:
    """One file at an address."""

    def __init__(self, fetch: FetchContext, web: HttpClient, address: str, folder: Path, subject: str) -> None:
        self._fetch, self._web, self._address, self._subject = fetch, web, address, subject
        self._name = Path(urlsplit(address).path).name
        self._refs: list[str] = []
        descriptor, path = tempfile.mkstemp(suffix=".parquet", dir=folder)
        os.close(descriptor)
        self._path = Path(path)

    def columns(self, columns: Sequence[str]) -> Fetched:
        """Fetch the end of the file, then the columns that it describes."""
        start = self._description()
        for first, length in self._wanted(columns):
            if first < start:
                self._range(first, min(length, start - first))
        return Fetched(self._path, tuple(self._refs))

    def _description(self) -> int:
        """Fetch the end of the file, which describes it; return where what is here begins."""
        size, start = self._part(f"bytes=-{_TAIL}")
        end = self._bytes(size - 8, 8)
        if end[4:] != _MAGIC:
            raise SourceError(self._subject, f"{self._name} is not Parquet", "name the Parquet files of the posts")
        begins = max(0, size - 8 - int.from_bytes(end[:4], "little"))
        if start > begins:
            self._range(begins, start - begins)
        return min(start, begins)

    def _wanted(self, columns: Sequence[str]) -> list[tuple[int, int]]:
        try:
            found = self._fetch.scan(_WHERE, {"file": str(self._path), "columns": list(columns)}).rows()
        except ValueError as broken:
            cause = one_line(str(broken).replace(str(self._path), self._name), 200)
            raise SourceError(self._subject, f"{self._name} cannot be read: {cause}", "name Parquet files") from None
        joined: list[tuple[int, int]] = []
        for first, length in found:
            before, so_far = joined[-1] if joined else (0, 0)
            if joined and first - (before + so_far) < _NEAR and first + length - before <= _MOST:
                joined[-1] = (before, max(so_far, first + length - before))
            else:
                joined.append((first, length))
        return joined

    def _range(self, first: int, length: int) -> None:
        for begin in range(first, first + length, _MOST):
            last = min(begin + _MOST, first + length) - 1
            self._part(f"bytes={begin}-{last}")

    def _part(self, asked: str) -> tuple[int, int]:
        """Fetch a part, put it at its place, and return the size of the file and where the part begins."""
        name = f"{self._name.removesuffix('.parquet')}-{asked.removeprefix('bytes=')}"
        size, start = self._web.get(
            self._address,
            headers={"Range": asked, "Accept-Encoding": "identity"},
            name=name,
            read=self._put,
            statuses=(200, 206),
        )
        return size, start

    def _put(self, answer: Response) -> tuple[int, int]:
        start, size = 0, len(answer.body)
        if answer.status == 206:  # noqa: PLR2004
            said = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", answer.headers.get("content-range", "").strip(), re.ASCII)
            if said is None:
                raise InvalidResponse("the server does not say which part of the file it sent")
            start, last, size = (int(it) for it in said.groups())
            if last - start + 1 != len(answer.body):
                raise Transient(f"the part has {len(answer.body)} bytes instead of {last - start + 1}")
        with self._path.open("r+b") as out:
            out.truncate(size)
            out.seek(start)
            out.write(answer.body)
        self._refs.append(answer.evidence.ref)
        return size, start

    def _bytes(self, first: int, length: int) -> bytes:
        with self._path.open("rb") as stream:
            stream.seek(max(0, first))
            return stream.read(length)
