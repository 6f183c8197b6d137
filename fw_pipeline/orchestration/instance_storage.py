"""Dagster's own history, in SQLite: written without waiting for the disk after each of hundreds of small events.

Dagster opens and closes the file for every event. Closing the last connection folds SQLite's write-ahead log back into
the file and waits for the disk; one connection that stays open until the process ends spares that. Dagster also makes a
SQLAlchemy engine for every event, which costs more than the event; here an engine is made once for each file.
"""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster import DagsterInstance, DagsterRun
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin
from dagster._core.storage.event_log.sqlite import sqlite_event_log
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage
from dagster._core.storage.runs.sqlite import sqlite_run_storage
from dagster._core.storage.schedules.sqlite import sqlite_schedule_storage
from dagster._core.storage.sql import create_engine
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import LRUCache

from fw_pipeline.errors import PipelineError
from fw_pipeline.settings import read

LOCATION = "fw_pipeline"
"""The name of our code location, as in `workspace.yaml`."""

REMEDY = "free space or allow writing there, then run again; no figure was lost"

_HELD_OPEN: dict[str, sqlite3.Connection] = {}


_ENGINES: LRUCache[tuple[str, str], Engine] = LRUCache(100)
"""Engines by file and options. None of them holds a connection: Dagster asks for `NullPool`."""


def write_quickly() -> None:
    """Let SQLite flush its log now and then instead of at every event; calling it twice changes nothing.

    In write-ahead mode, which Dagster uses, this cannot damage the file: a loss of power may lose the last events of
    the history, never a figure. See docs/adr/0017 for why Dagster's `create_engine` is replaced.
    """
    if not event.contains(Engine, "connect", _flush_seldom):
        event.listen(Engine, "connect", _flush_seldom)
        for module in (sqlite_event_log, sqlite_run_storage, sqlite_schedule_storage):
            vars(module)["create_engine"] = _engine


def warn_if_temporary() -> None:
    """Warn when one of Dagster's own commands loads the project without a `DAGSTER_HOME`: its history is then empty."""
    is_dagster = any(part.startswith("dagster") for part in Path(sys.argv[0]).parts[-2:])
    settings = read()
    if is_dagster and settings.dagster_home is None:
        logging.getLogger("dagster").warning(
            "DAGSTER_HOME is not set: Dagster begins a temporary history, in which the months in %s look as if they "
            "were not there, and forgets it when it ends; start it with `fw-pipeline ui`, or set DAGSTER_HOME=%s",
            settings.data_dir,
            (settings.data_dir / "dagster").resolve(),
        )


def _engine(url: str, **options: Any) -> Engine:
    key = (url, repr(sorted(options.items())))
    if (engine := _ENGINES.get(key)) is None:
        engine = _ENGINES[key] = create_engine(url, **options)
    return engine


def shown_in_the_ui(instance: DagsterInstance, run: DagsterRun) -> None:
    """Say of a run that nobody launched through a code location that it belongs to ours, before it does anything.

    The home page of the UI, its timeline and the page of a job show runs by code location; those of the command line
    have none, so that after a whole run these pages would say that nothing ever ran.
    """
    if run.remote_job_origin is None and isinstance(instance.run_storage, SqlRunStorage):
        ours = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), SINGLETON_REPOSITORY_NAME)
        instance.add_run_tags(run.run_id, {REPOSITORY_LABEL_TAG: ours.get_label()})
        now = instance.get_run_by_id(run.run_id) or run
        instance.run_storage.replace_job_origin(now, ours.get_job_origin(run.job_name))


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Say in one line that the history cannot be written or read, where SQLite or the disk refuses.

    Raises:
        PipelineError: the disk is full or read-only, or the history is damaged.
    """
    try:
        yield
    except DBAPIError as error:
        raise PipelineError("Dagster's history", f"SQLite refuses: {error.orig}", REMEDY) from error
    except (sqlite3.Error, OSError) as error:
        raise PipelineError("Dagster's history", f"it cannot be written: {error}", REMEDY) from error


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
