"""Names that mean harm, from the services to all who read: a live run, its files, its tables, its page and the UI."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.warehouse import query
from fw_pipeline_tests.chromium import NEEDED
from fw_pipeline_tests.command import fw_pipeline
from fw_pipeline_tests.dagster_ui import ARTEFACTS, PATIENCE, Ui
from fw_pipeline_tests.fake_services.pwc import link_rows, paper_rows
from fw_pipeline_tests.fake_services.server import FakeServices
from fw_pipeline_tests.fuzz.mutations import HOSTILE_NAMES
from fw_pipeline_tests.hub_live import LISTING, Row, edited
from fw_pipeline_tests.test_live import settings

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


@dataclass(frozen=True, slots=True)
class Filled:
    """A data folder after a live run, and how it was made."""

    data: Path
    settings: dict[str, str]


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
    return {"FW_PROVIDERS": f"papers=archive:{files}"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Filled]:
    folder = tmp_path_factory.mktemp("hostile")
    with FakeServices() as services:
        services.faults.add(LISTING, edited(renamed), times=99)
        given = {**settings(services), **archive(folder)}
        done = fw_pipeline(folder / "data", "run", "--from", "2022-05", "--to", "2022-06", **given)
        assert done.status == 0, done.err
        assert all(character.isprintable() or character == "\n" for character in done.out + done.err)
        yield Filled(folder / "data", given)


def test_every_name_reaches_the_tables_as_it_came(filled: Filled) -> None:
    published = filled.data / "warehouse.duckdb"
    assert set(query(published, "select distinct library from raw.huggingface")["library"]) >= set(NAMES)
    named = set(query(published, "select distinct unnest(frameworks) as named from raw.papers")["named"])
    assert {name.lower() for name in NAMES} <= named
    assert set(query(published, "select distinct title from detail.papers")["title"]) <= set(NAMES)


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
    for arguments in (("sql", asked), ("verdicts",), ("status",)):
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
        ours = (ui.url, ui.url.replace("http", "ws"), "data:", "blob:")
        assert [url for url in asked if not url.startswith(ours)] == []
