"""How a database is opened, text is quoted for SQL, and the warehouse's errors are worded."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

import duckdb

from fw_pipeline.errors import PipelineError

PUBLISHED_STORAGE = "v1.0.0"
"""Storage version of a published file: DuckDB from 1.0 on and DuckDB-WASM can read it. See docs/adr/0002."""

_DISK = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES))
"""The system's messages for a disk that is full or not writable."""


_AFTERWARDS = "database has been invalidated"
"""DuckDB's message for everything that is attempted after a failed write."""


class WarehouseError(PipelineError):
    """The working or the published file cannot be opened, built or replaced."""


def connected(
    database: str,
    *,
    read_only: bool = False,
    config: Mapping[str, str | bool | int | float | list[str]] = MappingProxyType({}),
) -> duckdb.DuckDBPyConnection:
    """Open a database; times are in UTC whatever the machine's own zone is.

    No bar of progress is drawn: DuckDB would draw one into the output of a command that takes two seconds.

    Raises:
        duckdb.Error: it cannot be opened.
    """
    connection = duckdb.connect(database, read_only=read_only, config=dict(config))
    return connection.execute("set timezone = 'UTC'; set enable_progress_bar = false")


def first_line(error: Exception) -> str:
    """Return the first paragraph of an error on one line; of one in an object store, that it was there."""
    if raised := raised_in_python(error):
        return f"a file in the object store cannot be read: {raised[0]}"
    return " ".join(str(error).split("\n\n")[0].split())[:400]


def raised_in_python(error: Exception) -> tuple[str, str] | None:
    """Return name and text of what a file system of Python raised, whose traceback DuckDB repeats; else None."""
    found = re.search(r"^(?:\w+\.)*(\w+): (.*)", str(error), re.MULTILINE | re.DOTALL)  # with its module or without
    return (found[1], found[2]) if found and str(error).startswith("Traceback") else None


def refused_by_the_disk(error: duckdb.Error) -> bool:
    """Return whether the disk is full or not writable, whatever type of error DuckDB raised for it."""
    return any(sign in str(error) for sign in (*_DISK, _AFTERWARDS))


def reason_of_the_disk(error: duckdb.Error) -> str:
    """Return why the write failed: the system's message if DuckDB passes it on, so that all steps report the same."""
    return next((sign for sign in _DISK if sign in str(error)), first_line(error))


def quoted(text: object) -> str:
    """Return a text escaped for use between single quotes in SQL."""
    return str(text).replace("'", "''")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal that arrives during a query stop the whole run, not only the query.

    DuckDB turns it into an ordinary error, after which a run would continue with everything that does not need that
    table.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
