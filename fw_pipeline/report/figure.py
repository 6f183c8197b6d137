"""The parts of a chart: its picture, its data, the SQL behind them, its dated events, and its description in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from typing import Any

import polars as pl

NEAR = timedelta(days=200)
"""Marks of events that are closer than this would touch on a narrow screen."""

PARSE: Mapping[str, str] = {"Date": "date", "Boolean": "boolean", "String": "string"}


@dataclass(frozen=True, slots=True)
class Control:
    """A choice that the reader of a chart can make: it sets the parameter `name` of the picture."""

    name: str
    label: str
    options: Mapping[str, str]
    """Value of the parameter -> what the reader sees. The first is the default."""


@dataclass(frozen=True, slots=True)
class Event:
    """A dated event, marked in a chart by its number."""

    number: int
    day: str
    text: str
    reference: str
    height: int = 0
    """1 if the mark is raised above the others, because its neighbour is too close."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A chart with all of its parts."""

    name: str
    title: str
    lead: str
    """What the chart shows and how to read it, in a sentence or two."""
    summary: str
    """What the figures show, in words, for readers who cannot see the chart."""
    spec: dict[str, Any]
    """The Vega-Lite specification, without its data."""
    rows: pl.DataFrame
    sql: str
    credit: str
    """Who published the figures."""
    takeaway: str = ""
    """What the finding means and does not mean, in one sentence; empty for a chart without a finding."""
    shows: tuple[str, ...] = ()
    """Names of the tables that it is drawn from."""
    controls: tuple[Control, ...] = ()
    events: tuple[Event, ...] = ()
    notes: tuple[str, ...] = ()
    has_range: bool = True
    start_year: int | None = None
    """The first year that is shown initially, if an earlier one would dwarf the rest."""

    @property
    def csv(self) -> str:
        """The data as CSV; an empty cell is a missing figure."""
        return self.rows.write_csv(date_format="%Y-%m-%d", float_precision=6)

    @property
    def parse(self) -> dict[str, str]:
        """How Vega reads each column of the CSV."""
        return {name: PARSE.get(str(kind), "number") for name, kind in self.rows.schema.items()}

    @property
    def years(self) -> tuple[int, ...]:
        """The years that the reader can choose from; none if a range makes no sense."""
        column = next((name for name, kind in self.rows.schema.items() if kind == pl.Date), None)
        if not self.has_range or column is None or self.rows[column].is_null().all():
            return ()
        found = self.rows[column].dt.year().drop_nulls().to_list()
        return tuple(range(min(found), max(found) + 1)) if min(found) < max(found) else ()

    def full_spec(self) -> dict[str, Any]:
        """Return the specification with its data embedded, ready for the Vega editor."""
        return {**self.spec, "data": {"values": self.csv, "format": {"type": "csv", "parse": self.parse}}}


def events_within(
    events: pl.DataFrame, frameworks: Collection[str], first: date | None, last: date | None
) -> list[Event]:
    """Return the events about `frameworks`, or about all of them, between two months, numbered in order."""
    if first is None or last is None:
        return []
    chosen: list[Event] = []
    previous: date | None = None
    for row in events.sort("day").iter_rows(named=True):
        concerned = {name.strip() for name in (row["frameworks"] or "").split(";")}
        if not first <= row["day"] <= last or concerned.isdisjoint({*frameworks, "all"}):
            continue
        near = previous is not None and row["day"] - previous < NEAR
        height = 1 - chosen[-1].height if near else 0
        chosen.append(Event(len(chosen) + 1, str(row["day"]), row["event"], row["reference"] or "", height))
        previous = row["day"]
    return chosen


def sql(name: str) -> str:
    """Return the report's query `name`."""
    return resources.files("fw_pipeline.report").joinpath("queries", f"{name}.sql").read_text(encoding="utf-8")


def sql_of_claim(claim: str) -> str:
    """Return the query for the verdicts of one claim."""
    quoted = claim.replace("'", "''")
    return sql("verdicts").replace("order by", f"where verdicts.claim = '{quoted}'\norder by")
