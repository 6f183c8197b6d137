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


@contextmanager
def put_up(fresh: Path, published: Path, data_dir: Path) -> Iterator[None]:
    """Put a fresh file into the object store; within the block it replaces the published one of this machine.

    So nothing is published here that the others cannot have. On one machine, do nothing.

    Raises:
        StorageError: the store cannot be used, or the disk refuses.
    """
    if not isinstance(data_dir, ObjectPath):
        yield
        return
    with fresh.open("rb") as file:
        version = bucket_of(data_dir).replace(data_dir / published.name, file)
    with _alone(published):
        yield
        _note(published).write_text(version, encoding="utf-8")


def latest(published: Path, data_dir: Path) -> Path:
    """Return the published file, as any machine has published it last.

    Args:
        published: where it is on this machine; it is replaced if another machine has published since.
        data_dir: the data folder. If it is one of this machine, nothing is done.

    Raises:
        StorageError: the store cannot be used, or the disk refuses.
        WarehouseError: a program has written to the file on this machine and has it open.
    """
    if not isinstance(data_dir, ObjectPath):
        return published
    storage, there = bucket_of(data_dir), data_dir / published.name
    version = storage.version(there)
    if version is None or _is(published, version):
        return published
    try:
        with _alone(published):
            version = storage.version(there)  # another process may have fetched it while this one waited
            if version is None or _is(published, version):
                return published
            with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=published.parent) as folder:
                fresh = Path(folder) / published.name
                with storage.opened(there) as stream, written_aside(fresh) as copy:
                    shutil.copyfileobj(stream, copy)
                replace(published, fresh, published.parent / ".work")
            _note(published).write_text(version, encoding="utf-8")
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


def _is(published: Path, version: str) -> bool:
    """Return whether the file of this machine is that version."""
    try:
        return published.is_file() and _note(published).read_text(encoding="utf-8") == version
    except OSError:
        return False


def _note(published: Path) -> Path:
    return published.parent / ".work" / _NOTE
