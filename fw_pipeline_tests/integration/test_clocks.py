"""The schedule comes up while a backfill is under way, and the clock is set back under a running UI.

They take whole runs, so they are apart: `make test-long`.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.integration.test_revisit import recorded_until
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.dagster_ui import Ui
from fw_pipeline_tests.support.fake_services.faults import late
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.moved_clock import NEEDED, MovedClock
from fw_pipeline_tests.support.questions_live import COUNTS

pytestmark = [NEEDED, pytest.mark.long]

MONTHS = ["2023-04-01", "2023-05-01", "2023-06-01"]
"""The months that have closed last, by the clock of these tests."""

CLOSED = MONTHS[-1]


def settings(clock: MovedClock, services: FakeServices) -> Mapping[str, str]:
    """Return settings in which questions are asked for on the loopback interface, and everything else is recorded."""
    services.world.keyless_quota = 100_000
    asked_of = {"FW_PROVIDERS": "stackoverflow=api", "FW_STACKEXCHANGE_URL": f"{services.url}/stackexchange"}
    return {**asked_of, **clock.settings}


def idle(ui: Ui) -> bool:
    """Say whether every run has ended."""
    return {run["status"] for run in ui.runs()} <= {"SUCCESS", "FAILURE", "CANCELED"}


def published(data: Path) -> dict[date, int]:
    """Return the questions on pytorch, by month, that a reader of the published file finds."""
    found = query(data / "warehouse.duckdb", "select month, questions from raw.stackoverflow where tagged = 'pytorch'")
    return dict(found.rows())


def truth(services: FakeServices) -> dict[date, int]:
    """Return the questions on pytorch, by month, that are there to be counted now."""
    return {month: services.world.questions_in(month, "pytorch") for month in map(date.fromisoformat, MONTHS)}


def test_the_schedule_comes_up_in_the_middle_of_a_backfill_and_both_end_well(
    tmp_path: Path, services: FakeServices
) -> None:
    data = tmp_path / "data"
    recorded_until(data / "recorded", "2023-06")
    clock = MovedClock(tmp_path, datetime(2023, 7, 3, 5, 58, tzinfo=UTC))  # it is not moved: a leap ends code servers
    year = [f"{date(2022, month, 1)}" for month in range(1, 13)]
    come = threading.Event()
    services.faults.add(COUNTS, late(45, come), times=-1)
    with Ui(data, settings(clock, services)) as ui:
        ui.switch_on("monthly")
        backfill = ui.backfill(["stackoverflow"], year)
        ui.wait_for("the first question", lambda: services.of("stackexchange"))
        ui.wait_for("the schedule", lambda: ui.runs("monthly"))
        assert ui.backfill_status(backfill) == "REQUESTED", "the schedule came up while the backfill was under way"
        come.set()
        ui.wait_for("the backfill", lambda: ui.backfill_status(backfill) not in ("REQUESTED", "COMPLETING"))
        ui.wait_for("the runs", lambda: idle(ui))
        brought = data / "warehouse.duckdb"
        ui.wait_for("what both brought, published", lambda: brought.exists() and len(published(data)) == len(year) + 1)
        assert ui.backfill_status(backfill) == "COMPLETED_SUCCESS"
        (scheduled,) = ui.runs("monthly")
        tags = {tag["key"]: tag["value"] for tag in scheduled["tags"]}
        assert (scheduled["status"], tags["dagster/schedule_name"]) == ("SUCCESS", "monthly")
        assert ui.months("stackoverflow") == [(year[0], year[-1]), (CLOSED, CLOSED)]
    world = services.world
    months = [date.fromisoformat(month) for month in [*year, CLOSED]]
    assert published(data) == {month: world.questions_in(month, "pytorch") for month in months}
    counted = [dict(request.query) for request in services.of("stackexchange") if request.path == COUNTS]
    asked = [datetime.fromtimestamp(int(it["fromdate"]), UTC).date() for it in counted]
    assert sorted(asked) == months, "nothing was asked for twice"


def test_a_run_of_the_schedule_that_is_killed_is_launched_again_and_its_month_comes(
    tmp_path: Path, services: FakeServices
) -> None:
    data = tmp_path / "data"
    recorded_until(data / "recorded", "2023-06")
    clock = MovedClock(tmp_path, datetime(2023, 7, 3, 5, 58, tzinfo=UTC))  # the schedule is on before it is due
    come = threading.Event()
    services.faults.add(COUNTS, late(120, come), times=-1)
    with Ui(data, settings(clock, services)) as ui:
        ui.switch_on("monthly")
        ui.wait_for("the first question", lambda: services.of("stackexchange"))
        os.kill(ui.process_of(ui.runs("monthly")[0]["runId"]), signal.SIGKILL)
        come.set()
        ui.wait_for("the second attempt", lambda: len(ui.runs("monthly")) == 2)
        ui.wait_for("the runs", lambda: idle(ui) and (data / "warehouse.duckdb").exists())
        ui.wait_for("the month, published", lambda: date(2023, 6, 1) in published(data))
        assert [run["status"] for run in ui.runs("monthly")] == ["SUCCESS", "FAILURE"]
    assert published(data) == {date(2023, 6, 1): services.world.questions_in(date(2023, 6, 1), "pytorch")}


def test_a_clock_that_is_set_back_under_the_ui_delays_it_by_as_much_and_no_more(
    tmp_path: Path, services: FakeServices
) -> None:
    data = tmp_path / "data"
    recorded_until(data / "recorded", "2023-06")
    noon = datetime(2023, 7, 5, 12, tzinfo=UTC)
    clock = MovedClock(tmp_path, noon)
    with Ui(data, settings(clock, services)) as ui:
        ui.launch("fetch_stackoverflow", MONTHS[0], MONTHS[-1])
        ui.wait_for("the build", lambda: idle(ui) and (data / "warehouse.duckdb").exists())
        first = published(data)
        services.world.questions_a_month = 300
        clock.set(clock.now() - timedelta(seconds=60))
        again = ui.backfill(["stackoverflow"], MONTHS)
        ui.wait_for("the backfill", lambda: ui.backfill_status(again) == "COMPLETED_SUCCESS")
        ui.wait_for("the build", lambda: idle(ui) and published(data) != first)
        assert {run["status"] for run in ui.runs()} == {"SUCCESS"}
        assert ui.months("stackoverflow") == [(MONTHS[0], MONTHS[-1])]
    assert published(data) == truth(services)


def test_what_is_fetched_after_the_clock_was_set_back_by_days_is_current_and_nothing_is_lost(
    tmp_path: Path, services: FakeServices
) -> None:
    data = tmp_path / "data"
    recorded_until(data / "recorded", "2023-06")
    noon = datetime(2023, 7, 5, 12, tzinfo=UTC)
    clock = MovedClock(tmp_path, noon)
    asked = ("run", "--from", MONTHS[0][:7], "--to", MONTHS[-1][:7])
    assert fw_pipeline(data, *asked, **settings(clock, services)).complaints == []
    first = published(data)
    services.world.questions_a_month = 300
    clock.set(noon - timedelta(days=2))
    assert fw_pipeline(data, *asked, "--again", **settings(clock, services)).complaints == []
    after = truth(services)
    assert published(data) == after != first
    kept = query(
        data / "warehouse.duckdb",
        "select month, questions, observed_at from raw.stackoverflow_vintages "
        "where tagged = 'pytorch' order by vintage",
    )
    assert sorted(kept["questions"]) == sorted([*first.values(), *after.values()]), "both are kept"
    looks = kept.group_by("month", maintain_order=True)
    assert dict(looks.agg(pl.col("questions").last()).rows()) == after, "what was written last is named last"
    earlier = looks.agg(pl.col("observed_at").last() < pl.col("observed_at").first())
    assert earlier["observed_at"].all(), "when it was seen is what the clock said"
