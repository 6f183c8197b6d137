"""The report's page in a window of its own, for the tests that look at it."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe

DESK, TABLET, PHONE = ({"width": 1280, "height": 800}, {"width": 768, "height": 1024}, {"width": 390, "height": 844})


class Opened:
    """A page with all that it said and asked for."""

    def __init__(self, browser: Any, address: str, **options: Any) -> None:
        self.context = browser.new_context(**{"viewport": DESK, **options})
        self.page = self.context.new_page()
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self._hear(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(address)

    def _hear(self, text: str) -> None:
        """Note what the page says, but not that a layer is empty: no figure may be partial, and that is well."""
        if "Infinite extent" not in text:
            self.said.append(text)

    def figure(self, name: str) -> Any:
        return self.page.locator(f"[data-figure={name}]")

    def drawn(self, name: str, times: int = 1) -> None:
        """Wait until a chart has been drawn so many times."""
        self.page.wait_for_selector(f"[data-figure={name}][data-drawn='{times}']", state="attached")

    def draw(self, name: str) -> Any:
        """Touch a chart with the pointer, and wait until it has been drawn."""
        self.figure(name).locator(".picture").hover()
        self.drawn(name)
        return self.figure(name)

    def draw_all(self) -> None:
        """Unfold everything, and draw every chart."""
        self.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        for name in self.page.eval_on_selector_all("[data-figure]", "all => all.map(each => each.dataset.figure)"):
            self.figure(name).dispatch_event("pointerover")
            self.drawn(name)


def violations(window: Opened) -> list[tuple[str, str]]:
    """Return what axe-core finds wrong with the page as it stands: the rule, and where.

    What is drawn is left out, which takes it the longest: a chart is one image to a screen reader.
    """
    found = Axe().run(window.page, context={"exclude": [[".picture > *"]]}).response["violations"]
    return [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]
