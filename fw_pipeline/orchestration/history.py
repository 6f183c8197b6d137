"""Dagster's own history, in SQLite: written without waiting for the disk after each of thousands of small events."""

from __future__ import annotations

import sqlite3
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine


def write_quickly() -> None:
    """Let SQLite flush its log now and then instead of at every event; calling it twice changes nothing.

    In write-ahead mode, which Dagster uses, this cannot damage the file: a loss of power may lose the last events of
    the history, never a figure. A full recorded run writes some 8,000 times; waiting for each took a third of its time.
    """
    if not event.contains(Engine, "connect", _flush_seldom):
        event.listen(Engine, "connect", _flush_seldom)


def _flush_seldom(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("pragma synchronous = normal")
