"""Whether two published files hold the same: a comparison of costs is worth nothing where the work differs.

`python -m fw_pipeline_tests.tools.benchmarks.sameness ONE OTHER` prints one line.
"""

from __future__ import annotations

import sys

import duckdb

OF_THE_RUN = frozenset({"run_id", "evidence", "observed_at", "vintage", "first_seen", "at"})
"""Columns that say when, and in which run, something was written; the path of the evidence names the run."""

OF_THE_PIPELINE = frozenset({"meta.builds", "meta.loads", "meta.validations"})
"""Tables in which the pipeline remembers what it built, loaded and proved."""

DIGITS, DECIMALS = 12, 6
"""How far fractions must agree, and those inside a text: DuckDB adds on several threads, the rest hangs on chance."""

COLUMNS = """
select
    schema_name || '.' || table_name as relation,
    list(column_name order by column_index) as names,
    list(data_type order by column_index) as types
from duckdb_columns()
where database_name = ? and not internal and schema_name <> 'detail' -- views of files that were not computed
group by schema_name, table_name
"""

Columns = tuple[tuple[str, str], ...]


def differing(one: str, other: str, *, digits: int = DIGITS) -> tuple[int, list[str]]:
    """Return how many tables there are in either file, and those that are not the same in both to so many digits."""
    with duckdb.connect(":memory:") as connection:
        for name, path in (("one", one), ("other", other)):
            quoted = path.replace("'", "''")
            connection.execute(f"attach '{quoted}' as {name} (read_only)")
        here, there = (_columns(connection, name) for name in ("one", "other"))
        relations = sorted((here.keys() | there.keys()) - OF_THE_PIPELINE)
        return len(relations), [
            it for it in relations if here.get(it) != there.get(it) or not _same_rows(connection, it, here[it], digits)
        ]


def _columns(connection: duckdb.DuckDBPyConnection, database: str) -> dict[str, Columns]:
    found = connection.execute(COLUMNS, [database]).fetchall()
    return {relation: tuple(zip(names, types, strict=True)) for relation, names, types in found}


def _same_rows(connection: duckdb.DuckDBPyConnection, relation: str, columns: Columns, digits: int) -> bool:
    shown = ", ".join(_shown(name, kind, digits) for name, kind in columns if name not in OF_THE_RUN)
    one, other = (f"select {shown} from {database}.{relation}" for database in ("one", "other"))
    either = f"(({one}) except all ({other})) union all (({other}) except all ({one}))"
    return connection.execute(f"select count(*) from ({either})").fetchone() == (0,)


def _shown(name: str, kind: str, digits: int) -> str:
    if kind == "DOUBLE":
        return f"format('{{:.{digits}g}}', \"{name}\")"
    if name == "detail":
        return f"regexp_replace({name}::varchar, '([.][0-9]{{{DECIMALS}}})[0-9]+', '\\1', 'g')"
    return f'"{name}"'


if __name__ == "__main__":
    compared, strange = differing(*sys.argv[1:3])
    print(
        f"NOT the same work: {', '.join(strange)} differ"
        if strange
        else f"the same work: all {compared} tables of both published files hold the same rows"
    )
