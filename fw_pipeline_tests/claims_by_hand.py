"""Sums, ratios and changes over the recorded CSV files, in plain Python and Polars: the other path to the claims."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from itertools import pairwise
from pathlib import Path

import polars as pl

RECORDED = Path(__file__).parents[1] / "data" / "recorded"
Series = Mapping[date, float]
CLOSE = 1e-8
"""What is measured is rounded to nine places."""


@cache
def read(source: str) -> pl.DataFrame:
    return pl.read_csv(RECORDED / f"{source}.csv", infer_schema=False).with_columns(pl.col("month").str.to_date())


@cache
def questions(tag: str) -> dict[date, float]:
    rows = read("stackoverflow").filter(pl.col("tagged") == tag).sort("month")
    return {month: float(count) for month, count in rows.select("month", "questions").rows()}


@cache
def downloads(package: str, origin: str, installers: str) -> dict[date, float]:
    rows = (
        read("pypi")
        .filter(pl.col("package") == package, pl.col("origin") == origin, pl.col("installers") == installers)
        .sort("month")
        .select("month", pl.col("downloads").cast(pl.Float64) / pl.col("days_covered").cast(pl.Float64))
    )
    return dict(rows.rows())


def starscout(package: str) -> dict[date, float]:
    return downloads(package, "StarScout", "all")


def over(parts: Series, wholes: Series) -> dict[date, float]:
    return {month: part / wholes[month] for month, part in parts.items() if wholes.get(month)}


def at_months_of(narrow: Series, wide: Series) -> dict[date, float]:
    return {month: wide[month] for month in narrow}


def summed(series: Series, months: int) -> dict[date, float]:
    """Sum the last `months` months. The figures used here have no holes, so neighbours are neighbouring months."""
    days = sorted(series)
    assert all((b.year - a.year) * 12 + b.month - a.month == 1 for a, b in pairwise(days))
    return {
        end: sum(series[day] for day in days[at - months + 1 : at + 1])
        for at, end in enumerate(days)
        if at >= months - 1
    }


def a_year_before(month: date) -> date:
    return month.replace(year=month.year - 1)


def yearly_change(series: Series) -> dict[date, float]:
    return {at: value / series[a_year_before(at)] - 1 for at, value in series.items() if a_year_before(at) in series}


def fall(series: Series) -> dict[date, float]:
    return {at: 1 - value / max(past for day, past in series.items() if day <= at) for at, value in series.items()}


def since(first: date, series: Series) -> dict[date, float]:
    return {at: value for at, value in series.items() if at >= first}
