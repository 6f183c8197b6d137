"""How a new published file takes the place of the old one, whoever has the old one open.

A program that has it open for writing keeps the old file, but would put its log beside the new one, by name; readers of
the new file would fail, or take that log for its own. See docs/adr/0021. Nothing here opens a database.
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
"""Where the name of the log leads while a program could write one beside a file that is not its own: nowhere."""

_FLOCK, _PID = ("qqihh", 2) if sys.platform == "darwin" else ("hhqqi", 4)
"""How the system describes a lock, and where its holder stands in it."""


def refuse_while_written(published: Path) -> None:
    """Refuse to go on while a program that has written to the published file still has it open.

    Raises:
        WarehouseError: it does; the line names it.
    """
    with contextlib.suppress(FileNotFoundError), published.open("rb") as old:
        if _log(published).is_file() and not _shared(old):
            raise _in_the_way(published, old)


def replace(published: Path, fresh: Path, work: Path) -> None:
    """Put `fresh` in the place of `published`; readers of either never meet the log of the other.

    Where a program has the old file open for writing, the name of the log is barred until it has closed it: what it
    writes from then on fails there. `work` keeps such a file, to see by its lock whether it is still open.

    Raises:
        WarehouseError: a program has written to the published file and has it open; the line names it.
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
            time.sleep(0.05)  # who had opened it, and not yet locked it, has done so then
            if not _shared(old):
                _bar(log)
    _unbar(log, work)


def _unbar(log: Path, work: Path) -> None:
    """Give the name of the log free once no earlier file is open for writing."""
    for earlier in work.glob("earlier-*.duckdb"):
        with earlier.open("rb") as stream:
            if _shared(stream):
                earlier.unlink()
    if log.is_symlink() and not any(work.glob("earlier-*.duckdb")):
        log.unlink()


def _bar(log: Path) -> None:
    """Make a link to nowhere of the log's name: DuckDB takes it for no log, and can write none."""
    if not log.is_symlink():
        log.symlink_to(BARRED)


def _log(published: Path) -> Path:
    return published.with_name(f"{published.name}.wal")


def _shared(stream: IO[bytes]) -> bool:
    """Share the lock that DuckDB holds on a file; say whether nobody has it for writing."""
    try:
        fcntl.lockf(stream, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True


def _in_the_way(published: Path, old: IO[bytes]) -> WarehouseError:
    cause = f"{_holder(old)} has {published.name} open for writing"
    return WarehouseError("publish", cause, "close it there, or open it read-only, and run again")


def _holder(stream: IO[bytes]) -> str:
    """Return who holds a file's lock, as far as the system tells."""
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
