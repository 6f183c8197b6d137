"""The working file, its single writer, and the published file that is copied from it.

Nothing here knows tables or figures.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb

from fw_pipeline import locks
from fw_pipeline.atomic_files import StorageError, sync_folder, unwritable
from fw_pipeline.locks import WORTH_A_WORD, Busy, FileLocks, Locks, StillHeld, Tell, silent
from fw_pipeline.object_path import on_this_machine
from fw_pipeline.warehouse.lake import Lake
from fw_pipeline.warehouse.object_files import read_objects
from fw_pipeline.warehouse.publish_file import refuse_while_written, replace
from fw_pipeline.warehouse.published_object import put_up
from fw_pipeline.warehouse.sql_text import (
    PUBLISHED_STORAGE,
    WarehouseError,
    connected,
    first_line,
    interruptible,
    quoted,
    raised_in_python,
    reason_of_the_disk,
    refused_by_the_disk,
)
from fw_pipeline.warehouse.writer import Writer

STORAGE = "v1.5.0"
"""Storage version of the working file, which only this program opens: the fastest to write."""

SCHEMAS = ("raw", "detail", "meta", "staging", "marts", "claims")

HEADERS = 3 * 4096
"""Bytes at the beginning of a DuckDB file, which are written first: a shorter file was never made whole."""

PATIENCE = 900.0
"""Seconds to wait for another writer: one build takes seconds, several in a queue take minutes."""


_ASIDE = ".publishing-"

_IDLE: dict[tuple[Path, Path], duckdb.DuckDBPyConnection] = {}
"""By work and data folder, a DuckDB that has no file open."""


class Warehouse:
    """The working file below a work folder, and the file that is published from it."""

    def __init__(
        self,
        work_dir: Path,
        *,
        data_dir: Path | None = None,
        patience: float = PATIENCE,
        waits: Tell = silent,
        locks: Locks | None = None,
        lake: Lake | None = None,
    ) -> None:
        """Use the files below `work_dir`; nothing is opened yet.

        Args:
            work_dir: a folder of this machine.
            data_dir: where the vintages are, if somewhere else; may be an address in an object store.
            patience: seconds to wait for another writer.
            waits: is told if another writer takes long.
            locks: keep other writers out; None: those of this machine.
            lake: keeps every published version, too.
        """
        self.work_dir, self.data_dir = work_dir, data_dir or work_dir
        self.published = work_dir / "warehouse.duckdb"
        self.working = work_dir / ".work" / "warehouse.duckdb"
        self._lake = lake
        self._locks = locks or FileLocks(work_dir / ".work")
        self._spill = work_dir / ".work" / "spill"
        self._patience, self._waits = patience, waits

    @contextlib.contextmanager
    def writing(self) -> Iterator[Writer]:
        """Open the working file as its only writer, in one transaction: all or nothing.

        Raises:
            WarehouseError: another writer does not finish in time, or the file cannot be opened.
            StorageError: the disk is full or read-only.
        """
        with self.in_turn() as transaction, transaction() as writer:
            yield writer

    @contextlib.contextmanager
    def in_turn(self) -> Iterator[Callable[[], contextlib.AbstractContextManager[Writer]]]:
        """Open the working file as its only writer, for one transaction after another. Raises as `writing`."""
        with self._only_writer() as still_ours, self._opened() as connection:
            yield lambda: self._transaction(connection, still_ours)

    def publish(self) -> int:
        """Publish the working file as it is; return the size in bytes. Raises as `publishing`."""
        with self.publishing():
            pass
        return self.published.stat().st_size

    @contextlib.contextmanager
    def publishing(self) -> Iterator[Writer]:
        """Open the working file as `writing` does; then publish a compact copy of it before anybody else can write.

        An exception inside the block leaves both files unchanged. Readers that have the old file open keep it.

        Raises:
            WarehouseError: a program has written to the published file and has it open, or a copy fails.
            StorageError: the disk is full or read-only.
        """
        refuse_while_written(self.published)
        with self._only_writer() as still_ours, self._opened() as connection:
            with self._transaction(connection, still_ours) as writer:
                yield writer
            try:
                for left in self.work_dir.glob(f"{_ASIDE}*"):  # left by a killed publish
                    shutil.rmtree(left, ignore_errors=True)
                with tempfile.TemporaryDirectory(prefix=_ASIDE, dir=self.work_dir) as folder:
                    fresh = Path(folder) / self.published.name
                    connection.execute(f"attach '{quoted(fresh)}' as fresh (storage_version '{PUBLISHED_STORAGE}')")
                    with interruptible():
                        connection.execute("copy from database work to fresh")
                    connection.execute("detach fresh")
                    _flush(fresh)
                    fresh.chmod(0o644)
                    if self._lake is not None:
                        self._lake.commit(fresh, still_ours)
                    still_ours()
                    with put_up(fresh, self.published, self.data_dir):
                        replace(self.published, fresh, self.working.parent)
                        sync_folder(self.work_dir)
            except duckdb.Error as error:
                if refused_by_the_disk(error):
                    raise self._unwritable(error) from error
                raise WarehouseError("publish", first_line(error), "run: fw-pipeline rebuild") from error
            except OSError as error:
                raise unwritable(self.published, error) from error

    @contextlib.contextmanager
    def _transaction(self, connection: duckdb.DuckDBPyConnection, still_ours: StillHeld) -> Iterator[Writer]:
        connection.begin()
        try:
            with interruptible():
                yield Writer(connection, self.data_dir)
                still_ours()
                connection.commit()
        except duckdb.Error as error:
            if refused_by_the_disk(error) or isinstance(error, duckdb.IOException):
                raise self._unwritable(error) from error
            if raised_in_python(error) and not on_this_machine(self.data_dir):
                cause = f"files of {self.data_dir} cannot be read: the object store gives no answer"
                raise StorageError(
                    "data folder", cause, "see that it runs, then run again; nothing was lost"
                ) from error
            raise
        finally:
            with contextlib.suppress(duckdb.Error):
                connection.rollback()

    @contextlib.contextmanager
    def _only_writer(self) -> Iterator[StillHeld]:
        def told(seconds: float) -> None:
            self._waits(locks.line("warehouse", seconds, now=time.time(), why="another run is writing", at_most=True))

        with contextlib.ExitStack() as held:
            try:
                still_ours = held.enter_context(
                    self._locks.held("writer", patience=self._patience, told=told, after=WORTH_A_WORD)
                )
                self.working.parent.mkdir(parents=True, exist_ok=True)
            except Busy:
                cause = f"another run has been writing for more than {self._patience:.0f} s"
                raise WarehouseError("warehouse", cause, "wait for it, or stop it, and run again") from None
            except OSError as error:
                raise unwritable(self.working.parent / "writer.lock", error) from error
            yield still_ours

    @contextlib.contextmanager
    def _opened(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """Attach the working file; detaching writes everything to disk and closes the file.

        Creating a DuckDB instance costs three times as much as attaching, so one that worked without errors is kept for
        reuse. One in which anything failed, or that spilled to disk, is discarded together with its state; so is one
        that reads an object store, of which DuckDB would complain when the process ends.
        """
        connection: duckdb.DuckDBPyConnection | None = _IDLE.pop((self.work_dir, self.data_dir), None)
        if connection is None or self._spill.exists():  # left by a killed run
            connection = self._connected()
        try:
            self._remove_what_was_never_whole()
            try:
                connection.execute(f"attach '{quoted(self.working)}' as work (storage_version '{STORAGE}')")
                for schema in SCHEMAS:
                    connection.execute(f"create schema if not exists work.{schema}")
                connection.execute("use work")
            except duckdb.Error as error:
                if "lock" in str(error):
                    cause = "another program has the working file open"
                    raise WarehouseError("warehouse", cause, "close it; users open the published file") from error
                if refused_by_the_disk(error) or not os.access(self.working.parent, os.W_OK):
                    raise self._unwritable(error) from error
                raise self._broken(error) from error
            yield connection
            # what was committed is in the log, which is read when the file is opened
            with interruptible(), contextlib.suppress(duckdb.Error):
                connection.execute("use memory")
                connection.execute("detach work")
                if not self._spill.exists() and on_this_machine(self.data_dir):
                    _IDLE.clear()  # one is enough
                    _IDLE[self.work_dir, self.data_dir], connection = connection, None
        finally:
            if connection is not None:
                connection.close()

    def _remove_what_was_never_whole(self) -> None:
        """Delete a working file whose making was cut off, as by a full disk: nothing can have been written to it."""
        try:
            if self.working.exists() and self.working.stat().st_size < HEADERS:
                self.working.unlink()
        except OSError as error:
            raise unwritable(self.working, error) from error

    def _connected(self) -> duckdb.DuckDBPyConnection:
        try:
            connection = connected(
                ":memory:",
                config={
                    "storage_compatibility_version": STORAGE,
                    "memory_limit": "4GB",
                    "enable_external_file_cache": False,  # each read comes from the disk
                },
            )
        except duckdb.Error as error:  # pragma: no cover - an in-memory database opens
            raise self._broken(error) from error
        # a single thread adds fractions in the order of the rows, so that two builds alike give the same last digits
        connection.execute("set threads = 1")
        # what does not fit in memory spills there, never into the user's working folder
        shutil.rmtree(self._spill, ignore_errors=True)  # by a killed run
        connection.execute(f"set temp_directory = '{quoted(self._spill)}'")
        if not on_this_machine(self.data_dir):
            read_objects(connection)
        return connection

    def _broken(self, error: Exception) -> WarehouseError:
        cause = f"the working file cannot be opened: {first_line(error)}"
        return WarehouseError("warehouse", cause, "run: fw-pipeline rebuild")

    def _unwritable(self, error: duckdb.Error) -> StorageError:
        cause = f"cannot write below {self.work_dir}: {reason_of_the_disk(error)}"
        return StorageError("data folder", cause, "free space or allow writing there, then run again; nothing was lost")

    def discard_working(self) -> None:
        """Delete the working file: everything in it can be built again."""
        with self._only_writer():
            for path in (self.working, self.working.with_name(f"{self.working.name}.wal")):
                path.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
