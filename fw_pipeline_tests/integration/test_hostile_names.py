"""Names that come from outside, wherever somebody reads them: on a terminal, in JSON, CSV and Markdown, on disk."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fw_pipeline.cli.output import show
from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.asset_metadata import as_markdown
from fw_pipeline.orchestration.failures import failure
from fw_pipeline.sources import SOURCES
from fw_pipeline.text import one_line
from fw_pipeline.warehouse import Warehouse, query
from fw_pipeline_tests.support.command import COMMAND, environment
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.hub_live import LISTING, Desk, Row, edited, lines
from fw_pipeline_tests.tools.fuzz.mutations import HOSTILE_NAMES

NAMES = [*HOSTILE_NAMES, "www.example.org", "https://example.org/<b>", "_a_ ~~b~~ #c", "&lt;script&gt;", "\\|\\"]

from_outside = st.sampled_from(NAMES) | st.text(max_size=60)


def harmless(text: str) -> bool:
    return all(c.isprintable() or c == "\n" for c in text)


@given(cells=st.lists(st.tuples(from_outside, st.lists(from_outside, max_size=2)), min_size=1, max_size=4))
def test_markdown_shows_every_cell_as_it_is_and_makes_nothing_of_it(cells: list[tuple[str, list[str]]]) -> None:
    frame = pl.DataFrame(cells, schema={"name": pl.String, "names": pl.List(pl.String)}, orient="row")
    tokens = MarkdownIt("commonmark").enable("table").parse(as_markdown(frame))
    inline = [token for token in tokens if token.type == "inline"]
    assert len(inline) == 2 * (len(cells) + 1)
    assert {child.type for token in inline for child in token.children or []} <= {"text", "text_special"}
    seen = ["".join(child.content for child in token.children or []) for token in inline[2::2]]
    assert seen == [one_line(name, 120) for name, _ in cells]


@given(cause=from_outside)
def test_a_refusal_is_one_item_of_a_list_in_the_ui(cause: str) -> None:
    told: Any = failure([PipelineError("pypi", f"said {cause}", "look")]).metadata["reasons"]
    tokens = MarkdownIt("commonmark").parse(told.value)
    assert [token.type for token in tokens if token.type.endswith("_open")] == [
        "bullet_list_open",
        "list_item_open",
        "paragraph_open",
    ]
    children = [child for token in tokens if token.type == "inline" for child in token.children or []]
    assert {child.type for child in children} <= {"text", "text_special"}


@pytest.mark.parametrize("shape", ["table", "json"])
def test_a_terminal_is_shown_control_characters_and_obeys_none(shape: str, capsys: pytest.CaptureFixture[str]) -> None:
    show(pl.DataFrame({"name": NAMES, "\x1b]0;title\x07": NAMES}), shape)
    said = capsys.readouterr().out
    assert harmless(said)
    if shape == "json":
        assert [row["name"] for row in json.loads(said)] == NAMES
    else:
        assert "\\x1b[31mred" in said


def test_json_is_json_whatever_the_numbers_are(capsys: pytest.CaptureFixture[str]) -> None:
    show(pl.DataFrame({"a": [float("nan"), float("inf"), 1.5], "b": [[float("nan")], [], None]}), "json")

    def refused(constant: str) -> None:
        raise AssertionError(constant)

    rows = json.loads(capsys.readouterr().out, parse_constant=refused)
    assert rows == [{"a": "nan", "b": ["nan"]}, {"a": "inf", "b": []}, {"a": 1.5, "b": None}]


def test_csv_in_a_pipe_is_verbatim_and_on_a_terminal_harmless(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(pl.DataFrame({"name": NAMES}), "csv")
    back = list(csv.reader(io.StringIO(capsys.readouterr().out, newline="")))
    assert [line[0] if line else "" for line in back[1:]] == NAMES
    with Warehouse(tmp_path).writing() as writer:
        writer.build("marts.x", "select chr(27) || '[31m' || chr(155) as name", description="", columns={})
    Warehouse(tmp_path).publish()
    terminal, ours = pty.openpty()
    arguments = [*COMMAND, "sql", "from marts.x", "--format", "csv"]
    subprocess.run(arguments, env=environment(tmp_path), stdin=subprocess.DEVNULL, stdout=ours, check=True, timeout=120)
    os.close(ours)
    said = os.read(terminal, 1000).decode().replace("\r\n", "\n")
    assert said == "name\n\\x1b[31m\\x9b\n"
    os.close(terminal)


def test_names_of_the_hub_reach_the_published_file_as_they_are_and_no_path(
    tmp_path: Path, services: FakeServices
) -> None:
    names = [name for name in NAMES if name.strip() and "\x00" not in name]

    def renamed(page: list[Row]) -> None:
        for number, model in enumerate(page):
            model["library_name"] = names[number % len(names)]
            model["id"] = names[number % len(names)]
            model["tags"] = [*model["tags"], names[number % len(names)]]

    services.faults.add(LISTING, edited(renamed), times=99)
    desk = Desk(tmp_path / "data", services)
    got = desk.run("2023-05", "2023-05")
    assert lines(got) == []
    with Warehouse(desk.data).writing() as writer:
        writer.load_raw("huggingface")
        detail = SOURCES["huggingface"].providers["api"].detail
        assert detail is not None
        words = {"name": "a name that may be \"quoted\"; drop table x; -- 'so' \n\x1b[31m"}
        writer.build(
            "marts.x",
            f"select distinct library as name from raw.huggingface union select name from detail.{detail.name}"
            if "name" in detail.schema
            else "select distinct library as name from raw.huggingface",
            description="it's; drop table raw.huggingface; --",
            columns=words,
        )
    Warehouse(desk.data).publish()
    published = desk.data / "warehouse.duckdb"
    assert set(query(published, "from marts.x")["name"]) == set(names)
    assert query(published, "select comment from duckdb_columns() where comment like '%quoted%'").height == 1
    written = [path.relative_to(desk.data).as_posix() for path in desk.data.rglob("*")]
    assert all(path.isascii() and ".." not in path and "'" not in path and " " not in path for path in written)
