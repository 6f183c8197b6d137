"""The jobs that people and schedules launch. The command line runs the same jobs."""

from collections.abc import Collection, Mapping
from datetime import datetime

from dagster import (
    AssetCheckKey,
    AssetKey,
    AssetSelection,
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
from fw_pipeline.ingestion.providers import offered
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.orchestration.failures import plain_failures
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import GAPS, fetch_months

REBUILD = "rebuild"
MONTHLY = "monthly"
REVISIT = "revisit"

REVISITED = 3
"""Most of what moves, moves soon: deletions, late announcements, days that were loaded late."""


def fetch(source: str) -> str:
    """Return the name of the job that fetches months of a source."""
    return f"fetch_{source}"


def jobs_and_schedules(sources: Mapping[str, Source]) -> Definitions:
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
                MONTHLY, sources, 1, "Fetch the month that has closed, of every source that can have it."
            ),
            _closed_months_job(REVISIT, sources, REVISITED, again),
        ],
        schedules=[
            ScheduleDefinition(
                name=MONTHLY,
                job_name=MONTHLY,
                cron_schedule="0 6 3 * *",
                execution_timezone="UTC",
                description="On the third, 06:00 UTC: the month that has closed, of every source.",
            ),
            ScheduleDefinition(
                name=REVISIT,
                job_name=REVISIT,
                cron_schedule="0 6 10 * *",
                execution_timezone="UTC",
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


def _closed_months_job(name: str, sources: Mapping[str, Source], count: int, description: str) -> JobDefinition:
    """Return a job that asks for no month: a person or a schedule launches it as it is.

    A source whose figures have ended is asked nothing. One that fails does not keep the others from being fetched. The
    tables that read the months are built as after any backfill.
    """
    ops = [_fetch_op(name, source, count) for source in sources.values()]

    @job(name=name, description=description)
    def all_sources() -> None:
        for each in ops:
            each()

    return all_sources


def _fetch_op(name: str, source: Source, count: int) -> OpDefinition:
    @op(name=f"{name}_{source.name}", description=f"Fetch the last closed months of {source.title}, {count} of them.")
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
