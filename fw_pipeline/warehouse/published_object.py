"""The published file of several machines: kept in the object store, beside evidence and vintages.

Whoever publishes puts it there; whoever reads has a copy in the work folder, which follows it.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fw_pipeline.atomic_files import unwritable, written_aside
from fw_pipeline.locks import Busy, FileLocks
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw import bucket_of
from fw_pipeline.warehouse.publish_file import replace
from fw_pipeline.warehouse.sql_text import WarehouseError

PATIENCE = 600.0
"""Seconds to wait for another process of this machine that fetches the published file."""

_ASIDE = ".fetching-"
_NOTE = "published-version"
"""Names the file that says, on a line each, which version the file here is, and of which data folder."""


@contextmanager
def put_up(fresh: Path, published: Path, data_dir: Path) -> Iterator[None]:
    """Put a fresh file into the object store; within the block it replaces the published one of this machine.

    So nothing is published here that the others cannot have. On one machine, only the block is run.

    Raises:
        StorageError: the store cannot be used, or the disk refuses.
    """
    if not isinstance(data_dir, ObjectPath):
        with _noting(published):
            yield
        return
    with fresh.open("rb") as file:
        version = bucket_of(data_dir).replace(data_dir / published.name, file)
    with _alone(published), _noting(published, version, str(data_dir)):
        yield


def latest(published: Path, data_dir: Path) -> Path:
    """Return the published file, as any machine has published it last.

    Args:
        published: where it is on this machine; it is replaced if another machine has published since.
        data_dir: the data folder. If it is one of this machine, nothing is fetched.

    Raises:
        StorageError: the store cannot be used, or the disk refuses.
        WarehouseError: the file on this machine is of another data folder, and this one has none; or a program has
            written to it and has it open.
    """
    if not isinstance(data_dir, ObjectPath):
        return _of_this_data(published, data_dir)
    storage, there = bucket_of(data_dir), data_dir / published.name
    version = storage.version(there)
    if version is None:
        return _of_this_data(published, data_dir)
    if _is(published, version, data_dir):
        return published
    try:
        with _alone(published):
            version = storage.version(there)  # another process may have fetched it while this one waited
            if version is None:
                return _of_this_data(published, data_dir)
            if _is(published, version, data_dir):
                return published
            with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=published.parent) as folder:
                fresh = Path(folder) / published.name
                with storage.opened(there) as stream, written_aside(fresh) as copy:
                    shutil.copyfileobj(stream, copy)
                with _noting(published, version, str(data_dir)):
                    replace(published, fresh, published.parent / ".work")
    except OSError as error:
        raise unwritable(published, error) from error
    return published


@contextmanager
def _alone(published: Path) -> Iterator[None]:
    """Let one process of this machine at a time replace the file and note its version."""
    try:
        with FileLocks(published.parent / ".work").held("published", patience=PATIENCE, told=lambda _: None):
            yield
    except Busy:
        cause = f"another process has been fetching it for more than {PATIENCE:.0f} s"
        raise WarehouseError("published file", cause, "wait for it, or stop it, and run again") from None


def _of_this_data(published: Path, data_dir: Path) -> Path:
    """Return the file of this machine, which may not be there, unless it was published for another data folder."""
    noted = _noted(published)
    if published.is_file() and noted is not None and noted[1:] != [str(data_dir)]:
        cause = f"{published} was published for {' '.join(noted[1:]) or 'another data folder'}, and none for {data_dir}"
        raise WarehouseError("published file", cause, "make it: fw-pipeline run")
    return published


def _is(published: Path, version: str, data_dir: Path) -> bool:
    """Return whether the file of this machine is that version."""
    return published.is_file() and _noted(published) == [version, str(data_dir)]


def _noted(published: Path) -> list[str] | None:
    """Return version and data folder of the file of this machine; None if it never was in an object store."""
    try:
        return _note(published).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None


@contextmanager
def _noting(published: Path, *said: str) -> Iterator[None]:
    """Note what the file is that comes within the block. If that is cut off, the file is no known version."""
    note = _note(published)
    if said or note.exists():
        note.write_text("", encoding="utf-8")
    yield
    if said:
        note.write_text("\n".join(said), encoding="utf-8")
    else:
        note.unlink(missing_ok=True)


def _note(published: Path) -> Path:
    return published.parent / ".work" / _NOTE
