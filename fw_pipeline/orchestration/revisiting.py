"""Fetching the last closed months again: sources change their past, and `marts.drift` shows how far."""

from collections.abc import Mapping
from datetime import datetime

from dagster import (
    JobDefinition,
    OpDefinition,
    OpExecutionContext,
    ResourceParam,
    ScheduleDefinition,
    job,
    op,
)

from fw_pipeline.contract import FIRST_MONTH, Source, Window, last_closed_month
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.raw_assets import fetch_months

REVISIT = "revisit"

MONTHS = 3
"""Most of what moves, moves soon: deletions, late announcements, days that were loaded late."""


def last_months(now: datetime) -> Window:
    """Return the closed months that are looked at again."""
    return Window.of(Window.of(FIRST_MONTH, last_closed_month(now)).months()[-MONTHS:][0], last_closed_month(now))


def revisit_job(sources: Mapping[str, Source]) -> JobDefinition:
    """Return the job that fetches the last closed months of every source again; each month that moved is a new vintage.

    It asks for no month: a person launches it as it is. A source whose figures are frozen has none of these months
    within reach, and is asked nothing. One that fails does not keep the others from being fetched. What hangs on
    the months is built as after any backfill.
    """
    ops = [_again(source) for source in sources.values()]

    @job(
        name=REVISIT,
        description=f"Fetch the last {MONTHS} closed months of every source again, to see what has changed since.",
    )
    def revisit() -> None:
        for again in ops:
            again()

    return revisit


def _again(source: Source) -> OpDefinition:
    @op(name=f"{REVISIT}_{source.name}", description=f"Fetch the last {MONTHS} closed months of {source.title} again.")
    def again(context: OpExecutionContext, pipeline: ResourceParam[Pipeline]) -> None:
        fetch_months(context, source, pipeline, [last_months(pipeline.clock())])

    return again


def revisit_schedule(revisit: JobDefinition) -> ScheduleDefinition:
    """Return the schedule that revisits on the tenth: a week after the month that has closed was first fetched."""
    return ScheduleDefinition(
        name=REVISIT,
        job=revisit,
        cron_schedule="0 6 10 * *",
        execution_timezone="UTC",
        description=f"On the tenth of each month, 06:00 UTC: the last {MONTHS} closed months again, for drift.",
    )
