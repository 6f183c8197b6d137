"""Writing in the open working file: load raw vintages, seed small tables, build models.

Nothing here opens, locks or publishes a file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.contract import PROVENANCE, SHARED_COLUMNS, DetailTable
from fw_pipeline.raw import Vintage, VintageStore
from fw_pipeline.sources import DETAIL_TABLES, SOURCES
from fw_pipeline.warehouse.metadata_tables import BOOKS, BUILDS, LOADS, TAKEN_ON, VALIDATIONS
from fw_pipeline.warehouse.sql_text import WarehouseError, first_line, quoted

_TYPES = {
    pl.Date: "date",
    pl.String: "varchar",
    pl.Int64: "bigint",
    pl.Int32: "integer",
    pl.Boolean: "boolean",
    pl.Float64: "double",
    pl.List(pl.String): "varchar[]",
    pl.Datetime("us", "UTC"): "timestamp with time zone",
}


_EMPTY = " Empty here: "
"""Separates the comment of an empty table from the reason why it is empty."""


@dataclass(frozen=True, slots=True)
class Built:
    """The result of a build."""

    rows: int
    columns: Mapping[str, str]
    """DuckDB type by column, in order."""


class Writer:
    """The working file while it is open for writing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, data_dir: Path) -> None:
        """Write through an open connection, inside its transaction."""
        self._connection = connection
        self._store = VintageStore(data_dir)
        self._relations: set[str] | None = None  # read once: listing tables takes DuckDB longer than building one

    def load_raw(self, source: str) -> int:
        """Load all vintages of a source into `raw.<source>`, `_vintages` and `_unpartitioned`; return current rows.

        For each provider, the current vintage of a month is the one that its origin counted last: an old snapshot that
        is loaded after a newer one stays history. If the only known day is that of our own clock, it is the vintage
        that was written last.

        Raises:
            StorageError: a vintage cannot be read; it was set aside, and the line says how to get the month again.
        """
        listing = self._store.listing(source)  # before they are read: what arrives in the meantime is loaded next time
        vintages = self._store.vintages(source)
        table = SOURCES[source].table
        schema = pl.Schema({**table.schema, **PROVENANCE})
        columns = ", ".join(f"{name} {_TYPES[kind]}" for name, kind in schema.items())
        self._run(f"create or replace temp table fresh ({columns}, vintage timestamp with time zone, placed boolean)")
        if vintages:
            try:
                self._insert_vintages(schema, vintages)
            except duckdb.Error:
                self._name_the_broken(source, vintages)
                raise
        self._run(f"""
            create or replace temp table latest as
            with vintages as (
                select provider, placed, if(placed, month, null) as month, vintage, {TAKEN_ON} as taken_on
                from fresh group by all
            )
            select * exclude (taken_on) from vintages
            qualify row_number() over (partition by provider, placed, month order by taken_on desc, vintage desc) = 1
        """)
        self._run(f"""
            create or replace table raw.{source}_vintages as
            select fresh.* exclude (placed), latest.vintage is not null as is_current
            from fresh left join latest using (provider, placed, month, vintage)
            where fresh.placed order by all
        """)
        names = ", ".join(schema.names())
        self._run(f"""
            create or replace table raw.{source} as
            select {names} from raw.{source}_vintages where is_current order by all
        """)
        self._run(f"""
            create or replace table raw.{source}_unpartitioned as
            select {", ".join(f"fresh.{name}" for name in schema.names())}
            from fresh semi join latest on latest.provider = fresh.provider and latest.vintage = fresh.vintage
                and not latest.placed
            where not fresh.placed order by all
        """)
        current = set(self._rows("select month, vintage from latest"))
        self._run("drop table fresh")
        self._run("drop table latest")
        self._describe_raw(source)
        self._keep(LOADS)
        self._connection.execute("delete from meta.loads where source = ?", [source])
        self._connection.execute("insert into meta.loads values (?, ?, ?)", [source, len(vintages), listing])
        self._load_detail([vintage for vintage in vintages if (vintage.month, vintage.observed_at) in current])
        self._built(f"raw.{source}")
        return int(self._rows(f"select count(*) from raw.{source}")[0][0])

    def load_raw_if_changed(self, source: str) -> None:
        """Load a source's vintages unless the tables already contain exactly those on disk."""
        mark = self._store.listing(source)
        self._keep(LOADS)
        if (source, mark) not in self._rows("select source, listing from meta.loads"):
            self.load_raw(source)

    def ensure_detail(self, table: DetailTable) -> None:
        """Create an empty table in the schema `detail` unless it exists, so that a model can always read it."""
        relation = f"detail.{table.name}"
        if not self.has(relation):
            self._connection.register("no_rows", pl.DataFrame(schema=table.schema).to_arrow())
            self._run(f"create table {relation} as select * from no_rows")
            self._connection.unregister("no_rows")
            self._comment(relation, table.description, table.words)
            self._made(relation)

    def has(self, relation: str) -> bool:
        """Return whether a relation exists."""
        if self._relations is None:
            found = self._rows("select schema_name, table_name from duckdb_tables() where database_name = 'work'")
            self._relations = {f"{schema}.{table}" for schema, table in found}
        return relation in self._relations

    def is_empty(self, relation: str) -> bool:
        """Return whether a relation has no rows, or does not exist."""
        return not self.has(relation) or not self._rows(f"select 1 from {relation} limit 1")

    def say_why_empty(self, relation: str, why: str) -> None:
        """Add the reason why a table has no rows to its comment."""
        schema, _, table = relation.partition(".")
        (comment,) = self._rows(
            "select comment from duckdb_tables() where database_name = 'work' and schema_name = ? and table_name = ?",
            [schema, table],
        )[0]
        said = f"{comment.partition(_EMPTY)[0]}{_EMPTY}{why}."
        self._run(f"comment on table {relation} is '{quoted(said)}'")

    def seed(self, relation: str, frame: pl.DataFrame, *, description: str, columns: Mapping[str, str]) -> Built:
        """Create a small table from a frame; `columns` describes each of its columns."""
        types = ", ".join(f'"{name}" {_TYPES[kind]}' for name, kind in frame.schema.items())
        self._run(f"create or replace table {relation} ({types})")
        self._connection.register("seed_rows", frame.to_arrow())
        self._run(f"insert into {relation} by name select * from seed_rows")
        self._connection.unregister("seed_rows")
        self._comment(relation, description, columns)
        return self._built(relation)

    def build(self, relation: str, sql: str, *, description: str, columns: Mapping[str, str]) -> Built:
        """Create a table from a model's SQL.

        Raises:
            WarehouseError: the SQL fails; the cause is DuckDB's own message.
        """
        try:
            self._run(f"create or replace table {relation} as {sql}")
        except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
            remedy = f"mend dbt_like_sql/{relation.replace('.', '/')}.sql, or build what it reads: fw-pipeline rebuild"
            raise WarehouseError(relation, first_line(error), remedy) from error
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
            remedy = f"mend dbt_like_sql/{relation.replace('.', '/')}.sql"
            raise WarehouseError(relation, first_line(error), remedy) from error
        self._comment(relation, description, columns)
        return self._built(relation)

    def stale(self, relation: str, reads: Iterable[str]) -> bool:
        """Return whether a relation does not exist, or was built before something that it reads."""
        self._keep(BUILDS)
        turns = dict(self._rows("select relation, turn from meta.builds"))
        return relation not in turns or any(turns.get(read, 0) > turns[relation] for read in reads)

    def note_checks(self, relation: str, outcomes: Sequence[tuple[str, str, bool, int, str]]) -> None:
        """Record the results of rules on a relation: name, severity, passed, number of failing rows, observed."""
        self._keep(VALIDATIONS)
        if not outcomes:
            return
        rules = [outcome[0] for outcome in outcomes]
        self._connection.execute(
            "delete from meta.validations where relation = ? and list_contains(?, expectation)", [relation, rules]
        )
        rows = ", ".join("(?, ?, ?, ?, ?, ?)" for _ in outcomes)
        values = [value for outcome in outcomes for value in (relation, *outcome)]
        self._connection.execute(f"insert into meta.validations values {rows}", values)

    def unchecked(self, required: Mapping[str, Sequence[str]]) -> dict[str, tuple[str, ...]]:
        """Return the rules of each relation that have not been run since it was built."""
        self._keep(VALIDATIONS)
        run = set(self._rows("select relation, expectation from meta.validations"))
        missing = {name: tuple(rule for rule in rules if (name, rule) not in run) for name, rules in required.items()}
        return {name: rules for name, rules in missing.items() if rules}

    def broken(self, required: Mapping[str, Sequence[str]]) -> list[tuple[str, str, str]]:
        """Return the relation, the rule and the observed value for every critical rule that fails on this build."""
        found = self._rows(
            "select relation, expectation, observed from meta.validations "
            "where not passed and severity = 'critical' order by all"
        )
        return [(name, rule, seen) for name, rule, seen in found if rule in required.get(name, ())]

    def frame(self, sql: str, parameters: Sequence[Any] = ()) -> pl.DataFrame:
        """Return the rows of a query."""
        return pl.DataFrame(self._connection.sql(sql, params=list(parameters)).pl())

    def _insert_vintages(self, schema: pl.Schema, vintages: Iterable[Vintage]) -> None:
        listed = [(str(v.path), v.observed_at, v.month is not None) for v in vintages]
        files = pl.DataFrame(
            listed, schema={"path": pl.String, "vintage": pl.Datetime("us", "UTC"), "placed": pl.Boolean}, orient="row"
        )
        self._connection.register("vintage_files", files.to_arrow())
        names = ", ".join(f"answer.{name}" for name in schema.names())
        self._connection.execute(
            f"""
            insert into fresh select {names}, vintage_files.vintage, vintage_files.placed
            from read_parquet(?, filename = true, hive_partitioning = false) as answer
            join vintage_files on vintage_files.path = answer.filename
            """,
            [[path for path, _, _ in listed]],
        )
        self._connection.unregister("vintage_files")

    def _name_the_broken(self, source: str, vintages: Iterable[Vintage]) -> None:
        for vintage in vintages:
            try:
                self._store.read(source, vintage)
            except StorageError:
                self._store.set_aside(vintage)
                raise

    def _load_detail(self, current: Iterable[Vintage]) -> None:
        """Load the row-level listings of the current vintages, by the name stored in the file."""
        listings: defaultdict[str, list[str]] = defaultdict(list)
        for vintage in current:
            if vintage.detail.is_file():
                listings[pl.read_parquet_metadata(vintage.detail)["detail"]].append(str(vintage.detail))
        for name, files in listings.items():
            self._connection.execute(
                f"create or replace table detail.{name} as select * from read_parquet(?, union_by_name = true)",
                [sorted(files)],
            )
            table = DETAIL_TABLES[name]
            self._comment(f"detail.{name}", table.description, table.words)
            self._made(f"detail.{name}")

    def _describe_raw(self, source: str) -> None:
        table = SOURCES[source].table
        words = {**SHARED_COLUMNS, **table.columns}
        grain = f"One row for: {', '.join(['provider', *table.identity])}"
        self._comment(f"raw.{source}", f"{table.description} The current vintage of each provider. {grain}.", words)
        more = {
            **words,
            "vintage": "When the vintage was written (UTC).",
            "is_current": "Whether it is the current one.",
        }
        self._comment(f"raw.{source}_vintages", f"{table.description} Every vintage. {grain}, vintage.", more)
        outside = f"{table.description} Figures that belong to no month partition: undated, or before November 2015."
        self._comment(f"raw.{source}_unpartitioned", outside, words)

    def _keep(self, relation: str) -> None:
        """Create a metadata table of the warehouse unless it exists."""
        if not self.has(relation):
            book = BOOKS[relation]
            self._run(f"create table {relation} ({book.ddl})")
            self._made(relation)
            self._comment(relation, book.description, book.words)

    def _comment(self, relation: str, description: str, columns: Mapping[str, str]) -> None:
        self._run(f"comment on table {relation} is '{quoted(description)}'")
        present = {row[0] for row in self._rows(f"describe {relation}")}
        for column, words in columns.items():
            if column in present:
                self._run(f"""comment on column {relation}."{column}" is '{quoted(words)}'""")

    def _built(self, relation: str) -> Built:
        self._made(relation)
        self._keep(VALIDATIONS)
        self._connection.execute("delete from meta.validations where relation = ?", [relation])
        self._keep(BUILDS)
        turn = self._rows("select coalesce(max(turn), 0) + 1 from meta.builds")[0][0]
        self._connection.execute("delete from meta.builds where relation = ?", [relation])
        self._connection.execute("insert into meta.builds values (?, ?)", [relation, turn])
        columns = {row[0]: row[1] for row in self._rows(f"describe {relation}")}
        return Built(int(self._rows(f"select count(*) from {relation}")[0][0]), columns)

    def _made(self, relation: str) -> None:
        if self._relations is not None:
            self._relations.add(relation)

    def _run(self, sql: str) -> None:
        self._connection.execute(sql)

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, parameters).fetchall()
