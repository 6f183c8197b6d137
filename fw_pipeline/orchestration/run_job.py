"""Running a job in this process, as the command line does: the same jobs that the UI launches, the same history."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dagster import AssetKey, DagsterEvent, DagsterEventType, DagsterInstance, Definitions
from dagster._core.events import JobFailureData, RunFailureReason
from dagster._core.execution.plan.objects import ErrorSource

from fw_pipeline import signals
from fw_pipeline.months import Window
from fw_pipeline.orchestration import instance_storage
from fw_pipeline.orchestration.partitions import RANGE_END, RANGE_START, key

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a job: whether all of it succeeded, and every failure as one line."""

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
    """Run a job to its end, for a window of months where it fetches; `skip` leaves assets out.

    Raises:
        PipelineError: Dagster's history cannot be written.
        KeyboardInterrupt: a signal stopped the run; Dagster has closed it, and its history says so.
    """
    for noisy in ("dagster", "dagster.builtin"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    job = definitions.resolve_job_def(name)
    months = window.months() if window else ()
    tags = {RANGE_START: key(months[0]), RANGE_END: key(months[-1])} if months else {}
    chosen = [k for k in job.asset_layer.executable_asset_keys if k not in set(skip)] if skip else None
    with instance_storage.told():
        result = job.execute_in_process(
            instance=instance, tags=tags, run_config=QUIET, raise_on_error=False, asset_selection=chosen
        )
    for event in result.all_events:
        ended = event.event_specific_data
        if isinstance(ended, JobFailureData) and ended.failure_reason is RunFailureReason.UNEXPECTED_TERMINATION:
            raise KeyboardInterrupt
    return Ran(result.success, tuple(failure_lines(result.all_events)), result.run_id)


def _interrupted(event: DagsterEvent) -> bool:
    """Say whether a step failed for no other reason than that somebody stopped it."""
    is_failure = event.event_type is DagsterEventType.STEP_FAILURE
    return is_failure and event.step_failure_data.error_source is ErrorSource.INTERRUPT


def failure_lines(events: Iterable[DagsterEvent]) -> list[str]:
    """Return each failure among the events of a run as one line: what, month, cause, remedy; broken rules too."""
    lines: list[str] = []
    for event in events:
        if event.event_type is not DagsterEventType.STEP_FAILURE:
            continue
        failure = event.step_failure_data
        if _interrupted(event):
            lines.append(f"{event.step_key}: {signals.INTERRUPTED}; {signals.REMEDY}")
            continue
        described = failure.user_failure_data.description if failure.user_failure_data else None
        error = failure.error
        while error is not None and error.cause is not None:
            error = error.cause
        words = " ".join(error.message.split()) if error else "failed without a word"
        if "sqlite3.OperationalError" in words:
            lines.append(f"Dagster's history: {words.partition(' [SQL')[0]}; {instance_storage.REMEDY}")
            continue
        remedy = "this is a defect of fw-pipeline: please report it with this line"
        lines += (described or f"{event.step_key}: {words}; {remedy}").splitlines()
    return list(dict.fromkeys(lines))
