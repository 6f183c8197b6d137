"""Runs whose process was killed are marked as failed; those at work are left alone."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    ResourceParam,
    RunsFilter,
    job,
    op,
)
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import RepositoryPythonOrigin
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from fw_pipeline.locks import FileLocks
from fw_pipeline.orchestration import runs
from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import AGAIN, KILLED, held_by_runs, mark_killed, repository
from fw_pipeline.settings import read
from fw_pipeline_tests.support.command import start
from fw_pipeline_tests.support.dagster_runs import execute


@job
def idle() -> None:
    """Nothing to do."""


def test_a_killed_run_is_marked_as_failed_and_one_at_work_is_not(
    recorded_once: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    shutil.copytree(recorded_once, data)
    process = start(data, ["rebuild"])
    monkeypatch.setenv("DAGSTER_HOME", str(data / "dagster"))
    try:
        with DagsterInstance.get() as instance:
            deadline = time.monotonic() + 200
            while not list((data / ".work" / "runs").glob("*.lock")) and time.monotonic() < deadline:
                assert process.poll() is None, process.stderr
                time.sleep(0.05)
            assert mark_killed(instance, FileLocks(data / ".work")) == []
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            (killed,) = mark_killed(instance, FileLocks(data / ".work"))
            (record,) = instance.get_run_records(RunsFilter(run_ids=[killed]))
            assert record.dagster_run.status is DagsterRunStatus.FAILURE
            assert any(KILLED in str(event.message) for event in instance.all_logs(killed))
            assert mark_killed(instance, FileLocks(data / ".work")) == []
            assert list((data / ".work" / "runs").iterdir()) == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class AllKilled(FileLocks):
    """Locks of which every run that is asked for is free."""

    def killed(self, at_work: Collection[str]) -> list[str]:
        return list(at_work)


def test_a_run_of_another_code_location_in_the_same_history_is_left_alone(
    instance: DagsterInstance, location: Definitions, tmp_path: Path
) -> None:
    code = RepositoryPythonOrigin(sys.executable, ModuleCodePointer("fw_pipeline.definitions", "defs"))
    elsewhere = RemoteRepositoryOrigin(RegisteredCodeLocationOrigin("another"), "__repository__")
    mine, _ = (
        instance.create_run_for_job(
            location.resolve_job_def("rebuild"), status=DagsterRunStatus.STARTED,
            remote_job_origin=where.get_job_origin("rebuild"), job_code_origin=code.get_job_origin("rebuild"),
        )
        for where in (repository(), elsewhere)
    )  # fmt: skip
    assert mark_killed(instance, AllKilled(tmp_path)) == [mine.run_id]


def test_a_run_that_was_written_down_and_never_started_does_not_keep_builds_waiting(
    instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Definitions(jobs=[idle]).resolve_job_def("idle")
    created = instance.create_run_for_job(run)
    assert mark_killed(instance, FileLocks(tmp_path / ".work")) == []
    monkeypatch.setattr(runs, "NEVER_STARTED", timedelta(0))
    assert mark_killed(instance, FileLocks(tmp_path / ".work")) == [created.run_id]
    ended = instance.get_run_by_id(created.run_id)
    assert ended is not None
    assert ended.status is DagsterRunStatus.FAILURE


def test_whoever_hands_a_run_to_a_worker_says_whether_months_are_fetched_again(
    instance: DagsterInstance, tmp_path: Path
) -> None:
    found: list[bool] = []

    @op
    def look(pipeline: ResourceParam[Pipeline]) -> None:
        found.append(pipeline.again)

    given = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=tmp_path / "none")

    @job(resource_defs={"pipeline": held_by_runs(Pipeline({}, (), given=given))})
    def looking() -> None:
        look()

    for tags in ({AGAIN: "no"}, {}, {AGAIN: "yes"}):
        looking.execute_in_process(instance=instance, tags=tags)
    assert found == [False, True, True]


def ended_meanwhile(instance: DagsterInstance, end: Callable[[DagsterRun], object]) -> Callable[..., object]:
    """Return what stands for taking the lock of a run: when it has it, the run has ended."""

    @contextmanager
    def alive(_: FileLocks, run_id: str) -> Iterator[None]:
        run = instance.get_run_by_id(run_id)
        assert run is not None
        end(run)
        yield

    return alive


def test_a_run_that_was_marked_as_failed_before_it_had_its_lock_does_not_begin(
    instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = ended_meanwhile(instance, lambda run: instance.report_run_failed(run, KILLED))
    monkeypatch.setattr(FileLocks, "alive", late)
    done = execute(tmp_path, instance, "rebuild")
    assert not done.success
    assert not (tmp_path / ".work" / "warehouse.duckdb").exists()
    assert "it had no lock for long" in " ".join(failure_lines(done.all_events))


def test_a_run_that_was_cancelled_before_it_had_its_lock_does_not_begin_and_stays_cancelled(
    instance: DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FileLocks, "alive", ended_meanwhile(instance, instance.report_run_canceled))
    with suppress(KeyboardInterrupt):
        execute(tmp_path, instance, "rebuild")
    (run,) = instance.get_runs()
    assert run.status is DagsterRunStatus.CANCELED
    assert not (tmp_path / ".work" / "warehouse.duckdb").exists()
