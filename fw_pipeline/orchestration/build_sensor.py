"""The sensor that builds, checks and publishes after months came in, however they came."""

import hashlib
from collections.abc import Mapping

from dagster import (
    DagsterInstance,
    DefaultSensorStatus,
    ResourceParam,
    RunRequest,
    RunsFilter,
    SensorDefinition,
    SensorEvaluationContext,
    SkipReason,
    sensor,
)
from dagster._core.execution.backfill import BULK_ACTION_TERMINAL_STATUSES, BulkActionsFilter, BulkActionStatus
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES

from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.jobs import REBUILD
from fw_pipeline.transform.context import Pipeline
from fw_pipeline.warehouse import query

UNFINISHED = [status for status in BulkActionStatus if status not in BULK_ACTION_TERMINAL_STATUSES]
"""The states of a backfill that may still start runs."""


def build_what_changed() -> SensorDefinition:
    """Return the sensor; it is on from the start.

    A backfill of raw months in the UI therefore ends in the same state as the command line. It looks at the files, not
    at the history: it builds when the vintages on disk are not those of the published file. It waits until no run and
    no backfill is left, so that one build follows a backfill of all sources, and builds each state of the figures once.
    """

    @sensor(
        name="build_what_changed",
        job_name=REBUILD,
        default_status=DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=5,
        description="Builds, checks and publishes everything when months have come in and nothing is running.",
    )
    def look(context: SensorEvaluationContext, pipeline: ResourceParam[Pipeline]) -> RunRequest | SkipReason:
        if reason := nothing_to_build(pipeline):
            return SkipReason(reason)
        if _at_work(context.instance):
            return SkipReason("waits until nothing is running")
        return RunRequest(run_key=hashlib.sha256(repr(sorted(_here(pipeline).items())).encode()).hexdigest()[:16])

    return look


def nothing_to_build(pipeline: Pipeline) -> str | None:
    """Return why no build would give another published file than the one that is there; None where one would."""
    if nothing_here(pipeline):
        return "waits for the first month of any source"
    return None if unpublished(pipeline) else "everything that came in is published"


def nothing_here(pipeline: Pipeline) -> bool:
    """Say whether no month of any source has come in."""
    return not any(pipeline.vintages.vintages(name) for name in pipeline.sources)


def unpublished(pipeline: Pipeline) -> frozenset[str]:
    """Return the sources of which the published file has other vintages than are on disk."""
    published = _published(pipeline)
    return frozenset(name for name, listing in _here(pipeline).items() if listing != published.get(name))


def _here(pipeline: Pipeline) -> Mapping[str, str]:
    """Return the mark of the vintages on disk, by source."""
    return {name: pipeline.vintages.listing(name) for name in pipeline.sources}


def _published(pipeline: Pipeline) -> Mapping[str, str]:
    """Return the mark of the vintages that the published file is made of, by source."""
    try:
        rows = query(pipeline.settings.published, "select source, listing from meta.loads").rows()
    except PipelineError:
        return {}
    return dict(rows)


def _at_work(instance: DagsterInstance) -> bool:
    runs = instance.get_runs_count(RunsFilter(statuses=NOT_FINISHED_STATUSES))
    return bool(runs or instance.get_backfills_count(BulkActionsFilter(statuses=UNFINISHED)))
