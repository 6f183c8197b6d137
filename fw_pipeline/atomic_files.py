"""Files that are whole or absent: written aside, flushed to the disk, renamed.

Nothing here knows what the files hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from fw_pipeline.errors import PipelineError

LEFTOVER = ".writing-"
"""How the name of a file begins while it is being written."""

_DIGEST = hashlib.sha256().digest_size


class StorageError(PipelineError):
    """The data folder cannot be written or holds a file that cannot be read."""


@contextlib.contextmanager
def written_aside(path: Path, *, flush_name: bool = True) -> Iterator[IO[bytes]]:
    """Open a file for writing beside `path`; on leaving without error it is flushed and renamed to `path`.

    Unless `flush_name`, a loss of power may take the file away again, but never leaves a part of it: for a file that
    counts only with another one, which is written into the same folder after it.

    Raises:
        StorageError: the disk is full, read-only or refuses the file; nothing is left behind.
    """
    aside = path.with_name(f"{LEFTOVER}{secrets.token_hex(8)}")  # known before it is there: a signal leaves none behind
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with aside.open("xb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        aside.chmod(0o644)
        aside.replace(path)
        if flush_name:
            sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        with contextlib.suppress(OSError):
            aside.unlink()


class FileCache:
    """Bytes that take long to make, each kept in a file whose name is a hash of what it is made from.

    The file begins with a digest of the bytes: one that was emptied or damaged is made anew.
    """

    def __init__(self, folder: Path) -> None:
        """Keep files in `folder`, which is made when it is needed."""
        self._folder = folder
        self._used: set[Path] = set()

    def __call__(self, made_from: str, make: Callable[[], bytes]) -> bytes:
        """Return what was made from this text before, or make it and keep it.

        Raises:
            StorageError: the disk is full, read-only or refuses the file.
        """
        path = self._folder / hashlib.sha256(made_from.encode()).hexdigest()[:32]
        self._used.add(path)
        with contextlib.suppress(OSError):
            kept = path.read_bytes()
            digest, content = kept[:_DIGEST], kept[_DIGEST:]
            if digest == hashlib.sha256(content).digest():
                return content
        content = make()
        with written_aside(path) as stream:
            stream.write(hashlib.sha256(content).digest() + content)
        return content

    def forget_unused(self) -> None:
        """Remove the files that nobody has asked for since this object was made."""
        for path in self._folder.glob("*"):
            if path not in self._used:
                with contextlib.suppress(OSError):  # it costs nothing but room
                    path.unlink()


def sync_folder(folder: Path) -> None:
    """Flush a folder's entries, so that a rename survives a loss of power. Some file systems cannot; that is fine."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def unwritable(path: Path, error: OSError) -> StorageError:
    """Say in one line why a file could not be written."""
    cause = f"cannot write {path.name} in {path.parent}: {error.strerror or error}"
    return StorageError("data folder", cause, "free space or allow writing there, then run again; nothing was lost")


def sweep(folder: Path) -> int:
    """Remove what a killed run left half-written below `folder`; return how many files.

    Call it only while no other process writes there.
    """
    found = 0
    for leftover in folder.rglob(f"{LEFTOVER}*"):
        with contextlib.suppress(OSError):
            leftover.unlink()
            found += 1
    return found
