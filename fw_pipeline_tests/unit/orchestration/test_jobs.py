"""The jobs that people and schedules launch, and when a build is due; the sensor that asks is in `test_sensors`."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    Definitions,
)

from fw_pipeline.definitions import build_defs
from fw_pipeline.orchestration.instance import prepare
from fw_pipeline.orchestration.jobs import NOT_TRIMMED, fetch_and_build, nothing_to_build, state, unpublished
from fw_pipeline.orchestration.runs import held_by_runs
from fw_pipeline_tests.support.dagster_runs import add_month, execute, pipeline_of


def test_where_no_month_has_come_in_no_run_is_started_and_a_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    prepare(tmp_path)
    pipeline = pipeline_of(tmp_path)
    definitions = build_defs(resources={"pipeline": held_by_runs(pipeline)}, settings=pipeline.settings)
    launched = fetch_and_build(definitions, pipeline)
    assert not launched.published
    assert launched.failures == ("publish: no month of any source has come in; fetch some: fw-pipeline run",)
    assert not pipeline.settings.published.exists()


def test_a_build_is_due_as_soon_as_a_month_is_here_that_is_not_published(tmp_path: Path) -> None:
    pipeline = pipeline_of(tmp_path)
    assert nothing_to_build(pipeline) == "waits for the first month of any source"
    before = state(pipeline)
    add_month(tmp_path)
    assert nothing_to_build(pipeline) is None
    assert "stackoverflow" in unpublished(pipeline)
    assert state(pipeline) != before


def test_a_run_that_fails_before_its_first_step_says_why_and_is_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    add_month(tmp_path)
    (tmp_path / ".work").mkdir(exist_ok=True)
    (tmp_path / ".work" / "runs").write_text("a file where the locks of runs should be", encoding="utf-8")
    prepare(tmp_path)
    pipeline = pipeline_of(tmp_path)
    definitions = build_defs(resources={"pipeline": held_by_runs(pipeline)}, settings=pipeline.settings)
    launched = fetch_and_build(definitions, pipeline)
    assert not launched.published
    (line,) = launched.failures
    assert line.startswith("data folder: cannot write")
    assert "\n" not in line


def test_a_history_of_an_earlier_version_is_not_trimmed_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "history"))
    (tmp_path / "history").mkdir()
    (tmp_path / "history" / "dagster.yaml").write_text("telemetry: {enabled: false}\n", encoding="utf-8")
    prepare(tmp_path)
    pipeline = pipeline_of(tmp_path)
    definitions = build_defs(resources={"pipeline": held_by_runs(pipeline)}, settings=pipeline.settings)
    assert fetch_and_build(definitions, pipeline).notes == (f"note: {NOT_TRIMMED}",)


def test_the_schedule_asks_recorded_figures_that_have_ended_for_nothing(
    tmp_path: Path, instance: DagsterInstance, location: Definitions
) -> None:
    assert execute(tmp_path / "data", instance, "monthly").success
    assert not list((tmp_path / "data").rglob("*.parquet"))
    repository = location.get_repository_def()
    assert {one.name: one.job_name for one in repository.schedule_defs} == {"monthly": "monthly", "revisit": "revisit"}
