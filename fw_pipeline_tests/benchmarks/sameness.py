"""Whether two published files hold the same: a comparison of costs is worth nothing where the work differs.

`python -m fw_pipeline_tests.benchmarks.sameness ONE OTHER` prints one line.
"""

from __future__ import annotations

import sys

import duckdb

OF_THE_RUN = frozenset({"run_id", "observed_at", "vintage", "at"})
"""Columns that say when and in which run something was written."""

OF_THE_PIPELINE = frozenset({"meta.validations", "meta.loads"})
"""Tables in which the pipeline remembers what it proved and what it loaded."""


def differing(one: str, other: str) -> tuple[int, list[str]]:
    """Return how many relations were compared, and those whose rows are not the same."""
    with duckdb.connect(":memory:") as connection:
        for name, path in (("one", one), ("other", other)):
            connection.execute(f"attach '{path}' as {name} (read_only)")
        listed = connection.execute(
            "select schema_name || '.' || table_name, list(column_name order by column_index) "
            "from duckdb_columns() where database_name in ('one', 'other') and not internal group by all order by all"
        ).fetchall()
        tables: dict[str, list[list[str]]] = {}
        for relation, columns in listed:
            if relation not in OF_THE_PIPELINE:
                tables.setdefault(relation, []).append(columns)
        return len(tables), [it for it, columns in tables.items() if not _same(connection, it, columns)]


def _same(connection: duckdb.DuckDBPyConnection, relation: str, columns: list[list[str]]) -> bool:
    shared = ", ".join(f'"{name}"' for name in columns[0] if name not in OF_THE_RUN)
    try:
        rows = [f"(select {shared} from {name}.{relation})" for name in ("one", "other")]
        first, second = rows
        found = connection.execute(
            f"select (select count(*) from (from {first} except all from {second})) "
            f"+ (select count(*) from (from {second} except all from {first}))"
        ).fetchone()
    except (duckdb.CatalogException, duckdb.BinderException):
        return False  # one of the files has no such table, or not with these columns
    return found == (0,)


if __name__ == "__main__":
    compared, strange = differing(*sys.argv[1:3])
    print(
        f"NOT the same work: {', '.join(strange)} differ"
        if strange
        else f"the same work: all {compared} tables of both published files hold the same rows"
    )
