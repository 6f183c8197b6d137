"""Where evidence and vintages are kept: in a folder of this machine, or in an object store.

Files are whole or absent, and never change once they are written, except for journals, which only grow.
Nothing here knows what the files hold.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

import polars as pl

from fw_pipeline.atomic_files import LEFTOVER, StorageError, sweep, sync_folder, unwritable, written_aside
from fw_pipeline.errors import PipelineError
from fw_pipeline.object_path import ObjectPath

if TYPE_CHECKING:
    from fw_pipeline.raw.object_storage import ObjectStorage


class Storage(Protocol):
    """What a place of immutable files can do. Each `path` is one below that place.

    Every method raises `StorageError` if the place cannot be used; `opened` and `metadata` raise `OSError` if there is
    no such file.
    """

    shared: bool
    """Whether other machines may be writing here: then nothing may be removed because it looks left over."""

    def names(self, folder: Path) -> list[str]:
        """Return the names of all files in a folder and in the folders below it, relative to it, in order."""

    def folders(self, folder: Path) -> list[Path]:
        """Return the folders in a folder."""

    def existing(self, paths: Iterable[Path]) -> set[Path]:
        """Return those of some paths at which there is a file."""

    def find(self, folder: Path, name: str) -> Path | None:
        """Return the file of that name in one of the folders in a folder."""

    def opened(self, path: Path) -> IO[bytes]:
        """Open a file to read it; the caller closes it."""

    def metadata(self, path: Path) -> dict[str, str]:
        """Return what is noted in a Parquet file beside its rows, without reading these."""

    def address(self, path: Path) -> str:
        """Return the address at which another program finds a file, wherever it stands."""

    def on_disk(self, path: Path, scratch: Path | None) -> Path:
        """Return a file of this machine with the same content: the file itself, or a copy in `scratch`."""

    def put(self, path: Path, content: bytes | memoryview, *, flush_name: bool = True) -> None:
        """Write a file, once. With `flush_name` it survives a loss of power; else it may be gone, but is never torn."""

    def draft(self, folder: Path, scratch: Path | None) -> contextlib.AbstractContextManager[IO[bytes]]:
        """Yield a file that `settle` will put into `folder`; it is removed where it was not settled."""

    def settle(self, draft: IO[bytes], path: Path) -> None:
        """Put a draft at its path. Its name reaches the disk with `flush`."""

    def journal(self, path: Path) -> bytes:
        """Return what has been added to a journal; nothing where there is none."""

    def append(self, path: Path, text: str, *, opening: str) -> None:
        """Add a text to a journal; one that is not there yet begins with `opening`."""

    def flush(self, paths: Iterable[Path]) -> None:
        """Make sure that folders and journals survive a loss of power."""

    def rename(self, path: Path, to: Path) -> None:
        """Give a file another name."""

    def remove(self, path: Path) -> None:
        """Remove a file, and its folder when it was the last one in it."""

    def sweep(self, folder: Path) -> None:
        """Remove what a killed run left half-written; call it only while no other process writes there."""


class LocalStorage:
    """A folder of this machine: files are written aside, flushed to the disk, renamed."""

    shared = False

    def names(self, folder: Path) -> list[str]:
        """Return the names of all files below a folder; nothing where there is no folder."""
        found = []
        for entry in _entries(folder):
            if entry.is_dir():
                found += [f"{entry.name}/{name}" for name in self.names(Path(entry.path))]
            else:
                found.append(entry.name)
        return sorted(found)

    def folders(self, folder: Path) -> list[Path]:
        """Return the folders in a folder."""
        return [Path(entry.path) for entry in _entries(folder) if entry.is_dir()]

    def existing(self, paths: Iterable[Path]) -> set[Path]:
        """Return the files among some paths; what can be no path is none."""
        found = set()
        for path in paths:
            with contextlib.suppress(OSError, ValueError):  # not a valid file name
                if path.is_file():
                    found.add(path)
        return found

    def find(self, folder: Path, name: str) -> Path | None:
        """Return the file of that name in one of the folders in a folder."""
        return next(folder.glob(f"*/{name}"), None)

    def opened(self, path: Path) -> IO[bytes]:
        """Open a file."""
        return path.open("rb")

    def metadata(self, path: Path) -> dict[str, str]:
        """Return what is noted in a Parquet file."""
        return pl.read_parquet_metadata(path)

    def address(self, path: Path) -> str:
        """Return the path without links on its way."""
        return os.path.realpath(path)

    def on_disk(self, path: Path, scratch: Path | None) -> Path:  # noqa: ARG002 - it needs no copy
        """Return the file itself."""
        return path

    def put(self, path: Path, content: bytes | memoryview, *, flush_name: bool = True) -> None:
        """Write a file."""
        with written_aside(path, flush_name=flush_name) as stream:
            stream.write(content)

    @contextlib.contextmanager
    def draft(self, folder: Path, scratch: Path | None) -> Iterator[IO[bytes]]:  # noqa: ARG002 - it is renamed
        """Yield a file beside which it will be."""
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"{LEFTOVER}{secrets.token_hex(8)}"  # known before it is there: a signal leaves none behind
        try:
            with aside.open("x+b") as stream:
                yield stream
        finally:
            with contextlib.suppress(OSError):
                aside.unlink()

    def settle(self, draft: IO[bytes], path: Path) -> None:
        """Flush a draft and rename it."""
        draft.flush()
        os.fsync(draft.fileno())
        Path(draft.name).chmod(0o644)
        Path(draft.name).replace(path)

    def journal(self, path: Path) -> bytes:
        """Return a journal."""
        with contextlib.suppress(FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return path.read_bytes()
        return b""

    def append(self, path: Path, text: str, *, opening: str) -> None:
        """Add a text to a journal."""
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            begun = "" if path.exists() else opening
            with path.open("ab") as stream:
                stream.write((begun + text).encode())
        except OSError as error:
            raise unwritable(path, error) from error

    def flush(self, paths: Iterable[Path]) -> None:
        """Flush folders and journals to the disk; folders first."""
        for path in sorted(paths, key=Path.is_file):
            try:
                if path.is_dir():
                    sync_folder(path)
                else:
                    with path.open("rb") as stream:
                        os.fsync(stream.fileno())
            except OSError as error:
                raise unwritable(path, error) from error

    def rename(self, path: Path, to: Path) -> None:
        """Rename a file."""
        path.rename(to)

    def remove(self, path: Path) -> None:
        """Remove a file and its folder."""
        path.unlink()
        with contextlib.suppress(OSError):
            path.parent.rmdir()

    def sweep(self, folder: Path) -> None:
        """Remove what was left half-written."""
        sweep(folder)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as found:
            return list(found)
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        cause = f"cannot read {folder}: {error.strerror or error}"
        raise StorageError("data folder", cause, "see that it is a folder, and allow reading there") from error


def storage_of(path: Path) -> Storage:
    """Return the storage in which a path lies.

    Raises:
        PipelineError: it is an object store, and what is needed for one is not installed.
    """
    return bucket_of(path) if isinstance(path, ObjectPath) else LocalStorage()


def bucket_of(path: ObjectPath) -> ObjectStorage:
    """Return the bucket in which an object lies. Raises as `storage_of`."""
    with _needed():
        from fw_pipeline.raw.object_storage import ObjectStorage, bucket  # noqa: PLC0415 - an extra of the package
    return ObjectStorage(bucket(path.bucket))


def object_file_system() -> Any:
    """Return all object stores as one file system of `fsspec`, which DuckDB can read. Raises as `storage_of`."""
    with _needed():
        from fw_pipeline.raw.object_storage import file_system  # noqa: PLC0415 - an extra of the package
    return file_system()


def object_refusal(bucket: str, kind: str, said: str) -> StorageError | None:
    """Return what an object store refuses, by an error of its file system; None where there is no such object.

    Args:
        bucket: the name of the bucket.
        kind: the name of the error's class.
        said: its text.
    """
    from fw_pipeline.raw.object_refusals import refusal  # noqa: PLC0415 - an extra of the package

    return refusal(bucket, kind, said)


@contextlib.contextmanager
def _needed() -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        cause = f"an address that begins with s3:// needs the package {error.name}"
        raise PipelineError("object store", cause, "install it: pip install 'fw-pipeline[cluster]'") from None
