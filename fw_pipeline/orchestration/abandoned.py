"""Runs of the command line whose process was killed: nobody is left to tell Dagster's history that they have ended.

Until somebody does, they count as running: the build that waits until nothing is running would wait for hours, and they
would take a place among the runs that may run at once.
"""

import os
import socket
from pathlib import Path

from dagster import DagsterInstance, RunsFilter
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

PROCESS = "fw_pipeline/process"
"""The tag of a run of the command line that names its process."""


def this_process() -> str:
    """Return what tells this process from every other: its machine, its number, and when it began."""
    return _named(os.getpid())


def close(instance: DagsterInstance) -> int:
    """Mark the runs whose process is gone as failed; return how many. Runs of other machines are left alone."""
    gone = 0
    for run in instance.get_runs(RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)):
        host, _, rest = run.tags.get(PROCESS, "").partition(" ")
        number = rest.partition(" ")[0]
        if host == socket.gethostname() and number.isdecimal() and _named(int(number)) != run.tags[PROCESS]:
            instance.report_run_failed(run, "its process was killed; what it fetched stays: run again")
            gone += 1
    return gone


def _named(number: int) -> str:
    return f"{socket.gethostname()} {number} {_began(number)}"


def _began(number: int) -> str:
    """Return when a process began, as Linux counts; elsewhere whether it is there."""
    try:
        return Path(f"/proc/{number}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[19]
    except OSError:
        try:
            os.kill(number, 0)
        except OSError:
            return "gone"
        return "there"
