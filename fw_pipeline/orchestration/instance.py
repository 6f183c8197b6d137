"""Dagster's instance: the folder of its history, the settings that are written there, and how SQLite writes it."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import sys
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from filelock import FileLock

from fw_pipeline.atomic_files import sweep, unwritable, written_aside
from fw_pipeline.errors import PipelineError
from fw_pipeline.settings import read

INSTANCE = """\
# Written by fw-pipeline on first use; yours to change.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 2
# The terminal of the UI shows what runs say and what fails, not each of the hundreds of events of a build.
python_logs:
  python_log_level: INFO
# One file for the events of all runs, where Dagster would have a file for each run and an index beside them.
event_log_storage:
  module: dagster._core.storage.event_log
  class: ConsolidatedSqliteEventLogStorage
  config:
    base_dir:
      env: DAGSTER_HOME
run_queue:
  dequeue_interval_seconds: 1
  dequeue_use_threads: true
backfills:
  use_threads: true
  num_workers: 2
  num_submit_workers: 4
run_monitoring:
  enabled: true
  max_runtime_seconds: 7200
# Only runs whose tags say so are launched again: those of schedules.
run_retries:
  enabled: true
  max_retries: 0
retention:
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 1
      failure: 30
      success: 90
"""

_HELD_OPEN: dict[str, sqlite3.Connection] = {}

REMEDY = "free space or allow writing there, then run again; no figure was lost"
SERVER_REMEDY = "see that it runs, then run again; no figure was lost"
_ADDRESS = "write DAGSTER_POSTGRES_URL like postgresql+psycopg2://user:password@host:5432/database"
_SET = "mend it there, or set what it lacks; no figure was lost"
_MEND = "mend it, or delete it, and it is written anew; no figure was lost"


def prepare(work_dir: Path) -> Path:
    """Make the folder and point Dagster at it, unless `DAGSTER_HOME` names one already; return it.

    Raises:
        StorageError: the disk is full or read-only.
        PipelineError: `dagster.yaml` is damaged, or Dagster cannot use a folder of this name.
        SettingError: a setting is wrong.
    """
    home = Path(os.path.realpath(read().dagster_home or work_dir / "dagster"))
    if unquote(str(home)) != str(home):
        cause = f"{home} holds a % with a number after it, which Dagster takes for another letter"
        raise PipelineError("Dagster's history", cause, "choose a folder without one by FW_DATA_DIR or DAGSTER_HOME")
    os.environ["DAGSTER_HOME"] = str(home)  # Dagster takes an absolute one only
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(home, error) from error
    if not _configured(home / "dagster.yaml"):
        _configure(home)
    if "ConsolidatedSqliteEventLogStorage" in (home / "dagster.yaml").read_text(encoding="utf-8"):
        _make_history(home)
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"  # whatever a dagster.yaml that is there already says
    return home


def _configured(path: Path) -> bool:
    """Say whether the settings are there; an empty file, as a crash may leave one, holds none that could be lost."""
    try:
        found = yaml.safe_load(path.read_bytes())
    except FileNotFoundError:
        return False
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise PipelineError("Dagster's settings", f"{path} cannot be read: {_where(error)}", _MEND) from error
    if found is not None and not isinstance(found, dict):
        raise PipelineError("Dagster's settings", f"{path} holds no settings", _MEND)
    return bool(found)


def _configure(home: Path) -> None:
    """Write the settings, one process at a time, without what one that was killed at it left half-written."""
    lock = home / "dagster.yaml.lock"
    try:
        with FileLock(lock):
            if not _configured(home / "dagster.yaml"):
                sweep(home)
                with written_aside(home / "dagster.yaml") as stream:
                    stream.write(INSTANCE.encode())
    except OSError as error:
        raise unwritable(lock, error) from error


def _make_history(home: Path) -> None:
    """Make the file of the events, one process at a time, whole or not at all.

    Dagster makes it in several steps, in any process that finds none, and never looks again: one that was killed at it,
    or had company, would leave a file without its tables for good.
    """
    path = home / "event_log.db"
    if _is_whole(path):
        return
    from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage  # noqa: PLC0415 - on first use only

    with told(), FileLock(home / "dagster.yaml.lock"):
        if _is_whole(path):
            return
        with tempfile.TemporaryDirectory(prefix=".event_log-", dir=home) as aside:
            ConsolidatedSqliteEventLogStorage(aside)
            if held := _HELD_OPEN.pop(str(Path(aside) / path.name), None):
                held.close()
            with closing(sqlite3.connect(Path(aside) / path.name)) as connection:
                connection.execute("pragma wal_checkpoint(truncate)")
            for left in home.glob(f"{path.name}*"):
                left.unlink()
            (Path(aside) / path.name).rename(path)


def _is_whole(path: Path) -> bool:
    """Say whether the file of the events has all its tables. What cannot be read now is left to who reads it."""
    if not path.exists() or not path.stat().st_size:
        return False
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            names = {row[0] for row in connection.execute("select name from sqlite_master where type = 'table'")}
            return names >= {"event_logs", "secondary_indexes", "asset_keys", "asset_check_executions"}
    except sqlite3.Error:
        return True


def _where(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1} is no YAML" if mark else " ".join(str(error).split())


def write_quickly() -> None:
    """Let SQLite flush its log now and then instead of at every event; calling it twice changes nothing.

    Dagster opens and closes the file for every event. Closing the last connection folds SQLite's write-ahead log back
    into the file and waits for the disk; one connection that stays open until the process ends spares that. In
    write-ahead mode, which Dagster uses, this cannot damage the file: a loss of power may lose the last events of the
    history, never a figure.

    The page of a run in the UI watches the file, to which nothing would be written until the log is flushed; so it is
    touched after each change.
    """
    from sqlalchemy import event  # noqa: PLC0415 - only what runs a job has a history to write
    from sqlalchemy.engine import Engine  # noqa: PLC0415

    if not event.contains(Engine, "connect", _flush_seldom):
        event.listen(Engine, "connect", _flush_seldom)
        event.listen(Engine, "close", _tell_watchers)


def _flush_seldom(connection: Any, _record: object) -> None:
    if not isinstance(connection, sqlite3.Connection):
        return
    connection.execute("pragma synchronous = normal")
    path = _path(connection)
    if path and path not in _HELD_OPEN and connection.execute("pragma journal_mode").fetchone()[0] == "wal":
        held = sqlite3.connect(path, check_same_thread=False)
        held.execute("select count(*) from sqlite_master").fetchall()  # a connection counts from its first read
        _HELD_OPEN[path] = held


def _tell_watchers(connection: Any, _record: object) -> None:
    if isinstance(connection, sqlite3.Connection) and connection.total_changes and (path := _path(connection)):
        with suppress(OSError):
            os.utime(path)


def _path(connection: sqlite3.Connection) -> str:
    """Return where the file of a connection lies; nothing where it has none."""
    return str(connection.execute("pragma database_list").fetchone()[2])


@contextmanager
def told() -> Iterator[None]:
    """Say in one line that the history cannot be written or read, where SQLite, PostgreSQL or the disk refuses.

    Raises:
        PipelineError: the disk is full or read-only, the history is damaged, its server is away or its address wrong.
    """
    from dagster import DagsterInvalidConfigError  # noqa: PLC0415 - as above
    from sqlalchemy.exc import ArgumentError, DBAPIError  # noqa: PLC0415

    no_retry = _NoRetry()  # its own: the end of one that is within another leaves that of the outer one
    logging.getLogger().addFilter(no_retry)
    try:
        yield
    except PipelineError:
        raise
    except DBAPIError as error:
        raise _refusal(error) from error
    except (sqlite3.Error, OSError) as error:
        raise PipelineError("Dagster's history", f"it cannot be written: {error}", REMEDY) from error
    except DagsterInvalidConfigError as error:
        lacks = re.search(r'environment variable "(\w+)" which is not set', str(error))
        cause = f"{lacks[1]}, which it names, is not set in the environment" if lacks else str(error)
        raise PipelineError("Dagster's settings", f"dagster.yaml cannot be used: {cause}", _SET) from error
    except Exception as error:
        if isinstance(error.__cause__, DBAPIError):  # of a server that was tried several times
            raise _refusal(error.__cause__) from error
        if isinstance(error.__context__, ModuleNotFoundError):
            cause = f"dagster.yaml cannot be used: {error.__context__}"
            raise PipelineError("Dagster's settings", cause, "install it; fw-pipeline[cluster] brings it") from error
        if isinstance(error, (ArgumentError, ModuleNotFoundError, ValueError)) and _is_of_sqlalchemy(error):
            raise PipelineError("Dagster's settings", _wrong_address(error), _ADDRESS) from None
        raise
    finally:
        logging.getLogger().removeFilter(no_retry)


def _is_of_sqlalchemy(error: Exception) -> bool:
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return str(frame.f_globals.get("__name__")).startswith("sqlalchemy.")


def _wrong_address(error: Exception) -> str:
    """Return what is wrong with the address of the history; most messages of SQLAlchemy repeat its password."""
    from sqlalchemy.exc import NoSuchModuleError  # noqa: PLC0415 - as above

    if isinstance(error, ModuleNotFoundError):
        return f"the scheme of its PostgreSQL's address asks for the driver {error.name}, which is not installed"
    if isinstance(error, NoSuchModuleError):
        return f"the scheme of its PostgreSQL's address is unknown: {error}"
    return "its PostgreSQL's address cannot be read, as where a password is not percent-encoded"


def _refusal(error: Any) -> PipelineError:
    """Return why the database of the history refuses, as SQLAlchemy says it."""
    if isinstance(error.orig, sqlite3.Error):
        return PipelineError("Dagster's history", f"SQLite refuses: {error.orig}", REMEDY)
    return PipelineError("Dagster's history", f"PostgreSQL refuses: {error.orig}", SERVER_REMEDY)


class _NoRetry(logging.Filter):
    """Leaves out Dagster's message that it tries a connection again."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not record.getMessage().startswith("Retrying failed database connection")


def warn_if_temporary() -> None:
    """Warn when one of Dagster's own commands loads the project without a `DAGSTER_HOME`: its history is then empty."""
    is_dagster = any(part.startswith("dagster") for part in Path(sys.argv[0]).parts[-2:])
    settings = read()
    if is_dagster and settings.dagster_home is None:
        logging.getLogger("dagster").warning(
            "DAGSTER_HOME is not set: Dagster begins a temporary history, in which the months in %s look as if they "
            "were not there, and forgets it when it ends; start it with `fw-pipeline ui`, or set DAGSTER_HOME=%s",
            settings.data_dir,
            Path(os.path.realpath(settings.work_dir / "dagster")),
        )
