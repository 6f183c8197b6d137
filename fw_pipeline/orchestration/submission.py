"""Runs that are handed to the workers of a cluster: put in the queue, and followed until they have ended.

Whoever waits here executes nothing, and may be stopped: the runs continue.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, cast

from dagster import (
    DagsterEvent,
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    DefaultRunLauncher,
    Definitions,
    QueuedRunCoordinator,
    RunsFilter,
)
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import RepositoryPythonOrigin

from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import asking, choose, shared_out
from fw_pipeline.months import Window
from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import FETCH, range_tags
from fw_pipeline.orchestration.runs import AGAIN, ENDED, REPOSITORY_TAG, UNFINISHED, WILL_RETRY, Ran, repository
from fw_pipeline.settings_values import COMMAND_LINE
from fw_pipeline.signals import RunsContinue

PARENT = "dagster/parent_run_id"
"""The tag in which Dagster notes which run a run repeats."""

NO_DAEMON = 120.0
"""Seconds after which a daemon that has not been heard of is taken for stopped."""

_BROKER = "see that the broker (CELERY_BROKER_URL) runs, then run again"


def has_workers(instance: DagsterInstance) -> bool:
    """Say whether runs are handed to workers: `dagster.yaml` names a launcher that starts them elsewhere."""
    return not isinstance(instance.run_launcher, DefaultRunLauncher)


def run_on_workers(
    definitions: Definitions, pipeline: Pipeline, instance: DagsterInstance, wanted: Sequence[tuple[str, Window | None]]
) -> list[Ran]:
    """Hand jobs to the workers, in parts of as many months as the settings say, and wait until all have ended.

    A job is not submitted while a run of it for the same months waits or is at work: that one is followed. So the
    sensor that builds what came in and this do not both build it, and a command that is called again asks nothing
    twice. Months that are to be fetched again are submitted in any case, as are those of an earlier run that fails.

    Raises:
        PipelineError: nobody takes runs from the queue, or the workers would not do what the command line says.
        RunsContinue: a signal stopped the command while it waited.
    """
    if not wanted:
        return []
    refuse_without_daemon(instance)
    _refuse_mode(pipeline)
    size = pipeline.settings.months_per_run
    parts = [(name, part) for name, window in wanted for part in (window.parts(size) if window else [None])]
    for name, window in wanted:
        if window is not None:
            pipeline.progress("say", _cost(pipeline, name, window.parts(size)))

    def handed(name: str, part: Window | None) -> str:
        return submit(definitions, name, instance=instance, window=part, again=pipeline.again)

    there = [None if part and pipeline.again else _at_work(instance, name, part) for name, part in parts]
    run_ids = [run_id or handed(*part) for run_id, part in zip(there, parts, strict=True)]
    runs = "1 run" if len(run_ids) == 1 else f"{len(run_ids)} runs"
    earlier = f", {len(there) - there.count(None)} of them earlier" if any(there) else ""
    names = ", ".join(dict.fromkeys(name for name, _ in parts))
    said = f"{runs} handed to the workers{earlier}: {names}"
    pipeline.progress("say", f"{said}; they continue if this command is stopped")

    def told(event: DagsterEvent) -> None:
        if event.partition is not None and event.asset_key is not None:
            pipeline.progress("fetch", f"{event.asset_key.path[-1]} {event.partition} present")
        elif event.asset_key is not None:
            pipeline.progress("build", event.asset_key.to_user_string())

    try:
        ended = dict(zip(parts, follow(instance, run_ids, told=told), strict=True))
        earlier_ones = [part for part, run_id in zip(parts, there, strict=True) if run_id and part[1]]
        failed = [part for part in earlier_ones if _has_failed(instance, ended[part].run_id)]
        ended |= zip(failed, follow(instance, [handed(*part) for part in failed], told=told), strict=True)
    except KeyboardInterrupt:
        raise RunsContinue from None
    return [ended[part] for part in parts]


def _refuse_mode(pipeline: Pipeline) -> None:
    if (mode := pipeline.settings.values.get("FW_MODE")) is not None and mode.given_by == COMMAND_LINE:
        cause = "the workers do not see what is set on a command line"
        raise PipelineError("setting FW_MODE", cause, "set it in the environment of every machine; leave --mode out")


def _cost(pipeline: Pipeline, name: str, parts: Sequence[Window]) -> str:
    """Return what a job asks of its service, before it does."""
    chosen, now = choose(pipeline.sources[name.removeprefix(FETCH)], pipeline.settings), pipeline.clock()
    plans = [
        one.provider.plan(asking(one, months, pipeline.settings, now=now)[0])
        for part in parts
        for one, months in shared_out(chosen, part, pipeline.settings, now=now)
    ]
    whole = Window(parts[0].start, parts[-1].end)
    runs = "1 run" if len(parts) == 1 else f"{len(parts)} runs of at most {len(parts[0].months())} months"
    known = [plan.requests for plan in plans if plan.requests is not None]
    least, said = "" if len(known) == len(plans) else "at least ", f"{name} {whole}: {runs}"
    if least and not sum(known):
        shared = "" if len(parts) == 1 else "; each run asks anew for what its months share"
        return f"{said}; how many requests that takes depends on what is found{shared}"
    return f"{said}, {least}{sum(known):,} requests in all"


def refuse_without_daemon(instance: DagsterInstance) -> None:
    """Check that somebody takes runs from the queue.

    Raises:
        PipelineError: nobody does; whoever followed a run would wait for good.
    """
    if not isinstance(instance.run_coordinator, QueuedRunCoordinator):
        cause = "its dagster.yaml has a run launcher for workers, and no queue"
        raise PipelineError("Dagster's queue", cause, "leave run_coordinator out of it, or name QueuedRunCoordinator")
    beats = [beat.timestamp for beat in instance.get_daemon_heartbeats().values()]
    if not beats or time.time() - max(beats) > NO_DAEMON:
        last = f"since {datetime.fromtimestamp(max(beats), UTC):%Y-%m-%d %H:%M} UTC" if beats else "so far"
        cause = f"no daemon has been at work {last}, so nobody would take a run from the queue"
        raise PipelineError("Dagster's queue", cause, "start it on one machine: fw-pipeline ui")


def submit(
    definitions: Definitions,
    name: str,
    *,
    instance: DagsterInstance,
    window: Window | None = None,
    again: bool = True,
    tags: Mapping[str, str] | None = None,
) -> str:
    """Put a run of a job into the queue and return its id.

    Args:
        definitions: the code location, which the workers have too.
        name: of the job.
        instance: Dagster's history and queue.
        window: months, for a job that fetches.
        again: whether months that are here already are fetched again.
        tags: more tags of the run.
    """
    job, ours = definitions.resolve_job_def(name), repository()
    code = RepositoryPythonOrigin(sys.executable, ModuleCodePointer("fw_pipeline.definitions", "defs"))
    run = instance.create_run_for_job(
        job,
        tags={
            **(range_tags(window) if window else {}),
            AGAIN: "yes" if again else "no",
            REPOSITORY_TAG: ours.get_label(),
            **(tags or {}),
        },
        remote_job_origin=ours.get_job_origin(name),
        job_code_origin=code.get_job_origin(name),
    )
    no_workspace = cast("Any", None)  # the queue asks nothing of it
    return instance.submit_run(run.run_id, no_workspace).run_id


def follow(
    instance: DagsterInstance,
    run_ids: Sequence[str],
    *,
    told: Callable[[DagsterEvent], None] = lambda _: None,
    look: float = 1.0,
) -> list[Ran]:
    """Wait until runs have ended, and those that repeat them after a worker was lost; return the result of each.

    `told` hears of everything that is materialised, as it comes; `look` is the seconds between two looks.
    """
    following, seen, ended = {run_id: run_id for run_id in run_ids}, dict[str, str | None](), dict[str, Ran]()
    over: set[str] = set()
    looked = time.monotonic()
    while len(ended) < len(run_ids):
        if time.monotonic() - looked > NO_DAEMON:  # whoever would start them, or start them again, may have stopped
            refuse_without_daemon(instance)
            looked = time.monotonic()
        for first, run_id in following.items():
            if first in ended:
                continue
            run = _run(instance, run_id)
            _tell(instance, run_id, seen, told)
            if run.status not in ENDED:
                continue
            if run_id not in over:  # how it ended is written down a moment before whether it is repeated
                over.add(run_id)
            elif run.tags.get(WILL_RETRY) != "true":
                ended[first] = _ran(instance, run)
            elif repeated := instance.get_runs(RunsFilter(tags={PARENT: run_id}), limit=1):
                following[first] = repeated[0].run_id
        time.sleep(look)
    return [ended[run_id] for run_id in run_ids]


def _at_work(instance: DagsterInstance, name: str, window: Window | None) -> str | None:
    months = range_tags(window) if window else {}
    runs = instance.get_runs(RunsFilter(job_name=name, statuses=UNFINISHED, tags=months), limit=1)
    return runs[0].run_id if runs else None


def _has_failed(instance: DagsterInstance, run_id: str) -> bool:
    return _run(instance, run_id).status is DagsterRunStatus.FAILURE


def _run(instance: DagsterInstance, run_id: str) -> DagsterRun:
    run = instance.get_run_by_id(run_id)
    if run is None:
        cause = f"run {run_id} is not in the history any more"
        raise PipelineError("Dagster's history", cause, "run again; what came in is kept")
    return run


def _tell(
    instance: DagsterInstance, run_id: str, seen: dict[str, str | None], told: Callable[[DagsterEvent], None]
) -> None:
    page = instance.get_records_for_run(run_id, cursor=seen.get(run_id), of_type=DagsterEventType.ASSET_MATERIALIZATION)
    seen[run_id] = page.cursor
    for record in page.records:
        if record.event_log_entry.dagster_event is not None:
            told(record.event_log_entry.dagster_event)


def _ran(instance: DagsterInstance, run: DagsterRun) -> Ran:
    kinds = {DagsterEventType.STEP_FAILURE, DagsterEventType.RUN_FAILURE}
    entries = instance.all_logs(run.run_id, of_type=kinds)
    events = [entry.dagster_event for entry in entries if entry.dagster_event is not None]
    lines = failure_lines(event for event in events if event.event_specific_data is not None)
    if run.status is DagsterRunStatus.SUCCESS:
        lines = []
    elif not lines and _was_not_handed_over(instance, run):
        cause = f"run {run.run_id} could not be handed to a worker"
        lines = [str(PipelineError("Dagster's queue", cause, _BROKER))]
    elif not lines:
        said = [entry.message for entry in entries] or ["it was cancelled"]
        lines = [f"{run.job_name}: run {run.run_id}: {' '.join(said[-1].split())}; run it again, and it resumes"]
    return Ran(run.status is DagsterRunStatus.SUCCESS, tuple(lines), run.run_id)


def _was_not_handed_over(instance: DagsterInstance, run: DagsterRun) -> bool:
    """Say whether Dagster's daemon met an error when it launched a run, which then never began."""
    kinds = {DagsterEventType.RUN_START, DagsterEventType.ENGINE_EVENT}
    events = [entry.dagster_event for entry in instance.all_logs(run.run_id, of_type=kinds)]
    if any(event.event_type is DagsterEventType.RUN_START for event in events if event):
        return False
    return any(event.engine_event_data.error for event in events if event)
