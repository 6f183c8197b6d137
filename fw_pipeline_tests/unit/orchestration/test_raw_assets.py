"""A month is green once it was answered: with figures, or with 0 rows and a warning that says why."""

from __future__ import annotations

import shutil
from pathlib import Path

from dagster import (
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
)
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from fw_pipeline.orchestration.partitions import RANGE_END, RANGE_START
from fw_pipeline.orchestration.raw_assets import GAPS
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline_tests.support.dagster_runs import execute

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
    assert list(seen) == sorted(instance.get_materialized_partitions(AssetKey(["raw", "pypi"]))) == months
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
