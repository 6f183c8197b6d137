"""What Dagster is told: which months there are, why one has no figure, when a build starts, who was killed."""

from __future__ import annotations

import os
import shutil
import signal
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from graphlib import TopologicalSorter
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import pytest
from dagster import (
    AssetCheckSeverity,
    AssetKey,
    BackfillPolicy,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
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
from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.partitions import RANGE_END, RANGE_START, beta, months_of
from fw_pipeline.orchestration.publish_assets import contents
from fw_pipeline.orchestration.raw_assets import GAPS
from fw_pipeline.orchestration.runs import KILLED, held_by_runs, mark_killed
from fw_pipeline.orchestration.sensors import build_what_changed
from fw_pipeline.settings import PROJECT_DIR, read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.context import Pipeline
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import start

OURS = "__repository__@fw_pipeline"
"""The code location as `workspace.yaml` names it."""


def pipeline_of(data: Path) -> Pipeline:
    return Pipeline(SOURCES, load_models(), given=read({"FW_DATA_DIR": str(data)}, dotenv=data / "none"))


@pytest.fixture(scope="module")
def location() -> Definitions:
    """The code location, as Dagster loads it."""
    return defs()


@pytest.fixture
def instance() -> Iterator[DagsterInstance]:
    with DagsterInstance.ephemeral() as made:
        yield made


def run(data: Path, instance: DagsterInstance, job: str, **options: Any) -> ExecuteInProcessResult:
    pipeline = pipeline_of(data)
    definitions = build_defs(resources={"pipeline": held_by_runs(pipeline)}, settings=pipeline.settings)
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
    metadata = done.asset_materializations_for_node("publish")[0].metadata
    assert {"published", "path", "answer", "months of pypi"} <= set(metadata)
    return metadata["made again"].value


def test_every_source_has_the_policy_by_which_any_range_of_its_months_is_one_run(location: Definitions) -> None:
    graph = location.resolve_asset_graph()
    policies = {graph.get(AssetKey(["raw", source])).backfill_policy for source in SOURCES}
    assert policies == {beta(BackfillPolicy.single_run)()}


def test_groups_flow_one_way_from_raw_to_published(location: Definitions) -> None:
    graph = location.resolve_asset_graph()
    groups: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        above = {graph.get(parent).group_name for parent in node.parent_keys} - {node.group_name}
        groups.setdefault(node.group_name, set()).update(above)
    order = list(TopologicalSorter(groups).static_order())  # raises where it is a circle
    assert order.index("raw") < order.index("staging") < order.index("marts") < order.index("claims")
    assert order.index("claims") < order.index("verdicts") < order.index("published")


def test_the_tag_source_finds_what_belongs_to_one_source(location: Definitions) -> None:
    graph = location.resolve_asset_graph()
    tagged: dict[str | None, set[str]] = {}
    for key in graph.get_all_asset_keys():
        tagged.setdefault(graph.get(key).tags.get("source"), set()).add(key.to_user_string())
    for source in SOURCES:
        assert {f"raw/{source}", f"staging/{source}"} <= tagged[source]
    assert {"marts/research_adoption", "staging/author_cohorts", "claims/c14_three_of_four_papers"} <= tagged["papers"]
    assert {"marts/pypi_adoption", "claims/c17_developed_ecosystem"} <= tagged["pypi"]
    assert {"marts/framework_metrics", "claims/c01_most_widespread", "marts/verdicts"} <= tagged["several"]
    assert "meta/events" in tagged[None]


def test_a_known_gap_ends_as_done_with_0_rows_and_a_warning_that_names_it(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    done = run(tmp_path / "data", instance, "fetch_pypi", tags={RANGE_START: "2016-03-01", RANGE_END: "2016-05-01"})
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
    done = run(tmp_path / "data", instance, "fetch_pypi", tags={RANGE_START: "2016-03-01", RANGE_END: "2016-05-01"})
    assert not done.success
    assert instance.get_materialized_partitions(AssetKey(["raw", "pypi"])) == {"2016-03-01", "2016-04-01"}
    (refused,) = [event.asset_observation_data.asset_observation for event in done.get_asset_observation_events()]
    assert (refused.partition, refused.metadata["status"].value) == ("2016-05-01", "refused")
    (warned,) = done.get_asset_check_evaluations()
    assert (warned.check_name, warned.passed) == (GAPS, False)


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
    done = run(tmp_path / "data", instance, "fetch_pypi", partition_key="2020-05-01")
    assert failure_lines(done.all_events) == [
        "pypi (recorded): pypi.csv is missing from the recorded figures; restore it from the repository"
    ]


def test_the_schedule_asks_recorded_figures_that_have_ended_for_nothing(
    tmp_path: Path, instance: DagsterInstance, location: Definitions
) -> None:
    assert run(tmp_path / "data", instance, "monthly").success
    assert not list((tmp_path / "data").rglob("*.parquet"))
    repository = location.get_repository_def()
    assert {one.name: one.job_name for one in repository.schedule_defs} == {"monthly": "monthly", "revisit": "revisit"}


def test_months_that_come_in_while_tables_are_built_are_in_every_table_that_is_published(
    recorded: Path, instance: DagsterInstance
) -> None:
    sql = "select count(*) from {} where month = date '2024-01-01'"
    tables = ("raw.stackoverflow", "staging.stackoverflow", "marts.stackoverflow_comparison")
    before = [query(recorded / "warehouse.duckdb", sql.format(table)).item() for table in tables]
    add_month(recorded)
    done = run(recorded, instance, "rebuild", asset_selection=[AssetKey("publish")])
    assert done.success
    published = query(recorded / "warehouse.duckdb", " union all by name ".join(sql.format(it) for it in tables))
    assert all(now > then for now, then in zip(published.to_series(), before, strict=True)), (before, published)
    again = made_again(done)
    assert "marts.verdicts" in again
    assert "staging.author_cohorts" not in again
    assert made_again(run(recorded, instance, "rebuild", asset_selection=[AssetKey("publish")])) == []


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
    recorded: Path, instance: DagsterInstance, location: Definitions
) -> None:
    sensor = Sensor(recorded, instance)
    assert sensor.skips() == "everything that came in is published"
    add_month(recorded)
    first, second = sensor.look(), sensor.look()
    assert isinstance(first, RunRequest)
    assert isinstance(second, RunRequest)
    assert first.run_key == second.run_key, "Dagster starts one run a key"
    queued = instance.create_run_for_job(location.resolve_job_def("rebuild"))
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


def test_the_overview_of_the_published_file_has_the_answer_the_verdicts_and_the_months(recorded_once: Path) -> None:
    file = recorded_once / "warehouse.duckdb"
    said = contents(file)
    assert "PyTorch passed TensorFlow in downloads in January 2024" in said["answer"]
    months = query(file, "select source, months, strftime(last_month, '%b %Y') as last from meta.sources").rows()
    for source, count, last in months:
        assert said[f"months of {source}"].startswith(f"{count} months with figures, ")
        assert f" to {last}; last fetched 20" in said[f"months of {source}"]
    [(as_of, claims)] = query(
        file, "select strftime(max(as_of), '%b %Y'), count(distinct claim) from marts.headline_verdicts"
    ).rows()
    assert sum(int(part.split()[0]) for part in said[f"verdicts as of {as_of}"].split(", ")) == claims
