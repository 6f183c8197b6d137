"""The page in a real browser: what it shows, does and refuses, opened from a file with nothing beside it.

The page of a full recorded run, at every size, is read in `test_report_reading`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.chromium import NEEDED
from fw_pipeline_tests.support.opened_page import DESK, PHONE, Opened, violations

pytestmark = [*NEEDED, pytest.mark.long]


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return report_warehouse.report_of(report_warehouse.small()).files


@pytest.fixture(scope="module")
def address(files: Mapping[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> str:
    """The page alone: what lies beside it in the report is not there."""
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_bytes(files["index.html"])
    return path.as_uri()


@pytest.fixture(scope="module")
def desk(browser: Any, address: str) -> Iterator[Opened]:
    """The page with every chart drawn, for tests that leave it as they find it."""
    window = Opened(browser, address)
    window.draw_all()
    yield window
    window.context.close()


@pytest.fixture
def opened(browser: Any, address: str) -> Iterator[Opened]:
    window = Opened(browser, address)
    yield window
    window.context.close()


def axis(figure: Any) -> list[str]:
    """Return what stands at the upright axis."""
    texts: list[str] = figure.locator(".role-axis-label text").all_text_contents()
    return texts


def test_every_chart_is_drawn_without_a_word_of_complaint_or_a_request(desk: Opened, address: str) -> None:
    assert desk.said == []
    assert [asked for asked in desk.asked if asked != address] == []


def test_nothing_is_unpacked_before_a_chart_is_touched_and_nothing_moves_then(opened: Opened) -> None:
    assert opened.page.evaluate("typeof vegaEmbed") == "undefined"
    opened.page.evaluate("""() => {
        window.moved = [];
        const note = (list) => window.moved.push(...list.getEntries().map((entry) => entry.value));
        new PerformanceObserver(note).observe({ type: "layout-shift", buffered: true });
    }""")
    opened.draw("stackoverflow_questions")
    assert opened.page.evaluate("typeof vegaEmbed") == "function"
    assert opened.page.evaluate("window.moved") == []


def test_text_from_data_does_not_run(desk: Opened) -> None:
    assert desk.page.evaluate("window.taken") is None
    assert desk.page.locator("#c10 q").text_content() == report_warehouse.HOSTILE


def test_a_gap_and_a_break_of_the_series_break_the_line_and_an_interpolated_month_is_marked(desk: Opened) -> None:
    figure = desk.figure("stackoverflow_questions")
    lines = figure.locator(".mark-line path").evaluate_all("all => all.map(each => each.getAttribute('d'))")
    assert sorted(line.count("M") for line in lines) == [1, 1, 1, 1, 1, 2]
    assert figure.locator(".mark-symbol path[fill='var(--paper)']").count() == 3


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("pytorch_for_each_tensorflow", "Papers at conferences, year"),
        ("stackoverflow_questions", "TensorFlow"),
        ("pypi_downloads", "PyTorch"),
        ("claim_c2", "As of"),
    ],
)
def test_the_figure_under_the_pointer_is_told(desk: Opened, name: str, label: str) -> None:
    figure = desk.figure(name)
    figure.locator(".live svg").scroll_into_view_if_needed()
    box = figure.locator(".live svg").bounding_box()
    assert box is not None
    for step in (0, 5):
        desk.page.mouse.move(box["x"] + box["width"] / 2 + step, box["y"] + box["height"] / 2 + step)
    tooltip = desk.page.locator("#vg-tooltip-element.visible")
    tooltip.wait_for()
    assert label in (tooltip.text_content() or "")
    assert not re.search("undefined|NaN|null", tooltip.text_content() or "")


def test_the_measure_the_range_and_the_scale_can_be_chosen_and_stand_in_the_address(opened: Opened) -> None:
    figure = opened.draw("stackoverflow_questions")
    assert "0.8%" in axis(figure)
    figure.get_by_label("Show").select_option("questions")
    expect(figure.locator(".live svg")).to_contain_text("Questions in the month")
    figure.get_by_label("From").select_option("2023")
    expect(figure.locator(".mark-line path").first).to_have_attribute("d", re.compile("^M[^ML]*(L[^ML]*){4}$"))
    other = opened.draw("pypi_downloads")
    assert "0" in axis(other)
    other.get_by_label("Scale").select_option("log")
    opened.drawn("pypi_downloads", times=2)
    assert "0" not in axis(other)
    chosen = {"stackoverflow_questions.measure=questions", "stackoverflow_questions.first=2023"}
    assert {*opened.page.url.partition("?")[2].split("&")} == {*chosen, "pypi_downloads.scale=log"}
    assert opened.said == []
    opened.page.reload()
    opened.drawn("stackoverflow_questions")
    expect(opened.figure("stackoverflow_questions").locator(".live svg")).to_contain_text("Questions in the month")


def test_another_definition_of_a_claim_can_be_chosen_and_linked_to(opened: Opened) -> None:
    opened.page.locator("#c2 > details > summary").click()
    opened.drawn("claim_c2")
    opened.figure("claim_c2").get_by_label("Definition").select_option("a year, recorded")
    expect(opened.page.locator("#c2 .live svg")).to_contain_text("a year, recorded")
    opened.page.goto(f"{opened.page.url}#c2")
    opened.page.reload()
    expect(opened.page.locator("#c2 .live svg")).to_contain_text("a year, recorded")
    expect(opened.page.locator("#c2 .live svg")).to_be_visible()


def test_a_claim_s_chart_marks_the_article_and_the_events_of_its_months(desk: Opened) -> None:
    texts = desk.figure("claim_c2").locator(".mark-text:not([class*=role-]) text, .mark-text.role-mark text")
    assert {"1", "2", "the article", "decides: 1.5"} <= set(texts.all_text_contents())


def test_the_sql_and_the_figures_of_a_claim_are_at_hand(desk: Opened, files: Mapping[str, bytes]) -> None:
    assert "from marts.paired_windows" in (desk.page.locator("#c2 .inside > details.code pre").text_content() or "")
    rows = desk.figure("stackoverflow_questions").locator("details.numbers tbody tr")
    rows.first.wait_for()
    seen = rows.evaluate_all("all => all.map(row => [...row.cells].map(cell => cell.textContent))")
    assert seen == list(csv.reader(io.StringIO(files["charts/stackoverflow_questions.csv"].decode())))[1:]


def test_the_verdicts_are_replayed_by_keyboard_and_the_month_stands_in_the_address(opened: Opened) -> None:
    cell = opened.page.locator("#c2 .verdict.then")
    expect(cell).to_have_text(re.compile("refuted figures of Jan 2023"))
    opened.page.locator("#as-of").focus()
    opened.page.keyboard.press("ArrowLeft")
    assert opened.page.locator("#as-of-month").text_content() == "Dec 2022"
    expect(cell).to_have_text(re.compile("supported figures of Dec 2022"))
    assert opened.page.url.endswith("?as-of=2022-12")
    opened.page.reload()
    expect(cell).to_have_text(re.compile("supported figures of Dec 2022"))
    opened.page.locator("#as-of").focus()
    for _ in range(6):
        opened.page.keyboard.press("ArrowLeft")
    expect(cell).to_have_text(re.compile("not enough data $"))
    opened.page.get_by_role("button", name="Back to Jan 2023").click()
    expect(cell).to_have_text(re.compile("refuted"))
    assert "?" not in opened.page.url


def test_what_stands_beside_a_verdict_is_replayed_with_it(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connection = report_warehouse.small()
    report_warehouse.look_ahead(connection)
    path = tmp_path_factory.mktemp("ahead") / "index.html"
    path.write_bytes(report_warehouse.report_of(connection).files["index.html"])
    window = Opened(browser, path.as_uri())
    beside = window.page.locator("#c3 .verdict.then .aside")
    expect(beside).to_have_text("the prediction: not yet")
    window.page.locator("#as-of").focus()
    for _ in range(2):
        window.page.keyboard.press("ArrowRight")
    expect(beside).to_have_text("the prediction: came true since Apr 2023")
    assert window.said == []
    window.context.close()


def test_what_is_saved_from_the_page_is_what_lies_beside_it(desk: Opened, files: Mapping[str, bytes]) -> None:
    for name in ("stackoverflow_questions", "claim_c2"):
        for kind in ("csv", "sql", "svg", "png"):
            with desk.page.expect_download() as saved:
                desk.figure(name).locator(f"a[data-file={kind}]").click()
            assert saved.value.suggested_filename == f"{name}.{kind}"
            content = Path(saved.value.path()).read_bytes()
            if kind in ("csv", "sql"):
                assert content == files[f"charts/{name}.{kind}"]
            else:
                assert b"var(--" not in content
                assert content.startswith(b"\x89PNG" if kind == "png" else b"<svg")


def test_axe_finds_nothing_wrong_at_a_desk_in_the_light(desk: Opened) -> None:
    assert violations(desk) == []


def test_axe_finds_nothing_wrong_on_a_phone_in_the_dark_and_nothing_is_wider(browser: Any, address: str) -> None:
    phone = Opened(browser, address, viewport=PHONE, color_scheme="dark")
    phone.draw_all()
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert phone.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(23, 22, 20)"
    assert phone.said == []
    assert violations(phone) == []
    phone.context.close()


def test_endless_hostile_names_break_nothing(browser: Any, tmp_path: Path) -> None:
    files = report_warehouse.report_of(report_warehouse.with_endless_names()).files
    (tmp_path / "index.html").write_bytes(files["index.html"])
    phone = Opened(browser, (tmp_path / "index.html").as_uri(), viewport=PHONE)
    phone.draw_all()
    assert phone.said == []
    assert phone.page.evaluate("window.taken") is None
    assert phone.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.context.close()


def test_everything_can_be_read_without_scripts(browser: Any, address: str) -> None:
    window = Opened(browser, address, java_script_enabled=False)
    box = window.page.locator("#stackoverflow_questions .wide svg").bounding_box()
    assert box is not None
    assert box["height"] > 200
    assert not window.page.locator(".replay, .controls").first.is_visible()
    window.page.locator("#c2 > details > summary").click()
    assert window.page.locator("#c2 .picture svg").is_visible()
    window.page.locator("#c2 .measured > summary").click()
    assert "What it says." in window.page.locator("#c2 table.definitions").inner_text()
    assert not window.page.locator("#c2 .controls").is_visible()
    window.context.close()


def test_the_keyboard_reaches_everything_and_the_focus_shows(opened: Opened) -> None:
    opened.page.keyboard.press("Tab")
    assert opened.page.evaluate("document.activeElement.className") == "skip"
    assert opened.page.locator(".skip").bounding_box()["x"] >= 0
    reached = set()
    for _ in range(120):
        opened.page.keyboard.press("Tab")
        reached.add(opened.page.evaluate("document.activeElement.id || document.activeElement.dataset.param || ''"))
        width = opened.page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
        assert width != "0px"
        if opened.page.evaluate("Boolean(document.activeElement.closest('#c2 > details > summary'))"):
            break
    assert {"as-of", "as-of-back", "measure"} <= reached
    opened.drawn("stackoverflow_questions")  # the focus was on one of its controls
    opened.page.keyboard.press("Enter")
    opened.drawn("claim_c2")
    assert opened.page.locator("#c2 .live svg").is_visible()


def test_a_screen_reader_finds_landmarks_headings_and_named_charts(desk: Opened) -> None:
    page = desk.page
    for role in ("banner", "main", "contentinfo", "navigation"):
        assert page.get_by_role(role).count() == 1, role
    levels = page.eval_on_selector_all("h1,h2,h3", "all => all.map(each => Number(each.tagName[1]))")
    assert levels[0] == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), levels
    for wrong in (
        "th:not([scope])",
        "[role=img]:not([aria-label])",
        "main table:not(:has(caption)):not(.scroll table)",
    ):
        assert page.locator(wrong).count() == 0, wrong
    assert page.eval_on_selector_all("select", "all => all.filter(each => each.labels.length === 0).length") == 0


def test_every_heading_and_claim_can_be_linked_to_and_no_link_of_the_page_leads_nowhere(desk: Opened) -> None:
    headings = desk.page.locator("h2, h3")
    assert headings.count() > 10
    assert desk.page.locator("h2:not(:has(.permalink)), h3:not(:has(.permalink))").count() == 0
    assert desk.page.locator(".claim:not(:has(> .permalink))").count() == 0
    targets = desk.page.eval_on_selector_all("a[href^='#']", "all => all.map(each => each.getAttribute('href'))")
    assert [target for target in targets if desk.page.locator(f"[id='{target[1:]}']").count() != 1] == []


def test_a_print_has_the_claims_and_no_controls(opened: Opened) -> None:
    opened.page.emulate_media(media="print", color_scheme="dark")
    assert opened.page.locator("#c2 .sentence").is_visible()
    for absent in ("nav", ".replay", ".controls", ".files"):
        assert not opened.page.locator(absent).first.is_visible(), absent
    assert opened.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 253, 249)"


def test_a_chart_can_be_embedded(browser: Any, files: Mapping[str, bytes], tmp_path: Path) -> None:
    path = tmp_path / "chart.html"
    path.write_bytes(files["embed/stackoverflow_questions.html"])
    window = Opened(browser, path.as_uri(), viewport={"width": 600, "height": 500}, color_scheme="dark")
    assert window.page.locator(".narrow svg").is_visible()
    window.page.set_viewport_size(DESK)
    assert window.page.locator(".wide svg").is_visible()
    assert not window.page.locator(".narrow svg").is_visible()
    assert window.page.get_by_role("link").get_attribute("href") == "../index.html#stackoverflow_questions"
    assert violations(window) == []
    assert (window.said, window.asked) == ([], [path.as_uri()])
    window.context.close()


def test_names_from_outside_do_not_run_and_ask_for_nothing(
    browser: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    connection = report_warehouse.small()
    name = report_warehouse.HOSTILE + "`${window.taken=1}`](javascript:window.taken=1)\u202e\x1b[31m{{7*7}}" + "x" * 300
    for relation, columns in {
        "marts.framework_metrics": ("series",),
        "marts.crossovers": ("series", "definition"),
        "marts.verdicts": ("series", "definition", "formula", "why", "sentence", "takes"),
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
    assert [asked for asked in window.asked if asked.partition("?")[0] != path.as_uri()] == []
    assert window.page.locator("body script:not([type])").count() == 1
    assert "49" not in (window.page.locator("#c2").text_content() or "").replace(name, "")
    window.context.close()
