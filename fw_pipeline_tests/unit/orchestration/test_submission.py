"""Runs in the queue of a cluster: what a worker finds in them, who is followed, and when nobody would take them."""

from __future__ import annotations

import signal
import socket
import threading
import time
from datetime import date
from pathlib import Path

import click
import pytest
from click.testing import CliRunner
from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
)
from dagster._core.events import EngineEventData
from dagster._core.origin import JobPythonOrigin
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.error import serializable_error_info_from_exc_info
from dagster._utils.hosted_user_process import recon_job_from_origin

from fw_pipeline.cli.main import Commands
from fw_pipeline.errors import PipelineError
from fw_pipeline.months import Window
from fw_pipeline.orchestration.jobs import REBUILD, fetch
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import RANGE_END, RANGE_START
from fw_pipeline.orchestration.runs import AGAIN, LOCATION, WILL_RETRY
from fw_pipeline.orchestration.submission import PARENT, follow, has_workers, run_on_workers, submit
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES

HALF = Window.of(date(2022, 1, 1), date(2022, 6, 1))
UNKNOWN = "how many requests that takes depends on what is found"


def found(instance: DagsterInstance, run_id: str) -> DagsterRun:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    return run


def test_a_run_in_the_queue_names_its_months_and_where_its_code_is(
    history: DagsterInstance, location: Definitions
) -> None:
    run = found(history, submit(location, fetch("pypi"), instance=history, window=HALF, again=False))
    assert run.status is DagsterRunStatus.QUEUED
    assert (run.tags[RANGE_START], run.tags[RANGE_END], run.tags[AGAIN]) == ("2022-01-01", "2022-06-01", "no")
    assert run.remote_job_origin is not None
    assert run.remote_job_origin.location_name == LOCATION
    origin = run.job_code_origin
    assert isinstance(origin, JobPythonOrigin)
    assert origin.repository_origin.code_pointer.describe() == "from fw_pipeline.definitions import defs"
    assert recon_job_from_origin(origin).get_definition().name == fetch("pypi")


def test_nobody_takes_runs_from_the_queue_of_a_history_without_a_daemon(
    history: DagsterInstance, location: Definitions, tmp_path: Path
) -> None:
    pipeline = Pipeline(SOURCES, (), given=read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none")))
    with pytest.raises(PipelineError, match=r"no daemon has been at work so far.*start it on one machine"):
        run_on_workers(location, pipeline, history, [(REBUILD, None)])
    history.add_daemon_heartbeat(DaemonHeartbeat(1_700_000_000.0, "SENSOR", "x"))
    with pytest.raises(PipelineError, match="no daemon has been at work since 2023-11-14 22:13 UTC"):
        run_on_workers(location, pipeline, history, [(REBUILD, None)])
    assert history.get_runs_count() == 0
    assert not has_workers(history)


def test_the_mode_of_a_command_line_is_refused_as_no_worker_would_see_it(
    history: DagsterInstance, location: Definitions, tmp_path: Path
) -> None:
    given = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"), given={"FW_MODE": "live"})
    history.add_daemon_heartbeat(DaemonHeartbeat(time.time(), "SENSOR", "x"))
    with pytest.raises(PipelineError, match=r"setting FW_MODE: .*leave --mode out"):
        run_on_workers(location, Pipeline(SOURCES, (), given=given), history, [(REBUILD, None)])


@pytest.mark.parametrize(("again", "runs"), [(False, 3), (True, 4)])
def test_months_that_a_run_already_waits_for_are_not_submitted_again_unless_asked_for_or_failed(
    history: DagsterInstance, location: Definitions, tmp_path: Path, *, again: bool, runs: int
) -> None:
    history.add_daemon_heartbeat(DaemonHeartbeat(time.time(), "SENSOR", "x"))
    given = read({"FW_DATA_DIR": str(tmp_path), "FW_MONTHS_PER_RUN": "3"}, dotenv=Path("none"))
    first, second = HALF.parts(3)
    good, bad = (submit(location, fetch("pypi"), instance=history, window=part) for part in (first, second))
    said: list[str] = []

    def end_all(_: str, text: str) -> None:
        said.append(text)
        if "handed" in text:
            done.start()

    def work() -> None:
        history.report_run_failed(found(history, bad))
        ended = {bad}
        while len(ended) < runs:
            for run in history.get_runs():
                if run.run_id not in ended:
                    ended_well = DagsterEvent(DagsterEventType.RUN_SUCCESS.value, run.job_name)
                    history.report_dagster_event(ended_well, run.run_id)
                    ended.add(run.run_id)

    done = threading.Thread(target=work)
    pipeline = Pipeline(SOURCES, (), given=given, again=again, progress=end_all)
    ran = run_on_workers(location, pipeline, history, [(fetch("pypi"), HALF)])
    done.join(60)
    assert [it.succeeded for it in ran] == [True, True]
    assert history.get_runs_count() == runs
    assert (ran[0].run_id == good) is not again
    assert bad not in {it.run_id for it in ran}
    earlier = "" if again else ", 2 of them earlier"
    assert f"2 runs handed to the workers{earlier}: fetch_pypi; they continue if this command is stopped" in said


@pytest.mark.parametrize(
    ("source", "size", "cost"),
    [
        ("papers", 3, "2 runs of at most 3 months, 6 requests in all"),
        ("stackoverflow", 0, f"1 run; {UNKNOWN}"),
        ("stackoverflow", 3, f"2 runs of at most 3 months; {UNKNOWN}; each run asks anew for what its months share"),
    ],
)
def test_what_all_parts_cost_is_said_first_and_that_it_is_not_known_where_it_is_not(
    history: DagsterInstance, location: Definitions, tmp_path: Path, *, source: str, size: int, cost: str
) -> None:
    history.add_daemon_heartbeat(DaemonHeartbeat(time.time(), "SENSOR", "x"))
    live = {"FW_MODE": "live", "FW_PROVIDERS": "stackoverflow=api,papers=arxiv", "FW_DATA_DIR": str(tmp_path)}

    def hear(_: str, text: str) -> None:
        raise InterruptedError(text)  # before anything is handed over

    given = read({**live, "FW_MONTHS_PER_RUN": f"{size}"}, dotenv=Path("none"))
    pipeline = Pipeline(SOURCES, (), given=given, progress=hear)
    with pytest.raises(InterruptedError) as heard:
        run_on_workers(location, pipeline, history, [(fetch(source), HALF)])
    assert str(heard.value) == f"{fetch(source)} {HALF}: {cost}"


def test_a_command_that_is_stopped_while_it_follows_says_that_its_runs_continue(
    history: DagsterInstance, location: Definitions, tmp_path: Path
) -> None:
    history.add_daemon_heartbeat(DaemonHeartbeat(time.time(), "SENSOR", "x"))

    def stop(_: str, text: str) -> None:
        if "handed" in text:
            threading.Timer(0.1, signal.raise_signal, [signal.SIGINT]).start()

    given = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"))

    @click.group(cls=Commands)
    def commands() -> None:
        """Only `run`."""

    @commands.command()
    def run() -> None:
        run_on_workers(location, Pipeline(SOURCES, (), given=given, progress=stop), history, [(REBUILD, None)])

    done = CliRunner().invoke(commands, ["run"])
    assert done.exit_code == 128 + signal.SIGINT
    assert done.stderr == (
        "fw-pipeline: run: stopped by SIGINT; its runs continue on the workers: see them in the UI, under Runs\n"
    )
    [waiting] = history.get_runs()
    assert waiting.status is DagsterRunStatus.QUEUED


def test_a_run_whose_worker_was_lost_is_followed_to_the_end_of_the_one_that_repeats_it(
    history: DagsterInstance, location: Definitions
) -> None:
    lost, failed = (submit(location, fetch("pypi"), instance=history, window=HALF) for _ in range(2))
    history.report_run_failed(found(history, lost), "the process of this run was killed")
    history.add_run_tags(lost, {WILL_RETRY: "true"})
    history.report_run_failed(found(history, failed), "the process of this run was killed")
    outcome: list[tuple[bool, str]] = []

    def wait() -> None:
        outcome.extend((ran.succeeded, " ".join(ran.failures)) for ran in follow(history, [lost, failed], look=0.05))

    waiting = threading.Thread(target=wait)
    waiting.start()
    try:
        repeated = submit(location, fetch("pypi"), instance=history, window=HALF, tags={PARENT: lost})
        assert waiting.is_alive()
    finally:
        history.report_run_canceled(found(history, repeated))
        waiting.join(60)
    (again, told), (ended, said) = outcome
    assert not again
    assert not ended
    assert repeated in told
    assert f"fetch_pypi: run {failed}: the process of this run was killed" in said


def test_a_run_that_the_daemon_could_not_hand_over_names_the_broker(
    history: DagsterInstance, location: Definitions
) -> None:
    run_id = submit(location, fetch("pypi"), instance=history, window=HALF)
    with pytest.raises(ConnectionRefusedError) as caught:
        socket.create_connection(("127.0.0.1", 1))
    away = serializable_error_info_from_exc_info((caught.type, caught.value, caught.tb))
    history.report_engine_event("it is dropped", found(history, run_id), EngineEventData.engine_error(away))
    history.report_run_failed(found(history, run_id))
    [ran] = follow(history, [run_id], look=0.01)
    why = f"Dagster's queue: run {run_id} could not be handed to a worker"
    assert ran.failures == (f"{why}; see that the broker (CELERY_BROKER_URL) runs, then run again",)
