"""The Dagster UI in a real browser: what a user reads and switches there, with the real server, daemon and runs.

One server for all tests. All figures are there, but Dagster remembers nothing, so that every month is grey at first.
Pictures of what the user sees are left in `test-artefacts/`, and with a failure the server's log.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline_tests.support.chromium import NEEDED
from fw_pipeline_tests.support.dagster_desk import Desk, seated
from fw_pipeline_tests.support.dagster_ui import Ui

pytestmark = [*NEEDED, pytest.mark.long]


@pytest.fixture(scope="module")
def ui(recorded_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    data = tmp_path_factory.mktemp("ui") / "data"
    shutil.copytree(recorded_once, data, ignore=shutil.ignore_patterns("dagster"))
    with Ui(data) as running:
        yield running


@pytest.fixture
def desk(browser: Any, ui: Ui, request: pytest.FixtureRequest) -> Iterator[Desk]:
    with seated(browser, ui, request) as user:
        yield user


def test_lineage_shows_the_layers_and_a_search_finds_a_source(desk: Desk) -> None:
    desk.go("Lineage")
    for group in ("raw", "staging", "marts", "claims", "verdicts", "published", "coverage", "meta"):
        desk.see(re.compile(f"^{group}$"))
    desk.shot("layers")
    desk.write('tag:"source"="pypi"')
    desk.miss(re.compile("^verdicts$"))
    for group in ("raw", "staging", "marts", "claims"):
        desk.see(re.compile(f"^{group}$"))
    desk.shot("one source")


def test_an_asset_says_what_it_is_whose_it_is_and_what_its_columns_mean(desk: Desk) -> None:
    desk.open("raw", "pypi")
    desk.see("Downloads of a package from the Python Package Index in a month or a window of days.")
    desk.see("A month is green once it has been answered.")
    desk.see("fw_pipeline", exact=True)
    desk.see("days_covered", exact=True)
    desk.see("Days that the figure covers; fewer than the month has = a partial month.")
    desk.shot("overview")
    desk.open("marts", "pypi_adoption", "Lineage")
    desk.see("framework_metrics")
    desk.shot("lineage")


def test_a_known_gap_is_materialised_without_rows_and_a_check_warns_and_says_why(desk: Desk, ui: Ui) -> None:
    desk.open("raw", "pypi")
    desk.press("Materialize")
    desk.launch("[2016-03-01...2016-04-01]")
    desk.tab("Partitions")
    desk.see("Materialized (2)")
    desk.see("Failed (0)")
    assert ui.months("pypi") == [("2016-03-01", "2016-04-01")]
    desk.page.get_by_placeholder("Filter by name").fill("2016-04")
    desk.see("2016-04-01", exact=True).click()
    desk.count(desk.page.get_by_role("row", name="dagster/partition_row_count 0"), 1)
    desk.see("downloads not recorded from 2016-03-06 to 2016-05-21")
    desk.shot("known gap")
    desk.tab("Checks")
    desk.see(re.compile("^every_month_has")).click()
    desk.see(re.compile(r"^\d+ of \d+ months have no figure, and it is known why: 2016-04, 2024-12, 2025-05"))
    desk.shot("warning")


def test_the_schedule_is_switched_on(desk: Desk, ui: Ui) -> None:
    desk.go("Automation")
    row = desk.page.locator("[data-index]").filter(has=desk.page.get_by_text("monthly", exact=True))
    switch = row.locator("label[class*=formatSwitch]")
    assert ui.schedules()["monthly"] == "STOPPED"
    switch.click()
    ui.wait_for("the schedule to run", lambda: ui.schedules()["monthly"] == "RUNNING")
    desk.shot("switched on")
    switch.click()
    ui.wait_for("the schedule to rest", lambda: ui.schedules()["monthly"] == "STOPPED")
