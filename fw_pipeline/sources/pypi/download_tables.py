"""The raw table of downloads, and the table of downloads by day.

Column names, types and meanings are the contract with every reader.
"""

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
