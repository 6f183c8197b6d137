"""Evidence and vintages in an object store that speaks S3, through `obstore`.

Objects are whole or absent by nature. They are created only where there is none (`If-None-Match: *`), and a journal is
replaced only as it was read (`If-Match`). Address and credentials come from the `AWS_*` variables of the environment,
which nothing here reads or shows; `settings` puts those of a `.env` file there.
"""

from __future__ import annotations

import contextlib
import functools
import io
import itertools
import random
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import obstore
import polars as pl
from obstore.exceptions import AlreadyExistsError, PreconditionError
from obstore.fsspec import FsspecStore
from obstore.store import S3Store

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw.object_refusals import AGAIN, told

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

CLIENT: ClientConfig = {
    "allow_http": True,
    "connect_timeout": timedelta(seconds=5),
    "timeout": timedelta(minutes=5),
}
"""An endpoint that the user gave as http:// is meant so. The longer time is for all of a large object."""

RETRIES: RetryConfig = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=4), "base": 2},
}
"""A server that restarts is waited for: some seconds; each wait is chosen at random, up to its limit."""

IN_ONE_PUT = 64 << 20
"""Larger files are uploaded in parts, which no store does on a condition: see decision 31 in docs/adr."""

JOURNAL_BYTES = 1 << 17
"""A longer journal is continued in another object: each entry writes the object that it is in anew."""

_TAIL = 1 << 16
"""Bytes at the end of a Parquet file that hold what is noted in it."""

_IN_MEMORY = 16 << 20
_TRIES = 20


@functools.cache
def bucket(name: str) -> ObjectStore:
    """Return the bucket of that name, at the address and with the credentials that the environment names."""
    return S3Store(name, client_options=CLIENT, retry_config=RETRIES)


def file_system() -> FsspecStore:
    """Return the object store as a file system that DuckDB can read, with the same address and credentials."""
    return _Readable("s3", client_options=CLIENT, retry_config=RETRIES)


class _Readable(FsspecStore):
    """Object stores as DuckDB reads them. obstore's own files have one position for all threads, and read in pieces."""

    def _open(self, path: str, *_: Any, **__: Any) -> Any:
        name, key = self._split_path(path)
        return _ObjectFile(bucket(name), key)


class _Position(threading.local):
    at = 0


class _ObjectFile(io.RawIOBase):
    """An object that many threads read at a time, each from a position of its own, and as much as it asks for."""

    def __init__(self, store: ObjectStore, key: str) -> None:
        self._store, self._key, self._position = store, key, _Position()
        self._size = obstore.head(store, key)["size"]

    def seek(self, offset: int, whence: int = 0) -> int:
        self._position.at = offset + (0, self._position.at, self._size)[whence]
        return self._position.at

    def tell(self) -> int:
        return self._position.at

    def read(self, size: int = -1) -> bytes:
        start = self._position.at
        end = self._size if size < 0 else min(start + size, self._size)
        if start >= end:
            return b""
        self._position.at = end
        return obstore.get_range(self._store, self._key, start=start, end=end).to_bytes()


class ObjectStorage:
    """A bucket. What has been found in it is remembered by `find` alone, and an instance serves one fetch."""

    shared = True

    def __init__(self, store: ObjectStore) -> None:
        """Use a bucket; nothing is asked yet."""
        self._store = store
        self._found: dict[Path, dict[str, Path]] = {}
        self._ends: dict[Path, tuple[int, bytes, str | None]] = {}

    def names(self, folder: Path) -> list[str]:
        """Return the names of all objects below a prefix."""
        prefix = _key(folder)
        with told(folder):
            found = [entry["path"] for entry in obstore.list(self._store, prefix).collect()]
        return sorted(path.removeprefix(f"{prefix}/") for path in found)

    def folders(self, folder: Path) -> list[Path]:
        """Return the next parts of the names below a prefix."""
        with told(folder):
            found = obstore.list_with_delimiter(self._store, _key(folder))["common_prefixes"]
        return [folder / prefix.rpartition("/")[2] for prefix in found]

    def existing(self, paths: Iterable[Path]) -> set[Path]:
        """Return those of some paths at which there is an object, with one question for each folder."""
        wanted = set(paths)
        found: set[Path] = set()
        for folder in {path.parent for path in wanted}:
            with contextlib.suppress(ValueError):  # not a valid name
                found.update(folder / name for name in self.names(folder))
        return wanted & found

    def find(self, folder: Path, name: str) -> Path | None:
        """Return the object of that name in one of the folders in a folder; they are listed once."""
        if folder not in self._found:
            self._found[folder] = {it.rpartition("/")[2]: folder / it for it in self.names(folder)}
        return self._found[folder].get(name)

    def opened(self, path: Path) -> IO[bytes]:
        """Read an object into memory, or onto the disk where it is large."""
        copy = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - the caller closes it
        with told(path):
            for block in obstore.get(self._store, _key(path)):
                copy.write(block)
        copy.seek(0)
        return copy

    def metadata(self, path: Path) -> dict[str, str]:
        """Return what is noted in a Parquet file, which is at its end."""
        with told(path):
            tail = obstore.get(self._store, _key(path), options={"range": {"suffix": _TAIL}}).bytes()
        return pl.read_parquet_metadata(io.BytesIO(tail))

    def address(self, path: Path) -> str:
        """Return the address."""
        return str(path)

    def on_disk(self, path: Path, scratch: Path | None) -> Path:
        """Return a copy on this machine, which is made once."""
        folder = scratch or Path(tempfile.gettempdir())
        copy = folder / path.name
        if not copy.exists():
            folder.mkdir(parents=True, exist_ok=True)
            with self.opened(path) as stream, tempfile.NamedTemporaryFile(dir=folder, delete=False) as aside:
                while block := stream.read(1 << 20):
                    aside.write(block)
            Path(aside.name).replace(copy)
        return copy

    def put(self, path: Path, content: bytes | memoryview, *, flush_name: bool = True) -> None:  # noqa: ARG002
        """Create an object. One that is there already must be the same: a repeated request may find its own work."""
        try:
            with told(path):
                obstore.put(self._store, _key(path), content, mode="create")
        except AlreadyExistsError:
            with self.opened(path) as there:
                if there.read() != bytes(content):
                    cause = f"{path} is there already, with other content"
                    raise StorageError("data folder", cause, f"see who else writes there, {AGAIN}") from None

    @contextlib.contextmanager
    def draft(self, folder: Path, scratch: Path | None) -> Iterator[IO[bytes]]:  # noqa: ARG002 - it is not renamed
        """Yield a file of this machine, to be uploaded."""
        if scratch is not None:
            scratch.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=scratch) as aside:
            yield aside

    def settle(self, draft: IO[bytes], path: Path) -> None:
        """Upload a draft."""
        size = draft.tell()
        draft.seek(0)
        if size <= IN_ONE_PUT:
            self.put(path, draft.read())
        else:  # its name holds the hash of its content: whoever else writes it writes the same
            with told(path):
                obstore.put(self._store, _key(path), draft)
        for folder, names in self._found.items():
            if folder in path.parents:
                names[path.name] = path

    def journal(self, path: Path) -> bytes:
        """Return a journal, with all the objects in which it is continued."""
        parts = [content for _, content, _ in self._parts(path)]
        return b"".join(parts)

    def append(self, path: Path, text: str, *, opening: str) -> None:
        """Replace the end of a journal by a longer one, unless another process did: then read it again."""
        for _ in range(_TRIES):
            end = self._ends.pop(path, None)
            number, before, version = end or [*self._parts(path)][-1]
            if len(before) >= JOURNAL_BYTES:
                number, before, version = number + 1, b"", None
            after = (before or (b"" if number else opening.encode())) + text.encode()
            part = _part(path, number)
            try:
                with told(part):
                    mode: Any = {"e_tag": version} if version else "create"
                    made = obstore.put(self._store, _key(part), after, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                there, version = self._read(part)
                if there == after:  # the answer to an earlier try was lost on its way
                    self._ends[path] = number, there, version
                    return
                time.sleep(random.uniform(0.01, 0.2))  # noqa: S311 - jitter, not a secret
            else:
                self._ends[path] = number, after, made["e_tag"]
                return
        raise StorageError("data folder", f"{path} is written by others all the time", f"stop them, {AGAIN}")

    def version(self, path: Path) -> str | None:
        """Return a mark that changes whenever an object is replaced; None where there is none."""
        with told(path):
            try:
                return obstore.head(self._store, _key(path))["e_tag"]
            except FileNotFoundError:
                return None

    def replace(self, path: Path, file: IO[bytes]) -> str:
        """Put a file in the place of an object that may be there, and return its version."""
        with told(path):
            return str(obstore.put(self._store, _key(path), file)["e_tag"])

    def flush(self, paths: Iterable[Path]) -> None:
        """Do nothing: what the store has confirmed stays."""

    def rename(self, path: Path, to: Path) -> None:
        """Copy an object and delete it under its old name."""
        with told(path):
            obstore.rename(self._store, _key(path), _key(to))

    def remove(self, path: Path) -> None:
        """Delete an object."""
        with told(path):
            obstore.delete(self._store, _key(path))

    def sweep(self, folder: Path) -> None:
        """Do nothing: no object is ever half-written."""

    def _parts(self, path: Path) -> Iterator[tuple[int, bytes, str | None]]:
        """Yield the number, content and version of each object of a journal; of none, an empty one without version."""
        for number in itertools.count():
            content, version = self._read(_part(path, number))
            if version or not number:
                yield number, content, version
            if len(content) < JOURNAL_BYTES:
                return

    def _read(self, path: Path) -> tuple[bytes, str | None]:
        """Return an object and its version; nothing and None where there is none."""
        with told(path):
            try:
                found = obstore.get(self._store, _key(path))
                return bytes(found.bytes()), found.meta["e_tag"]
            except FileNotFoundError:
                return b"", None


def _part(journal: Path, number: int) -> Path:
    """Return where a journal is continued: `requests.ndjson`, `requests.ndjson.1`, and so on."""
    return journal.with_name(f"{journal.name}.{number}") if number else journal


def _key(path: Path) -> str:
    assert isinstance(path, ObjectPath)
    return path.key
