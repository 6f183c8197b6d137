"""The one time dimension: UTC months since November 2015, closed ones only; said once, for everything."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from datetime import date
from typing import ParamSpec, TypeVar

from dagster import AssetExecutionContext, BackfillPolicy, BetaWarning, MonthlyPartitionsDefinition

from fw_pipeline.contract import FIRST_MONTH, Window, parse_month

MONTHS = MonthlyPartitionsDefinition(start_date=FIRST_MONTH.isoformat(), timezone="UTC")
"""Partition keys are ISO dates of the first day; the open month is no partition yet."""

P = ParamSpec("P")
R = TypeVar("R")

RANGE_START, RANGE_END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
"""Tags of a run that covers a range of months."""


def beta(call: Callable[P, R]) -> Callable[P, R]:
    """Call a part of Dagster that is in beta without its warning: the version is pinned, and tests hold the rest."""

    @functools.wraps(call)
    def quiet(*args: P.args, **kwargs: P.kwargs) -> R:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", BetaWarning)
            return call(*args, **kwargs)

    return quiet


ONE_RUN = beta(BackfillPolicy.single_run)()
"""A backfill of any range is one run a source."""


def key(month: date) -> str:
    """Return the partition key of a month."""
    return month.isoformat()


def windows(context: AssetExecutionContext) -> list[Window]:
    """Return the months that a run covers, as contiguous windows: one month, a range, or a set with holes."""
    return Window.spans(parse_month(text) for text in context.partition_keys)
