"""Which dated events belong on which chart, and how their marks keep out of each other's way."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import polars as pl

from fw_pipeline.report.figure import Event

NEAR = timedelta(days=200)
"""Marks of events that lie nearer than this would touch on a narrow screen."""


def for_chart(events: pl.DataFrame, frameworks: Collection[str], first: date | None, last: date | None) -> list[Event]:
    """Return the events on `frameworks`, or on all of them, between two months; numbered in order."""
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
