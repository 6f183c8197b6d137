"""The months that have closed last are fetched again: what moved is a new vintage beside the old one, and is shown."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from dagster import AssetKey, DagsterInstance, RunRequest, SkipReason, build_sensor_context

from fw_pipeline.definitions import build_defs, load_models
from fw_pipeline.months import Window
from fw_pipeline.orchestration.jobs import REVISITED, last_months
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import run_job
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.fake_services.server import FakeServices

MONTHS = (date(2023, 4, 1), date(2023, 5, 1), date(2023, 6, 1))


def test_the_last_three_closed_months_are_those_before_this_one() -> None:
    assert last_months(datetime(2023, 7, 10, tzinfo=UTC), REVISITED).months() == MONTHS
    assert last_months(datetime(2016, 1, 3, tzinfo=UTC), REVISITED) == Window.of(date(2015, 11, 1), date(2015, 12, 1))


def recorded_until(folder: Path, month: str) -> None:
    """Lay recorded figures that end in a month, as they were then."""
    shutil.copytree(PROJECT_DIR / "data" / "recorded", folder)
    for name in ("huggingface", "papers", "pypi"):
        head, *lines = (folder / f"{name}.csv").read_text(encoding="utf-8").splitlines()
        kept = [line for line in lines if line[:7] <= month]
        (folder / f"{name}.csv").write_text("\n".join([head, *kept]) + "\n", encoding="utf-8")


def test_what_moved_between_two_visits_is_a_new_vintage_and_stands_in_drift(
    tmp_path: Path, services: FakeServices
) -> None:
    recorded_until(tmp_path / "data" / "recorded", "2023-06")
    url = f"{services.url}/stackexchange"
    given = {"FW_DATA_DIR": str(tmp_path / "data"), "FW_PROVIDERS": "stackoverflow=api", "FW_STACKEXCHANGE_URL": url}
    now = datetime(2023, 7, 5, 6, tzinfo=UTC)
    models = load_models()
    pipeline = Pipeline(SOURCES, models, given=read(given, dotenv=Path("none")), clock=lambda: now)
    definitions = build_defs(models=models, resources={"pipeline": pipeline})
    repository = definitions.get_repository_def()
    overrides = {"telemetry": {"enabled": False}}
    with DagsterInstance.local_temp(str(tmp_path), overrides=overrides) as instance:

        def visit() -> None:
            assert run_job(definitions, "revisit", instance=instance).failures == ()

        def wanted() -> object:
            sensor, handed = repository.get_sensor_def("build_what_changed"), {"pipeline": pipeline}
            with build_sensor_context(instance, repository_def=repository, resources=handed) as context:
                return sensor(context)

        assert isinstance(wanted(), SkipReason)
        visit()
        first = services.world.questions_in(MONTHS[0], "pytorch")
        services.world.questions_a_month = 300
        now = datetime(2023, 7, 10, 6, tzinfo=UTC)
        visit()
        second = services.world.questions_in(MONTHS[0], "pytorch")
        assert first != second
        green = instance.get_materialized_partitions(AssetKey(["raw", "stackoverflow"]))
        assert green == {f"{month}" for month in MONTHS}
        assert isinstance(wanted(), RunRequest), "the tables are built as after any backfill"
    vintages = VintageStore(tmp_path / "data").vintages("stackoverflow")
    assert [vintage.month for vintage in vintages] == [month for month in MONTHS for _ in range(2)]
    with pipeline.writing() as writer:
        for model in models:
            if model.name in ("marts.figure_history", "marts.drift"):
                writer.build(model.name, model.sql, description="", columns={})
        moved = writer.frame(
            "select provider, previous_value, value, change, is_current from marts.drift where kind = 'vintage' "
            f"and source = 'stackoverflow' and month = date '{MONTHS[0]}' and key = 'pytorch'"
        ).rows()
    assert moved == [("api", first, second, second - first, True)]


@pytest.mark.long
def test_revisiting_recorded_figures_finds_nothing_new_and_publishes_the_same(recorded: Path) -> None:
    vintages = sorted(path.name for path in (recorded / "raw").rglob("*.parquet"))
    done = fw_pipeline(recorded, "revisit")
    assert done.status == 0, done.err
    # Recorded figures have ended: at most the last of their months is among the last three, and nothing in it changed.
    fetched = [line for line in done.err.splitlines() if line.startswith("fetched")]
    assert all(re.fullmatch(r"fetched \w+, months: [1-3] unchanged", line) for line in fetched), fetched
    assert f"published {recorded / 'warehouse.duckdb'}" in done.err
    assert sorted(path.name for path in (recorded / "raw").rglob("*.parquet")) == vintages
