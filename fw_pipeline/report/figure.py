"""The parts of a chart: picture, data, SQL, dated events, a description in words; and the colours of charts and page.

A chart names a colour by its token, `var(--pytorch)`. On the page the token follows the reader's light or dark scheme;
in an exported chart `solid` replaces it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from types import MappingProxyType
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


LIGHT: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#fffdf9",
        "panel": "#f6f3ec",
        "ink": "#1d1b18",
        "soft": "#5e5850",
        "faint": "#767067",
        "hair": "#ddd7cb",
        "grid": "#e9e4da",
        "link": "#0b5394",
        "tensorflow": "#c2510b",
        "pytorch": "#0072b2",
        "keras": "#a84a84",
        "jax": "#007f5f",
        "pypi": "#26231f",
        "stackoverflow": "#8a6d00",
        "papers": "#7a3fa8",
        "present": "#8fa3ad",
        "partial": "#c9a227",
        "gap": "#b5452c",
    }
)
"""The light scheme. Every framework has a contrast of at least 4.5 to 1 with `paper`, in hues for the colour-blind."""

DARK: Mapping[str, str] = MappingProxyType(
    {
        "paper": "#171614",
        "panel": "#211f1c",
        "ink": "#f1ede4",
        "soft": "#b9b2a5",
        "faint": "#98917f",
        "hair": "#3b3731",
        "grid": "#2e2b27",
        "link": "#8cc4ff",
        "tensorflow": "#ff9a52",
        "pytorch": "#5cb6f2",
        "keras": "#e79ac8",
        "jax": "#44cfa3",
        "pypi": "#f1ede4",
        "stackoverflow": "#e3c04b",
        "papers": "#c9a4f2",
        "present": "#6f8591",
        "partial": "#d9b44a",
        "gap": "#e2735a",
    }
)
"""The dark scheme, with the same tokens."""

TITLES: Mapping[str, str] = MappingProxyType(
    {"tensorflow": "TensorFlow", "pytorch": "PyTorch", "keras": "Keras", "jax": "JAX"}
)
"""The frameworks that are drawn, in the order of every legend."""


def token(name: str) -> str:
    """Return the colour `name` in the form that charts and the style sheet use."""
    return f"var(--{name})"


def solid(text: str, scheme: Mapping[str, str] = LIGHT) -> str:
    """Replace every token in `text` with its colour, for a file without a style sheet."""
    return re.sub(r"var\(--([a-z]+)\)", lambda found: scheme[found[1]], text)


def declarations(scheme: Mapping[str, str]) -> str:
    """Return the scheme as CSS custom properties."""
    return "".join(f"--{name}:{colour};" for name, colour in scheme.items())
