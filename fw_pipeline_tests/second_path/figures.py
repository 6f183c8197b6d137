"""The recorded figures as series by month, and windows over them. A month without a figure is None, never zero."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache
from pathlib import Path

import polars as pl

RECORDED = Path(__file__).parents[2] / "data" / "recorded"
FIRST = date(2015, 11, 1)
Series = Mapping[date, float | None]


@cache
def read(name: str) -> pl.DataFrame:
    frame = pl.read_csv(RECORDED / f"{name}.csv", infer_schema=False)
    return frame.with_columns(pl.col("month").str.to_date()) if "month" in frame.columns else frame


def shift(month: date, months: int) -> date:
    number = month.year * 12 + month.month - 1 + months
    return date(number // 12, number % 12 + 1, 1)


def span(first: date, last: date) -> list[date]:
    return [shift(first, n) for n in range((last.year - first.year) * 12 + last.month - first.month + 1)]


def spread(found: Mapping[date, float | None], last: date | None = None) -> dict[date, float | None]:
    """Fill the months between the first and the last with None."""
    return {month: found.get(month) for month in span(min(found), last or max(found))} if found else {}


@cache
def questions(tag: str, *, exact: bool = False) -> dict[date, float | None]:
    """Questions with a tag by month; `exact` leaves interpolated figures out."""
    rows = read("stackoverflow").filter(pl.col("tagged") == tag).select("month", "questions", "method").rows()
    return spread({m: None if exact and "interpolated" in method else float(q) for m, q, method in rows})


@cache
def pypi_series() -> list[tuple[str, str]]:
    return sorted(read("pypi").select("origin", "installers").unique().rows())


@cache
def downloads(package: str, series: tuple[str, str]) -> dict[date, float | None]:
    """Downloads a day by month."""
    mine = (pl.col("package") == package) & (pl.col("origin") == series[0]) & (pl.col("installers") == series[1])
    rows = read("pypi").filter(mine).select("month", "downloads", "days_covered").rows()
    return spread({month: int(count) / int(days) for month, count, days in rows})


def over(parts: Series, wholes: Series) -> dict[date, float | None]:
    return {m: _ratio(part, wholes.get(m)) for m, part in parts.items()}


def _ratio(part: float | None, whole: float | None) -> float | None:
    return None if part is None or not whole else part / whole


ratio = _ratio


def window(series: Series, end: date, months: int) -> list[float]:
    """The figures of the last `months` months, without the missing ones."""
    return [v for m in span(shift(end, 1 - months), end) if (v := series.get(m)) is not None]


def level(parts: Series, wholes: Series | None, end: date, months: int) -> tuple[float | None, int]:
    """Sum of the parts over the sum of the wholes in a window, or the mean of the parts; and the months found."""
    found = [
        (part, 1.0 if wholes is None else whole)
        for m in span(shift(end, 1 - months), end)
        if (part := parts.get(m)) is not None and (wholes is None or (whole := wholes.get(m)))
    ]
    whole_sum = sum(float(w or 0) for _, w in found)
    return (sum(p for p, _ in found) / whole_sum if whole_sum else None), len(found)


def latest(series: Series, end: date, months: int) -> float | None:
    """The newest figure of the last `months` months."""
    found = window(series, end, months)
    return found[-1] if found else None


def largest_so_far(series: Series) -> dict[date, float | None]:
    found: dict[date, float | None] = {}
    best: float | None = None
    for month in sorted(series):
        value = series[month]
        best = value if best is None or (value is not None and value > best) else best
        found[month] = best
    return found


def mapped(months: Iterable[date], compute: Callable[[date], float | None]) -> dict[date, float | None]:
    return {month: compute(month) for month in months}
