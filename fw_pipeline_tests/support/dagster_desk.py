"""A user of the Dagster UI at a real browser: by clicks and keys only, and with pictures of what was seen."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from fw_pipeline_tests.support.dagster_ui import ARTEFACTS, PATIENCE, Ui

DESK = {"width": 1400, "height": 900}


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
        expect(found).to_be_visible(timeout=PATIENCE * 1000)
        return found

    def count(self, found: Any, number: int) -> None:
        """Wait until so many of something are there."""
        expect(found).to_have_count(number, timeout=PATIENCE * 1000)

    def miss(self, text: str | re.Pattern[str]) -> None:
        """Wait until a text is not there any more."""
        self.count(self.page.get_by_text(text), 0)

    def watch(self, text: re.Pattern[str], until: str) -> list[str]:
        """Look again and again at what the group of a pattern shows; return all that was shown, in order."""
        shown: list[str] = []

        def last() -> bool:
            found = text.search(self.page.get_by_text(text).first.inner_text())
            if found and shown[-1:] != [found[1]]:
                shown.append(found[1])
            self.page.wait_for_timeout(200)
            return shown[-1:] == [until]

        self.ui.wait_for(f"{text.pattern} to show {until}", last)
        return shown

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
        field = dialog.get_by_role("textbox").first
        field.wait_for()
        if (more := dialog.get_by_text("Show all partitions")).is_visible():  # as where some are of the last 90 days
            more.click()
        field.fill(months)
        field.press("Enter")
        self.shot("months chosen")
        dialog.get_by_role("button", name=re.compile("^Launch")).click()

    def follow(self) -> None:
        """Go to the backfill that was just launched, by what the page says of it."""
        self.see("Created backfill")
        self.page.locator("a, button").filter(has_text=re.compile("^View$")).last.click()
        self.page.mouse.move(0, 0)  # what is said stays as long as the pointer is over it
        self.miss("Created backfill")

    def shot(self, what: str) -> None:
        """Leave a picture of what the user sees."""
        self.shots += 1
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{self.name}-{self.shots}-{what.replace(' ', '-')}.png")


@contextmanager
def seated(browser: Any, ui: Ui, request: pytest.FixtureRequest) -> Iterator[Desk]:
    """A user for one test; where it fails, a picture of the screen and the server's log are left."""
    user = Desk(browser, ui, request.node.name.removeprefix("test_")[:60])
    failed_before = request.session.testsfailed
    try:
        yield user
    finally:
        if request.session.testsfailed > failed_before:
            user.shot("failed")
            shutil.copy(ui.log, ARTEFACTS / f"{user.name}.log")
        user.page.context.close()
