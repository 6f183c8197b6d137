"""The provider `pypistats`: the last 180 days of pypistats.org, with and without mirrors, one request per package."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any

import polars as pl

from fw_pipeline.contract import Availability, Batch, CostEstimate, FetchContext, Provider, Setting
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import (
    HttpClient,
    InvalidResponse,
    RateLimit,
    Response,
    needed,
    rows,
    text,
    utc_date,
    whole_number,
)
from fw_pipeline.months import Window, last_closed_month, next_month
from fw_pipeline.sources.pypi.monthly_downloads import PACKAGE_NAMES, PYPI_DAILY, TABLE, Days, Figure, month_frame
from fw_pipeline.text import one_line

NAME = "pypistats"

_URL = Setting("FW_PYPISTATS_URL", "The API of pypistats.org.", default="https://pypistats.org/api")

_SUBJECT = f"pypi ({NAME})"
_KEPT_DAYS = 180
_DAY = timedelta(days=1)
_PACE = 2.0
"""The service was once limited to thirty requests a minute, and says no more what its limit is."""

_TRIES = 6
_INSTALLERS: Mapping[str, str] = MappingProxyType({"with_mirrors": "all", "without_mirrors": "without mirrors"})
_PARTS = frozenset({"data", "package", "type"})
_FIELDS = frozenset({"category", "date", "downloads"})
_ADDRESS = "check FW_PYPISTATS_URL; the service may have changed"


@dataclass(frozen=True, slots=True)
class _Listing:
    """What one answer says of one package: a row for each day and kind of installers, and the months that are wrong."""

    ref: str
    rows: tuple[tuple[date, str, str, int], ...]
    faults: Mapping[date, str]
    notes: tuple[str, ...]


def pypistats(packages: tuple[str, ...] = PACKAGE_NAMES) -> Provider:
    """Return the provider that asks for some packages.

    A package that is not known to the service, or has no day there, has no figure: that is not a zero.
    """
    return Provider(
        name=NAME,
        source="pypi",
        reach=_reach,
        fetch=partial(_fetch, packages),
        plan=partial(_plan, packages),
        answers="the last 180 days, all installers and without mirrors, by day",
        cost=f"{len(packages)} requests, one per package, for any range; at most thirty a minute",
        needs="nothing",
        cannot_see="anything older than 180 days; downloads from other indexes and mirrors",
        settings=(_URL,),
        detail=PYPI_DAILY,
    )


def _reach(fetch: FetchContext) -> Availability:
    first, last = fetch.now.date() - timedelta(days=_KEPT_DAYS), last_closed_month(fetch.now)
    before = f"{NAME} keeps {_KEPT_DAYS} days, now from {first} on; choose pypi=clickpy with FW_PROVIDERS"
    window = Window.of(first.replace(day=1), last)
    return Availability(window, before=before, after=f"{last:%Y-%m} is the last month that has ended")


def _plan(packages: tuple[str, ...], _: FetchContext) -> CostEstimate:
    number = len(packages)
    minutes = max(1, round(number * _PACE / 60))
    text = f"{number} requests, one per package, about {minutes} minutes at thirty a minute; no key is needed"
    return CostEstimate(number, text)


def _fetch(packages: tuple[str, ...], fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    with HttpClient(fetch, rate=RateLimit(_PACE), budget=_TRIES * len(packages), host_label=_SUBJECT) as web:
        listings = [_ask(web, fetch, package) for package in packages]
    days = pl.DataFrame([row for it in listings for row in it.rows], schema=PYPI_DAILY.schema, orient="row")
    days, lost = _without_lost_days(days)
    newest: Any = days["day"].max()
    if newest is None:
        cause = "it has no day of any of the packages"
        for listing in listings:  # each alone was believable; together they must not be replayed
            fetch.evidence.reject(listing.ref, cause)
        raise SourceError(_SUBJECT, cause, _ADDRESS, month=fetch.window)
    first: Any = days["day"].min()
    if absent := [name for name, it in zip(packages, listings, strict=True) if not it.rows]:
        fetch.log(f"{_SUBJECT}: has no figure of {', '.join(absent)}")
    for month in fetch.window.months():
        fault = next((it.faults[month] for it in listings if month in it.faults), None)
        if fault is not None:
            yield MonthRejected(_SUBJECT, fault, "run again: it is asked for anew; see the evidence file", month=month)
        elif newest < next_month(month) - _DAY:
            cause = f"the newest day of {NAME} is {newest}: the month is not complete there"
            if lost and lost[-1] > newest:  # else the zeros would be replayed
                for listing in listings:
                    fetch.evidence.reject(listing.ref, cause)
            yield MonthRejected(_SUBJECT, cause, "run again in a day, or set FW_PROVIDERS=pypi=clickpy", month=month)
        else:
            said = [f"{day} is lost: the service has zeros for every package" for day in lost if _month(day) == month]
            yield _batch(month, days, listings, first, observed_on=fetch.now.date(), notes=said)


def _without_lost_days(days: pl.DataFrame) -> tuple[pl.DataFrame, list[date]]:
    """Leave out the days on which nobody downloaded any of the packages, and return which these are.

    The service keeps a day that it lost as a day of zeros. Of one package that may be true; of all together it is not.
    """
    whole = pl.col("downloads").sum().over("day", "installers")
    lost = days.filter(whole == 0)["day"].unique().sort().to_list()
    return days.filter(whole > 0), lost


def _ask(web: HttpClient, fetch: FetchContext, package: str) -> _Listing:
    url = f"{fetch.options[_URL.name]}/packages/{package}/overall"
    read = partial(_read, fetch, package)
    return web.get(url, name=f"overall-{package}", read=read, statuses=(200, 404))


def _read(fetch: FetchContext, package: str, answer: Response) -> _Listing:
    ref = answer.evidence.ref
    unknown = _Listing(ref, (), {}, ())
    if answer.status == 404:  # noqa: PLR2004
        if answer.first_words() != "404":  # the page of a gateway says nothing of the package
            raise InvalidResponse(f"HTTP 404 for {package}: {answer.first_words()}", _ADDRESS)
        return unknown
    body = answer.json(dict)
    named, kind = needed(body, "package", text), needed(body, "type", text)
    if _normal(named) != package or kind != "overall_downloads":
        raise InvalidResponse(
            f"the answer is about {one_line(kind, 40)} of {one_line(named, 40)}, not of {package}", _ADDRESS
        )
    listing = _listing(package, ref, rows(body.get("data"), "data"), _strange(body))
    if not listing.rows and not listing.faults:
        return unknown
    newest = max((row[0] for row in listing.rows), default=date.min)
    if newest > fetch.now.date() + _DAY:
        raise InvalidResponse(
            f"the newest day of {package}, {newest}, is yet to come", "check the clock of this machine"
        )
    if answer.replayed and (newest < fetch.window.end - _DAY or any(month in fetch.window for month in listing.faults)):
        raise InvalidResponse(
            f"the kept answer for {package} is unfit, or ends on {newest}, before the months asked for"
        )
    return listing


def _listing(package: str, ref: str, items: list[dict[str, Any]], notes: tuple[str, ...]) -> _Listing:
    found: dict[tuple[date, str], int] = {}
    faults: dict[date, str] = {}
    for item in items:
        category, day = needed(item, "category", text), needed(item, "date", utc_date)
        if (installers := _INSTALLERS.get(category)) is None:
            notes += (f"category {one_line(category, 40)} is there and is not counted",)
            continue
        downloads = _downloads(item)
        if isinstance(downloads, str) or (day, installers) in found:
            cause = downloads if isinstance(downloads, str) else f"{day} is there twice"
            faults.setdefault(_month(day), f"{package}: {cause}")
            continue
        found[day, installers] = downloads
    listed = tuple((day, package, installers, downloads) for (day, installers), downloads in sorted(found.items()))
    return _Listing(ref, listed, faults, tuple(dict.fromkeys(notes)))


def _downloads(item: Mapping[str, Any]) -> int | str:
    """Return the downloads of a day, or what is wrong with them."""
    try:
        return needed(item, "downloads", whole_number)
    except InvalidResponse as fault:
        return fault.cause


def _strange(body: Mapping[str, Any]) -> tuple[str, ...]:
    names = sorted({*body} - _PARTS) + sorted({name for item in body["data"] for name in item} - _FIELDS)
    return tuple(f"the answer also has {one_line(name, 60)}, which is not known" for name in names)


def _batch(
    month: date, days: pl.DataFrame, listings: list[_Listing], first: date, *, observed_on: date, notes: list[str]
) -> Batch:
    detail = days.filter(pl.col("day").is_between(month, next_month(month) - _DAY)).sort("day", "package", "installers")
    if not detail.height:
        why = f"begins on {first}" if month < first else "has no day of this month, although it has later ones"
        evidence = tuple(it.ref for it in listings if it.rows)
        return Batch(month, TABLE.schema.to_frame(), evidence, gap=f"what {NAME} keeps {why}")
    whole = detail["day"]
    counted = detail.group_by("package", "installers").agg(
        pl.col("downloads").sum(), pl.col("day").min().alias("first"), pl.col("day").n_unique().alias("number")
    )
    figures = [
        Figure(row["package"], row["installers"], row["downloads"], Days(row["first"], row["number"]))
        for row in counted.iter_rows(named=True)
    ]
    present = Days(whole.min(), whole.n_unique())  # type: ignore[arg-type]
    frame = month_frame(month, figures, present=present, origin=NAME, observed_on=observed_on)
    named = {*detail["package"]}
    evidence = tuple(it.ref for it in listings if it.rows and it.rows[0][1] in named)
    said = (*notes, *(note for it in listings for note in it.notes))
    return Batch(month, frame, evidence, detail, notes=tuple(dict.fromkeys(said)))


def _month(day: date) -> date:
    return day.replace(day=1)


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


PROVIDER = pypistats()
"""The provider, for every package of the catalogue."""
