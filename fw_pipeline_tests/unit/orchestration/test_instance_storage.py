"""Dagster's history: what is kept between two events, and what is not."""

from __future__ import annotations

from pathlib import Path

from dagster import DagsterInstance
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from sqlalchemy.pool import NullPool

from fw_pipeline.orchestration import instance_storage


def test_an_engine_is_made_once_for_each_file_and_holds_no_connection(tmp_path: Path) -> None:
    instance_storage.write_quickly()
    with DagsterInstance.local_temp(str(tmp_path)) as instance:
        events = instance.event_log_storage
        assert isinstance(events, SqliteEventLogStorage)
        seen = []
        for shard in ("one", "two", "one"):
            with events.run_connection(shard) as connection:
                seen.append(connection.engine)
        assert seen[0] is seen[2] is not seen[1]
        assert all(isinstance(engine.pool, NullPool) for engine in seen)
