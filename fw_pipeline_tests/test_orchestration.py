"""What Dagster is told: where assets are found, why a month has no figure, when a build starts, who was killed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetKey,
    AssetObservation,
    BackfillPolicy,
    DagsterInstance,
    DagsterRunStatus,
    ExecuteInProcessResult,
    RunRequest,
    RunsFilter,
    SkipReason,
    build_sensor_context,
)
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import REPOSITORY_LABEL_TAG

from fw_pipeline.contract import TABLES
from fw_pipeline.definitions import build_defs, defs, load_models
from fw_pipeline.orchestration.building import build_what_changed
from fw_pipeline.orchestration.liveness import KILLED, held_by_runs, mark_killed
from fw_pipeline.orchestration.partitions import RANGE_END, RANGE_START, beta
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import query
from fw_pipeline_tests.command import start

OURS = "__repository__@fw_pipeline"
"""The code location as `workspace.yaml` names it."""


def pipeline_of(data: Path) -> Pipeline:
    return Pipeline(SOURCES, load_models(), given=read({"FW_DATA_DIR": str(data)}, dotenv=data / "none"))


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def run(data: Path, instance: DagsterInstance, job: str, **options: Any) -> ExecuteInProcessResult:
    definitions = build_defs(resources={"pipeline": held_by_runs(pipeline_of(data))})
    return definitions.resolve_job_def(job).execute_in_process(instance=instance, raise_on_error=False, **options)


def add_month(data: Path, month: date = date(2024, 1, 1), questions: int = 321) -> None:
    """Let a month come in that the recorded figures do not have."""
    rows = [{"month": month, "tagged": tag, "questions": questions} for tag in ("tensorflow", "pytorch", "keras")]
    pipeline_of(data).vintages.add(
        "stackoverflow",
        month,
        pl.DataFrame([{**row, "method": "counted", "origin": "test"} for row in rows], TABLES["stackoverflow"].schema),
        provider="api",
        observed_at=datetime(2024, 2, 3, tzinfo=UTC),
        evidence=(),
        run_id="test",
    )


def made_again(done: ExecuteInProcessResult) -> Any:
    return done.asset_materializations_for_node("publish")[0].metadata["made again"].value


def test_every_source_has_the_policy_by_which_any_range_of_its_months_is_one_run() -> None:
    graph = defs.resolve_asset_graph()
    policies = {graph.get(AssetKey(["raw", source])).backfill_policy for source in SOURCES}
    assert policies == {beta(BackfillPolicy.single_run)()}


def test_groups_flow_one_way_from_raw_to_published() -> None:
    graph = defs.resolve_asset_graph()
    groups: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        above = {graph.get(parent).group_name for parent in node.parent_keys} - {node.group_name}
        groups.setdefault(node.group_name, set()).update(above)
    order = list(TopologicalSorter(groups).static_order())  # raises where it is a circle
    assert order.index("raw") < order.index("staging") < order.index("marts") < order.index("claims")
    assert order.index("claims") < order.index("verdicts") < order.index("published")


def test_the_tag_source_finds_what_belongs_to_one_source() -> None:
    graph = defs.resolve_asset_graph()
    tagged: dict[str | None, set[str]] = {}
    for key in graph.get_all_asset_keys():
        tagged.setdefault(graph.get(key).tags.get("source"), set()).add(key.to_user_string())
    for source in SOURCES:
        assert {f"raw/{source}", f"staging/{source}"} <= tagged[source]
    assert {"marts/research_adoption", "staging/author_cohorts", "claims/c14_three_of_four_papers"} <= tagged["papers"]
    assert {"marts/pypi_adoption", "claims/c17_developed_ecosystem"} <= tagged["pypi"]
    assert {"marts/framework_metrics", "claims/c01_most_widespread", "marts/verdicts"} <= tagged["several"]
    assert "meta/events" in tagged[None]


def test_a_month_with_a_figure_is_materialised_and_one_without_is_observed_with_its_reason(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    done = run(tmp_path / "data", instance, "fetch_pypi", tags={RANGE_START: "2016-03-01", RANGE_END: "2016-05-01"})
    assert done.success
    [record] = instance.get_runs()
    assert record.remote_job_origin is not None, "the home page shows runs by code location"
    assert record.remote_job_origin.repository_origin.get_label() == record.tags[REPOSITORY_LABEL_TAG] == OURS
    assert instance.get_materialized_partitions(AssetKey(["raw", "pypi"])) == {"2016-03-01", "2016-05-01"}
    seen = [event.asset_observation_data.asset_observation for event in done.get_asset_observation_events()]
    assert [observation.partition for observation in seen] == ["2016-04-01"]
    observation: AssetObservation = seen[0]
    assert observation.metadata["status"].value == "gap"
    assert "downloads not recorded from 2016-03-06 to 2016-05-21" in str(observation.metadata["reason"].value)


def test_months_that_come_in_while_tables_are_built_are_in_every_table_that_is_published(
    recorded: Path, instance: DagsterInstance
) -> None:
    sql = "select count(*) from {} where month = date '2024-01-01'"
    tables = ("raw.stackoverflow", "staging.stackoverflow", "marts.stackoverflow_comparison")
    before = [query(recorded / "warehouse.duckdb", sql.format(table)).item() for table in tables]
    add_month(recorded)
    done = run(recorded, instance, "everything", asset_selection=[AssetKey("publish")])
    assert done.success
    published = query(recorded / "warehouse.duckdb", " union all by name ".join(sql.format(it) for it in tables))
    assert all(now > then for now, then in zip(published.to_series(), before, strict=True)), (before, published)
    again = made_again(done)
    assert "marts.verdicts" in again
    assert "staging.author_cohorts" not in again
    assert made_again(run(recorded, instance, "everything", asset_selection=[AssetKey("publish")])) == []


class Sensor:
    """The sensor that builds, over a data folder and a history."""

    def __init__(self, data: Path, instance: DagsterInstance) -> None:
        self.data, self.instance = data, instance

    def look(self) -> RunRequest | SkipReason:
        context = build_sensor_context(instance=self.instance)
        return build_what_changed()(context, pipeline=pipeline_of(self.data))  # type: ignore[return-value]

    def skips(self) -> str:
        said = self.look()
        assert isinstance(said, SkipReason)
        return str(said.skip_message)


def backfill(status: BulkActionStatus) -> PartitionBackfill:
    return PartitionBackfill("one", status, from_failure=False, tags={}, backfill_timestamp=time.time())


def test_the_first_month_of_any_source_is_built(tmp_path: Path, instance: DagsterInstance) -> None:
    sensor = Sensor(tmp_path / "data", instance)
    assert sensor.skips() == "waits for the first month of any source"
    run(tmp_path / "data", instance, "fetch_pypi", partition_key="2020-05-01")
    assert isinstance(sensor.look(), RunRequest)


def test_a_build_starts_once_for_each_state_of_the_figures_and_only_when_nothing_is_at_work(
    recorded: Path, instance: DagsterInstance
) -> None:
    sensor = Sensor(recorded, instance)
    assert sensor.skips() == "everything that came in is published"
    add_month(recorded)
    first, second = sensor.look(), sensor.look()
    assert isinstance(first, RunRequest)
    assert isinstance(second, RunRequest)
    assert first.run_key == second.run_key, "Dagster starts one run a key"
    queued = instance.create_run_for_job(defs.resolve_job_def("rebuild"))
    assert sensor.skips() == "waits until nothing is running"
    instance.delete_run(queued.run_id)
    instance.add_backfill(backfill(BulkActionStatus.REQUESTED))
    assert sensor.skips() == "waits until nothing is running"
    instance.update_backfill(backfill(BulkActionStatus.COMPLETED_FAILED))
    add_month(recorded, date(2024, 2, 1))
    later = sensor.look()
    assert isinstance(later, RunRequest)
    assert later.run_key != first.run_key


def test_a_published_file_that_was_deleted_is_built_again(recorded: Path, instance: DagsterInstance) -> None:
    (recorded / "warehouse.duckdb").unlink()
    assert isinstance(Sensor(recorded, instance).look(), RunRequest)


def test_a_killed_run_is_marked_as_failed_and_one_at_work_is_not(recorded_once: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(recorded_once, data)
    process = start(data, ["rebuild"])
    home = data / "dagster"
    try:
        with DagsterInstance.local_temp(str(home)) as instance:
            deadline = time.monotonic() + 200
            while not list((data / ".work" / "runs").glob("*.lock")) and time.monotonic() < deadline:
                assert process.poll() is None, process.stderr
                time.sleep(0.05)
            assert mark_killed(instance, data) == []
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            (killed,) = mark_killed(instance, data)
            (record,) = instance.get_run_records(RunsFilter(run_ids=[killed]))
            assert record.dagster_run.status is DagsterRunStatus.FAILURE
            assert any(KILLED in str(event.message) for event in instance.all_logs(killed))
            assert mark_killed(instance, data) == []
            assert list((data / ".work" / "runs").iterdir()) == []
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
