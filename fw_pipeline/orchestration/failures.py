"""Errors of this package as failures that Dagster shows, and failed steps as lines of text."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar

from dagster import DagsterEvent, DagsterEventType, DagsterExecutionInterruptedError, Failure, MetadataValue

from fw_pipeline import signals
from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration import instance
from fw_pipeline.text import in_markdown

P = ParamSpec("P")
R = TypeVar("R")

_INTERRUPTS = (KeyboardInterrupt.__name__, DagsterExecutionInterruptedError.__name__)


def plain_failures(step: Callable[P, R]) -> Callable[P, R]:
    """Let a step raise a `PipelineError`, or an `ExceptionGroup` of them; the run fails with a line for each.

    Anything else is a defect, and Dagster shows its traceback.
    """
    if inspect.isgeneratorfunction(step):

        @functools.wraps(step)
        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            with _as_failure():
                yield from step(*args, **kwargs)
    else:

        @functools.wraps(step)
        def run(*args: P.args, **kwargs: P.kwargs) -> Any:
            with _as_failure():
                return step(*args, **kwargs)

    return run


@contextmanager
def _as_failure() -> Iterator[None]:
    try:
        yield
    except PipelineError as reason:
        raise failure([reason]) from None
    except ExceptionGroup as group:
        reasons, defects = group.split(PipelineError)
        if reasons is None or defects is not None:
            raise
        raise failure(reasons.exceptions) from None


def failure(reasons: Sequence[Exception]) -> Failure:
    """Return the failure that shows every reason as one line, first in the UI and then on the command line."""
    lines = list(dict.fromkeys(str(reason) for reason in reasons))
    return Failure(
        description="\n".join(lines),
        metadata={"reasons": MetadataValue.md("\n".join(f"* {in_markdown(line, 2000)}" for line in lines))},
        allow_retries=False,
    )


def was_interrupted(event: DagsterEvent) -> bool:
    """Say whether a step, or a run between two steps, failed for no other reason than that somebody stopped it."""
    if event.event_type not in (DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE):
        return False
    is_step = event.event_type is DagsterEventType.STEP_FAILURE
    error = event.step_failure_data.error if is_step else event.job_failure_data.error
    while error is not None and error.cls_name not in _INTERRUPTS:
        error = error.cause
    return error is not None


def failure_lines(told: Iterable[DagsterEvent]) -> list[str]:
    """Return each failure among the events of a run as one line: what, month, cause, remedy; broken rules too."""
    events, lines = list(told), list[str]()
    for event in events:
        if event.event_type is not DagsterEventType.STEP_FAILURE:
            continue
        if was_interrupted(event):
            lines.append(f"{event.step_key}: {signals.INTERRUPTED}; {signals.REMEDY}")
            continue
        failed = event.step_failure_data
        described = failed.user_failure_data.description if failed.user_failure_data else None
        error = failed.error
        while error is not None and error.cause is not None:
            error = error.cause
        words = " ".join(error.message.split()) if error else "failed without a word"
        if "sqlite3.OperationalError" in words or "psycopg2.OperationalError" in words:
            remedy = instance.REMEDY if "sqlite3" in words else instance.SERVER_REMEDY
            lines.append(f"Dagster's history: {words.partition(' [SQL')[0]}; {remedy}")
            continue
        remedy = "this is a defect of fw-pipeline: please report it with this line"
        lines += (described or f"{event.step_key}: {words}; {remedy}").splitlines()
    return list(dict.fromkeys(lines)) or [_line_of_the_run(event) for event in events if _ended_without_a_step(event)]


def _ended_without_a_step(event: DagsterEvent) -> bool:
    return event.event_type is DagsterEventType.RUN_FAILURE and not was_interrupted(event)


def _line_of_the_run(event: DagsterEvent) -> str:
    """Return the line of a run that failed outside its steps: before the first, as a resource could not be had."""
    error, words = event.job_failure_data.error, "failed without a word"
    while error is not None:
        words = " ".join(error.message.split())
        kind, _, told = words.partition(": ")
        if told and kind.startswith("fw_pipeline."):
            return told
        error = error.cause
    return f"{event.job_name}: {words}; this is a defect of fw-pipeline: please report it with this line"
