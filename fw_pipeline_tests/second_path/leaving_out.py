"""Which months have a figure that leaves something out: days, packages of a family, papers of a failing source."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from functools import cache

import polars as pl

from fw_pipeline_tests.second_path.catalogue import CORE, INSTEAD, family
from fw_pipeline_tests.second_path.figures import downloads, read, shift

Series = tuple[str, str]


@cache
def days_left_out(package: str, series: Series) -> frozenset[date]:
    """Months of which the window of the downloads misses a day."""
    mine = (pl.col("package") == package) & (pl.col("origin") == series[0]) & (pl.col("installers") == series[1])
    rows = read("pypi").filter(mine).select("month", pl.col("window_start").str.to_date(), "days_covered").rows()
    missed = set()
    for month, start, covered in rows:
        window = {start + timedelta(days=day) for day in range(int(covered))}
        if not {month + timedelta(days=day) for day in range((shift(month, 1) - month).days)} <= window:
            missed.add(month)
    return frozenset(missed)


@cache
def members_left_out(framework: str, series: Series) -> frozenset[date]:
    """Months in which a package of the family has no figure, between others that have one, or misses days."""
    members = (CORE[framework], *INSTEAD.get(framework, ()))
    lacking = {m for package in members for m, value in downloads(package, series).items() if value is None}
    short = {month for package in members for month in days_left_out(package, series)}
    return frozenset(m for m in lacking | short if family(framework, series).get(m) is not None)


@cache
def papers_left_out(population: str) -> frozenset[date]:
    """Months in which the source of a population was failing."""
    failing = read("outages").filter(pl.col("source") == "papers").select("first_day", "last_day", "series").rows()
    months = read("papers").filter(pl.col("population") == population)["month"].drop_nulls().unique()
    return frozenset(
        month
        for month in months
        for first, last, series in failing
        if population.startswith(series or "")
        and month <= date.fromisoformat(last)
        and date.fromisoformat(first) < shift(month, 1)
    )


def counted(months: Iterable[date], left_out: frozenset[date]) -> int:
    return len(left_out.intersection(months))


def without_figure(by_name: Mapping[str, Mapping[date, float | None]], month: date) -> str | None:
    """The names that are followed in a month and have no figure of it."""
    names = sorted(name for name, found in by_name.items() if month in found and found[month] is None)
    return ", ".join(names) or None
