"""The provider `recorded`: real figures that others published, shipped with the repository as one CSV file a source.

It makes no request. How a line becomes a row is in `recorded_rows`; where each figure comes from is in
`data/recorded/README.md`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache, partial

import polars as pl

from fw_pipeline.contract import Availability, Batch, CostEstimate, FetchContext, Provider, Table
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month, next_month
from fw_pipeline.sources.recorded_rows import Fault, Figures, NotReadable, read_figures

NAME = "recorded"

Reader = Callable[..., Figures]
"""Reads the text of a recorded file, up to a last month."""

_RESTORE = "restore it from the repository"
_CORRECT = "correct the line, or restore the file from the repository"
_SHOWN = 3

_FIRST_KEPT = (FIRST_MONTH, f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released")

_UNRECORDED = "not recorded"
"""What the effect of an outage says when it leaves no figure at all, rather than a wrong one."""


def recorded(source: str, table: Table, *, begins: tuple[date, str] = _FIRST_KEPT) -> Provider:
    """Return the provider of the figures recorded for one source.

    A line that is wrong refuses its month. A line whose month cannot be told fails the source, after the months that
    are good. Months out of reach are not answered: `Availability` says why. Figures that belong to no month are
    answered last.

    Args:
        source: its name; the file is `<source>.csv`.
        table: its raw table.
        begins: the first month of its own records, and why there is none earlier.
    """
    read: Reader = lru_cache(maxsize=1)(partial(read_figures, source=source, table=table))  # asked for many times a run
    return Provider(
        name=NAME,
        source=source,
        reach=partial(_reach, source, read, begins),
        fetch=partial(_fetch, source, table.schema, read, begins),
        plan=partial(_plan, source),
        answers="the months that others published figures for",
        cost="no request",
        needs="nothing",
        cannot_see="anything after the last recorded month, and what was deleted before the figures were taken",
    )


def _plan(source: str, _: FetchContext) -> CostEstimate:
    return CostEstimate(0, f"no request: reads {source}.csv of the recorded figures")


def _reach(source: str, read: Reader, begins: tuple[date, str], fetch: FetchContext) -> Availability:
    return _reach_of(source, _figures(source, read, fetch, _read(source, fetch, f"{source}.csv")), begins)


def _reach_of(source: str, figures: Figures, begins: tuple[date, str]) -> Availability:
    months = [month for month in (*figures.rows, *figures.faults) if month is not None]
    if not months:
        raise SourceError(_subject(source), f"{source}.csv has no line whose month can be told", _RESTORE)
    last = max(months)
    first, before = begins
    return Availability(
        Window.of(min(first, last), last),
        before=before,
        after=f"the recorded figures end in {last:%Y-%m}; set FW_MODE=live",
    )


def _fetch(
    source: str, schema: pl.Schema, read: Reader, begins: tuple[date, str], fetch: FetchContext
) -> Iterator[Batch | MonthRejected]:
    file = f"{source}.csv"
    body = _read(source, fetch, file)
    figures = _figures(source, read, fetch, body)
    window = _reach_of(source, figures, begins).window
    evidence = (fetch.evidence.keep(f"recorded/{file}", body, name=file).ref,)
    for month in fetch.window.months():
        if month not in window:
            continue
        if faults := figures.faults.get(month):
            yield MonthRejected(_subject(source), _told(file, faults), _CORRECT, month=month)
        elif rows := figures.rows.get(month):
            yield Batch(month, pl.DataFrame(rows, schema=schema, orient="row"), evidence)
        else:
            try:
                gap = _gap(source, month, fetch)
            except SourceError as unread:
                yield MonthRejected(unread.subject, unread.cause, unread.remedy, month=month)
            else:
                yield Batch(month, schema.to_frame(), evidence, gap=gap)
    if faults := figures.faults.get(None):
        raise SourceError(_subject(source), _told(file, faults), _CORRECT)
    if rows := figures.rows.get(None):
        yield Batch(None, pl.DataFrame(rows, schema=schema, orient="row"), evidence)


def _subject(source: str) -> str:
    return f"{source} ({NAME})"


def _told(file: str, faults: list[Fault]) -> str:
    """Write the first faults of a file in one line."""
    more = f", and {len(faults) - _SHOWN} more" if len(faults) > _SHOWN else ""
    return f"{file} " + ", ".join(str(fault) for fault in faults[:_SHOWN]) + more


def _read(source: str, fetch: FetchContext, file: str) -> bytes:
    """Return the bytes of one recorded file.

    Raises:
        SourceError: the file is missing or cannot be read.
    """
    if fetch.recorded is None:
        raise SourceError(_subject(source), "no folder of recorded figures was given", "name the folder")
    try:
        return (fetch.recorded / file).read_bytes()
    except FileNotFoundError:
        raise SourceError(_subject(source), f"{file} is missing from the recorded figures", _RESTORE) from None
    except OSError as broken:
        raise SourceError(_subject(source), f"{file} cannot be read: {broken.strerror}", _RESTORE) from None


def _text(source: str, file: str, body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as broken:
        line = body.count(b"\n", 0, broken.start) + 1
        raise SourceError(_subject(source), f"{file} line {line} is not valid UTF-8", _RESTORE) from None


def _figures(source: str, read: Reader, fetch: FetchContext, body: bytes) -> Figures:
    """Return the rows and faults of the source's file.

    Raises:
        SourceError: the file as a whole is not a table of this source.
    """
    file = f"{source}.csv"
    text = _text(source, file, body)
    try:
        return read(text, last=last_closed_month(fetch.now))
    except NotReadable as unfit:
        raise SourceError(_subject(source), f"{file} {unfit}", _RESTORE) from None


def _gap(source: str, month: date, fetch: FetchContext) -> str:
    """Return why a month in reach has no figure.

    Raises:
        SourceError: the list of outages cannot be read, so the reason is not known.
    """
    file = "outages.csv"
    last_day = next_month(month) - timedelta(days=1)
    try:
        for outage in csv.DictReader(io.StringIO(_text(source, file, _read(source, fetch, file)))):
            first, last = date.fromisoformat(outage["first_day"]), date.fromisoformat(outage["last_day"])
            covered = outage["source"] == source and first <= month and last_day <= last
            if covered and _UNRECORDED in outage["effect"]:
                return f"{outage['effect']} from {first} to {last} ({outage['reference']})"
    except (KeyError, TypeError, ValueError, csv.Error):
        raise SourceError(_subject(source), f"{file} is not a list of outages", _RESTORE) from None
    return "the recorded figures have none for this month"
