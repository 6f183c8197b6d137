"""How a new published file replaces the old one, even if other programs have the old one open.

A program that has it open for writing keeps the old file, but would write its log next to the new one, because the log
is located by name. Readers of the new file would fail, or apply that log to it. See
docs/adr/0019-who-has-the-published-file-open.md. Nothing here opens a
database.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

from fw_pipeline.text import one_line
from fw_pipeline.warehouse.sql_text import WarehouseError

BARRED = "the-published-file-is-open-for-writing/close-it-there-and-open-it-read-only"
"""Target of the dangling link that blocks the log's name while a program could write a log next to the wrong file."""

_FLOCK, _PID = ("qqihh", 2) if sys.platform == "darwin" else ("hhqqi", 4)
"""The system's structure for a lock, and the position of the holder's process number in it."""


def refuse_while_written(published: Path) -> None:
    """Refuse to continue while a program that has written to the published file still has it open.

    Raises:
        WarehouseError: there is such a program; the message names it.
    """
    with contextlib.suppress(FileNotFoundError), published.open("rb") as old:
        if _log(published).is_file() and not _shared(old):
            raise _in_the_way(published, old)


def replace(published: Path, fresh: Path, work: Path) -> None:
    """Replace `published` with `fresh`; readers of either file never see the log of the other.

    If a program has the old file open for writing, the log's name is blocked until it has closed the file: from then on
    its writes fail. `work` keeps the old file, whose lock shows whether it is still open.

    Raises:
        WarehouseError: a program has written to the published file and has it open; the message names it.
        OSError: the disk refuses.
    """
    log = _log(published)
    try:
        old = published.open("rb")
    except FileNotFoundError:
        log.unlink(missing_ok=True)
        fresh.replace(published)
        return
    with old:
        free = _shared(old)  # while we share it, nobody can open it for writing
        if log.is_file():
            if not free:
                raise _in_the_way(published, old)
            log.unlink()  # left by a program that wrote and died
        try:
            with contextlib.suppress(FileExistsError):
                os.link(published, work / f"earlier-{os.fstat(old.fileno()).st_ino}.duckdb")
        except OSError as error:  # a file system without hard links
            if not free:
                raise _in_the_way(published, old) from error
        if not free:
            _bar(log)
        fresh.replace(published)
        if free:
            fcntl.lockf(old, fcntl.LOCK_UN)
            time.sleep(0.05)  # a program that had opened it, but not yet locked it, has locked it by then
            if not _shared(old):
                _bar(log)
    _unbar(log, work)


def _unbar(log: Path, work: Path) -> None:
    """Unblock the log's name once no earlier file is open for writing."""
    for earlier in work.glob("earlier-*.duckdb"):
        with earlier.open("rb") as stream:
            if _shared(stream):
                earlier.unlink()
    if log.is_symlink() and not any(work.glob("earlier-*.duckdb")):
        log.unlink()


def _bar(log: Path) -> None:
    """Make the log's name a dangling link: DuckDB reads it as no log, and cannot write one."""
    if not log.is_symlink():
        log.symlink_to(BARRED)


def _log(published: Path) -> Path:
    return published.with_name(f"{published.name}.wal")


def _shared(stream: IO[bytes]) -> bool:
    """Take a shared lock on a file, like DuckDB's own; return False if a program has it open for writing."""
    try:
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _in_the_way(published: Path, old: IO[bytes]) -> WarehouseError:
    cause = f"{_holder(old)} has {published.name} open for writing"
    return WarehouseError("publish", cause, "close it there, or open it read-only, and run again")


def _holder(stream: IO[bytes]) -> str:
    """Return who holds a file's lock, as far as the system can tell."""
    wanted = (0, 0, 0, fcntl.F_RDLCK, 0) if sys.platform == "darwin" else (fcntl.F_RDLCK, 0, 0, 0, 0)
    pid = struct.unpack(_FLOCK, fcntl.fcntl(stream, fcntl.F_GETLK, struct.pack(_FLOCK, *wanted)))[_PID]
    try:
        if sys.platform == "darwin":
            asked = ["/bin/ps", "-o", "comm=", "-p", str(pid)]
            name = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()).name  # noqa: S603
        else:
            name = Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip()
    except (OSError, subprocess.CalledProcessError):
        return "another program"
    return f"{one_line(name)} (process {pid})"
