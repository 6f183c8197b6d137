"""Backfills in the Dagster UI, by clicks: all sources, a failed check, the job, and a failure in the middle of a year.

They take whole runs, so they are apart: `make test-long`. Pictures are left in `test-artefacts/`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from fw_pipeline.ingestion.providers import offered
from fw_pipeline.orchestration.raw_assets import key
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.chromium import NEEDED
from fw_pipeline_tests.support.dagster_desk import Desk, seated
from fw_pipeline_tests.support.dagster_ui import Ui
from fw_pipeline_tests.support.fake_services.faults import late
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import COUNTS, FIRST, LISTS

pytestmark = [*NEEDED, pytest.mark.long]

A_MONTH = 7
"""Requests for a month of the world of the fake services: one counts the whole site, six list questions, by page."""

MOMENTUM = {"path": ["marts", "momentum"]}


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    """A UI over an empty folder, with the recorded figures to fetch."""
    with Ui(tmp_path_factory.mktemp("ui") / "data") as running:
        yield running


@pytest.fixture
def desk(browser: Any, ui: Ui, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with seated(browser, ui, request) as user:
        yield user


def built(ui: Ui) -> list[str]:
    """How the builds ended that the sensor launched, the newest first."""
    return [run["status"] for run in ui.runs("rebuild")]


def test_a_year_of_one_source_then_every_month_of_all_is_backfilled_and_everything_is_built(desk: Desk, ui: Ui) -> None:
    desk.open("raw", "pypi")
    desk.press("Materialize")
    desk.launch("[2023-01-01...2023-12-01]")
    desk.follow()
    desk.see("raw / pypi")
    desk.see("100% completed")
    desk.shot("one source")
    assert ui.months("pypi") == [("2023-01-01", "2023-12-01")]
    desk.go("Lineage")
    desk.write('group:"raw"')
    desk.see("stackoverflow")
    desk.press(re.compile("Materialize all"))
    desk.see("All partitions")
    desk.page.get_by_role("dialog").get_by_role("button", name="Launch backfill").click()
    desk.follow()
    desk.count(desk.page.get_by_text("100% completed"), len(SOURCES))
    desk.count(desk.page.get_by_text("Succeeded", exact=True), 2)  # the head of the column, and the outcome
    desk.shot("all sources")
    settings, now = read({"FW_DATA_DIR": str(ui.data)}, dotenv=Path("none")), datetime.now(UTC)
    for name, source in SOURCES.items():
        months = offered(source, settings, now=now).months()
        assert ui.months(name) == [(key(months[0]), key(months[-1]))]
        assert ui.months(name, "FAILED") == []
    ui.wait_for("the build to end", lambda: built(ui)[:1] == ["SUCCESS"])
    assert {run["status"] for run in ui.runs()} == {"SUCCESS"}
    desk.go("Runs")
    desk.see("build_what_ch")
    desk.shot("built")
    present = "select count(distinct month) from raw.stackoverflow"
    assert query(ui.data / "warehouse.duckdb", present).item() == 91


def test_a_job_is_launched_for_a_month_and_the_build_left_charts_to_look_at(desk: Desk, ui: Ui) -> None:
    desk.go("Jobs")
    desk.see("fetch_stackoverflow", exact=True).click()
    desk.press(re.compile("Materialize"))
    desk.launch("2021-06-01")
    ui.wait_for("the job to end", lambda: [run["status"] for run in ui.runs("fetch_stackoverflow")] == ["SUCCESS"])
    desk.open("marts", "framework_metrics", "Events")
    desk.page.get_by_text("Observed").first.click()
    desk.page.get_by_role("row", name=re.compile("^chart")).get_by_text("[Show Markdown]").first.click()
    chart = desk.page.locator("img[src^='data:image/svg+xml']")
    chart.first.wait_for()
    desk.shot("chart")


def test_one_table_is_materialised_alone_and_its_check_is_run_alone(desk: Desk, ui: Ui) -> None:
    def alone() -> list[str]:
        return [run["status"] for run in ui.runs("__ASSET_JOB") if run["assetSelection"] in ([MOMENTUM], [], None)]

    assert alone() == []
    desk.open("marts", "momentum")
    desk.press("Materialize")
    ui.wait_for("the table", lambda: alone() == ["SUCCESS"])
    desk.see("unchanged until publish runs")
    desk.shot("one table")
    desk.tab("Checks")
    desk.see("rules_hold", exact=True).click()
    desk.see("at_least_one_row")
    desk.see("Passed", exact=True)
    desk.press("Execute")
    ui.wait_for("the check", lambda: alone() == ["SUCCESS", "SUCCESS"])
    desk.shot("one check")


def test_a_failed_check_shows_the_rows_and_the_remedy_and_passes_when_the_month_is_fetched_again(
    desk: Desk, ui: Ui
) -> None:
    store, month = VintageStore(ui.data), date(2022, 5, 1)
    vintage = next(each for each in store.vintages("papers") if each.month == month)
    rows = store.read("papers", vintage)
    wrong = rows.with_columns(papers=pl.lit(-5, rows.schema["papers"]))
    now = datetime.now(UTC)
    store.add("papers", month, wrong, provider="recorded", observed_at=now, evidence=("by-hand",), run_id="by-hand")
    ui.wait_for("a build to fail", lambda: built(ui)[:1] == ["FAILURE"])
    desk.open("raw", "papers", "Checks")
    desk.see("rules_hold", exact=True).click()
    desk.see(re.compile("^papers_between_0_and_1000000: 1?[0-9] of "))
    desk.see("look at the failing rows; if the figures are wrong, fetch those months again")
    desk.shot("failed check")
    desk.see("[Show Markdown]").click()
    table = desk.page.get_by_role("dialog")
    desk.count(table.get_by_role("cell", name="-5", exact=True), wrong.height)
    desk.count(table.get_by_role("cell", name="2022-05-01", exact=True), wrong.height)
    desk.shot("failing rows")
    desk.press("Close")
    desk.press("Materialize")
    desk.launch("2022-05-01")
    ui.wait_for("the build to end", lambda: built(ui)[:1] == ["SUCCESS"])
    desk.see("Passed", exact=True)
    desk.shot("mended")


@dataclass(frozen=True, slots=True)
class Live:
    """A UI whose questions come from a service, by its api."""

    ui: Ui
    services: FakeServices

    @property
    def asked(self) -> int:
        """How many requests for questions, or for their number, have arrived."""
        return sum(request.path in (COUNTS, LISTS) for request in self.services.of("stackexchange"))


@pytest.fixture
def live(tmp_path: Path, services: FakeServices) -> Iterator[Live]:
    services.world.keyless_quota = FIRST + 3 * A_MONTH + 5
    services.faults.add(COUNTS, late(5), times=-1)  # so that months are seen to come one by one
    settings = {
        "FW_PROVIDERS": "stackoverflow=api",
        "FW_STACKEXCHANGE_URL": f"{services.url}/stackexchange",
        "FW_CONTACT": "somebody@example.org",
    }
    with Ui(tmp_path / "data", settings) as running:
        yield Live(running, services)


@pytest.fixture
def live_desk(browser: Any, live: Live, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with seated(browser, live.ui, request) as user:
        yield user


def test_months_turn_green_one_by_one_a_failure_leaves_them_and_a_retry_asks_for_the_rest_only(
    live_desk: Desk, live: Live
) -> None:
    desk = live_desk
    desk.open("raw", "stackoverflow")
    desk.press("Materialize")
    desk.launch("[2022-01-01...2022-08-01]")
    desk.tab("Partitions")
    seen = desk.watch(re.compile(r"^Materialized \((\d+)\)$"), until="3")
    assert set(seen) & {"1", "2"}, f"one by one, but seen were {seen}"
    desk.see("Failed (5)")
    desk.shot("failed in the middle")
    assert live.ui.months("stackoverflow") == [("2022-01-01", "2022-03-01")]
    desk.go("Runs")
    desk.page.locator("a[href*='/runs/b/']").first.click()
    desk.tab("Runs")
    desk.page.get_by_role("link", name="View", exact=True).first.click()
    desk.see("more requests available in")
    desk.shot("why")
    asked = live.asked
    live.services.world.keyless_quota = 10_000
    desk.page.go_back()
    desk.tab("Overview")
    desk.see("Failed", exact=True)
    desk.page.get_by_role("button").last.click()
    desk.page.get_by_role("menuitem", name="Re-execute from failure").click()
    live.ui.wait_for("the rest", lambda: live.ui.months("stackoverflow") == [("2022-01-01", "2022-08-01")])
    assert live.asked - asked == 5 * A_MONTH - 5
    desk.open("raw", "stackoverflow", "Partitions")
    desk.see("Materialized (8)")
    desk.see("Failed (0)")
    desk.shot("all green")
