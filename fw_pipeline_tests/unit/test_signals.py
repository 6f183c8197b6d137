"""A run that is stopped says so, ends with the status that shells expect, and leaves nothing half-done."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import DagsterInstance, DagsterRunStatus, Definitions, asset, define_asset_job

from fw_pipeline.orchestration.runs import run_job
from fw_pipeline.orchestration.sensors import alert_of
from fw_pipeline.warehouse import Warehouse
from fw_pipeline_tests.support.command import start

FOR_EVER = "select count(*) from range(1_000_000_000_000) where hash(range) = 1"


@pytest.fixture
def a_signal_soon() -> Iterator[None]:
    """Send this process a signal in a moment, once a query runs: from another one, as a query may hold all threads."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(["sh", "-c", f"sleep 1; kill -INT {os.getpid()}"]):
        yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("a_signal_soon")
def test_a_signal_during_a_build_stops_the_run_and_not_only_the_query(tmp_path: Path) -> None:
    warehouse = Warehouse(tmp_path)

    def build() -> None:
        with warehouse.writing() as writer:
            writer.build("marts.half", "select 1 as a", description="", columns={})
            writer.build("marts.never", FOR_EVER, description="", columns={})

    with pytest.raises(KeyboardInterrupt):
        build()
    with warehouse.writing() as writer:
        assert not writer.has("marts.half"), "a transaction counts as a whole or not at all"


@asset
def stopped() -> None:
    """Stand for a step in which the signal arrives."""
    raise KeyboardInterrupt


@asset
def other() -> None:
    """Not begun."""


def test_an_interrupted_run_is_no_defect_begins_nothing_more_and_is_told_of_as_what_it_is() -> None:
    definitions = Definitions(assets=[stopped, other], jobs=[define_asset_job("build", ["stopped", "other"])])
    with DagsterInstance.ephemeral() as instance:
        with pytest.raises(KeyboardInterrupt):
            run_job(definitions, "build", instance=instance)
        [run] = instance.get_runs()
        assert run.status is DagsterRunStatus.FAILURE
        alert = alert_of(instance, run, "Exceeded maximum runtime of 7200 seconds.")
    why, step = alert.lines
    assert why.startswith(f"run {run.run_id}: Exceeded maximum runtime of 7200 seconds.; nothing that came in is lost")
    assert step.startswith("stopped: interrupted before it was done; nothing that came in is lost: run it again")


@pytest.mark.parametrize("stop", [pytest.param(signal.SIGINT, marks=pytest.mark.long), signal.SIGTERM])
def test_a_run_that_is_stopped_says_by_what_and_ends_with_the_status_that_shells_expect(
    tmp_path: Path, stop: signal.Signals
) -> None:
    process = start(tmp_path, ["run", "--from", "2022-01", "--to", "2022-12"])
    assert process.stderr is not None
    lines = [next(line for line in process.stderr if " from recorded: " in line)]
    process.send_signal(stop)
    lines += process.stderr
    assert process.wait(60) == 128 + stop, lines
    said = [line for line in lines if line.startswith("fw-pipeline: ")]
    assert len(said) == 1, lines
    assert said[0].startswith(
        f"fw-pipeline: run: interrupted before it was done, by {stop.name}; nothing that came in is lost"
    )
    assert not list(tmp_path.rglob(".writing-*"))
    assert not list((tmp_path / ".work" / "runs").glob("*.lock")), "the run has closed"
