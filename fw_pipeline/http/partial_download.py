"""A large file that is being fetched, on disk: what is there already, and how the rest is asked for.

Nothing here speaks HTTP.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from fw_pipeline.http.response_errors import InvalidResponse, Transient

PACKED = (".gz", ".parquet", ".7z", ".zst")
"""How the names of files end that are kept as they came."""

_BLOCK = 1 << 20
_OK, _PARTIAL, _NOT_SATISFIABLE = 200, 206, 416


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
