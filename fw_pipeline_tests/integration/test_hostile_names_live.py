"""Names and errors that mean harm, from the services to all who read: live runs, files, tables, the page, the UI."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.integration.test_live import settings
from fw_pipeline_tests.support.chromium import NEEDED
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.dagster_ui import ARTEFACTS, PATIENCE, Ui
from fw_pipeline_tests.support.fake_services.faults import Answer, instead
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.pwc import link_rows, paper_rows
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import LISTING, Row, edited
from fw_pipeline_tests.tools.fuzz.mutations import HOSTILE_NAMES

pytestmark = [*NEEDED, pytest.mark.long]

TAKING = (
    "</script><script>window.taken=1</script>",
    '"><img src=x onerror="window.taken=1">',
    "{{constructor.constructor('window.taken=1')()}}{{7*7}}${7*7}",
    "[a](javascript:window.taken=1)<iframe srcdoc='<script>parent.taken=1</script>'>",
    "'; drop table raw.papers; copy (select 1) to 'taken.csv'; --",
    "pytorch;tensorflow",
)
NAMES = [name for name in (*TAKING, *HOSTILE_NAMES) if name.strip() and "\x00" not in name]
IN_A_FEED = [name for name in NAMES if name == " ".join(name.split()) and not re.search(r"[\x00-\x1f]", name)]
"""Those that XML can hold and that are the same once their blanks are."""

ERROR = {"error_id": 999, "error_name": TAKING[0], "error_message": " ".join(NAMES)}
"""What Stack Exchange could say instead of a count."""

ANSWERING = ("stackoverflow", "papers", "pypi")


@dataclass(frozen=True, slots=True)
class Filled:
    """A data folder after a live run that succeeds and one that is refused, how they were made, and what was said."""

    data: Path
    settings: dict[str, str]
    refusals: list[str]


def renamed(page: list[Row]) -> None:
    for number, model in enumerate(page):
        name = NAMES[number % len(NAMES)]
        model.update(id=name, library_name=name, tags=[*model["tags"], name])


def archive(folder: Path) -> dict[str, str]:
    """Write both files of an archive of Papers with Code, in which every second repository is made with a name."""
    links, papers = link_rows(600), paper_rows(600)
    for number, row in enumerate(links):
        row["paper_title"] = NAMES[number % len(NAMES)]
        if number % 2:
            row["framework"] = NAMES[number // 2 % len(NAMES)]
    for number, row in enumerate(papers):
        row["title"], row["authors"] = NAMES[number % len(NAMES)], [NAMES[-1 - number % len(NAMES)]]
    for name, rows in (("links", links), ("papers", papers)):
        (folder / f"{name}.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    files = f"links={folder / 'links.json.gz'};papers={folder / 'papers.json.gz'}"
    return {"FW_PROVIDERS": f"stackoverflow=api,papers=archive:{files}"}


def retitled(request: Request, answer: Answer) -> Response:
    """Answer truly, as arXiv would if papers and authors were called so."""
    true, names = answer(request), cycle(map(escape, IN_A_FEED))
    named = re.sub(r"(?<=<name>)[^<]*|(?<=    <title>)[^<]*", lambda _: next(names), true.body.decode())
    return replace(true, body=named.encode())


def an_error(request: Request, answer: Answer) -> Response:
    """Answer truly but for August."""
    in_august = request.one("fromdate") == f"{datetime(2022, 8, 1, tzinfo=UTC).timestamp():.0f}"
    return instead(400, json.dumps(ERROR), "application/json")(request, answer) if in_august else answer(request)


def another_package(request: Request, answer: Answer) -> Response:
    """Answer truly, but of a package that nobody asked for."""
    true = answer(request)
    return replace(true, body=true.body.replace(b'"torch"', json.dumps(" ".join(NAMES)).encode()))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("hostile")
    with FakeServices() as services:
        services.faults.add(LISTING, edited(renamed), times=99)
        given = {**settings(services), **archive(folder)}
        done = fw_pipeline(folder / "data", "run", "--from", "2022-05", "--to", "2022-06", **given)
        assert done.status == 0, done.err
        assert all(character.isprintable() or character == "\n" for character in done.out + done.err)
        services.faults.add("/stackexchange/questions", an_error, times=-1)
        services.faults.add("/clickpy", another_package, times=-1)
        services.faults.add("/arxiv", retitled, times=-1)
        refused = ("run", "--from", "2022-07", "--to", "2022-08", *(f"--source={it}" for it in ANSWERING))
        done = fw_pipeline(folder / "data", *refused, **(given | {"FW_PROVIDERS": "stackoverflow=api,papers=arxiv"}))
        assert done.status == 1
        assert all(character.isprintable() or character == "\n" for character in done.out + done.err)
        # a run of which a part was refused publishes nothing; what it left is published by the next
        rebuilt = fw_pipeline(folder / "data", "rebuild", **given)
        assert rebuilt.status == 0, rebuilt.err
        yield Filled(folder / "data", given, done.complaints)


def test_every_name_reaches_the_tables_as_it_came(filled: Filled) -> None:
    published = filled.data / "warehouse.duckdb"
    assert set(query(published, "select distinct library from raw.huggingface")["library"]) >= set(NAMES)
    named = set(query(published, "select distinct unnest(frameworks) as named from raw.papers")["named"])
    assert {name.lower() for name in NAMES} <= named
    assert set(query(published, "select distinct title from detail.papers")["title"]) <= set(NAMES)


def test_an_answer_that_is_refused_is_quoted_on_one_line_and_gives_no_figure(filled: Filled) -> None:
    packages, questions = sorted(filled.refusals)
    assert packages.startswith(f"fw-pipeline: pypi (clickpy) 2022-07 to 2022-08: the answer has {TAKING[0]}")
    assert questions.startswith(f"fw-pipeline: stackoverflow (api) 2022-08: {TAKING[0]} (999): {TAKING[0]}")
    published = filled.data / "warehouse.duckdb"
    last = {
        source: f"{query(published, f'select max(month) as last from raw.{source}').item():%Y-%m}"
        for source in ANSWERING
    }
    assert last == {"stackoverflow": "2022-07", "papers": "2022-08", "pypi": "2022-06"}
    said = query(published, "select source, month, cause from meta.statements where status = 'refused' order by all")
    assert [(source, f"{month:%Y-%m}") for source, month, _ in said.rows()] == [("stackoverflow", "2022-08")]
    assert all(TAKING[0] in cause and cause.isprintable() for cause in said["cause"])


def test_titles_and_authors_of_a_feed_reach_the_tables_as_they_came(filled: Filled) -> None:
    published = filled.data / "warehouse.duckdb"
    found = query(published, "select title, authors from detail.papers where population = 'arxiv abstracts'")
    assert set(found["title"]) | set(found["authors"].explode()) == set(IN_A_FEED)


def test_files_are_named_by_the_pipeline_alone(filled: Filled) -> None:
    written = [path.relative_to(filled.data).as_posix() for path in filled.data.rglob("*")]
    assert all(path.isascii() and not set(" '\"<>;") & set(path) and ".." not in path for path in written)
    assert not [path for path in filled.data.parent.rglob("*") if "taken" in path.name or "passwd" in path.name]


def test_an_export_holds_every_name_verbatim(filled: Filled) -> None:
    out = filled.data.parent / "exported"
    done = fw_pipeline(filled.data, "export", "--format", "csv", "--to", str(out))
    assert done.status == 0, done.err
    with (out / "raw" / "huggingface.csv").open(encoding="utf-8", newline="") as file:
        assert {row["library"] for row in csv.DictReader(file)} >= set(NAMES)


@pytest.mark.parametrize("shape", ["table", "json"])
def test_the_commands_say_them_and_a_terminal_obeys_none(filled: Filled, shape: str) -> None:
    asked = "select unnest(frameworks) as named, title from detail.papers order by all"
    for arguments in (("sql", asked), ("verdicts",), ("status",), ("status", "--months")):
        done = fw_pipeline(filled.data, *arguments, "--format", shape, **filled.settings)
        assert done.status == 0, done.err
        assert all(character.isprintable() or character == "\n" for character in done.out + done.err)
        if shape == "json":
            assert json.loads(done.out)


def test_the_page_runs_nothing_and_asks_for_nothing(filled: Filled, browser: Any) -> None:
    page = browser.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    address = (filled.data / "report" / "index.html").as_uri()
    page.goto(address)
    for _ in range(30):
        page.mouse.wheel(0, 1500)
        page.wait_for_timeout(30)
    assert page.evaluate("window.taken") is None
    assert [url for url in asked if url != address and not url.startswith("data:")] == []
    page.close()


def test_the_dagster_ui_shows_them_as_text(filled: Filled, browser: Any) -> None:
    with Ui(filled.data, filled.settings) as ui:
        page = browser.new_context(viewport={"width": 1400, "height": 1000}).new_page()
        page.set_default_timeout(PATIENCE * 1000)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{ui.url}/assets/staging/huggingface?view=events")
        page.get_by_text("Show Markdown").first.click()
        page.get_by_text("window.taken").first.wait_for()
        ARTEFACTS.mkdir(exist_ok=True)
        page.screenshot(path=ARTEFACTS / "hostile-names.png")
        assert page.locator("img[src=x], iframe").count() == 0
        assert page.evaluate("window.taken") is None
        page.goto(f"{ui.url}/assets/raw/stackoverflow?view=events")
        page.get_by_text("2022-08-01").first.click()  # the month that was refused
        page.get_by_text("window.taken").first.wait_for()
        assert page.locator("img[src=x], iframe").count() == 0
        assert page.evaluate("window.taken") is None
        ours = (ui.url, ui.url.replace("http", "ws"), "data:", "blob:")
        assert [url for url in asked if not url.startswith(ours)] == []
