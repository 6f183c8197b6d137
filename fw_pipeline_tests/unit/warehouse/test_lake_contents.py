"""What is copied into DuckLake, shown with another file of DuckDB; DuckLake itself is in `integration/test_lake.py`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from fw_pipeline.warehouse.lake_contents import copy_changed, describe, describe_listings, drop_unknown

BUILT = """
create schema fresh.meta; create schema fresh.marts; create schema fresh.detail;
create table fresh.meta.builds (relation varchar, made_from varchar, contents varchar);
create table fresh.meta.loads (source varchar, parts varchar[]);
create table fresh.marts.one as select 1 as figure, [struct_pack(a := 1, b := 'x')] as parts;
create table fresh.marts.two as select 2.5 as figure, null::varchar as why;
create view fresh.detail.papers as select 'a title' as title;
insert into fresh.meta.builds values
    ('marts.one', 'x', 'mark of one'), ('marts.two', 'x', 'mark of two'), ('detail.papers', 'x', 'mark of papers');
comment on table fresh.marts.one is 'It''s one.';
comment on column fresh.marts.one.figure is 'A figure.';
comment on view fresh.detail.papers is 'Papers.';
comment on column fresh.detail.papers.title is 'In the published file only.'
"""


@pytest.fixture
def both(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with a published file and an empty database."""
    with duckdb.connect() as connection:
        connection.execute(f"attach '{tmp_path}/fresh.duckdb' as fresh; attach '{tmp_path}/lake.duckdb' as lake")
        connection.execute(BUILT)
        yield connection


def rows(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple[object, ...]]:
    return connection.execute(sql).fetchall()


def test_at_first_everything_is_copied_with_its_words_and_then_nothing_is(both: duckdb.DuckDBPyConnection) -> None:
    assert copy_changed(both) == ["marts.one", "marts.two", "meta.builds", "meta.loads", "detail.papers"]
    assert describe(both)
    assert rows(both, "from lake.marts.one") == [(1, [{"a": 1, "b": "x"}])]
    assert rows(both, "from lake.detail.papers") == [("a title",)]
    said = "select comment from duckdb_{}() where database_name = 'lake' and comment is not null"
    assert rows(both, said.format("tables")) == [("It's one.",)]
    assert rows(both, said.format("columns")) == [("A figure.",)]
    assert ("Papers.",) in rows(both, said.format("views"))
    assert drop_unknown(both) == copy_changed(both) == []
    assert not describe(both)


@pytest.mark.parametrize(
    ("change", "copied"),
    [
        (
            "update fresh.meta.builds set contents = 'another' where relation = 'marts.two'",
            ["marts.two", "meta.builds"],
        ),
        ("insert into fresh.meta.loads values ('papers', ['a', null])", ["meta.loads"]),
        ("alter table fresh.meta.loads add column since date", ["meta.loads"]),
        ("create table fresh.marts.three as select 3 as figure", ["marts.three"]),
        (
            (
                "create or replace view fresh.detail.papers as select 'another' as title; "
                "update fresh.meta.builds set contents = 'another' where relation = 'detail.papers'"
            ),
            ["meta.builds", "detail.papers"],
        ),
    ],
)
def test_only_what_holds_something_else_is_copied(
    both: duckdb.DuckDBPyConnection, change: str, copied: list[str]
) -> None:
    copy_changed(both)
    both.execute(change)
    assert copy_changed(both) == copied
    for relation in copied:
        assert rows(both, f"from lake.{relation}") == rows(both, f"from fresh.{relation}")
    assert copy_changed(both) == []


def test_what_is_not_published_any_more_is_dropped_also_where_a_view_takes_the_place_of_a_table(
    both: duckdb.DuckDBPyConnection,
) -> None:
    copy_changed(both)
    both.execute("drop table fresh.marts.one; drop table fresh.marts.two; create view fresh.marts.two as select 2 as n")
    both.execute("update fresh.meta.builds set contents = 'a view' where relation = 'marts.two'")
    assert drop_unknown(both) == ["marts.one", "marts.two"]
    assert copy_changed(both) == ["meta.builds", "marts.two"]
    assert rows(both, "from lake.marts.two") == [(2,)]


def test_words_that_changed_are_copied_and_words_that_are_gone_are_taken_away(both: duckdb.DuckDBPyConnection) -> None:
    copy_changed(both)
    describe(both)
    both.execute("comment on table fresh.marts.one is null; comment on column fresh.marts.one.figure is 'Another.'")
    assert describe(both)
    said = rows(both, "select comment from duckdb_columns() where database_name = 'lake' and column_name = 'figure'")
    assert said == [("Another.",), (None,)]
    assert rows(both, "select comment from duckdb_tables() where database_name = 'lake' and comment is not null") == []
    assert not describe(both)


def test_listings_are_described_by_their_source(both: duckdb.DuckDBPyConnection) -> None:
    both.execute("comment on column fresh.detail.papers.title is null")
    describe_listings(both)
    said = rows(both, "select comment from duckdb_columns() where table_name = 'papers'")
    assert said != [(None,)]
