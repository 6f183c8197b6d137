"""PyPI: how often the packages of each framework are downloaded."""

from types import MappingProxyType

from fw_pipeline.contract import NO_LICENCE, Credit, Series, Source
from fw_pipeline.sources.pypi import clickpy, pypistats
from fw_pipeline.sources.pypi.monthly_downloads import TABLE
from fw_pipeline.sources.recorded import recorded

_PROVIDERS = (
    recorded("pypi", TABLE, begins=(clickpy.BEGINS, clickpy.BEFORE)),
    clickpy.PROVIDER,
    pypistats.PROVIDER,
)

_SERIES = {
    "clickpy, all": Series("PyPI, all installers, by ClickPy", "Calendar months, from 2016 to today."),
    "StarScout, all": Series("PyPI, all installers, by StarScout", "Calendar months, up to July 2024."),
    "top-pypi-packages (ClickHouse), all": Series(
        "PyPI, all installers, by top-pypi-packages from ClickHouse", "Calendar months, from June 2025."
    ),
    "top-pypi-packages (BigQuery), all": Series(
        "PyPI, all installers, by top-pypi-packages from BigQuery",
        "Windows of 30 days or less, from November 2024.",
    ),
    "top-pypi-packages (BigQuery), pip": Series(
        "PyPI, pip only, by top-pypi-packages from BigQuery", "Windows of 30 days, up to November 2024."
    ),
    "dashdown-pypi-stats (ClickHouse), all": Series(
        "PyPI, all installers, by dashdown-pypi-stats", "A few packages only."
    ),
    "pypistats, all": Series("PyPI, all installers, by pypistats.org", "The last 180 days."),
}

_CREDITS = {
    "StarScout": Credit(
        "hehao98/StarScout", "Apache-2.0", "calendar months of all installers, from the public BigQuery table"
    ),
    "top-pypi-packages (BigQuery)": Credit("hugovk/top-pypi-packages", NO_LICENCE, "published 30-day files"),
    "top-pypi-packages (ClickHouse)": Credit(
        "hugovk/top-pypi-packages", NO_LICENCE, "published files of calendar months"
    ),
    "dashdown-pypi-stats": Credit("DirendAI/dashdown-pypi-stats", NO_LICENCE, "daily figures of ClickPy, added up"),
}

SOURCE = Source(
    name="pypi",
    title="PyPI downloads",
    short_title="PyPI",
    url="https://clickpy.clickhouse.com",
    licence="Public download statistics; counts are facts",
    counts="Downloads of each package from the Python Package Index, per day.",
    cannot_see="People: build servers download a package again and again, caches hide downloads, and conda is missing.",
    table=TABLE,
    providers=MappingProxyType({provider.name: provider for provider in _PROVIDERS}),
    live="clickpy",
    due_days=8,  # loading of the public server has been seen to stall for days
    series=MappingProxyType(_SERIES),
    credits=MappingProxyType(_CREDITS),
)
