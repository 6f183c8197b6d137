"""Evidence and vintages in an object store that speaks S3, through `obstore`.

Objects are whole or absent by nature. They are created only where there is none (`If-None-Match: *`), and a journal is
replaced only as it was read (`If-Match`). Address and credentials come from the `AWS_*` variables of the environment,
which nothing here reads or shows.
"""

from __future__ import annotations

import contextlib
import functools
import io
import random
import re
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import obstore
import polars as pl
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)
from obstore.fsspec import FsspecStore
from obstore.store import S3Store

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.object_path import ObjectPath

if TYPE_CHECKING:
    from obstore.store import ClientConfig, ObjectStore, RetryConfig

CLIENT: ClientConfig = {"allow_http": True, "connect_timeout": timedelta(seconds=5)}
"""An endpoint that the user gave as http:// is meant so."""

RETRIES: RetryConfig = {
    "max_retries": 8,
    "retry_timeout": timedelta(seconds=60),
    "backoff": {"init_backoff": timedelta(milliseconds=100), "max_backoff": timedelta(seconds=4), "base": 2},
}
"""A server that restarts is waited for: about a quarter of a minute."""

IN_ONE_PUT = 64 << 20
"""Larger files are uploaded in parts, which no store does on a condition: see docs/adr on the object store."""

_TAIL = 1 << 16
"""Bytes at the end of a Parquet file that hold what is noted in it."""

_IN_MEMORY = 16 << 20
_TRIES = 20
_CREDENTIALS = {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"}
_AGAIN = "then run again; nothing was lost"


@functools.cache
def bucket(name: str) -> ObjectStore:
    """Return the bucket of that name, at the address and with the credentials that the environment names."""
    return S3Store(name, client_options=CLIENT, retry_config=RETRIES)


def file_system() -> FsspecStore:
    """Return the object store as a file system that DuckDB can read, with the same address and credentials."""
    return FsspecStore("s3", client_options=CLIENT, retry_config=RETRIES)


class ObjectStorage:
    """A bucket. What has been found in it is remembered by `find` alone, and an instance serves one fetch."""

    shared = True

    def __init__(self, store: ObjectStore) -> None:
        """Use a bucket; nothing is asked yet."""
        self._store = store
        self._found: dict[Path, dict[str, Path]] = {}
        self._journals: dict[Path, tuple[bytes, str | None]] = {}

    def names(self, folder: Path) -> list[str]:
        """Return the names of all objects below a prefix."""
        prefix = _key(folder)
        with _told(folder):
            found = [entry["path"] for entry in obstore.list(self._store, prefix).collect()]
        return sorted(path.removeprefix(f"{prefix}/") for path in found)

    def folders(self, folder: Path) -> list[Path]:
        """Return the next parts of the names below a prefix."""
        with _told(folder):
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
        with _told(path):
            for block in obstore.get(self._store, _key(path)):
                copy.write(block)
        copy.seek(0)
        return copy

    def metadata(self, path: Path) -> dict[str, str]:
        """Return what is noted in a Parquet file, which is at its end."""
        with _told(path):
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
            with _told(path):
                obstore.put(self._store, _key(path), content, mode="create")
        except AlreadyExistsError:
            with self.opened(path) as there:
                if there.read() != bytes(content):
                    cause = f"{path} is there already, with other content"
                    raise StorageError("data folder", cause, f"see who else writes there, {_AGAIN}") from None

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
            with _told(path):
                obstore.put(self._store, _key(path), draft)
        for folder, names in self._found.items():
            if folder in path.parents:
                names[path.name] = path

    def append(self, path: Path, text: str, *, opening: str) -> None:
        """Replace a journal by a longer one, unless another process did so in the meantime: then read it again."""
        for _ in range(_TRIES):
            if path not in self._journals:
                self._journals[path] = self._journal(path)
            before, version = self._journals.pop(path)
            after = (before or opening.encode()) + text.encode()
            try:
                with _told(path):
                    mode: Any = {"e_tag": version} if version else "create"
                    made = obstore.put(self._store, _key(path), after, mode=mode)
            except (AlreadyExistsError, PreconditionError):
                there, version = self._journal(path)
                if there == after:  # the answer to an earlier try was lost on its way
                    self._journals[path] = there, version
                    return
                time.sleep(random.uniform(0.01, 0.2))  # noqa: S311 - jitter, not a secret
            else:
                self._journals[path] = after, made["e_tag"]
                return
        raise StorageError("data folder", f"{path} is written by others all the time", f"stop them, {_AGAIN}")

    def flush(self, paths: Iterable[Path]) -> None:
        """Do nothing: what the store has confirmed stays."""

    def rename(self, path: Path, to: Path) -> None:
        """Copy an object and delete it under its old name."""
        with _told(path):
            obstore.rename(self._store, _key(path), _key(to))

    def remove(self, path: Path) -> None:
        """Delete an object."""
        with _told(path):
            obstore.delete(self._store, _key(path))

    def sweep(self, folder: Path) -> None:
        """Do nothing: no object is ever half-written."""

    def _journal(self, path: Path) -> tuple[bytes, str | None]:
        """Return a journal and its version; nothing and None where there is none."""
        with _told(path):
            try:
                found = obstore.get(self._store, _key(path))
                return bytes(found.bytes()), found.meta["e_tag"]
            except FileNotFoundError:
                return b"", None


def _key(path: Path) -> str:
    assert isinstance(path, ObjectPath)
    return path.key


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Say in one line what the store refuses; an object that is not there remains a `FileNotFoundError`.

    The store's own words are not repeated: they are many, and may hold what should not be shown.
    """
    try:
        yield
    except (AlreadyExistsError, PreconditionError):
        raise
    except (BaseError, OSError) as error:
        said = str(error)
        code = found[1] if (found := re.search(r"<Code>(\w+)</Code>", said)) else ""
        where = f"the object store of s3://{path.parts[1]}"
        if code == "NoSuchBucket":
            cause, remedy = f"there is no bucket {path.parts[1]!r}", "create it, or mend FW_DATA_DIR"
        elif isinstance(error, FileNotFoundError):
            raise
        elif isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or code in _CREDENTIALS:
            cause = f"{where} refuses these credentials{f' ({code})' if code else ''}"
            remedy = "mend AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; they must allow listing, reading and writing"
        elif "169.254.169.254" in said:
            cause = f"no credentials are set for {where}"
            remedy = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment"
        else:
            status = found[0] if (found := re.search(r"\b[45]\d\d [A-Z][A-Za-z ]+", said)) else "it gives no answer"
            cause = f"{where} cannot be used: {code or status}"
            remedy = "see that it runs and that AWS_ENDPOINT_URL is right"
        raise StorageError("data folder", cause, f"{remedy}, {_AGAIN}") from error
