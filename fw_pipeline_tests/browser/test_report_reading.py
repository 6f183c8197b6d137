"""The page of a full recorded run, as readers meet it: the answer on the first screen at every size, and the weight.

Pictures of what they see are left in `test-artefacts/`.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.report.formatting import SERIES_TITLES
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.chromium import NEEDED
from fw_pipeline_tests.support.dagster_ui import ARTEFACTS
from fw_pipeline_tests.support.opened_page import DESK, PHONE, TABLET, Opened

pytestmark = NEEDED

MOST_WORDS, MOST_PAGES, MOST_PACKED, MOST_UNTIL_THE_FIRST_CHART = 6000, 12, 900_000, 300_000

SHOWN = """(where) => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent.closest("script, style, select, .hidden, .skip")) continue;
    if (!parent.checkVisibility({ visibilityProperty: true })) continue;
    const range = document.createRange();
    range.selectNode(walker.currentNode);
    const box = range.getBoundingClientRect();
    const isThere = box.width > 0 && (where === "page" || box.bottom <= innerHeight);
    if (isThere) texts.push(walker.currentNode.textContent);
  }
  return texts.join(" ").replace(/\\s+/g, " ");
}"""
"""The text that is seen: all of the page, or what is whole on the first screen."""

BROKEN = """() => {
  const walker = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const { textContent, parentElement } = walker.currentNode;
    if (parentElement.closest("pre, code, select, svg, .hidden, .scroll") || !parentElement.checkVisibility()) continue;
    for (const word of textContent.matchAll(/[A-Za-z]{2,20}/g)) {
      const range = document.createRange();
      range.setStart(walker.currentNode, word.index);
      range.setEnd(walker.currentNode, word.index + word[0].length);
      if (range.getClientRects().length > 1) found.push(word[0]);
    }
  }
  return found;
}"""
"""Words that a line ends inside."""


@pytest.fixture(scope="module")
def page(recorded_once: Path) -> Path:
    return recorded_once / "report" / "index.html"


@pytest.fixture(scope="module")
def desk(browser: Any, page: Path) -> Iterator[Opened]:
    window = Opened(browser, page.as_uri())
    yield window
    window.context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "name"), [(DESK, "desk"), (TABLET, "tablet"), (PHONE, "phone")])
def test_the_first_screen_has_the_question_its_answer_and_one_chart(
    browser: Any, page: Path, size: dict[str, int], name: str, scheme: str
) -> None:
    window = Opened(browser, page.as_uri(), viewport=size, color_scheme=scheme)
    ARTEFACTS.mkdir(exist_ok=True)
    window.page.screenshot(path=ARTEFACTS / f"report-{name}-{scheme}.png")
    if scheme == "light":
        window.page.screenshot(path=ARTEFACTS / f"report-{name}-whole.png", full_page=True)
    seen = window.page.evaluate(SHOWN, "first screen")
    question, answer = (window.page.locator(place).inner_text() for place in ("h1", ".answer"))
    assert question.endswith("?")
    assert seen.index(question) == 0
    assert " ".join(answer.split()) in seen
    assert re.search(r"TensorFlow.*PyTorch|PyTorch.*TensorFlow", answer)
    assert re.search(r"\b20\d\d\b", answer), "it says of when its figures are"
    chart = window.page.locator(".picture").first.bounding_box()
    assert chart is not None
    assert chart["y"] + chart["height"] <= size["height"]
    assert window.page.evaluate("document.documentElement.scrollWidth") == size["width"]
    assert window.page.evaluate(BROKEN) == []
    assert window.said == []
    window.context.close()


def test_the_page_is_short_and_light(desk: Opened, page: Path) -> None:
    content = page.read_bytes()
    words = len(desk.page.evaluate(SHOWN, "page").split())
    pages = len(re.findall(rb"/Type\s*/Page\b(?!s)", desk.page.pdf(format="A4")))
    until_the_first_chart = content.index(b"</svg>")
    print(
        f"{words} words, {pages} pages, {len(gzip.compress(content))} bytes packed, {until_the_first_chart} to a chart"
    )
    assert words <= MOST_WORDS
    assert pages <= MOST_PAGES
    assert len(gzip.compress(content)) <= MOST_PACKED
    assert until_the_first_chart <= MOST_UNTIL_THE_FIRST_CHART


def test_no_sentence_is_read_twice_on_the_way_down(desk: Opened) -> None:
    sentences = [text for text in re.split(r"(?<=[.?!]) ", desk.page.evaluate(SHOWN, "page")) if len(text.split()) > 6]
    assert [text for text in sentences if sentences.count(text) > 1] == []


def test_every_claim_is_there_once_and_its_verdicts_say_of_when(desk: Opened) -> None:
    claims = desk.page.locator(".claim")
    assert sorted(claims.evaluate_all("all => all.map(each => Number(each.id.slice(1)))")) == list(range(1, 27))
    told = desk.page.locator(".claim:has(.verdict)")
    latest = told.locator(".verdict:not(.then) .when").all_inner_texts()
    assert len(latest) == told.count() > 15
    assert all(re.fullmatch(r"figures of [A-Z][a-z]{2} \d{4}", text) for text in latest)
    assert all(re.search(r"\d|[a-z]", text) for text in desk.page.locator(".claim .sentence").all_inner_texts())


def test_every_series_of_the_page_has_a_plain_name(recorded_once: Path) -> None:
    used = query(recorded_once / "warehouse.duckdb", "select distinct source, series from marts.framework_metrics")
    assert [pair for pair in used.rows() if pair not in SERIES_TITLES] == []
