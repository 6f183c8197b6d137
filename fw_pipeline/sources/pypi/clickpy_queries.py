"""What `clickpy` asks for in ClickHouse's SQL, and how the two answers are read: the days that are there, the figures.

Nothing here asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from fw_pipeline.contract import FetchContext
from fw_pipeline.http import InvalidResponse, Response, needed, text, utc_date, whole_number
from fw_pipeline.months import Window, next_month
from fw_pipeline.sources.clickhouse_http import result_rows
from fw_pipeline.sources.pypi.monthly_downloads import Days, Figure
from fw_pipeline.text import one_line

_DAY = timedelta(days=1)

DAYS = """
SELECT toStartOfMonth(date) AS month, sum(count) AS downloads,
    uniqExact(date) AS days, min(date) AS first_day, max(date) AS last_day
FROM pypi.pypi_downloads_per_day
WHERE project IN {projects:Array(String)} AND count <> 0
GROUP BY month
ORDER BY month
"""
"""The days that are there of each month, and the downloads of all packages together, as a check on what follows."""

FIGURES = """
SELECT toStartOfMonth(date) AS month, project, sum(count) AS downloads,
    uniqExact(date) AS days, min(date) AS first_day, max(date) AS last_day
FROM pypi.pypi_downloads_per_day
WHERE project IN {projects:Array(String)} AND date >= {first:Date} AND date < {end:Date} AND count <> 0
GROUP BY month, project
ORDER BY month, project
"""
"""The figures: summed, because the table holds a day of a project in several rows until it merges them.

A row of zero says nothing: the engine drops it when it merges, and a day that has no other is lost.
"""

_OF_DAYS = frozenset({"month", "downloads", "days", "first_day", "last_day"})
_OF_FIGURES = _OF_DAYS | {"project"}


@dataclass(frozen=True, slots=True)
class Calendar:
    """Which days the server has of any of the packages, by month."""

    ref: str
    days: Mapping[date, Days]
    totals: Mapping[date, int]
    """Downloads of all packages together."""
    newest: date
    notes: tuple[str, ...]

    def is_open(self, month: date) -> bool:
        """Say whether the server may still get days of a month."""
        return self.newest < next_month(month) - _DAY

    def why_none(self, month: date) -> str:
        """Return why there is no figure of a month that is closed and has no day."""
        first = min(self.days)
        if month < first:
            return f"the records of clickpy begin on {self.days[first].first}"
        return "clickpy has no day of this month, although it has later ones"


@dataclass(frozen=True, slots=True)
class Figures:
    """What one answer says: figures by month, and what is wrong with others."""

    ref: str
    found: Mapping[date, tuple[Figure, ...]]
    faults: Mapping[date, str]
    contradicts: bool
    """Whether a fault is that the calendar says something else: then either answer may be the wrong one."""
    notes: tuple[str, ...]


def read_calendar(fetch: FetchContext, answer: Response) -> Calendar:
    """Read the answer to `DAYS`.

    Raises:
        Transient, InvalidResponse: it is none, or it was kept before the months asked for were complete.
    """
    found, notes = result_rows(answer, _OF_DAYS)
    days: dict[date, Days] = {}
    totals: dict[date, int] = {}
    newest = date.min
    for row in found:
        month = needed(row, "month", utc_date)
        if month in days:
            raise InvalidResponse(f"month {month:%Y-%m} is there twice")
        days[month], last = _span(row, month)
        totals[month] = needed(row, "downloads", whole_number)
        newest = max(newest, last)
    if not days:
        raise InvalidResponse(
            "it has no day of any of the packages", "check FW_CLICKPY_URL; the service may have changed"
        )
    if newest > fetch.now.date() + _DAY:
        raise InvalidResponse(f"its newest day, {newest}, is yet to come", "check the clock of this machine")
    if answer.replayed and newest < fetch.window.end - _DAY:
        raise InvalidResponse(f"the kept answer ends on {newest}, before the months asked for")
    return Calendar(answer.evidence.ref, days, totals, newest, notes)


def read_figures(asked: Window, packages: frozenset[str], calendar: Calendar, answer: Response) -> Figures:
    """Read the answer to `FIGURES`.

    Raises:
        Transient, InvalidResponse: it is none, answers another question, or was kept although some of its months
            are unfit.
    """
    found_rows, notes = result_rows(answer, _OF_FIGURES)
    found: dict[date, dict[str, Figure]] = {}
    faults: dict[date, str] = {}
    for row in found_rows:
        month, package = needed(row, "month", utc_date), needed(row, "project", text)
        if month not in asked or month.day != 1 or package not in packages:
            raise InvalidResponse(f"the answer has {one_line(package, 60)} in {month}, which was not asked for")
        figure = _figure(row, month, package)
        if isinstance(figure, str):
            faults.setdefault(month, figure)
        elif package in found.setdefault(month, {}):
            faults.setdefault(month, f"{package} is there twice")
        else:
            found[month][package] = figure
    contradictions = {
        month: f"the days that are there hold {announced:,} downloads, the figures of the packages {summed:,}"
        for month in asked.months()
        if month not in faults
        for announced in (calendar.totals.get(month, 0),)
        for summed in (sum(figure.downloads for figure in found.get(month, {}).values()),)
        if announced != summed or (month in found) != (month in calendar.days)
    }
    faults |= contradictions
    if answer.replayed and faults:
        raise InvalidResponse(f"the kept answer is unfit: {next(iter(faults.values()))}")
    by_month = {month: tuple(figures.values()) for month, figures in found.items()}
    return Figures(answer.evidence.ref, by_month, faults, bool(contradictions), notes)


def _figure(row: Mapping[str, Any], month: date, package: str) -> Figure | str:
    """Return the figure of a row, or what is wrong with it."""
    try:
        downloads, (days, _) = needed(row, "downloads", whole_number), _span(row, month)
    except InvalidResponse as fault:
        return f"{package}: {fault.cause}"
    return Figure(package, "all", downloads, days)


def _span(row: Mapping[str, Any], month: date) -> tuple[Days, date]:
    """Return the days of a month that a row speaks of, and the last of them.

    Raises:
        InvalidResponse: they are not days of the month.
    """
    number = needed(row, "days", whole_number)
    first, last = needed(row, "first_day", utc_date), needed(row, "last_day", utc_date)
    inside = month.day == 1 and month <= first <= last < next_month(month)
    if not inside or not 1 <= number <= (last - first).days + 1:
        raise InvalidResponse(f"{number} days from {first} to {last} are not days of {month}")
    return Days(first, number), last
