"""Large files: streamed to disk, resumed after a break, kept, and only then read; not fetched twice unchanged.

Nothing here knows what a file holds.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn, TypeVar

from fw_pipeline.contract import Evidence
from fw_pipeline.http.cache import VALIDATED, ResponseCache
from fw_pipeline.http.response import Response
from fw_pipeline.http.retry import CHANGED, InvalidResponse, Transient
from fw_pipeline.http.session import Session
from fw_pipeline.http.transport import Request, raw_pieces, whole_body

T = TypeVar("T")

PACKED = (".gz", ".parquet", ".7z", ".zst")
"""How the names of files end that are kept as they came."""

_BLOCK = 1 << 20
_OK, _PARTIAL, _NOT_MODIFIED, _NOT_SATISFIABLE = 200, 206, 304, 416


@dataclass(frozen=True, slots=True)
class PartialFile:
    """The bytes of one file that have come so far, and the validator under which they were sent."""

    path: Path

    @classmethod
    def of(cls, folder: Path, request: str) -> PartialFile:
        """Return the partial file of one request below `folder`; it may not exist yet."""
        return cls(folder / f"{hashlib.sha256(request.encode()).hexdigest()[:24]}.part")

    @property
    def size(self) -> int:
        """How many bytes are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def rest(self) -> dict[str, str]:
        """Return the headers that ask for the rest, if the server still has the same file; none to begin anew."""
        validator = self._validator.read_text(encoding="utf-8") if self._validator.exists() else ""
        return {"Range": f"bytes={self.size}-", "If-Range": validator} if self.size and validator else {}

    def fits(self, status: int, headers: Mapping[str, str]) -> bool:
        """Say whether an answer can be the file or a part of it, and is no page for people to read."""
        kind = headers.get("content-type", "").partition(";")[0].strip().lower()
        return status in {_OK, _PARTIAL, _NOT_SATISFIABLE} and kind != "text/html"

    def receive(self, status: int, headers: Mapping[str, str], chunks: Iterator[bytes], *, limit: int) -> None:
        """Write the answer to the end of the file, or over it where the server begins anew.

        Raises:
            Transient: the parts do not fit together, or the file is not whole yet.
            InvalidResponse: the file is larger than `limit` bytes.
        """
        if status == _NOT_SATISFIABLE:
            self.forget()
            raise Transient("the server has another file now")
        start, total = _place(headers.get("content-range", "")) if status == _PARTIAL else (0, _length(headers))
        if status == _PARTIAL and start != self.size:
            self.forget()
            raise Transient("the server sent another part than was asked for")
        too_large = InvalidResponse(
            f"the file is larger than {limit} bytes", "nothing of it was kept; the service may have changed"
        )
        if total is not None and total > limit:
            raise too_large
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if status != _PARTIAL:
            self.forget()
            self._validator.write_text(_validator(headers), encoding="utf-8")
        got = start
        with self.path.open("ab") as out:
            for chunk in chunks:
                got += len(chunk)
                if got > limit:
                    self.forget()
                    raise too_large
                out.write(chunk)
        if total is not None and got != total:
            if got > total:
                self.forget()
            raise Transient(f"the file has {got} bytes instead of {total}")

    def blocks(self) -> Iterator[bytes]:
        """Yield what is there."""
        with self.path.open("rb") as stream:
            while block := stream.read(_BLOCK):
                yield block

    def forget(self) -> None:
        """Remove what is there."""
        self.path.unlink(missing_ok=True)
        self._validator.unlink(missing_ok=True)

    @property
    def _validator(self) -> Path:
        return self.path.with_suffix(".etag")


def _validator(headers: Mapping[str, str]) -> str:
    """Return what tells this file from a later one: a strong ETag, else the date of change, else nothing."""
    etag = headers.get("etag", "").strip()
    return etag if etag.startswith('"') else headers.get("last-modified", "").strip()


def _length(headers: Mapping[str, str]) -> int | None:
    said = headers.get("content-length", "")
    return int(said) if said.isdecimal() else None


def _place(content_range: str) -> tuple[int, int | None]:
    found = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", content_range.strip(), re.ASCII)
    if found is None:
        return -1, None
    return int(found[1]), int(found[2]) if found[2] != "*" else None


@dataclass(frozen=True, slots=True)
class Download:
    """One large file that is wanted."""

    session: Session
    cache: ResponseCache
    request: Request
    name: str
    classify: Callable[[Response], None] | None
    """Looks at a response that is not the file, and raises what it knows better."""
    sites: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse a name under which the evidence store would pack the file: nothing could read it in place."""
        if not self.name.endswith(PACKED):
            raise ValueError(f"the name of a download ends in one of {PACKED}, not {self.name!r}")

    def found(self) -> Evidence | None:
        """Return the file that an unfinished earlier try kept, if any."""
        return self.cache.evidence.find(self.request.key)

    def fetched(self) -> Evidence:
        """Fetch the file, or the rest of it, and keep it; or find that the one of an earlier fetch has not changed.

        Raises:
            Throttled, Transient: the server asks to wait, or the file has not come whole; what came is resumed.
            InvalidResponse: something else came, or more than allowed.
            SourceError: the part that has come cannot be written.
        """
        try:
            return self._fetched()
        except OSError as error:
            cause = f"cannot write the part that has come to {error.filename or 'disk'}: {error.strerror}"
        raise self.session.failed(cause, "free space or allow writing there, then run again")

    def _fetched(self) -> Evidence:
        scratch = self.session.fetch.options.get("scratch")
        folder = Path(scratch or Path(tempfile.gettempdir()) / "fw-pipeline-downloads")
        part = PartialFile.of(folder, self.request.key)
        earlier = None if part.size else self.cache.earlier(self.request.key)
        asking = earlier.asking if earlier else part.rest()
        asked = replace(self.request, headers={**self.request.headers, **asking})
        limits = self.session.limits
        with self.session.exchange(asked, sites=self.sites) as response:
            headers = {name.lower(): value for name, value in response.headers.items()}
            if earlier and response.status_code == _NOT_MODIFIED:
                self.session.say(f"{self.name} has not changed since it was fetched: it is not downloaded again")
                return self.cache.keep_again(self.request.key, earlier)
            is_file = part.fits(response.status_code, headers)
            if is_file:
                pieces = raw_pieces(response, seconds=limits.download_seconds)
                part.receive(response.status_code, headers, pieces, limit=limits.download_bytes)
            else:
                body = whole_body(response, limits)
        if not is_file:
            self._refuse(self.cache.keep(self.request.key, f"{self.name}.refused", response.status_code, headers, body))
        if VALIDATED & headers.keys():
            self.cache.keep_head(self.request.key, self.name, _OK, headers)
        kept = self.cache.evidence.keep(self.request.key, part.blocks(), name=self.name)
        part.forget()
        return kept

    def _refuse(self, response: Response) -> NoReturn:
        self.cache.reject(response, "it is not the file")
        if self.classify is not None:
            self.classify(response)
        response.check()
        cause = f"answered {response.content_type or 'something'} instead of the file: {response.first_words()}"
        raise InvalidResponse(cause, CHANGED)

    def read(self, kept: Evidence, read: Callable[[Evidence], T]) -> T:
        """Return what `read` makes of the file; reject the file where it raises."""
        try:
            return read(kept)
        except Exception as fault:
            self.cache.evidence.reject(kept.ref, self.session.redactor.text(str(fault)))
            raise
