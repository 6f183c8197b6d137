"""How much of Dagster's history is kept: the newest runs, and of older ones what makes a month green.

Dagster itself bounds only the ticks of sensors and schedules. Its own deletion of a run takes what the run materialised
with it, and months would turn grey; here that stays, as the last word on each month, without its run.
"""

import contextlib
import re
import shutil
import sqlite3
from collections.abc import Iterable
from pathlib import Path

import sqlalchemy as sql
from dagster import DagsterEventType, DagsterInstance, RunsFilter
from dagster._core.storage.event_log import ConsolidatedSqliteEventLogStorage, SqlEventLogStorage
from dagster._core.storage.event_log.schema import (
    AssetCheckExecutionsTable,
    AssetEventTagsTable,
    SqlEventLogStorageTable,
)
from dagster._core.storage.runs.schema import BackfillTagsTable, BulkActionsTable
from dagster._core.storage.runs.sql_run_storage import SqlRunStorage

from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.raw_assets import BACKFILL
from fw_pipeline.orchestration.runs import ENDED

_EVENTS = SqlEventLogStorageTable.c
_CHECKS = AssetCheckExecutionsTable.c
_LASTING = (DagsterEventType.ASSET_MATERIALIZATION.value, DagsterEventType.ASSET_OBSERVATION.value)

_ENDED_BACKFILLS = ("COMPLETED", "COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED")
"""The states in which a backfill starts no more runs."""

_RUN_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_LEAST_PAGES = 2_000
"""A file smaller than about 8 MB is not worth packing."""


def trim(instance: DagsterInstance, *, keep: int) -> int | None:
    """Remove all but the newest `keep` finished runs, and return how many went.

    With a run go its log, its events and its captured output. What stays of it: the last materialisation of each
    asset and month, and the last outcome of each check. Runs of a backfill that is not finished stay whole. What an
    interrupted trim, or a deletion by hand, left of a run goes too. A history that is kept otherwise than `instance`
    sets it up is left alone, and None is returned.

    Raises:
        PipelineError: the history cannot be written now; nothing but old runs is gone, and the next trim continues.
    """
    events, runs = instance.event_log_storage, instance.run_storage
    if not (isinstance(events, SqlEventLogStorage) and isinstance(runs, SqlRunStorage)):
        return None
    output = Path(instance.storage_directory())
    try:
        with events.index_connection() as connection:
            if not (isinstance(events, ConsolidatedSqliteEventLogStorage) or connection.dialect.name == "postgresql"):
                return None
        old = _beyond(instance, keep)
        for run_id in old:
            runs.delete_run(run_id)
        with events.index_connection() as connection:
            mentioned = {row[0] for row in connection.execute(sql.select(_EVENTS.run_id).distinct())}
            captured = {path.name for path in output.glob("*") if _RUN_ID.fullmatch(path.name)}
            # looked up last: a run is written down before its first event, so that a new one is never taken for gone
            gone = ({str(run_id) for run_id in mentioned if run_id} | captured) - set(instance.get_run_ids())
            _forget_events(connection, gone)
        with runs.connect() as connection:
            _forget_backfills(connection, keep)
        for run_id in gone:
            shutil.rmtree(output / run_id, ignore_errors=True)
        if isinstance(events, ConsolidatedSqliteEventLogStorage):
            _pack(Path(events.get_db_path()))  # type: ignore[no-untyped-call]
    except (OSError, sql.exc.SQLAlchemyError) as error:
        cause = f"old runs cannot be removed: {str(error).splitlines()[0]}"
        raise PipelineError("Dagster's history", cause, "it is tried again after the next run") from error
    return len(old)


def _beyond(instance: DagsterInstance, keep: int) -> list[str]:
    """Return the finished runs that are older than the newest `keep`, but for those of unfinished backfills."""
    finished = instance.get_runs(RunsFilter(statuses=list(ENDED)))[keep:]
    unfinished = {one.backfill_id for one in instance.get_backfills() if one.status.value not in _ENDED_BACKFILLS}
    return [run.run_id for run in finished if run.tags.get(BACKFILL) not in unfinished]


def _forget_events(connection: sql.Connection, gone: Iterable[str]) -> None:
    """Delete what the index holds of some runs, except the last word on each asset, month and check."""
    last_words = (
        sql.select(sql.func.max(_EVENTS.id))
        .where(_EVENTS.dagster_event_type.in_(_LASTING))
        .group_by(_EVENTS.asset_key, _EVENTS.partition, _EVENTS.dagster_event_type)
    )
    last_checks = sql.select(sql.func.max(_CHECKS.id)).group_by(
        _CHECKS.asset_key, _CHECKS.check_name, _CHECKS.partition
    )
    old = list(gone)
    connection.execute(SqlEventLogStorageTable.delete().where(_EVENTS.run_id.in_(old), _EVENTS.id.not_in(last_words)))
    connection.execute(
        AssetEventTagsTable.delete().where(AssetEventTagsTable.c.event_id.not_in(sql.select(_EVENTS.id)))
    )
    connection.execute(
        AssetCheckExecutionsTable.delete().where(_CHECKS.run_id.in_(old), _CHECKS.id.not_in(last_checks))
    )


def _forget_backfills(connection: sql.Connection, keep: int) -> None:
    actions = BulkActionsTable.c
    newest = sql.select(actions.id).order_by(actions.id.desc()).limit(keep)
    connection.execute(BulkActionsTable.delete().where(actions.status.in_(_ENDED_BACKFILLS), actions.id.not_in(newest)))
    connection.execute(
        BackfillTagsTable.delete().where(BackfillTagsTable.c.backfill_id.not_in(sql.select(actions.key)))
    )


def _pack(path: Path) -> None:
    """Give the disk back what deleted rows took, when that is more than half of the file."""
    with contextlib.closing(sqlite3.connect(path, timeout=20, isolation_level=None)) as connection:
        free, pages = (connection.execute(f"pragma {what}").fetchone()[0] for what in ("freelist_count", "page_count"))
        if pages > _LEAST_PAGES and free > pages / 2:
            with contextlib.suppress(sqlite3.OperationalError):  # somebody writes: another time
                connection.execute("vacuum")
                connection.execute("pragma wal_checkpoint(truncate)")
