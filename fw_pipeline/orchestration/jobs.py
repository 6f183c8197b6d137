"""The jobs that people and schedules launch, and how the command line runs them: fetches, then one build of it all."""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    Definitions,
    JobDefinition,
    OpDefinition,
    OpExecutionContext,
    ResourceParam,
    ScheduleDefinition,
    define_asset_job,
    job,
    op,
)

from fw_pipeline.contract import Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import offered
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.orchestration.failures import plain_failures
from fw_pipeline.orchestration.instance import told, write_quickly
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import FETCH, GAPS, fetch_months, pool
from fw_pipeline.orchestration.runs import Ran, mark_killed, run_job
from fw_pipeline.orchestration.submission import has_workers, run_on_workers
from fw_pipeline.settings import Settings
from fw_pipeline.warehouse import WarehouseError, latest, query

REBUILD = "rebuild"
MONTHLY = "monthly"
REVISIT = "revisit"

UNATTENDED = {
    "dagster/max_retries": "2",
    "dagster/retry_strategy": "ALL_STEPS",
    "dagster/retry_on_asset_or_op_failure": "false",
}
"""The tags of a run that a schedule launched: Dagster launches it again if it was killed or lost before it began.

A run is lost where Dagster's code server is away, as after a machine wakes. What failed by itself is not repeated.
"""

REVISITED = 3
"""Most of what moves, moves soon: deletions, late announcements, days that were loaded late."""

NOT_TRIMMED = PipelineError(
    "Dagster's history",
    "it is stored otherwise than this version sets it up, so old runs are not removed",
    "if an earlier version made it, delete its folder to change over; no figure is in it",
)

_NOTHING = PipelineError("publish", "no month of any source has come in", "fetch some: fw-pipeline run")


def fetch(source: str) -> str:
    """Return the name of the job that fetches months of a source."""
    return f"{FETCH}{source}"


def jobs_and_schedules(sources: Mapping[str, Source], settings: Settings) -> Definitions:
    """Return the fetch of each source, the build, and two jobs that fetch closed months of all sources.

    Both schedules are off until somebody switches them on: new months on the third, as most providers are late by a day
    or two; a second look a week later.
    """
    again = f"Fetch the last {REVISITED} closed months of every source again, to see what has changed since."
    return Definitions(
        jobs=[
            *(
                define_asset_job(
                    fetch(source),
                    selection=_fetched(source),
                    description=f"Fetch months of {source}; the tables that read them are built afterwards.",
                )
                for source in sources
            ),
            define_asset_job(
                REBUILD,
                selection=_built(sources),
                description="Build, check and publish everything from the raw vintages, without any fetch.",
            ),
            _closed_months_job(
                MONTHLY, sources, settings, 1, "Fetch the month that has closed, of every source that can have it."
            ),
            _closed_months_job(REVISIT, sources, settings, REVISITED, again),
        ],
        schedules=[
            ScheduleDefinition(
                name=MONTHLY,
                job_name=MONTHLY,
                cron_schedule="0 6 3 * *",
                execution_timezone="UTC",
                tags=UNATTENDED,
                description="On the third, 06:00 UTC: the month that has closed, of every source.",
            ),
            ScheduleDefinition(
                name=REVISIT,
                job_name=REVISIT,
                cron_schedule="0 6 10 * *",
                execution_timezone="UTC",
                tags=UNATTENDED,
                description=f"On the tenth, 06:00 UTC: the last {REVISITED} closed months again, for drift.",
            ),
        ],
    )


def last_months(now: datetime, count: int) -> Window:
    """Return the last closed months."""
    closed = Window.of(FIRST_MONTH, last_closed_month(now)).months()
    return Window.of(closed[-count:][0], closed[-1])


def _fetched(source: str) -> AssetSelection:
    """The rules on the whole table are left to the build: they would be skipped, as the asset yields no result."""
    return AssetSelection.assets(AssetKey(["raw", source])).without_checks() | _gap_checks([source])


def _built(sources: Collection[str]) -> AssetSelection:
    raw = AssetSelection.checks_for_assets(*(AssetKey(["raw", source]) for source in sources))
    return (AssetSelection.all() - AssetSelection.groups("raw")) | (raw - _gap_checks(sources))


def _gap_checks(sources: Collection[str]) -> AssetSelection:
    return AssetSelection.checks(*(AssetCheckKey(AssetKey(["raw", source]), GAPS) for source in sources))


def _closed_months_job(
    name: str, sources: Mapping[str, Source], settings: Settings, count: int, description: str
) -> JobDefinition:
    """Return a job that asks for no month: a person or a schedule launches it as it is.

    A source whose figures have ended is asked nothing. One that fails does not keep the others from being fetched. The
    tables that read the months are built as after any backfill.
    """
    ops = [_fetch_op(name, source, count, pool(source, settings)) for source in sources.values()]

    @job(name=name, description=description)
    def all_sources() -> None:
        for each in ops:
            each()

    return all_sources


def _fetch_op(name: str, source: Source, count: int, place: str | None) -> OpDefinition:
    description = f"Fetch the last closed months of {source.title}, {count} of them."

    @op(name=f"{name}_{source.name}", description=description, pool=place)
    @plain_failures
    def fetch_closed(context: OpExecutionContext, pipeline: ResourceParam[Pipeline]) -> None:
        now = pipeline.clock()
        months = last_months(now, count)
        within = months.common(offered(source, pipeline.settings, now=now))
        if within is None:
            context.log.info("%s can have no figure for %s, and is asked nothing", source.name, months)
        elif failures := fetch_months(context, source, pipeline, [within]):
            raise ExceptionGroup(f"{source.name}: months that failed", failures)

    return fetch_closed


@dataclass(frozen=True, slots=True)
class Launched:
    """The outcome of a command: whether a file was published, and every failure as a line."""

    published: bool
    failures: tuple[str, ...]
    notes: tuple[str, ...] = ()
    page: str | None = None
    """Where a worker made the page, as `machine:path`; None where it was made here."""


def fetch_and_build(
    definitions: Definitions, pipeline: Pipeline, fetches: Sequence[tuple[str, Window | None]] = ()
) -> Launched:
    """Run the jobs that fetch, then build, check and publish what is there: one build, whatever failed before.

    Where a source failed, all that came in is published, as it is in the UI. Where nothing came in that is not
    published, a fetch that failed is followed by no build.

    Args:
        definitions: the code location; its resource `pipeline` is that of `pipeline`.
        pipeline: what the runs work with.
        fetches: names of the jobs that fetch, each with its months; None where the job knows them.

    Raises:
        PipelineError: Dagster's history cannot be read or written.
    """
    from fw_pipeline.orchestration.retention import trim  # noqa: PLC0415 - it brings all of Dagster's storage

    write_quickly()
    published = False
    failures: list[str] = []
    notes: list[str] = []
    page = None
    with told(), DagsterInstance.get() as instance:
        mark_killed(instance, pipeline.settings.locks)
        run_all = partial(run_on_workers if has_workers(instance) else _run_here, definitions, pipeline, instance)
        failures += [line for ran in run_all(fetches) for line in ran.failures]
        if nothing_here(pipeline):
            failures += [] if failures else [str(_NOTHING)]
        elif not failures or unpublished(pipeline):
            (built,) = run_all([(REBUILD, None)])
            if built.succeeded and unpublished(pipeline):  # it was a build that had begun before the last month came in
                (built,) = run_all([(REBUILD, None)])
            published = built.succeeded
            if published and has_workers(instance):
                page = _page(instance)
            failures += built.failures
        try:
            if trim(instance, keep=pipeline.settings.keep_runs) is None:
                notes.append(f"note: {NOT_TRIMMED}")
        except PipelineError as reason:  # what was fetched and published is none the worse
            notes.append(f"note: {reason}")
    return Launched(published, tuple(dict.fromkeys(failures)), tuple(notes), page)


def _page(instance: DagsterInstance) -> str | None:
    """Return the machine on which the page was made last, and its path there; None where no event says so."""
    entry = instance.get_latest_materialization_event(AssetKey(["report"]))
    made = entry.asset_materialization if entry else None
    said = made.metadata if made else {}
    return f"{said['machine'].value}:{said['path'].value}" if "machine" in said else None  # older events lack it


def _run_here(
    definitions: Definitions, _: Pipeline, instance: DagsterInstance, wanted: Sequence[tuple[str, Window | None]]
) -> list[Ran]:
    return [run_job(definitions, name, instance=instance, window=window) for name, window in wanted]


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
    return frozenset(name for name, listing in _listings(pipeline).items() if listing != published.get(name))


def state(pipeline: Pipeline) -> str:
    """Return a mark of the vintages on disk: it changes when one comes or goes."""
    return hashlib.sha256(repr(sorted(_listings(pipeline).items())).encode()).hexdigest()[:16]


def _listings(pipeline: Pipeline) -> Mapping[str, str]:
    """Return the mark of the vintages on disk, by source."""
    return {name: pipeline.vintages.listing(name) for name in pipeline.sources}


def _published(pipeline: Pipeline) -> Mapping[str, str]:
    """Return the mark of the vintages that the published file is made of, by source; of a file that is none, nothing.

    Raises:
        StorageError: the object store cannot be asked which file was published last.
    """
    try:
        published = latest(pipeline.settings.published, pipeline.settings.data_dir)
        rows = query(published, "select source, listing from meta.loads").rows()
    except WarehouseError:
        return {}
    return dict(rows)
