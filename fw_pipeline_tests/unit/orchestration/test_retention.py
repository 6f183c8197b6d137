"""Old runs go, with their files; months stay green, checks keep their last word, and what goes on is left alone."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckResult,
    AssetExecutionContext,
    AssetKey,
    BackfillPolicy,
    DagsterInstance,
    DagsterRunStatus,
    Definitions,
    MonthlyPartitionsDefinition,
    asset,
    asset_check,
    define_asset_job,
)
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.partition_status_cache import get_and_update_asset_status_cache_value

from fw_pipeline.errors import PipelineError
from fw_pipeline.months import Window, parse_month
from fw_pipeline.orchestration.instance import told
from fw_pipeline.orchestration.raw_assets import BACKFILL, beta
from fw_pipeline.orchestration.retention import trim
from fw_pipeline.orchestration.runs import run_job
from fw_pipeline_tests.support.cluster_servers import NEEDS_POSTGRES, PostgresServer, postgres_server

MONTHS = MonthlyPartitionsDefinition(start_date="2022-01-01", end_date="2023-01-01", timezone="UTC")
FIGURES, CHECK = AssetKey("figures"), AssetCheckKey(AssetKey("figures"), "holds")


@beta(asset)(partitions_def=MONTHS, backfill_policy=beta(BackfillPolicy.single_run)())
def figures(context: AssetExecutionContext) -> None:
    """Stand for a raw table."""
    print(f"fetched {context.partition_keys}")


@asset_check(asset=figures)
def holds() -> AssetCheckResult:
    return AssetCheckResult(passed=True)


DEFINITIONS = Definitions(assets=[figures], asset_checks=[holds], jobs=[define_asset_job("fetch")])


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    with postgres_server() as made:
        yield made


@pytest.fixture
def instance(history: DagsterInstance) -> DagsterInstance:
    return history


def fetch(instance: DagsterInstance, first: str, last: str) -> str:
    window = Window.of(parse_month(first), parse_month(last))
    return run_job(DEFINITIONS, "fetch", instance=instance, window=window).run_id


@pytest.mark.long
@NEEDS_POSTGRES
def test_a_history_in_postgresql_is_trimmed_too(
    server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("DAGSTER_POSTGRES_URL", server.address.replace("postgresql:", "postgresql+psycopg2:"))
    (tmp_path / "dagster.yaml").write_text(
        "storage: {postgres: {postgres_url: {env: DAGSTER_POSTGRES_URL}}}\ntelemetry: {enabled: false}\n"
    )
    with DagsterInstance.get() as instance:
        for number in range(3):
            instance.add_backfill(backfill(f"ended-{number}", BulkActionStatus.COMPLETED_SUCCESS))
        first, last = fetch(instance, "2022-01", "2022-06"), fetch(instance, "2022-12", "2022-12")
        before = green(instance)
        assert len(before) == 7
        assert trim(instance, keep=1) == 1
        assert {run.run_id for run in instance.get_runs()} == {last}
        assert green(instance) == before
        assert len(instance.get_backfills()) == 1
        kept = server.ask("select distinct dagster_event_type from event_logs where run_id = %s", first)
        assert kept == [("ASSET_MATERIALIZATION",)]
        assert trim(instance, keep=1) == 0
        server.stop()
        with pytest.raises(PipelineError, match="PostgreSQL refuses: ") as refused, told():
            trim(instance, keep=1)
        assert "\n" not in str(refused.value)


def backfill(name: str, status: BulkActionStatus) -> PartitionBackfill:
    return PartitionBackfill(name, status, from_failure=False, tags={}, backfill_timestamp=1.0)


def green(instance: DagsterInstance) -> set[str]:
    """The months that the UI shows as materialised, asked anew."""
    instance.wipe_asset_cached_status([FIGURES])
    status = get_and_update_asset_status_cache_value(instance, FIGURES, MONTHS)
    assert status is not None
    shown = set(status.deserialize_materialized_partition_subsets(MONTHS).get_partition_keys())
    assert shown == instance.get_materialized_partitions(FIGURES)
    return shown


def files(folder: Path) -> set[str]:
    """The runs of which something is left: events of their log beside the last words, or captured output."""
    with sqlite3.connect(folder / "event_log.db") as log:
        logs = log.execute("select distinct run_id from event_logs where dagster_event_type = 'PIPELINE_START'")
        return {run_id for (run_id,) in logs} | {path.name for path in (folder / "storage").glob("*-*-*-*-*")}


def test_the_newest_runs_stay_and_older_months_stay_green(instance: DagsterInstance, tmp_path: Path) -> None:
    fetch(instance, "2022-01", "2022-06")
    second = fetch(instance, "2022-05", "2022-08")
    third = fetch(instance, "2022-12", "2022-12")
    before = green(instance)
    assert len(before) == 9
    assert trim(instance, keep=2) == 1
    assert {run.run_id for run in instance.get_runs()} == {second, third} == files(tmp_path)
    assert trim(instance, keep=1) == 1
    assert green(instance) == before
    assert files(tmp_path) == {third}
    latest = instance.get_latest_materialization_event(FIGURES)
    assert latest is not None
    assert latest.run_id == third
    [check] = instance.event_log_storage.get_latest_asset_check_execution_by_key([CHECK]).values()
    assert check.run_id == third
    assert trim(instance, keep=1) == 0


def test_the_history_does_not_grow_with_backfills(instance: DagsterInstance, tmp_path: Path) -> None:
    def rows() -> list[int]:
        with sqlite3.connect(tmp_path / "event_log.db") as log:
            tables = ("event_logs", "asset_event_tags", "asset_check_executions")
            return [log.execute(f"select count(*) from {table}").fetchone()[0] for table in tables]

    seen = []
    for _ in range(4):
        fetch(instance, "2022-01", "2022-12")
        trim(instance, keep=1)
        seen.append(rows())
    assert seen == [seen[0]] * 4
    assert len(green(instance)) == 12


def test_runs_of_a_backfill_that_goes_on_and_runs_that_have_not_ended_are_left_alone(instance: DagsterInstance) -> None:
    first, running = (instance.create_run_for_job(DEFINITIONS.resolve_job_def("fetch")) for _ in range(2))
    instance.add_run_tags(first.run_id, {BACKFILL: "going-on"})
    instance.report_run_failed(first)
    fetch(instance, "2022-01", "2022-01")
    going_on = backfill("going-on", BulkActionStatus.REQUESTED)
    instance.add_backfill(going_on)
    assert trim(instance, keep=1) == 0
    instance.update_backfill(going_on.with_status(BulkActionStatus.COMPLETED_SUCCESS))  # type: ignore[no-untyped-call]
    assert trim(instance, keep=1) == 1
    assert instance.has_run(running.run_id)
    assert not instance.has_run(first.run_id)
    assert running.status is DagsterRunStatus.NOT_STARTED


def test_ended_backfills_are_kept_as_many_as_runs(instance: DagsterInstance) -> None:
    for number in range(5):
        status = BulkActionStatus.REQUESTED if number == 0 else BulkActionStatus.COMPLETED_FAILED
        instance.add_backfill(backfill(f"b{number}", status))
    trim(instance, keep=2)
    assert {one.backfill_id for one in instance.get_backfills()} == {"b0", "b3", "b4"}


def test_what_an_interrupted_trim_left_goes_with_the_next(instance: DagsterInstance, tmp_path: Path) -> None:
    """It died after the runs were struck out, and before their events and files were."""
    lost = fetch(instance, "2022-01", "2022-02")
    kept = fetch(instance, "2022-03", "2022-03")
    instance.run_storage.delete_run(lost)
    assert files(tmp_path) == {lost, kept}
    assert trim(instance, keep=5) == 0
    assert files(tmp_path) == {kept}
    assert len(green(instance)) == 3


def test_a_large_file_gives_its_room_back(instance: DagsterInstance, tmp_path: Path) -> None:
    fetch(instance, "2022-01", "2022-01")
    file = tmp_path / "event_log.db"
    with sqlite3.connect(file) as connection:
        connection.execute(
            "insert into event_logs (run_id, event) with recursive n(i) as "
            "(select 1 union all select i + 1 from n where i < 5000) select 'gone', hex(zeroblob(2000)) from n"
        )
    connection.close()
    large = file.stat().st_size
    trim(instance, keep=1)
    assert large > 20_000_000
    assert file.stat().st_size < large / 10
    assert len(green(instance)) == 1
