"""The one time dimension: closed UTC months, for each source those that it can have; said once, for everything."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from datetime import date, datetime
from typing import ParamSpec, TypeVar

from dagster import AssetExecutionContext, BackfillPolicy, BetaWarning, MonthlyPartitionsDefinition

from fw_pipeline.contract import Source
from fw_pipeline.ingestion.providers import offered
from fw_pipeline.months import Window, last_closed_month, parse_month
from fw_pipeline.settings import Settings

P = ParamSpec("P")
R = TypeVar("R")

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Tags of a run that covers a range of months."""

BACKFILL = "dagster/backfill"
"""The tag of a run that belongs to a backfill."""


def beta(call: Callable[P, R]) -> Callable[P, R]:
    """Call a part of Dagster that is in beta without its warning: the version is pinned, and tests hold the rest."""

    @functools.wraps(call)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BetaWarning)
            return call(*args, **kwargs)

    return quiet


ONE_RUN = beta(BackfillPolicy.single_run)()
"""A backfill of any range is one run per source."""


def months_of(source: Source, settings: Settings, *, now: datetime) -> MonthlyPartitionsDefinition:
    """Return the partitions of a source: the months that its provider can answer.

    Keys are ISO dates of the first day. A month is offered once it has ended; the months end where the provider's do,
    as recorded figures and archives do, and grow with the calendar otherwise.
    """
    window = offered(source, settings, now=now)
    has_ended = window.end <= last_closed_month(now)
    return MonthlyPartitionsDefinition(
        start_date=window.start.isoformat(), end_date=window.end.isoformat() if has_ended else None, timezone="UTC"
    )


def key(month: date) -> str:
    """Return the partition key of a month."""
    return month.isoformat()


def windows(context: AssetExecutionContext) -> list[Window]:
    """Return the months that a run covers, as contiguous windows: one month, a range, or a set with holes."""
    return Window.spans(parse_month(text) for text in context.partition_keys)
