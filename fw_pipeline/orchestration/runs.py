"""Whether a run is still at work: its process holds a lock, which the operating system frees when it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dagster import (
    DagsterInstance,
    DagsterRunStatus,
    DefaultSensorStatus,
    InitResourceContext,
    ResourceDefinition,
    ResourceParam,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    resource,
    sensor,
)
from filelock import FileLock, Timeout

from fw_pipeline.locks import silent
from fw_pipeline.orchestration.instance_storage import shown_in_the_ui
from fw_pipeline.transform.context import Pipeline

KILLED = (
    "the process of this run has gone without a word: it was killed, or the machine stopped. "
    "Months that were done are kept; run it again, and it resumes where it stopped"
)


def held_by_runs(pipeline: Pipeline) -> ResourceDefinition:
    """Return the resource that hands a run the pipeline, and holds the run's lock until the run ends."""

    @resource
    def hand(context: InitResourceContext) -> Iterator[Pipeline]:
        if context.run is None:  # a sensor looks
            yield pipeline
        else:
            pipeline.log = context.log.info if context.log else silent
            if context.instance is not None:
                shown_in_the_ui(context.instance, context.run)
            with _alive(_locks(pipeline.settings.data_dir) / f"{context.run.run_id}.lock"):
                yield pipeline

    return hand


def mark_killed(instance: DagsterInstance, data_dir: Path) -> list[str]:
    """Mark the runs as failed that say they are at work and whose lock is free; return their ids.

    Otherwise they would count as running for hours: no build would start, and their place in the queue would be taken.
    """
    killed = []
    for path in sorted(_locks(data_dir).glob("*.lock")):
        try:
            with FileLock(path, timeout=0):
                path.unlink()
        except Timeout:
            continue
        run = instance.get_run_by_id(path.stem)
        if run is not None and run.status in (DagsterRunStatus.STARTED, DagsterRunStatus.CANCELING):
            instance.report_run_failed(run, KILLED)
            killed.append(run.run_id)
    return killed


def mark_killed_runs() -> SensorDefinition:
    """Return the sensor that marks killed runs as failed; it is on from the start."""

    @sensor(
        name="mark_killed_runs",
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=15,
        description="Marks runs as failed whose process was killed, so that nothing waits for them.",
    )
    def look(context: SensorEvaluationContext, pipeline: ResourceParam[Pipeline]) -> SkipReason:
        killed = mark_killed(context.instance, pipeline.settings.data_dir)
        return SkipReason(f"marked as failed: {', '.join(killed)}" if killed else "no run was killed")

    return look


def _locks(data_dir: Path) -> Path:
    return data_dir / ".work" / "runs"


@contextmanager
def _alive(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    made = path.with_suffix(".new")
    with FileLock(made):
        made.rename(path)  # so that nobody finds a lock that is not held yet
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
