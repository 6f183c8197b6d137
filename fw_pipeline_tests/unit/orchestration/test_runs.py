"""Runs whose process was killed are marked as failed; those at work are left alone."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest
from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    RunsFilter,
)

from fw_pipeline.orchestration.runs import KILLED, mark_killed
from fw_pipeline_tests.support.command import start


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
            assert mark_killed(instance, data) == []
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            (killed,) = mark_killed(instance, data)
            (record,) = instance.get_run_records(RunsFilter(run_ids=[killed]))
            assert record.dagster_run.status is DagsterRunStatus.FAILURE
            assert any(KILLED in str(event.message) for event in instance.all_logs(killed))
            assert mark_killed(instance, data) == []
            assert list((data / ".work" / "runs").iterdir()) == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
