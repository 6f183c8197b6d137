"""How the warehouse quotes text for SQL and words its failures. Nothing here opens a file."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from fw_pipeline.errors import PipelineError

_DISK = tuple(os.strerror(code) for code in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES))
"""What the system says of a disk that is full, or that may not be written."""

_AFTERWARDS = "database has been invalidated"
"""What DuckDB says of everything that is tried after a write has failed."""


class WarehouseError(PipelineError):
    """The working or the published file cannot be opened, built or replaced."""


def first_line(error: Exception) -> str:
    """Return the first paragraph of an error on one line."""
    return " ".join(str(error).split("\n\n")[0].split())[:400]


def refused_by_the_disk(error: duckdb.Error) -> bool:
    """Say whether the disk is full or may not be written, whatever kind of error DuckDB made of it."""
    return any(sign in str(error) for sign in (*_DISK, _AFTERWARDS))


def reason_of_the_disk(error: duckdb.Error) -> str:
    """Return why the disk refused: the system's words where DuckDB passes them on, so that all steps say the same."""
    return next((sign for sign in _DISK if sign in str(error)), first_line(error))


def quoted(text: object) -> str:
    """Return a text as it stands between single quotes in SQL."""
    return str(text).replace("'", "''")


@contextmanager
def interruptible() -> Iterator[None]:
    """Let a signal that arrives during a query stop the run, and not only the query.

    DuckDB makes an ordinary error of it, after which a run would go on with whatever does not need that table.
    """
    try:
        yield
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from error
        raise
