"""The raw table of downloads, the table of downloads by day, and how live providers make a month of daily downloads.

A month is one figure per package, with the days that it covers. Nothing here knows who counted. Column names, types and
meanings are the contract with every reader.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import polars as pl

from fw_pipeline.catalog.frameworks import PACKAGES
from fw_pipeline.contract import DetailTable, Table

TABLE = Table(
    key={"month": pl.Date, "package": pl.String, "installers": pl.String, "origin": pl.String},
    measures={"downloads": pl.Int64, "window_start": pl.Date, "days_covered": pl.Int32},
    required=("downloads", "window_start", "days_covered"),
    largest={
        "downloads": (10_000_000_000, "The largest monthly figure known, an anomaly of July 2025, is 2,980 million."),
        "days_covered": (31, "A figure covers at least a day, and no month is longer."),
    },
    known={
        "package": frozenset(it.name for it in PACKAGES),
        "installers": frozenset({"all", "pip", "without mirrors"}),
    },
    description="Downloads of a package from the Python Package Index in a month or a window of days.",
    columns={
        "package": "Normalised name of the package.",
        "installers": "Whose downloads: `all`, `pip`, or `without mirrors`.",
        "downloads": "Downloads over `days_covered` days from `window_start`.",
        "window_start": "First day that the figure covers.",
        "days_covered": "Days that the figure covers; fewer than the month has = a partial month.",
    },
)

PYPI_DAILY = DetailTable(
    "pypi_daily",
    "Downloads from the Python Package Index, one row per day, package and kind of installers; empty without a "
    "provider that counts by day.",
    MappingProxyType(
        {
            "day": (pl.Date, "Day (UTC)."),
            "package": (pl.String, "Normalised name of the package."),
            "installers": (pl.String, "Whose downloads: `all` or `without mirrors`."),
            "downloads": (pl.Int64, "Downloads of the day."),
        }
    ),
)

PACKAGE_NAMES: tuple[str, ...] = tuple(dict.fromkeys(package.name for package in PACKAGES))
"""What a live provider asks for, in the order of the catalogue."""

QUIET = 20
"""Downloads a day below which a day without any is believable. A busier package that lacks a day has lost it."""

_METHOD = "sum of daily counts"


@dataclass(frozen=True, slots=True)
class Days:
    """The days of one month of which something is known."""

    first: date
    number: int


@dataclass(frozen=True, slots=True)
class Figure:
    """The downloads of one package in one month, and the days that had any."""

    package: str
    installers: str
    downloads: int
    days: Days

    def covered(self, present: Days) -> Days:
        """Return the days that the figure covers, of the days `present` that the service has of any package.

        The services leave out the days on which nobody downloaded a package. For a rarely used one such a day is a true
        zero, and is covered; for a busy one it is a hole.
        """
        is_quiet = self.downloads < QUIET * self.days.number
        return present if is_quiet and self.days.number < present.number else self.days


def month_frame(
    month: date, figures: Iterable[Figure], *, present: Days, origin: str, observed_on: date
) -> pl.DataFrame:
    """Return the raw rows of one month.

    Args:
        month: its first day.
        figures: one for each package and kind of installers.
        present: the days of the month that the service has of any package.
        origin: who counted.
        observed_on: the day on which the origin was asked.
    """
    rows = [
        {
            "month": month,
            "package": figure.package,
            "installers": figure.installers,
            "origin": origin,
            "downloads": figure.downloads,
            "window_start": covered.first,
            "days_covered": covered.number,
            "method": _METHOD,
            "observed_on": observed_on,
        }
        for figure in figures
        for covered in (figure.covered(present),)
    ]
    return pl.DataFrame(rows, schema=TABLE.schema).sort("package", "installers")
