"""What differs between a published file and the newest version in DuckLake, and how it gets there.

Both are attached to one connection: the file as `fresh`, DuckLake as `lake`. Nothing here opens or commits.
"""

from __future__ import annotations

from typing import Any

import duckdb

from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse.metadata_tables import BUILDS
from fw_pipeline.warehouse.sql_text import quoted

_TABLES = "select schema_name || '.' || table_name as relation, comment from duckdb_tables() where database_name = '{}'"
_VIEWS = """
    select schema_name || '.' || view_name as relation, comment, sql from duckdb_views()
    where database_name = '{}' and not internal
"""
_COLUMNS = """
    select schema_name || '.' || table_name as relation, column_name, data_type, comment from duckdb_columns()
    where database_name = '{}' and not internal
"""


def drop_unknown(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Drop what is not published any more, or not as a table or not as a view; return the names."""
    gone = []
    for kind, listed in (("table", _TABLES), ("view", _VIEWS)):
        for relation in _listed(connection, listed, "lake").keys() - _listed(connection, listed, "fresh").keys():
            connection.execute(f"drop {kind} lake.{relation}")
            gone.append(relation)
    return sorted(gone)


def copy_changed(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """Copy each table, and make each view, that holds something else than in the newest snapshot; return the names."""
    tables, views = (_listed(connection, listed, "fresh") for listed in (_TABLES, _VIEWS))
    there = {name for listed in (_TABLES, _VIEWS) for name in _listed(connection, listed, "lake")}
    marks, marks_there = (_marks(connection, name) if BUILDS in there else {} for name in ("fresh", "lake"))
    changed = []
    for relation in (*tables, *views):
        mark = marks.get(relation)
        if relation in there and (mark == marks_there.get(relation) if mark else _same_rows(connection, relation)):
            continue
        connection.execute(f"create schema if not exists lake.{relation.partition('.')[0]}")
        if relation in tables:
            connection.execute(f"create or replace table lake.{relation} as from fresh.{relation}")
        else:
            connection.execute("use lake")
            connection.execute(views[relation][1].replace("CREATE VIEW", "CREATE OR REPLACE VIEW", 1))
            connection.execute("use memory")
        changed.append(relation)
    return changed


def _same_rows(connection: duckdb.DuckDBPyConnection, relation: str) -> bool:
    """Return whether a table that has no mark has the same columns and rows in both."""
    described = (connection.execute(f"describe {name}.{relation}").fetchall() for name in ("fresh", "lake"))
    columns, there = ([row[:2] for row in rows] for rows in described)
    one, other = f"from fresh.{relation}", f"from lake.{relation}"
    either = f"({one} except all {other}) union all ({other} except all {one}) limit 1"
    return columns == there and not connection.execute(either).fetchall()


def describe(connection: duckdb.DuckDBPyConnection) -> bool:
    """Describe tables, views and columns as the published file does; return whether anything was described otherwise.

    DuckLake keeps no comments on columns of views; `restore` takes them from the sources.
    """
    changed = []
    for kind, listed in (("table", _TABLES), ("view", _VIEWS)):
        there = _listed(connection, listed, "lake")
        for relation, (comment, *_) in _listed(connection, listed, "fresh").items():
            if comment != there[relation][0]:
                changed.append(f"comment on {kind} lake.{relation} is {_text(comment)}")
    differing = connection.execute(f"""
        select relation, column_name, fresh.comment from ({_COLUMNS.format("fresh")}) as fresh
        join ({_COLUMNS.format("lake")}) as lake using (relation, column_name)
        where relation not in (select relation from ({_VIEWS.format("fresh")}))
            and fresh.comment is distinct from lake.comment
    """).fetchall()
    changed += [f'comment on column lake.{it}."{column}" is {_text(words)}' for it, column, words in differing]
    for statement in changed:
        connection.execute(statement)
    return bool(changed)


def describe_listings(connection: duckdb.DuckDBPyConnection) -> None:
    """Describe the columns of the listings, which are views; those of an earlier version may be fewer."""
    tables = (it.detail for source in SOURCES.values() for it in source.providers.values() if it.detail)
    words = {(f"detail.{table.name}", column): said for table in tables for column, said in table.words.items()}
    for relation, column, *_ in connection.execute(_COLUMNS.format("fresh")).fetchall():
        if (relation, column) in words:
            said = _text(words[relation, column])
            connection.execute(f'comment on column fresh.{relation}."{column}" is {said}')


def _listed(connection: duckdb.DuckDBPyConnection, listed: str, database: str) -> dict[str, tuple[Any, ...]]:
    return {name: tuple(rest) for name, *rest in connection.execute(f"{listed.format(database)} order by 1").fetchall()}


def _marks(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, str]:
    return dict(connection.execute(f"select relation, contents from {database}.{BUILDS}").fetchall())


def _text(words: str | None) -> str:
    return "null" if words is None else f"'{quoted(words)}'"
