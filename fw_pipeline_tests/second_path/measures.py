"""What several claims measure alike: figures as published and without the interpolated ones, and their levels."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from datetime import date

from fw_pipeline_tests.second_path.catalogue import core_of, family
from fw_pipeline_tests.second_path.figures import Series, downloads, over, pypi_series, questions, window
from fw_pipeline_tests.second_path.leaving_out import days_left_out, members_left_out
from fw_pipeline_tests.second_path.measured import Beside, Measured

Counted = tuple[Series, Series | None]
"""What is counted, and the whole that it is a share of, or None."""
Basis = list[Counted]
"""The same as published, and without interpolated figures."""


def asked(tag: str, *, share: bool = False) -> Basis:
    """Questions with a tag, or their share of the site."""
    return [(questions(tag, exact=exact), questions("*", exact=exact) if share else None) for exact in (False, True)]


def as_published(parts: Series, wholes: Series | None = None) -> Basis:
    """Figures of which none was interpolated."""
    return [(parts, wholes)] * 2


def figures_of(counted: Counted) -> Series:
    parts, wholes = counted
    return parts if wholes is None else over(parts, wholes)


def less_one(value: float | None) -> float | None:
    return None if value is None else value - 1


def mean_of(series: Series, end: date, months: int) -> float | None:
    """The mean of a window: of a year, eight months are enough."""
    found = window(series, end, months)
    return statistics.fmean(found) if found and (months == 1 or len(found) >= 8) else None


def named(series: tuple[str, str]) -> str:
    return f"{series[0]}, {series[1]}"


def one(
    where: tuple[str, str, str, date],
    value: float | None,
    n: int,
    exact: float | None,
    beside: Beside,
    *,
    blocked: bool = False,
) -> Measured:
    """Say of which claim, formula, series and month a value is."""
    estimated = value is not None and (exact is None or round(value, 9) != round(exact, 9))
    return Measured(*where, value, n, exact, estimated, blocked=blocked, beside=beside)


def package_levels(package: str, *, families: bool = True) -> Iterator[tuple[str, str, Series, frozenset[date]]]:
    """The two ways to count the downloads of a framework, in every series, and the months that leave something out."""
    for series in pypi_series():
        if found := downloads(package, series):
            yield "downloads", named(series), found, days_left_out(package, series)
        if families and (summed := family(core_of(package), series)):
            yield "family downloads", named(series), summed, members_left_out(core_of(package), series)
