"""The Dagster UI in a real browser: what a user does there, by clicking, with the real server, daemon and runs.

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

from fw_pipeline_tests.dagster_ui import ARTEFACTS, CHROMIUM, FLAGS, PATIENCE, Ui

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed"),
]

DESK = {"width": 1400, "height": 900}


@pytest.fixture(scope="module")
def ui(recorded_once: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ui]:
    data = tmp_path_factory.mktemp("ui") / "data"
    shutil.copytree(recorded_once, data, ignore=shutil.ignore_patterns("dagster"))
    with Ui(data) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield chromium
        chromium.close()


class Desk:
    """A user at the browser."""

    def __init__(self, browser: Any, ui: Ui, name: str) -> None:
        self.ui, self.name, self.shots = ui, name, 0
        self.page = browser.new_context(viewport=DESK).new_page()
        self.page.set_default_timeout(PATIENCE * 1000)

    def go(self, place: str) -> None:
        """Click a place of the navigation."""
        if self.page.url == "about:blank":
            self.page.goto(self.ui.url)
        self.page.get_by_text(place, exact=True).locator("visible=true").first.click()

    def open(self, layer: str, name: str, tab: str = "Overview") -> None:
        """Find an asset in the catalogue, open it, and click one of its tabs."""
        self.go("Catalog")
        self.write(f'key:"{layer}/{name}"')
        self.page.get_by_role("link", name=f"{layer} / {name}").first.click()
        self.tab(tab)

    def tab(self, name: str) -> None:
        """Click a tab of an asset."""
        self.page.get_by_role("tab", name=name, exact=True).click()

    def see(self, text: str | re.Pattern[str], *, exact: bool = False) -> Any:
        """Wait until a text is there to be seen; return what shows it."""
        found = self.page.get_by_text(text, exact=exact).locator("visible=true").first
        playwright.expect(found).to_be_visible(timeout=PATIENCE * 1000)
        return found

    def write(self, text: str) -> None:
        """Write into the field that searches and filters assets."""
        self.page.locator(".CodeMirror").first.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("Enter")

    def press(self, button: str | re.Pattern[str]) -> None:
        """Press a button."""
        self.page.get_by_role("button", name=button).first.click()

    def launch(self, months: str) -> None:
        """Choose months in the dialog that launches runs, and launch."""
        dialog = self.page.get_by_role("dialog")
        dialog.get_by_text("Show all partitions").click()
        field = dialog.get_by_role("textbox").first
        field.fill(months)
        field.press("Enter")
        self.shot("months chosen")
        dialog.get_by_role("button", name=re.compile("^Launch")).click()

    def shot(self, what: str) -> None:
        """Leave a picture of what the user sees."""
        self.shots += 1
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{self.name}-{self.shots}-{what.replace(' ', '-')}.png")


@pytest.fixture
def desk(browser: Any, ui: Ui, request: pytest.FixtureRequest) -> Iterator[Desk]:
    user = Desk(browser, ui, request.node.name.removeprefix("test_")[:60])
    failed_before = request.session.testsfailed
    yield user
    if request.session.testsfailed > failed_before:
        user.shot("failed")
        shutil.copy(ui.log, ARTEFACTS / f"{user.name}.log")
    user.page.context.close()


def test_lineage_shows_the_layers_and_a_search_finds_a_source(desk: Desk) -> None:
    desk.go("Lineage")
    for group in ("raw", "staging", "marts", "claims", "verdicts", "published", "coverage", "meta"):
        desk.see(re.compile(f"^{group}$"))
    desk.shot("layers")
    desk.write('tag:"source"="pypi"')
    unwanted = desk.page.get_by_text(re.compile("^verdicts$"))
    playwright.expect(unwanted).to_have_count(0, timeout=PATIENCE * 1000)
    for group in ("raw", "staging", "marts", "claims"):
        desk.see(re.compile(f"^{group}$"))
    desk.shot("one source")


def test_an_asset_says_what_it_is_whose_it_is_and_what_its_columns_mean(desk: Desk) -> None:
    desk.open("raw", "pypi")
    desk.see("Downloads of a package from the Python Package Index in a month or a window of days.")
    desk.see("A month that stays grey has no figure")
    desk.see("fw_pipeline", exact=True)
    desk.see("days_covered", exact=True)
    desk.see("Days that the figure covers; fewer than the month has = a partial month.")
    desk.shot("overview")
    desk.open("marts", "pypi_adoption", "Lineage")
    desk.see("framework_metrics")
    desk.shot("lineage")


def test_one_month_is_materialised(desk: Desk, ui: Ui) -> None:
    desk.open("raw", "pypi")
    desk.press("Materialize")
    desk.launch("2020-05-01")
    desk.tab("Partitions")
    desk.see("Materialized (1)")
    desk.shot("green")
    assert ui.months("pypi") == [("2020-05-01", "2020-05-01")]
