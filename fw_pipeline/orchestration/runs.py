"""Runs: one of a job in this process, the lock that tells whether a run is alive, and its place in the UI."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from dagster import (
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    InitResourceContext,
    ResourceDefinition,
    RunsFilter,
    resource,
)
from dagster._core.remote_origin import RegisteredCodeLocationOrigin, RemoteRepositoryOrigin

from fw_pipeline.atomic_files import unwritable
from fw_pipeline.errors import PipelineError
from fw_pipeline.locks import Locks, silent
from fw_pipeline.months import Window
from fw_pipeline.orchestration.failures import failure_lines, was_interrupted
from fw_pipeline.orchestration.instance import told, write_quickly
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import range_tags

LOCATION, REPOSITORY = "fw_pipeline", "__repository__"
"""The name of our code location, as in `workspace.yaml`, and Dagster's name for the one repository in it."""

REPOSITORY_TAG = ".dagster/repository"
"""The tag by which the UI knows the code location of a run."""

WILL_RETRY = "dagster/will_retry"
"""The tag in which Dagster notes of a failed run that it launches it again."""

AGAIN = "fw_pipeline/again"
"""The tag by which whoever hands a run to a worker says whether months that are here are fetched again: yes or no."""

ENDED = (DagsterRunStatus.SUCCESS, DagsterRunStatus.FAILURE, DagsterRunStatus.CANCELED)
"""The states in which a run is over."""

UNFINISHED = [status for status in DagsterRunStatus if status not in ENDED]
"""The states of a run that may still bring months in."""

KILLED = (
    "the process of this run was killed, or the machine stopped. "
    "Months that were done are kept; run it again, and it resumes where it stopped"
)

NEVER_STARTED = timedelta(minutes=10)

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class Ran:
    """The outcome of a job: whether all of it succeeded, and every failure as one line."""

    succeeded: bool
    failures: tuple[str, ...]
    run_id: str


def run_job(
    definitions: Definitions,
    name: str,
    *,
    instance: DagsterInstance,
    window: Window | None = None,
    skip: Sequence[AssetKey] = (),
) -> Ran:
    """Run a job in this process, for a window of months where it fetches; `skip` leaves assets out.

    Raises:
        PipelineError: Dagster's history cannot be written.
        KeyboardInterrupt: a signal stopped the run; Dagster has closed it, and its history says so.
    """
    for noisy in ("dagster", "dagster.builtin"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    tags = range_tags(window) if window else {}
    job = definitions.resolve_job_def(name)
    chosen = [k for k in job.asset_layer.executable_asset_keys if k not in set(skip)] if skip else None
    with told():
        result = job.execute_in_process(
            instance=instance, tags=tags, run_config=QUIET, raise_on_error=False, asset_selection=chosen
        )
    if any(was_interrupted(event) for event in result.all_events):
        raise KeyboardInterrupt
    return Ran(result.success, tuple(failure_lines(result.all_events)), result.run_id)


def held_by_runs(pipeline: Pipeline) -> ResourceDefinition:
    """Return the resource that hands a run the pipeline, and holds the run's lock until the run ends.

    The lock is free when the process is killed.
    """
    usually = pipeline.again

    @resource
    def hand(context: InitResourceContext) -> Iterator[Pipeline]:
        if context.run is None:  # a sensor looks
            yield pipeline
        else:
            with ExitStack() as held:
                try:
                    held.enter_context(pipeline.settings.locks.alive(context.run.run_id))
                except OSError as error:
                    raise unwritable(pipeline.settings.work_dir / ".work" / "runs", error) from error
                if context.instance is not None:
                    _refuse_if_ended(context.instance, context.run.run_id)
                write_quickly()
                pipeline.log = context.log.info if context.log else silent
                pipeline.again = {"yes": True, "no": False}.get(context.run.tags.get(AGAIN, ""), usually)
                if context.instance is not None:
                    _show_in_the_ui(context.instance, context.run)
                yield pipeline

    return hand


def _refuse_if_ended(instance: DagsterInstance, run_id: str) -> None:
    """Keep a run from starting that ended while its process was.

    Raises:
        KeyboardInterrupt: somebody cancelled it, so that it stays cancelled.
        PipelineError: it was marked as failed.
    """
    run = instance.get_run_by_id(run_id)
    if run is None or not run.is_finished:
        return
    if run.status is DagsterRunStatus.CANCELED:
        raise KeyboardInterrupt
    cause = f"run {run_id} was marked as failed before it began: it had no lock for long"
    raise PipelineError("Dagster's queue", cause, "launch it again")


def mark_killed(instance: DagsterInstance, locks: Locks) -> list[str]:
    """Mark the runs as failed that say they are at work and whose lock is free; return their ids.

    So are those that a command wrote down and never started: it takes a second, so after `NEVER_STARTED` it was killed.
    Otherwise they would count as running for hours: no build would start, and their place in the queue would be taken.
    """
    killed = []
    statuses = [DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING]
    at_work = [run for run in instance.get_runs(RunsFilter(statuses=statuses)) if _is_ours(run)]
    for run_id in locks.killed([run.run_id for run in at_work]):
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status in statuses:
            instance.report_run_failed(run, KILLED)
            killed.append(run_id)
    long_ago = datetime.now(UTC) - NEVER_STARTED
    waiting = RunsFilter(statuses=[DagsterRunStatus.NOT_STARTED], created_before=long_ago)
    for run in filter(_is_ours, instance.get_runs(waiting)):
        instance.report_run_failed(run, KILLED)
        killed.append(run.run_id)
    return killed


def _is_ours(run: DagsterRun) -> bool:
    """Return whether a run is of our code location, or of a command that has not said yet which it is of.

    Another code location in the same history does not use our locks.
    """
    return run.remote_job_origin is None or run.remote_job_origin.location_name == LOCATION


def repository() -> RemoteRepositoryOrigin:
    """Return the one repository of our code location, as Dagster's queue, UI and timeline know it."""
    return RemoteRepositoryOrigin(RegisteredCodeLocationOrigin(LOCATION), REPOSITORY)


def _show_in_the_ui(instance: DagsterInstance, run: DagsterRun) -> None:
    """Say of a run that nobody launched through a code location that it belongs to ours, before it does anything.

    The home page of the UI, its timeline and the page of a job show runs by code location; those of the command line
    have none, so that after a whole run these pages would say that nothing ever ran.
    """
    if run.remote_job_origin is None:
        ours = repository()
        instance.add_run_tags(run.run_id, {REPOSITORY_TAG: ours.get_label()})
        now = instance.get_run_by_id(run.run_id) or run
        instance.run_storage.replace_job_origin(now, ours.get_job_origin(run.job_name))
