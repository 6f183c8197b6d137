"""A killed run of the command line does not count as running for ever."""

from __future__ import annotations

import os
import subprocess
import sys

from dagster import DagsterInstance, DagsterRunStatus, job
from dagster._core.test_utils import create_run_for_test

from fw_pipeline.orchestration.abandoned import PROCESS, close, this_process


@job
def nothing() -> None:
    """Do nothing."""


def running(instance: DagsterInstance, process: str | None) -> str:
    tags = {PROCESS: process} if process else {}
    run = create_run_for_test(instance, job_name="nothing", status=DagsterRunStatus.STARTED, tags=tags)
    return str(run.run_id)


def test_a_run_whose_process_was_killed_is_failed_and_no_other() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    named = this_process().split(" ")
    killed = " ".join([named[0], str(child.pid), named[2]])
    child.kill()
    child.wait()
    with DagsterInstance.ephemeral() as instance:
        gone = running(instance, killed)
        reused = running(instance, f"{named[0]} {os.getpid()} 1")
        left = [running(instance, None), running(instance, this_process()), running(instance, "elsewhere 1 1")]
        assert close(instance) == 2
        status = {run.run_id: run.status for run in instance.get_runs()}
        assert [status[it] for it in (gone, reused)] == [DagsterRunStatus.FAILURE] * 2
        assert [status[it] for it in left] == [DagsterRunStatus.STARTED] * 3
