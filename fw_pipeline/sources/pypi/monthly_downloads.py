"""What every live PyPI provider makes of daily downloads: one figure a package and month, and the days that it covers.

Nothing here knows who counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import polars as pl

from fw_pipeline.catalog.frameworks import PACKAGES
from fw_pipeline.sources.pypi.download_tables import TABLE

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
