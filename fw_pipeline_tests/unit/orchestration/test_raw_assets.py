"""A source offers the months that it can have; each is green once answered, without figures too, with a reason."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

import polars as pl
import pytest
from dagster import (
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
)
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.raw_assets import GAPS, RANGE_END, RANGE_START, months_of, raw_asset
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


OURS = "__repository__@fw_pipeline"
"""The code location as `workspace.yaml` names it."""


def test_a_known_gap_ends_as_done_with_0_rows_and_a_warning_that_names_it(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    done = execute(tmp_path / "data", instance, "fetch_pypi", tags={RANGE_START: "2016-03-01", RANGE_END: "2016-05-01"})
    assert done.success
    [record] = instance.get_runs()
    assert record.remote_job_origin is not None, "the home page shows runs by code location"
    assert record.remote_job_origin.repository_origin.get_label() == record.tags[REPOSITORY_LABEL_TAG] == OURS
    months = ["2016-03-01", "2016-04-01", "2016-05-01"]
    seen = {event.partition: event for event in done.asset_materializations_for_node("raw__pypi")}
    assert set(seen) == set(instance.get_materialized_partitions(AssetKey(["raw", "pypi"]))) == set(months)
    rows = [seen[month].metadata["dagster/partition_row_count"].value for month in months]
    assert [month for month, count in zip(months, rows, strict=True) if not count] == ["2016-04-01"]
    reason = "downloads not recorded from 2016-03-06 to 2016-05-21"
    assert reason in str(seen["2016-04-01"].metadata["no figure"].value)
    assert "no figure" not in seen["2016-05-01"].metadata
    (warned,) = done.get_asset_check_evaluations()
    assert (warned.check_name, warned.passed, warned.severity) == (GAPS, False, AssetCheckSeverity.WARN)
    assert warned.description == "1 of 3 months has no figure, and it is known why: 2016-04"
    assert reason in str(warned.metadata["2016-04"].value)


def test_a_source_that_fails_is_red_and_warns_of_its_known_gaps_all_the_same(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    shutil.copytree(PROJECT_DIR / "data" / "recorded", tmp_path / "data" / "recorded")
    file = tmp_path / "data" / "recorded" / "pypi.csv"
    lines = file.read_text(encoding="utf-8").splitlines()
    lines[next(at for at, line in enumerate(lines) if line.startswith("2016-05-"))] = "2016-05-01,spoiled"
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    done = execute(tmp_path / "data", instance, "fetch_pypi", tags={RANGE_START: "2016-03-01", RANGE_END: "2016-05-01"})
    assert not done.success
    assert instance.get_materialized_partitions(AssetKey(["raw", "pypi"])) == {"2016-03-01", "2016-04-01"}
    (refused,) = [event.asset_observation_data.asset_observation for event in done.get_asset_observation_events()]
    assert (refused.partition, refused.metadata["status"].value) == ("2016-05-01", "refused")
    (warned,) = done.get_asset_check_evaluations()
    assert (warned.check_name, warned.passed) == (GAPS, False)


def test_several_machines_share_a_backfill_and_ask_a_service_one_at_a_time(tmp_path: Path) -> None:
    many = {"FW_LOCKS": "postgresql://host/database", "FW_MONTHS_PER_RUN": "6"}
    alone, shared = (
        raw_asset(SOURCES["papers"], read(given, dotenv=tmp_path / "none"), now=NOW) for given in ({}, many)
    )
    policies = [it.backfill_policy for it in (alone, shared)]
    assert [it and it.max_partitions_per_run for it in policies] == [None, 6]
    assert [it.op.pool for it in (alone, shared)] == [None, "api_papers"]
