"""The jobs and schedules that people launch."""

from __future__ import annotations

from pathlib import Path

from dagster import (
    DagsterInstance,
    Definitions,
)

from fw_pipeline_tests.support.dagster_runs import execute


def test_the_schedule_asks_recorded_figures_that_have_ended_for_nothing(
    tmp_path: Path, instance: DagsterInstance, location: Definitions
) -> None:
    assert execute(tmp_path / "data", instance, "monthly").success
    assert not list((tmp_path / "data").rglob("*.parquet"))
    repository = location.get_repository_def()
    assert {one.name: one.job_name for one in repository.schedule_defs} == {"monthly": "monthly", "revisit": "revisit"}
