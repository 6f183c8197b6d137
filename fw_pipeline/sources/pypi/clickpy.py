"""The provider `clickpy`: all packages and the whole range in one aggregated query to ClickHouse's public server.

A first question says which days the server has of each month; the second asks for the figures of the months that are
complete there. Both questions and how their answers are read are in `clickpy_queries`, how the server says no in
`clickhouse_http`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from functools import partial
from typing import TypeVar

from fw_pipeline.contract import Availability, Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected
from fw_pipeline.http import HttpClient, RateLimit, Response
from fw_pipeline.months import Window, last_closed_month, next_month
from fw_pipeline.sources.clickhouse_http import CLICKPY_URL, SETTINGS, refuse_exceptions, text_array
from fw_pipeline.sources.pypi.clickpy_queries import DAYS, FIGURES, Calendar, Figures, read_calendar, read_figures
from fw_pipeline.sources.pypi.monthly_downloads import PACKAGE_NAMES, TABLE, month_frame

T = TypeVar("T")

NAME = "clickpy"

MOST_ROWS = 9_999
"""The public user gets 10,000 rows in one answer, and no more."""

_SUBJECT = f"pypi ({NAME})"
BEGINS = date(2016, 1, 1)
BEFORE = f"download records begin in {BEGINS:%Y-%m}"
_TRIES = 6


def clickpy(packages: tuple[str, ...] = PACKAGE_NAMES, *, most_rows: int = MOST_ROWS) -> Provider:
    """Return the provider that asks for some packages, in answers of at most `most_rows` rows.

    A package without a row in a month has no figure there: it is not known to the server, or nobody downloaded it.
    """
    return Provider(
        name=NAME,
        source="pypi",
        reach=_reach,
        fetch=partial(_fetch, packages, most_rows),
        plan=partial(_plan, packages, most_rows),
        answers="every month from 2016-01, all installers",
        cost="2 requests for ten years: one for the days that are there, one for the figures; one more beyond",
        needs="nothing",
        cannot_see="downloads from other indexes and mirrors; days on which the public server's loading stalled",
        settings=(CLICKPY_URL,),
    )


def _reach(fetch: FetchContext) -> Availability:
    last = last_closed_month(fetch.now)
    return Availability(Window.of(BEGINS, last), before=BEFORE, after=f"{last:%Y-%m} is the last month that has ended")


def _plan(packages: tuple[str, ...], most_rows: int, fetch: FetchContext) -> CostEstimate:
    asked = len(_chunks(fetch.window, len(packages), most_rows))
    queries = "1 for the figures" if asked == 1 else f"{asked} for the figures, in parts below {most_rows:,} rows"
    text = (
        f"{1 + asked} requests: 1 for the days that are there, {queries} of {len(packages)} packages; no key is needed"
    )
    return CostEstimate(1 + asked, text)


def _chunks(window: Window, packages: int, most_rows: int) -> list[Window]:
    """Return the window in parts whose answers cannot have more than `most_rows` rows."""
    months, step = window.months(), max(1, most_rows // packages)
    parts = [months[start : start + step] for start in range(0, len(months), step)]
    return [Window.of(part[0], part[-1]) for part in parts]


def _fetch(packages: tuple[str, ...], most_rows: int, fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    chunks = _chunks(fetch.window, len(packages), most_rows)
    seen: set[str] = set()
    with HttpClient(fetch, rate=RateLimit(1.0), budget=_TRIES * (1 + len(chunks)), host_label=_SUBJECT) as web:
        ask = partial(_ask, web, fetch, packages)
        calendar = ask(sql=DAYS, name="days", dates={}, read=partial(read_calendar, fetch))
        for chunk in chunks:
            present = [month for month in chunk.months() if not calendar.is_open(month) and month in calendar.days]
            figures = None
            if present:
                part = Window.of(present[0], present[-1])
                read = partial(read_figures, part, frozenset(packages), calendar)
                dates = {"first": part.start, "end": part.end}
                figures = ask(sql=FIGURES, name=f"downloads-{part}", dates=dates, read=read)
                seen |= {figure.package for month in figures.found.values() for figure in month}
                if figures.contradicts:
                    fetch.evidence.reject(calendar.ref, "the figures of the packages contradict it")
            for month in chunk.months():
                yield _answered(month, calendar, figures, fetch.now.date())
    if seen and (absent := [name for name in packages if name not in seen]):
        fetch.log(f"{_SUBJECT} {fetch.window}: no figure of {', '.join(absent)}")


def _ask(
    web: HttpClient,
    fetch: FetchContext,
    packages: tuple[str, ...],
    *,
    sql: str,
    name: str,
    dates: Mapping[str, date],
    read: Callable[[Response], T],
) -> T:
    given = {"projects": text_array(packages), **{key: day.isoformat() for key, day in dates.items()}}
    params = {"user": "demo", **SETTINGS, **{f"param_{key}": value for key, value in given.items()}}
    url = f"{fetch.options[CLICKPY_URL.name]}/"
    return web.post(url, params=params, body=sql.strip(), name=name, read=read, classify=refuse_exceptions)


def _answered(month: date, calendar: Calendar, figures: Figures | None, observed_on: date) -> Batch | MonthRejected:
    if calendar.is_open(month):
        cause = f"the newest day of {NAME} is {calendar.newest}: the month is not complete there"
        return MonthRejected(
            _SUBJECT, cause, "run again when it has caught up, or set FW_PROVIDERS=pypi=pypistats", month=month
        )
    if month not in calendar.days or figures is None:
        return Batch(month, TABLE.schema.to_frame(), (calendar.ref,), gap=calendar.why_none(month))
    if (fault := figures.faults.get(month)) is not None:
        return MonthRejected(_SUBJECT, fault, "run again: it is asked for anew; see the evidence file", month=month)
    rows = month_frame(month, figures.found[month], present=calendar.days[month], origin=NAME, observed_on=observed_on)
    notes = calendar.notes + figures.notes
    if calendar.newest < next_month(month):
        notes += (f"{NAME} has no day after {calendar.newest} yet: that day may still grow",)
    return Batch(month, rows, (calendar.ref, figures.ref), notes=notes)


PROVIDER = clickpy()
"""The provider, for every package of the catalogue."""
