"""Dagster's own history, in SQLite: written without waiting for the disk after each of thousands of small events.

Dagster opens and closes the file for every event. Closing the last connection folds SQLite's write-ahead log back into
the file and waits for the disk; one connection that stays open until the process ends spares that.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import LRUCache

from fw_pipeline.contract import Reason

REMEDY = "free space or allow writing there, then run again; no figure was lost"

_HELD_OPEN: dict[str, sqlite3.Connection] = {}


class _Compiled(LRUCache[tuple[Hashable, ...], Any]):
    """Statements that were compiled once, whichever engine asked: all of them speak the same SQLite.

    The first part of SQLAlchemy's key is the dialect of the engine. Dagster makes an engine for every event, so by that
    key nothing would ever be found again.
    """

    def get(self, key: tuple[Hashable, ...], default: Any = None) -> Any:
        """Return what was compiled, by any engine."""
        return super().get(key[1:], default)

    def __setitem__(self, key: tuple[Hashable, ...], value: Any) -> None:
        """Remember what was compiled, for every engine."""
        super().__setitem__(key[1:], value)


_COMPILED = _Compiled(500)


def write_quickly() -> None:
    """Let SQLite flush its log now and then instead of at every event; calling it twice changes nothing.

    In write-ahead mode, which Dagster uses, this cannot damage the file: a loss of power may lose the last events of
    the history, never a figure.
    """
    if not event.contains(Engine, "connect", _flush_seldom):
        event.listen(Engine, "connect", _flush_seldom)
        event.listen(Engine, "engine_connect", _compile_once)


def _compile_once(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.execution_options(compiled_cache=_COMPILED)


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say in one line that the history cannot be written or read, where SQLite or the disk refuses.

    Raises:
        Reason: the disk is full or read-only, or the history is damaged.
    """
    try:
        yield
    except DBAPIError as error:
        raise Reason("Dagster's history", f"SQLite refuses: {error.orig}", REMEDY) from error
    except (sqlite3.Error, OSError) as error:
        raise Reason("Dagster's history", f"it cannot be written: {error}", REMEDY) from error


def let_go(path: Path) -> None:
    """Close the connection that is held open on a file, before the file is removed."""
    if (held := _HELD_OPEN.pop(str(path.resolve()), None)) is not None:
        held.close()


def _flush_seldom(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("pragma synchronous = normal")
    path = connection.execute("pragma database_list").fetchone()[2]
    if path and path not in _HELD_OPEN and connection.execute("pragma journal_mode").fetchone()[0] == "wal":
        held = sqlite3.connect(path, check_same_thread=False)
        held.execute("select count(*) from sqlite_master").fetchall()  # a connection counts from its first read
        _HELD_OPEN[path] = held
