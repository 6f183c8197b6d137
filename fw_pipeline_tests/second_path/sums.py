"""Sums, ratios and changes over the recorded CSV files, in plain Python and Polars: the other path to the claims."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

RECORDED = Path(__file__).parents[2] / "data" / "recorded"
Series = Mapping[date, float]


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


def a_year_before(month: date) -> date:
    return month.replace(year=month.year - 1)
