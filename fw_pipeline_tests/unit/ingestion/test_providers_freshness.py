"""Freshness is about the month: not about a run that happened, and not about months that nobody can have."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl
import pytest
from dagster import AssetCheckEvaluation, DagsterInstance, build_sensor_context
from dagster._core.definitions.sensor_definition import SensorExecutionData

from fw_pipeline.contract import Availability, Batch, CostEstimate, FetchContext, Provider, Source
from fw_pipeline.definitions import build_defs
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import Freshness, choose, freshness
from fw_pipeline.months import Window
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.loopback_alerts import Hook, hook

SEPTEMBER, OCTOBER = date(2026, 9, 1), date(2026, 10, 1)
BEFORE_DUE, AFTER_DUE = datetime(2026, 11, 5, 23, tzinfo=UTC), datetime(2026, 11, 6, 0, 1, tzinfo=UTC)


def answered(fetch: FetchContext) -> Iterator[Batch]:
    """Give every month a figure, and call December 2020 a gap."""
    for month in fetch.window.months():
        row = {"month": month, "tagged": "pytorch", "questions": 500, "method": "counted", "origin": "x"}
        rows = pl.DataFrame([row], schema=SOURCES["stackoverflow"].table.schema)
        if month == date(2020, 12, 1):
            yield Batch(month, rows.clear(), (), gap="nothing was recorded")
        else:
            yield Batch(month, rows, ("e/1",))


def provider(name: str, last: date) -> Provider:
    reach = Availability(Window.of(date(2018, 1, 1), last), "not kept", f"the service was shut in {last:%Y-%m}")
    words = dict.fromkeys(("answers", "cost", "needs", "cannot_see"), "")
    return Provider(
        name=name,
        source="stackoverflow",
        reach=lambda _: reach,
        fetch=answered,
        plan=lambda _: CostEstimate(1, "one request"),
        **words,  # type: ignore[arg-type]
    )


PROVIDERS = (provider("open", date(2030, 1, 1)), provider("shut", date(2020, 12, 1)))
SOURCE = replace(SOURCES["stackoverflow"], providers=MappingProxyType({one.name: one for one in PROVIDERS}))


def settings(data: Path, provider: str = "open", **more: str) -> Settings:
    return read({"FW_DATA_DIR": str(data), "FW_PROVIDERS": f"stackoverflow={provider}", **more}, dotenv=Path("none"))


def fetched(data: Path, first: date, last: date, provider: str = "open") -> None:
    given = settings(data, provider)
    got = ingest(
        choose(SOURCE, given), Window.of(first, last), given, run_id="r", now=AFTER_DUE, log=print, done=lambda _: None
    )
    assert not got.failures


def look(data: Path, now: datetime, provider: str = "open", source: Source = SOURCE) -> Freshness:
    return freshness(source, settings(data, provider), now=now)


def test_the_month_that_has_closed_is_missed_once_it_is_due(tmp_path: Path) -> None:
    fetched(tmp_path, date(2026, 7, 1), SEPTEMBER)
    early, late = look(tmp_path, BEFORE_DUE), look(tmp_path, AFTER_DUE)
    assert (early.is_stale, early.last_month, early.months_behind) == (False, SEPTEMBER, 0)
    assert early.what == "2026-10 is due on 2026-11-06"
    assert (late.is_stale, late.last_month, late.months_behind) == (True, SEPTEMBER, 1)
    assert late.what == "fw-pipeline run --source stackoverflow --from 2026-10 --to 2026-10"
    fetched(tmp_path, OCTOBER, OCTOBER)
    assert look(tmp_path, AFTER_DUE).what == "2026-11 is due on 2026-12-06"


def test_an_old_month_that_was_fetched_again_makes_nothing_fresh(tmp_path: Path) -> None:
    fetched(tmp_path, SEPTEMBER, SEPTEMBER)
    fetched(tmp_path, date(2019, 1, 1), date(2019, 2, 1))
    assert look(tmp_path, AFTER_DUE).is_stale


def test_a_source_waits_as_long_as_its_own_policy_says(tmp_path: Path) -> None:
    fetched(tmp_path, SEPTEMBER, SEPTEMBER)
    assert not look(tmp_path, AFTER_DUE, source=replace(SOURCE, due_days=8)).is_stale


def test_what_a_provider_cannot_have_is_not_stale_and_a_known_gap_is_an_answer(tmp_path: Path) -> None:
    fetched(tmp_path, date(2020, 10, 1), date(2020, 12, 1), "shut")
    found = look(tmp_path, AFTER_DUE, "shut")
    assert (found.is_stale, found.last_month, found.months_behind) == (False, date(2020, 12, 1), 70)
    assert found.what == "the service was shut in 2020-12"


def test_a_source_that_was_never_fetched_by_this_provider_says_from_where_on(tmp_path: Path) -> None:
    fetched(tmp_path, date(2020, 1, 1), date(2020, 12, 1), "shut")
    found = look(tmp_path, AFTER_DUE)
    assert (found.is_stale, found.last_month, found.months_behind) == (True, None, None)
    assert found.what == "fw-pipeline run --source stackoverflow --from 2018-01 --to 2026-10"


def test_recorded_figures_that_ended_are_not_stale_and_status_says_where_they_end(recorded_once: Path) -> None:
    done = fw_pipeline(recorded_once, "status", "--format", "json")
    found = {row["source"]: row for row in json.loads(done.out)}
    assert list(found) == list(SOURCES)
    assert not any(row["stale"] for row in found.values())
    assert found["stackoverflow"]["last_month"] == "2023-05"
    assert found["stackoverflow"]["what_next"] == "the recorded figures end in 2023-05; set FW_MODE=live"
    live = fw_pipeline(recorded_once, "status", FW_MODE="live").out
    assert "fw-pipeline run --source pypi --from 2016-01" in live


@pytest.fixture
def told() -> Iterator[Hook]:
    with hook() as made:
        yield made


class Watch:
    """The sensor that watches freshness, over a data folder and one source."""

    def __init__(self, given: Settings, now: list[datetime]) -> None:
        self.pipeline = Pipeline({"stackoverflow": SOURCE}, (), given=given, clock=lambda: now[0])
        sources = {**SOURCES, "stackoverflow": SOURCE}
        self.repository = build_defs(sources=sources, settings=given).get_repository_def()
        self.cursor: str | None = None

    def __call__(self) -> tuple[SensorExecutionData, list[AssetCheckEvaluation]]:
        """Look once; return what came of it, and the checks that were written."""
        given: dict[str, Any] = {"repository_def": self.repository, "resources": {"pipeline": self.pipeline}}
        with (
            DagsterInstance.ephemeral() as instance,
            build_sensor_context(instance, self.cursor, **given) as context,
        ):
            done = self.repository.get_sensor_def("watch_freshness").evaluate_tick(context)
        self.cursor = done.cursor
        return done, [event for event in done.asset_events if isinstance(event, AssetCheckEvaluation)]


def test_a_source_whose_figures_have_ended_is_never_green_and_no_alarm(tmp_path: Path, told: Hook) -> None:
    fetched(tmp_path, date(2020, 10, 1), date(2020, 12, 1), "shut")
    _, [warned] = Watch(settings(tmp_path, "shut", FW_ALERT_WEBHOOK=told.url), [AFTER_DUE])()
    assert (warned.passed, warned.severity.value, told.told) == (False, "WARN", [])
    ended = "the last month here is 2020-12, and this provider has nothing newer; the service was shut in 2020-12"
    assert warned.description == f"stackoverflow (shut): {ended}"


def test_a_source_that_goes_stale_turns_its_check_and_is_told_of_once(tmp_path: Path, told: Hook) -> None:
    now = [BEFORE_DUE]
    tick = Watch(settings(tmp_path, FW_ALERT_WEBHOOK=told.url), now)
    done, said = tick()
    assert (done.skip_message, said) == ("no source was fetched yet", []), "never fetched is not gone stale"
    fetched(tmp_path, date(2026, 7, 1), SEPTEMBER)
    [fresh] = tick()[1]
    assert (fresh.passed, told.told) == (True, [])
    now[0] = AFTER_DUE
    done, [stale] = tick()
    assert (stale.passed, stale.asset_key.path, stale.severity.value) == (False, ["raw", "stackoverflow"], "WARN")
    assert "--from 2026-10 --to 2026-10" in str(done.skip_message)
    assert tick()[1] == []
    [alert] = told.told
    assert alert["text"].splitlines()[0] == "stale: stackoverflow"
    assert "the last month here is 2026-09, and 1 later month is due; fw-pipeline run" in alert["failures"][0]
    fetched(tmp_path, OCTOBER, OCTOBER)
    [fresh] = tick()[1]
    assert fresh.passed
    assert fresh.description == (
        "stackoverflow (open): 2026-10, the last month that is due, is here; 2026-11 is due on 2026-12-06"
    )
    assert len(told.told) == 1
