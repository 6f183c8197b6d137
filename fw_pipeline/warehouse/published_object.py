"""The published file of several machines: kept in the object store, beside evidence and vintages.

Whoever publishes puts it there; whoever reads has a copy in the work folder, which follows it.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from fw_pipeline.atomic_files import unwritable, written_aside
from fw_pipeline.object_path import ObjectPath
from fw_pipeline.raw import bucket_of
from fw_pipeline.warehouse.publish_file import replace

ASIDE = ".publishing-"
"""How the name of a folder begins in which a published file is written before it replaces the earlier one."""

_NOTE = "published-version"


def put_up(published: Path, data_dir: Path) -> None:
    """Put the published file into the object store, in place of an earlier one; on one machine, do nothing.

    Raises:
        StorageError: the store cannot be used, or the disk refuses.
    """
    if isinstance(data_dir, ObjectPath):
        with published.open("rb") as file:
            version = bucket_of(data_dir).replace(data_dir / published.name, file)
        _note(published, version)


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
    if version is None or (published.is_file() and _noted(published) == version):
        return published
    try:
        published.parent.mkdir(parents=True, exist_ok=True)
        (published.parent / ".work").mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=ASIDE, dir=published.parent) as folder:
            fresh = Path(folder) / published.name
            with storage.opened(there) as stream, written_aside(fresh) as copy:
                shutil.copyfileobj(stream, copy)
            replace(published, fresh, published.parent / ".work")
    except OSError as error:
        raise unwritable(published, error) from error
    _note(published, version)
    return published


def _note(published: Path, version: str) -> None:
    with written_aside(published.parent / ".work" / _NOTE) as note:
        note.write(version.encode())


def _noted(published: Path) -> str | None:
    try:
        return (published.parent / ".work" / _NOTE).read_text(encoding="utf-8")
    except OSError:
        return None
