"""The report as files: what a reader could be told wrongly, and what could make the page unsafe or incomplete."""

from __future__ import annotations

import base64
import csv
import gzip
import hashlib
import io
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import altair as alt
import polars as pl
import pytest

from fw_pipeline.report import page_tables
from fw_pipeline_tests.support import report_warehouse
from fw_pipeline_tests.support.report_warehouse import HOSTILE

RECORDED = Path(__file__).parents[3] / "data" / "recorded"


@dataclass
class Parsed(HTMLParser):
    """The elements of a page with their attributes, and the text of scripts and styles."""

    elements: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag in ("script", "style"):
            self.texts.append((tag, ""))

    def handle_data(self, data: str) -> None:
        if self._within in ("script", "style"):
            tag, text = self.texts[-1]
            self.texts[-1] = (tag, text + data)

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the name is the parser's
        self._within = ""

    __hash__ = object.__hash__


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return report_warehouse.report_of(report_warehouse.small()).files


@pytest.fixture(scope="module")
def parsed(files: Mapping[str, bytes]) -> Parsed:
    page = Parsed()
    page.feed(files["index.html"].decode())
    return page


def rows_of(files: Mapping[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[f"charts/{name}.csv"].decode())))


def test_the_page_comes_first_and_every_chart_has_its_files(files: Mapping[str, bytes]) -> None:
    assert next(iter(files)) == "index.html"
    charts = {name.split("/")[1].split(".")[0] for name in files if name.startswith("charts/")}
    assert {"stackoverflow_questions", "pypi_downloads", "papers_at_venues", "claim_c2", "claim_c3"} <= charts
    for chart in charts:
        assert {f"charts/{chart}.{kind}" for kind in ("svg", "png", "csv", "sql", "vl.json")} <= files.keys()
        assert b"var(--" not in files[f"charts/{chart}.svg"], "a file has no style sheet around it"
        assert files[f"charts/{chart}.png"].startswith(b"\x89PNG")
        assert f"embed/{chart}.html" in files


def test_text_from_data_stays_text(parsed: Parsed) -> None:
    assert all(not name.startswith("on") for _, attributes in parsed.elements for name in attributes)
    assert "img" not in {tag for tag, _ in parsed.elements}
    scripts = [attributes.get("type") for tag, attributes in parsed.elements if tag == "script"]
    assert scripts == ["application/gzip", "application/gzip", None]


def test_hostile_text_is_still_readable_as_it_was(files: Mapping[str, bytes]) -> None:
    rows = rows_of(files, "stackoverflow_questions")
    assert [row["gap_reason"] for row in rows if row["gap_reason"]] == [HOSTILE]


def test_what_lies_packed_in_the_page_is_what_lies_beside_it(files: Mapping[str, bytes], parsed: Parsed) -> None:
    payloads = json.loads(unpacked(parsed)[0])
    assert {f"charts/{name}.csv" for name in payloads} == {name for name in files if name.endswith(".csv")}
    for name, payload in payloads.items():
        for kind in ("csv", "sql"):
            assert payload[kind].encode() == files[f"charts/{name}.{kind}"]


def test_the_picture_that_is_shared_lies_beside_the_page(files: Mapping[str, bytes], parsed: Parsed) -> None:
    tags = {
        attributes.get("property") or attributes.get("name"): attributes.get("content")
        for tag, attributes in parsed.elements
        if tag == "meta"
    }
    assert {tags["og:image"], tags["twitter:image"]} <= files.keys()
    assert "TensorFlow" in str(tags["og:title"])
    assert "PyTorch" in str(tags["og:description"])


def test_the_page_names_no_other_place_to_load_from(files: Mapping[str, bytes], parsed: Parsed) -> None:
    for tag, attributes in parsed.elements:
        for name in ("src", "href", "action", "data", "xlink:href", "srcset", "poster"):
            address = attributes.get(name) or ""
            assert not re.match(r"(?i)(https?:)?//|[a-z]+:", address), (tag, name, address)
        assert tag not in ("link", "iframe", "object", "embed", "base", "form")
    style = next(text for tag, text in parsed.texts if tag == "style")
    assert "url(" not in style
    assert "@import" not in style
    assert b"http-equiv" in files["index.html"]


def unpacked(parsed: Parsed) -> list[str]:
    """Return the texts that lie compressed in the page: the figures of the charts, and the library."""
    packed = [text for tag, text in parsed.texts if tag == "script"][:2]
    return [gzip.decompress(base64.b64decode(text)).decode() for text in packed]


def test_the_policy_allows_the_two_scripts_and_the_style_by_their_hash_and_nothing_else(parsed: Parsed) -> None:
    policies = [
        attributes["content"] for tag, attributes in parsed.elements if tag == "meta" and "http-equiv" in attributes
    ]
    policy = dict([*part.split(maxsplit=1), ""][:2] for part in str(policies[0]).split("; "))
    assert policy["default-src"] == "'none'"
    code = [[text for tag, text in parsed.texts if tag == "script"][-1], unpacked(parsed)[1]]
    styles = [text for tag, text in parsed.texts if tag == "style"]
    assert policy["script-src"] == " ".join(map(_hash, code))
    assert policy["style-src-elem"] == " ".join(map(_hash, styles))


def test_events_are_those_of_the_months_and_frameworks_shown(files: Mapping[str, bytes]) -> None:
    spec = json.loads(files["charts/stackoverflow_questions.vl.json"])
    values = [row for layer in spec["layer"] for row in layer.get("data", {}).get("values", [])]
    marked = [row["event"] for row in values if "event" in row]
    assert set(marked) == {HOSTILE, "Another"}


def test_every_chart_is_valid_vega_lite(files: Mapping[str, bytes]) -> None:
    for name, content in files.items():
        if name.endswith(".vl.json"):
            spec = json.loads(content)
            del spec["config"]["legend"]["layout"]  # Vega knows it, the schema of Vega-Lite has an empty object there
            alt.TopLevelSpec.validate(spec)


def test_the_sql_beside_a_chart_returns_its_figures(files: Mapping[str, bytes]) -> None:
    read = report_warehouse.reader(report_warehouse.small())
    for name in [name.removesuffix(".sql") for name in files if name.endswith(".sql")]:
        shown = rows_of(files, name.removeprefix("charts/"))
        found = read(files[f"{name}.sql"].decode())
        kept = [column for column in shown[0] if column in found.columns]
        told = {tuple(map(_cell, row)) for row in found.select(kept).rows()}
        assert {tuple(row[column] for column in kept) for row in shown} <= told, name


def test_an_empty_warehouse_gives_a_page_without_figures() -> None:
    files = report_warehouse.report_of(report_warehouse.empty()).files
    assert b"No figures." in files["index.html"]
    assert list(files) == ["index.html"]


def test_the_page_says_which_months_a_source_has_or_why_it_has_none() -> None:
    rows = pl.DataFrame(
        {
            "source": ["papers", "pypi"],
            "first_month": [date(2015, 11, 1), None],
            "last_month": [date(2024, 8, 1), None],
            "why_none": [None, "nobody has fetched it yet"],
        }
    )
    papers, pypi = page_tables.sources(rows)
    assert (papers["title"], papers["months"]) == ("Papers", "Nov 2015 to Aug 2024")
    assert pypi["months"] == "none: nobody has fetched it yet"
    assert all(row["counts"] and row["blind"] for row in (papers, pypi))


def test_loading_the_report_loads_no_charts() -> None:
    code = "import sys, fw_pipeline.report; print(*{'altair', 'vl_convert', 'jinja2'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return "" if value is None else f"{value:.6f}" if isinstance(value, float) else str(value)
