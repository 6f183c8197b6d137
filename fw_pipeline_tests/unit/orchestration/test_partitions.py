"""The months that each source offers: those that it can have, and no others."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
from dagster import (
    DagsterInstance,
)

from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.partitions import months_of
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.dagster_runs import execute

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def months_with(
    source: str, settings: Mapping[str, str] = MappingProxyType({}), now: datetime = NOW
) -> tuple[str, str]:
    """Return the first and the last month that a source offers at a time, with some settings."""
    found = months_of(SOURCES[source], read(settings, dotenv=Path("none")), now=NOW)
    keys = found.get_partition_keys(current_time=now)
    return keys[0], keys[-1]


@pytest.mark.parametrize(
    ("source", "first"),
    [
        ("stackoverflow", "2015-11-01"),
        ("huggingface", "2022-03-01"),
        ("papers", "2015-11-01"),
        ("pypi", "2016-01-01"),
    ],
)
def test_no_month_is_offered_that_a_source_cannot_have(source: str, first: str) -> None:
    figures = pl.read_csv(PROJECT_DIR / "data" / "recorded" / f"{source}.csv", infer_schema=False)
    last = f"{max(figures['month'].drop_nulls())[:7]}-01"
    assert months_with(source) == (first, last)
    assert months_with(source, now=datetime(2027, 6, 1, tzinfo=UTC)) == (first, last), "recorded figures do not grow"


def test_months_of_a_live_source_grow_with_the_calendar_and_those_of_an_archive_do_not() -> None:
    later = datetime(2026, 12, 1, tzinfo=UTC)
    live = {"FW_PROVIDERS": "pypi=clickpy,papers=archive"}
    assert months_with("pypi", live) == ("2016-01-01", "2026-10-01")
    assert months_with("pypi", live, later) == ("2016-01-01", "2026-11-01")
    assert months_with("papers", live, later) == ("2015-11-01", "2025-07-01")


def test_a_source_whose_figures_cannot_be_read_offers_every_month_and_says_so_when_asked(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    (tmp_path / "data" / "recorded").mkdir(parents=True)
    given = {"FW_DATA_DIR": str(tmp_path / "data")}
    assert months_with("pypi", given) == ("2015-11-01", "2026-10-01")
    done = execute(tmp_path / "data", instance, "fetch_pypi", partition_key="2020-05-01")
    assert failure_lines(done.all_events) == [
        "pypi (recorded): pypi.csv is missing from the recorded figures; restore it from the repository"
    ]
