"""The sensors: one build for each state of the figures; failed runs are told of, or the tick says why not."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from dagster import (
    AssetKey,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    Definitions,
    RunRequest,
    ScheduleDefinition,
    SkipReason,
    asset,
    build_sensor_context,
    define_asset_job,
)
from dagster._core.definitions.sensor_definition import SensorExecutionData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill

from fw_pipeline.definitions import build_defs
from fw_pipeline.months import Window, parse_month
from fw_pipeline.orchestration.instance import INSTANCE
from fw_pipeline.orchestration.jobs import UNATTENDED
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import run_job
from fw_pipeline.orchestration.sensors import alert_of, build_what_changed
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.settings import read
from fw_pipeline.signals import REMEDY
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.dagster_runs import add_month, execute, pipeline_of
from fw_pipeline_tests.support.loopback_alerts import hook
from fw_pipeline_tests.support.s3_refusals import bucket_that_refuses


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
    execute(tmp_path / "data", instance, "fetch_pypi", partition_key="2020-05-01")
    assert isinstance(sensor.look(), RunRequest)


def test_where_the_object_store_refuses_no_build_is_launched_and_the_tick_says_why(
    tmp_path: Path, instance: DagsterInstance
) -> None:
    with bucket_that_refuses("no-head") as one:
        one.objects["data/raw/pypi/2022-05/20220601T000000000000Z-a.parquet"] = b""
        given = read({"FW_DATA_DIR": str(one.root), "FW_WORK_DIR": str(tmp_path)}, dotenv=Path("none"))
        pipeline = Pipeline(SOURCES, (), given=given)
        context = build_sensor_context(instance=instance)
        assert isinstance(build_what_changed()(context, pipeline=pipeline), RunRequest), "nothing is published yet"
        refusals: list[Callable[[str, int], bool]] = [lambda method, _: method == "HEAD", lambda *_: True]
        for one.refuses in refusals:  # what was published last; everything
            said = build_what_changed()(context, pipeline=pipeline)
            assert isinstance(said, SkipReason)
            assert str(said.skip_message).startswith("data folder: the object store of s3://no-head refuses")


def test_a_build_starts_once_for_each_state_of_the_figures_and_only_when_nothing_is_at_work(
    recorded: Path, instance: DagsterInstance, location: Definitions, monkeypatch: pytest.MonkeyPatch
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
    monkeypatch.setattr("fw_pipeline.orchestration.sensors.WATCH", 120.0)  # a busy machine takes long
    ends = threading.Timer(0.5, instance.report_run_canceled, [queued])
    ends.start()
    assert isinstance(sensor.look(), RunRequest), "it builds as soon as the run has ended"
    ends.join()
    monkeypatch.undo()
    instance.add_backfill(backfill(BulkActionStatus.REQUESTED))
    assert isinstance(sensor.look(), RunRequest), "a backfill that has queued no run is not waited for"
    add_month(recorded, date(2024, 2, 1))
    later = sensor.look()
    assert isinstance(later, RunRequest)
    assert later.run_key != first.run_key


def test_a_build_that_was_lost_before_it_began_is_launched_again_and_one_that_failed_is_not(
    tmp_path: Path, instance: DagsterInstance, location: Definitions
) -> None:
    sensor = Sensor(tmp_path, instance)
    add_month(tmp_path)
    job = location.resolve_job_def("rebuild")

    def key() -> str:
        asked = sensor.look()
        assert isinstance(asked, RunRequest)
        assert asked.run_key is not None
        return asked.run_key

    keys = []
    for _ in range(4):
        keys.append(key())
        lost = instance.create_run_for_job(job, tags={"dagster/run_key": keys[-1]})
        instance.report_run_failed(lost, "the code server was away")
    assert keys == [keys[0], f"{keys[0]}-2", f"{keys[0]}-3", f"{keys[0]}-3"], "three times, and no more"
    add_month(tmp_path, date(2024, 2, 1))
    failed = execute(
        tmp_path, instance, "rebuild", tags={"dagster/run_key": key()}, asset_selection=[AssetKey("report")]
    )
    assert not failed.success, "nothing is published that could be drawn"
    assert key() == key() != keys[0]
    assert key() == instance.get_run_by_id(failed.run_id).tags["dagster/run_key"]  # type: ignore[union-attr]


def test_dagster_launches_a_run_of_a_schedule_again_where_it_was_lost_and_not_where_a_step_failed(
    tmp_path: Path, location: Definitions
) -> None:
    settings = {**QUIET, "run_retries": yaml.safe_load(INSTANCE)["run_retries"]}
    job = location.resolve_job_def("rebuild")
    with DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:

        def will_retry(run: DagsterRun) -> bool:
            found = instance.get_run_by_id(run.run_id)
            assert found is not None
            return found.tags["dagster/will_retry"] == "true"

        lost: list[DagsterRun] = []
        for _ in range(3):
            root, parent = (lost[0].run_id, lost[-1].run_id) if lost else (None, None)
            group = {"dagster/root_run_id": root} if root else {}
            again = instance.create_run_for_job(
                job, tags={**UNATTENDED, **group}, root_run_id=root, parent_run_id=parent
            )
            lost.append(again)
            instance.report_run_failed(lost[-1], "the code server was away")
        assert [will_retry(run) for run in lost] == [True, True, False], "twice, and no more"
        of_a_person = instance.create_run_for_job(job)
        instance.report_run_failed(of_a_person, "the code server was away")
        assert not will_retry(of_a_person)
        failed = execute(tmp_path, instance, "rebuild", tags=UNATTENDED, asset_selection=[AssetKey("report")])
        assert not failed.success, "nothing is published that could be drawn"
        assert not will_retry(failed.dagster_run)
    schedules = [*(location.schedules or ())]
    assert len(schedules) == 2
    for schedule in schedules:
        assert isinstance(schedule, ScheduleDefinition)
        assert schedule.tags is not None
        assert schedule.tags.items() >= UNATTENDED.items(), schedule.name


def test_a_published_file_that_was_deleted_is_built_again_each_time_unless_somebody_cancels(
    recorded: Path, instance: DagsterInstance, location: Definitions
) -> None:
    sensor, job = Sensor(recorded, instance), location.resolve_job_def("rebuild")
    (recorded / "warehouse.duckdb").unlink()

    def key() -> str:
        asked = sensor.look()
        assert isinstance(asked, RunRequest)
        return str(asked.run_key)

    keys = [key()]
    for _ in range(2):
        instance.create_run_for_job(job, tags={"dagster/run_key": keys[-1]}, status=DagsterRunStatus.SUCCESS)
        keys.append(key())
    assert len({*keys}) == 3, "a run that succeeded bars no other"
    instance.create_run_for_job(job, tags={"dagster/run_key": keys[-1]}, status=DagsterRunStatus.CANCELED)
    assert key() == keys[-1]


QUIET = {"telemetry": {"enabled": False}}
MAY = parse_month("2022-05")


def tick_after_a_failed_run(
    folder: Path, clock_goes_back: timedelta = timedelta(0), /, **settings: str
) -> tuple[SensorExecutionData, str]:
    """Let a run fail for want of its recorded figures, and look what the sensor makes of it.

    The clock goes back between the sensor's first tick and the run.
    """
    data = folder / "data"
    shutil.copytree(PROJECT_DIR / "data" / "recorded", data / "recorded", ignore=shutil.ignore_patterns("pypi.csv"))
    given = read({"FW_DATA_DIR": str(data), **settings}, dotenv=Path("none"))
    resources = {"pipeline": Pipeline(SOURCES, (), given=given)}
    definitions = build_defs(resources=resources)
    repository = definitions.get_repository_def()
    sensor = repository.get_sensor_def("tell_of_failures")
    with DagsterInstance.local_temp(str(folder), overrides=QUIET) as instance:

        def tick(cursor: str | None) -> SensorExecutionData:
            with build_sensor_context(instance, cursor, repository_def=repository, resources=resources) as context:
                return sensor.evaluate_tick(context)

        first = tick(None)
        assert first.cursor
        seen = json.loads(first.cursor)
        seen["record_timestamp"] = (datetime.now(UTC) + clock_goes_back).isoformat()
        ran = run_job(definitions, "fetch_pypi", instance=instance, window=Window.of(MAY, MAY))
        assert not ran.succeeded
        done = tick(json.dumps(seen))
        again = tick(done.cursor)
        assert not again.dagster_run_reactions, "told once"
        return done, ran.run_id


def test_a_failed_run_is_told_with_job_source_month_cause_remedy_and_link(tmp_path: Path) -> None:
    with hook() as told:
        ui = {"FW_ALERT_WEBHOOK": told.url, "FW_UI_URL": "http://127.0.0.1:3000/"}
        done, run_id = tick_after_a_failed_run(tmp_path, **ui)
    [reaction] = done.dagster_run_reactions or ()
    assert reaction.error is None
    [said] = told.told
    title, line, link = said["text"].splitlines()
    assert title == "fetch_pypi failed for 2022-05"
    assert line == ("* pypi (recorded): pypi.csv is missing from the recorded figures; restore it from the repository")
    assert link == f"http://127.0.0.1:3000/runs/{run_id}"


def test_a_scheduled_run_that_is_launched_again_is_told_of_only_after_the_last_attempt(tmp_path: Path) -> None:
    settings = {**QUIET, "run_retries": yaml.safe_load(INSTANCE)["run_retries"]}
    with hook() as told, DagsterInstance.local_temp(str(tmp_path), overrides=settings) as instance:
        given = read({"FW_DATA_DIR": str(tmp_path), "FW_ALERT_WEBHOOK": told.url}, dotenv=Path("none"))
        resources = {"pipeline": Pipeline(SOURCES, (), given=given)}
        definitions = build_defs(resources=resources)
        repository, job = definitions.get_repository_def(), definitions.resolve_job_def("monthly")
        sensor = repository.get_sensor_def("tell_of_failures")

        def tick(cursor: str | None) -> str | None:
            with build_sensor_context(instance, cursor, repository_def=repository, resources=resources) as context:
                return sensor.evaluate_tick(context).cursor

        cursor = tick(None)
        for tags, heard in (({**UNATTENDED}, 0), ({**UNATTENDED, "dagster/max_retries": "0"}, 1)):
            instance.report_run_failed(instance.create_run_for_job(job, tags=tags), "the code server was away")
            cursor = tick(cursor)
            assert len(told.told) == heard


def test_a_run_that_fails_after_the_clock_went_back_is_told_of_once(tmp_path: Path) -> None:
    with hook() as told:
        done, run_id = tick_after_a_failed_run(tmp_path, timedelta(days=400), FW_ALERT_WEBHOOK=told.url)
    assert done.dagster_run_reactions
    assert [said["run_id"] for said in told.told] == [run_id]


def test_nobody_set_is_nobody_told_and_the_tick_says_so(tmp_path: Path) -> None:
    done, run_id = tick_after_a_failed_run(tmp_path)
    assert run_id in str(done.skip_message)
    assert "FW_ALERT_WEBHOOK and FW_ALERT_MAIL_TO are empty" in str(done.skip_message)
    assert not done.dagster_run_reactions


def test_an_alert_that_cannot_be_sent_fails_the_tick_and_shows_no_secret(tmp_path: Path) -> None:
    with hook() as told:
        told.statuses = [404]
        done, run_id = tick_after_a_failed_run(tmp_path, FW_ALERT_WEBHOOK=told.url)
    [reaction] = done.dagster_run_reactions or ()
    assert reaction.error is not None
    assert f"alert {run_id}: webhook: HTTP 404 Not Found; " in reaction.error.message
    assert "secret" not in reaction.error.to_string()
    kept = [path for path in tmp_path.rglob("*.db*") if b"T0-a-secret-path" in path.read_bytes()]
    assert kept == []


@asset
def figures() -> None:
    """Stand for a table."""


def test_a_run_that_was_killed_is_told_of_by_what_dagster_says(tmp_path: Path) -> None:
    with DagsterInstance.local_temp(str(tmp_path), overrides=QUIET) as instance:
        definitions = Definitions(assets=[figures], jobs=[define_asset_job("build")])
        run = instance.create_run_for_job(definitions.resolve_job_def("build"))
        instance.report_run_failed(run, message="Run worker\nwas killed.")
        alert = alert_of(instance, run, "Run worker\nwas killed.")
    assert alert.lines == (f"run {run.run_id}: Run worker was killed.; {REMEDY}",)
