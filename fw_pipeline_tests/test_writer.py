"""What a writer keeps of its own doing: what was loaded, what was built in which turn, and what came of the rules."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.details import DETAIL_TABLES
from fw_pipeline.warehouse import Warehouse
from fw_pipeline.warehouse.writer import Built, Writer
from fw_pipeline_tests.test_warehouse import add


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Warehouse(tmp_path).writing() as opened:
        yield opened


def test_what_was_made_is_told_with_its_rows_and_columns(writer: Writer) -> None:
    frame = pl.DataFrame({"name": ["a", "b"], "share": [0.5, None]})
    made = writer.seed("meta.small", frame, description="", columns={})
    assert made == Built(2, {"name": "VARCHAR", "share": "DOUBLE"})
    built = writer.build("marts.x", "select name from meta.small", description="", columns={})
    assert built == Built(2, {"name": "VARCHAR"})
    assert writer.frame("select name from marts.x where name > ?", ["a"]).rows() == [("b",)]


def test_a_table_is_stale_until_it_was_built_after_what_it_reads(writer: Writer) -> None:
    assert writer.stale("marts.y", ["marts.x"])
    writer.build("marts.x", "select 1 as a", description="", columns={})
    writer.build("marts.y", "select a from marts.x", description="", columns={})
    assert not writer.stale("marts.y", ["marts.x", "meta.never_built"])
    writer.build("marts.x", "select 2 as a", description="", columns={})
    assert writer.stale("marts.y", ["marts.x"])
    assert not writer.stale("marts.x", [])


def test_a_build_forgets_what_came_of_the_rules_before_it(writer: Writer) -> None:
    required = {"marts.x": ("a rule", "another"), "marts.z": ("a rule",)}
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert writer.unchecked(required) == {"marts.x": ("a rule", "another"), "marts.z": ("a rule",)}
    writer.note_checks("marts.x", [("a rule", "ERROR", False, 3, "three rows"), ("left out", "ERROR", False, 1, "one")])
    writer.note_checks("marts.z", [("a rule", "ERROR", True, 0, "")])
    assert writer.unchecked(required) == {"marts.x": ("another",)}
    assert writer.broken(required) == [("marts.x", "a rule", "three rows")]
    writer.note_checks("marts.x", [("a rule", "ERROR", True, 0, "")])
    writer.note_checks("marts.x", [])
    assert writer.broken(required) == []
    writer.build("marts.x", "select 2 as a", description="", columns={})
    assert writer.unchecked(required) == {"marts.x": ("a rule", "another")}


def test_a_listing_that_nobody_made_is_an_empty_table_that_stays(writer: Writer) -> None:
    table = next(iter(DETAIL_TABLES.values()))
    relation = f"detail.{table.name}"
    assert not writer.has(relation)
    writer.ensure_detail(table)
    assert writer.has(relation)
    assert writer.frame(f"from {relation}").schema.names() == list(table.schema)
    writer.frame(f"from {relation}")
    writer._run(f"create or replace table {relation} as select 1 as kept")
    writer.ensure_detail(table)
    assert writer.frame(f"from {relation}").rows() == [(1,)]


def test_a_source_is_loaded_again_only_where_its_vintages_changed(tmp_path: Path) -> None:
    add(tmp_path, 10)
    loads = "select source, vintages from meta.loads"
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw_if_changed("stackoverflow")
        assert writer.frame(loads).rows() == [("stackoverflow", 1)]
        writer._run("delete from raw.stackoverflow")
        writer.load_raw_if_changed("stackoverflow")
        assert writer.frame("from raw.stackoverflow").is_empty(), "nothing came, so nothing was loaded"
        add(tmp_path, 11, days=1)
        writer.load_raw_if_changed("stackoverflow")
        assert writer.frame("select questions from raw.stackoverflow").rows() == [(11,)]
        assert writer.frame(loads).rows() == [("stackoverflow", 2)]


def test_every_column_of_every_raw_table_has_its_words(tmp_path: Path) -> None:
    add(tmp_path, 10)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("stackoverflow")
        sql = "select table_name, column_name from duckdb_columns() where schema_name = 'raw' and comment is null"
        assert writer.frame(sql).rows() == []
        tables = "select table_name from duckdb_tables() where schema_name = 'raw' and comment is not null order by all"
        names = [f"stackoverflow{suffix}" for suffix in ("", "_unpartitioned", "_vintages")]
        assert [row[0] for row in writer.frame(tables).rows()] == names
