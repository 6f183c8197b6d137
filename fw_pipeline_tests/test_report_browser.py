"""The page in a real browser: what it shows, does and refuses, opened from a file with nothing beside it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from fw_pipeline_tests import report_warehouse
from fw_pipeline_tests.chromium import NEEDED

PHONE = {"width": 375, "height": 740}
DESK = {"width": 1200, "height": 900}

pytestmark = NEEDED


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return report_warehouse.report_of(report_warehouse.small()).files


@pytest.fixture(scope="module")
def address(files: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page alone: what lies beside it in the report is not there."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_bytes(files["index.html"])
    return path.as_uri()


class Opened:
    """The page in a window of its own, with all that it said and asked for."""

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

    def draw(self, name: str, times: int = 1) -> Any:
        """Scroll to a chart and wait until it has been drawn so many times."""
        figure = self.page.locator(f"[data-figure={name}]")
        figure.scroll_into_view_if_needed()
        self.page.wait_for_selector(f"[data-figure={name}][data-drawn='{times}']", state="attached")
        return figure

    def draw_all(self) -> None:
        self.page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")
        for name in self.page.eval_on_selector_all("[data-figure]", "all => all.map(each => each.dataset.figure)"):
            self.draw(name)


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Opened]:
    window = Opened(browser, address)
    yield window
    window.context.close()


def axis(figure: Any) -> list[str]:
    """Return what stands at the upright axis."""
    texts: list[str] = figure.locator(".role-axis-label text").all_text_contents()
    return texts


def test_every_chart_is_drawn_without_a_word_of_complaint_or_a_request(opened: Opened, address: str) -> None:
    opened.draw_all()
    assert opened.said == []
    assert [asked for asked in opened.asked if asked != address] == []


def test_nothing_moves_under_the_reader_while_charts_are_drawn(opened: Opened) -> None:
    opened.page.evaluate("""() => {
        window.moved = [];
        const note = (list) => window.moved.push(...list.getEntries().map((entry) => entry.value));
        new PerformanceObserver(note).observe({ type: "layout-shift", buffered: true });
    }""")
    opened.draw("stackoverflow_questions")
    opened.draw("claim_c2")
    opened.draw("momentum")
    assert opened.page.evaluate("window.moved") == []


def test_text_from_data_does_not_run(opened: Opened) -> None:
    opened.draw_all()
    for details in opened.page.locator("details.numbers").all():
        details.evaluate("each => { each.open = false; each.open = true; }")
    assert opened.page.evaluate("window.taken") is None
    assert opened.page.locator("#c10 blockquote p").text_content() == report_warehouse.HOSTILE


def test_a_gap_and_a_break_of_the_series_break_the_line(opened: Opened) -> None:
    figure = opened.draw("stackoverflow_questions")
    lines = figure.locator(".mark-line path").evaluate_all("all => all.map(each => each.getAttribute('d'))")
    assert sorted(line.count("M") for line in lines) == [1, 1, 1, 1, 1, 2]


def test_an_interpolated_month_is_marked(opened: Opened) -> None:
    figure = opened.draw("stackoverflow_questions")
    hollow = figure.locator(".mark-symbol path[fill='var(--paper)']")
    assert hollow.count() == 3


def test_share_and_count_can_be_switched(opened: Opened) -> None:
    figure = opened.draw("stackoverflow_questions")
    assert "0.8%" in axis(figure)
    figure.get_by_label("Show").select_option("questions")
    opened.page.wait_for_function(
        "() => [...document.querySelectorAll('.mark-text text')].some(each => each.textContent === '800')"
    )
    assert "Questions in the month" in figure.locator(".live svg").text_content()


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("pytorch_for_each_tensorflow", "Papers at conferences, year"),
        ("stackoverflow_questions", "TensorFlow"),
        ("pypi_downloads", "PyTorch"),
        ("claim_c2", "As of"),
    ],
)
def test_the_figure_under_the_pointer_is_told(opened: Opened, name: str, label: str) -> None:
    box = opened.draw(name).locator(".live svg").bounding_box()
    for step in (0, 5):
        opened.page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + box["height"] / 2 + step)
    tooltip = opened.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert label in tooltip.text_content()
    assert not re.search("undefined|NaN|null", tooltip.text_content())


def test_the_range_can_be_chosen(opened: Opened) -> None:
    figure = opened.draw("stackoverflow_questions")
    figure.get_by_label("From").select_option("2023")
    expect(figure.locator(".mark-line path").first).to_have_attribute("d", re.compile("^M[^ML]*(L[^ML]*){4}$"))


def test_the_scale_can_be_logarithmic(opened: Opened) -> None:
    figure = opened.draw("pypi_downloads")
    assert "0" in axis(figure)
    figure.get_by_label("Scale").select_option("log")
    opened.draw("pypi_downloads", times=2)
    assert "0" not in axis(figure)
    assert opened.said == []


def test_another_definition_of_a_claim_can_be_chosen(opened: Opened) -> None:
    figure = opened.draw("claim_c2")
    figure.get_by_label("Definition").select_option("a year, recorded")
    opened.page.wait_for_function(
        "() => document.querySelector('#c2 .live svg').textContent.includes('a year, recorded')"
    )


def test_a_claim_s_chart_marks_the_article_and_the_events_of_its_months(opened: Opened) -> None:
    figure = opened.draw("claim_c2")
    texts = figure.locator(".mark-text:not([class*=role-]) text, .mark-text.role-mark text").all_text_contents()
    assert {"1", "2", "the article", "decides: 1.5"} <= set(texts)
    figure.get_by_label("From").select_option("2023")
    expect(figure.locator(".role-mark text", has_text="2")).to_have_count(0)


def test_the_sql_is_one_click_away(opened: Opened) -> None:
    opened.page.locator("#c2 details.code summary").click()
    sql = opened.page.locator("#c2 details.code pre")
    sql.wait_for()
    assert "from marts.paired_windows" in sql.text_content()


def test_the_verdicts_are_replayed_by_keyboard(opened: Opened) -> None:
    cell = opened.page.locator("tr", has_text="Twice the questions").locator("td.then")
    assert cell.text_content() == "refuted"
    opened.page.locator("#as-of").focus()
    opened.page.keyboard.press("ArrowLeft")
    assert opened.page.locator("#as-of-month").text_content() == "Dec 2022"
    assert cell.text_content() == "supported"
    for _ in range(6):
        opened.page.keyboard.press("ArrowLeft")
    assert cell.text_content() == "not enough data"
    opened.page.get_by_role("button", name="Back to Jan 2023").click()
    assert cell.text_content() == "refuted"


def test_what_stands_beside_a_verdict_is_replayed_with_it(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connection = report_warehouse.small()
    report_warehouse.look_ahead(connection)
    path = tmp_path_factory.mktemp("ahead") / "index.html"
    path.write_bytes(report_warehouse.report_of(connection).files["index.html"])
    window = Opened(browser, path.as_uri())
    cell = window.page.locator("tr", has_text="No growth").locator("td.then")
    assert cell.text_content() == "supportedthe prediction: not yet"
    window.page.locator("#as-of").focus()
    for _ in range(2):
        window.page.keyboard.press("ArrowRight")
    assert cell.text_content() == "supportedthe prediction: came true since Apr 2023"
    assert window.said == []
    window.context.close()


@pytest.mark.parametrize("kind", ["csv", "sql"])
def test_what_is_saved_from_the_page_is_what_lies_beside_it(
    opened: Opened, files: Mapping[str, bytes], kind: str
) -> None:
    figure = opened.draw("stackoverflow_questions")
    with opened.page.expect_download() as saved:
        figure.locator(f"a[data-file={kind}]").click()
    assert saved.value.suggested_filename == f"stackoverflow_questions.{kind}"
    assert Path(saved.value.path()).read_bytes() == files[f"charts/stackoverflow_questions.{kind}"]


@pytest.mark.parametrize("name", ["stackoverflow_questions", "claim_c2"])
def test_a_chart_is_saved_as_a_picture_without_tokens(opened: Opened, name: str) -> None:
    figure = opened.draw(name)
    with opened.page.expect_download() as bitmap:
        figure.locator("a[data-file=png]").click()
    assert Path(bitmap.value.path()).read_bytes().startswith(b"\x89PNG")
    with opened.page.expect_download() as drawing:
        figure.locator("a[data-file=svg]").click()
    assert "var(--" not in Path(drawing.value.path()).read_text(encoding="utf-8")


def test_the_figures_can_be_read_as_a_table(opened: Opened, files: Mapping[str, bytes]) -> None:
    figure = opened.draw("stackoverflow_questions")
    figure.locator("details.numbers summary").click()
    rows = figure.locator("details.numbers tbody tr")
    wanted = list(csv.reader(io.StringIO(files["charts/stackoverflow_questions.csv"].decode())))[1:]
    rows.first.wait_for()
    seen = rows.evaluate_all("all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    assert seen == wanted


def violations(window: Opened) -> list[tuple[str, str]]:
    """Return what axe-core finds wrong with the page as it stands: the rule, and where.

    What is drawn is left out, which takes it the longest: a chart is one image to a screen reader.
    """
    found = Axe().run(window.page, context={"exclude": [[".picture > *"]]}).response["violations"]
    return [(rule["id"], node["html"][:200]) for rule in found for node in rule["nodes"]]


def test_axe_finds_nothing_wrong_at_a_desk_in_the_light(opened: Opened) -> None:
    opened.draw_all()
    assert violations(opened) == []


def test_axe_finds_nothing_wrong_on_a_phone_in_the_dark_and_nothing_is_wider(browser: Any, address: str) -> None:
    phone = Opened(browser, address, viewport=PHONE, color_scheme="dark")
    phone.draw_all()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert phone.said == []
    assert violations(phone) == []
    phone.context.close()


@pytest.mark.long
def test_endless_hostile_names_break_nothing(browser: Any, tmp_path: Path) -> None:
    files = report_warehouse.report_of(report_warehouse.with_endless_names()).files
    (tmp_path / "index.html").write_bytes(files["index.html"])
    phone = Opened(browser, (tmp_path / "index.html").as_uri(), viewport=PHONE)
    phone.draw_all()
    assert phone.said == []
    assert phone.page.evaluate("window.taken") is None
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.context.close()


def test_dark_and_light_differ_and_follow_the_reader(browser: Any, address: str) -> None:
    grounds = []
    for scheme in ("light", "dark"):
        window = Opened(browser, address, color_scheme=scheme)
        grounds.append(window.page.evaluate("getComputedStyle(document.body).backgroundColor"))
        window.context.close()
    assert grounds == ["rgb(255, 253, 249)", "rgb(23, 22, 20)"]


def test_the_page_reads_without_scripts(browser: Any, address: str) -> None:
    window = Opened(browser, address, java_script_enabled=False)
    assert window.page.locator("table.verdicts tbody tr").count() == 3
    picture = window.page.locator("#stackoverflow_questions .picture svg")
    box = picture.bounding_box()
    assert box is not None
    assert box["height"] > 200
    assert not window.page.locator(".replay").is_visible()
    assert not window.page.locator(".controls").first.is_visible()
    window.context.close()


def test_the_keyboard_reaches_everything_and_the_focus_shows(opened: Opened) -> None:
    opened.draw("stackoverflow_questions")
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    assert opened.page.locator(".skip").bounding_box()["x"] >= 0
    reached = set()
    for _ in range(60):
        opened.page.keyboard.press("Tab")
        reached.add(opened.page.evaluate("document.activeElement.id || document.activeElement.dataset.param || ''"))
        width = opened.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width != "0px"
    assert {"as-of", "as-of-back", "measure"} <= reached


def test_a_screen_reader_finds_landmarks_headings_and_named_charts(opened: Opened) -> None:
    page = opened.page
    for role in ("banner", "main", "contentinfo", "navigation"):
        assert page.get_by_role(role).count() == 1, role
    levels = page.eval_on_selector_all("h1,h2,h3", "all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), levels
    assert page.eval_on_selector_all("th:not([scope])", "all => all.length") == 0
    assert page.eval_on_selector_all("[role=img]:not([aria-label])", "all => all.length") == 0
    assert page.eval_on_selector_all("table:not(:has(caption))", "all => all.length") == 0
    assert page.eval_on_selector_all("select", "all => all.filter(each => each.labels.length === 0).length") == 0


def test_a_print_has_the_verdicts_and_no_controls(opened: Opened) -> None:
    opened.draw("stackoverflow_questions")
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.locator("table.verdicts").is_visible()
    assert not opened.page.locator("nav").is_visible()
    assert not opened.page.locator(".replay").is_visible()
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 253, 249)"


def test_names_from_outside_do_not_run_and_ask_for_nothing(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connection = report_warehouse.small()
    name = report_warehouse.HOSTILE + "`${window.taken=1}`](javascript:window.taken=1)\u202e\x1b[31m{{7*7}}" + "x" * 300
    for relation, columns in {
        "marts.framework_metrics": ("series",),
        "marts.crossovers": ("series", "definition"),
        "marts.verdicts": ("series", "definition", "formula", "why"),
        "meta.definitions": ("formula", "meaning", "unit"),
        "meta.claims": ("title", "quote"),
        "raw.stackoverflow": ("origin",),
    }.items():
        changes = ", ".join(f"{column} = coalesce({column}, '') || $name" for column in columns)
        connection.execute(f"update {relation} set {changes}", {"name": name})
    path = tmp_path_factory.mktemp("hostile") / "index.html"
    path.write_bytes(report_warehouse.report_of(connection).files["index.html"])
    window = Opened(browser, path.as_uri())
    window.draw_all()
    for control in window.page.locator("select").all():
        if control.is_visible():
            control.select_option(index=control.locator("option").count() - 1)
    assert window.page.evaluate("window.taken") is None
    assert [asked for asked in window.asked if asked != path.as_uri()] == []
    assert window.page.locator("script:not(.payload)").count() == 2
    assert "49" not in window.page.locator("#c2").text_content().replace(name, "")
    window.context.close()
