"""Writing tables into the open working file: load raw vintages, seed small tables, build models."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import duckdb
import polars as pl

from fw_pipeline.contract import PROVENANCE, SHARED_COLUMNS
from fw_pipeline.months import Window
from fw_pipeline.raw import UnreadableVintageError, Vintage, VintageStore
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse.metadata_tables import LOADS, TAKEN_ON
from fw_pipeline.warehouse.sql_text import WarehouseError, first_line, quoted, refused_by_the_disk
from fw_pipeline.warehouse.tables import CODE_VERSION, Built, Tables

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
"""DuckDB type by the type of a column of a frame."""

IN_PLACE = "A view of the files of the data folder, which must stay where they are."
"""What is said of a relation whose rows are not in the database."""


class Writer(Tables):
    """The working file while it is open for writing."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, data_dir: Path) -> None:
        """Write through an open connection, inside its transaction."""
        super().__init__(connection)
        self._store = VintageStore(data_dir)
        self.lost: list[str] = []
        """What was found to be missing of the sources that were loaded, a line each."""

    def load_raw(self, source: str) -> int:
        """Load all vintages of a source into `raw.<source>`, `_vintages` and `_unpartitioned`; return current rows.

        A vintage never changes, so each is read once: what this code loaded of a month's vintages before is kept.

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
        if unread := self._reuse_loaded(source, vintages):
            try:
                self._insert_vintages(schema, unread)
            except duckdb.Error:
                self._name_the_broken(source, unread)
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
        keeps = [name for name, provider in SOURCES[source].providers.items() if provider.detail]
        listed = set(self._rows("select month, vintage from latest where list_contains(?, provider)", [keeps]))
        self._run("drop table fresh")
        self._run("drop table latest")
        self._describe_raw(source)
        self._connection.execute("delete from meta.loads where source = ?", [source])
        loaded = [source, len(vintages), listing, CODE_VERSION]
        self._connection.execute("insert into meta.loads values (?, ?, ?, ?)", loaded)
        lost = self._without_listing(source, [it for it in vintages if (it.month, it.observed_at) in listed])
        self._load_detail(source, [it for it in vintages if (it.month, it.observed_at) in current], lost)
        for relation in (f"raw.{source}_vintages", f"raw.{source}_unpartitioned"):
            self._built(relation)
        return self._built(f"raw.{source}").rows

    def load_raw_if_changed(self, source: str) -> None:
        """Load a source's vintages unless this code has loaded exactly those on disk."""
        self._keep(LOADS)
        loaded = (source, self._store.listing(source), CODE_VERSION)
        if loaded not in self._rows("select source, listing, code from meta.loads"):
            self.load_raw(source)

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
            StorageError: a row-level listing that it reads is damaged inside; it was set aside.
        """
        try:
            self._run(f"create or replace table {relation} as {sql}")
        except (duckdb.CatalogException, duckdb.BinderException, duckdb.ParserException) as error:
            remedy = f"mend dbt_like_sql/{relation.replace('.', '/')}.sql, or build what it reads: fw-pipeline rebuild"
            raise WarehouseError(relation, first_line(error), remedy) from error
        except (duckdb.ConversionException, duckdb.InvalidInputException, duckdb.OutOfRangeException) as error:
            remedy = f"mend dbt_like_sql/{relation.replace('.', '/')}.sql"
            raise WarehouseError(relation, first_line(error), remedy) from error
        except duckdb.IOException as error:
            if refused_by_the_disk(error):
                raise
            raise WarehouseError(relation, first_line(error), "build what it reads: fw-pipeline rebuild") from error
        except duckdb.Error:
            self._name_the_damaged_listing(sql)
            raise
        self._comment(relation, description, columns)
        return self._built(relation)

    def _reuse_loaded(self, source: str, vintages: Sequence[Vintage]) -> Sequence[Vintage]:
        """Put into `fresh` what was loaded of these vintages before, and return those that have to be read.

        Of figures without a month, older vintages are not kept: they are read every time.
        """
        self._keep(LOADS)
        loaded_by = self._rows("select code from meta.loads where source = ?", [source])
        if loaded_by != [(CODE_VERSION,)] or not self.has(f"raw.{source}_vintages"):
            return vintages
        listed = pl.DataFrame(
            [(v.month, v.observed_at, v.run_id) for v in vintages if v.month],
            schema={"month": pl.Date, "vintage": pl.Datetime("us", "UTC"), "run_id": pl.String},
            orient="row",
        )
        self._connection.register("listed", listed.to_arrow())
        self._run(f"""
            insert into fresh select loaded.* exclude (is_current), true
            from raw.{source}_vintages as loaded semi join listed using (month, vintage, run_id)
        """)
        self._connection.unregister("listed")
        loaded = set(self._rows("select distinct month, vintage, run_id from fresh"))
        return [v for v in vintages if (v.month, v.observed_at, v.run_id) not in loaded]

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
            except UnreadableVintageError:
                self._store.set_aside(vintage)
                raise

    def _name_the_damaged_listing(self, sql: str) -> None:
        """Raise the error of a row-level listing that a query reads and that is damaged inside, if there is one."""
        for source, of in SOURCES.items():
            names = {f"detail.{it.detail.name}" for it in of.providers.values() if it.detail}
            if any(name in sql.lower() for name in names):
                self._store.read_listings(source)

    def _without_listing(self, source: str, current: Iterable[Vintage]) -> str:
        """Return which months have lost their row-level listing, and how to get it again; nothing where none has."""
        months = sorted(it.month for it in self._store.without_listing(source, current) if it.month)
        if not months:
            return ""
        spans = Window.spans(months)
        how_many = "1 month has" if len(months) == 1 else f"{len(months)} months have"
        again = f"--from {months[0]:%Y-%m} --to {months[-1]:%Y-%m} --again"
        lost = f"{how_many} lost the listing ({', '.join(map(str, spans))})"
        self.lost.append(f"{source}: {lost}; fetch it again: fw-pipeline run --source {source} {again}")
        return f"{lost[0].upper()}{lost[1:]}: what reads it lacks them."

    def _load_detail(self, source: str, current: Iterable[Vintage], lost: str) -> None:
        """Let `detail.<name>` read the row-level listings of the current vintages where they are; if none is, no row.

        So millions of rows are neither loaded nor published again when one month comes in. A listing never changes, so
        that the names of the files are mark enough of what a view holds. A model can always read the listings of every
        provider.
        """
        listings: defaultdict[str, list[Path]] = defaultdict(list)
        for name, path in self._store.listings(source, current):
            listings[name].append(path)
        tables = {each.detail.name: each.detail for each in SOURCES[source].providers.values() if each.detail}
        for name, table in tables.items():
            relation = f"detail.{name}"
            files = sorted(listings[name])
            if files:
                paths = ", ".join(f"'{quoted(self._store.address(file))}'" for file in files)
                rows = f"from read_parquet([{paths}], union_by_name = true)"
            else:
                self._connection.register("no_rows", pl.DataFrame(schema=table.schema).to_arrow())
                columns = ", ".join(
                    f'null::{kind} as "{column}"' for column, kind, *_ in self._rows("describe no_rows")
                )
                self._connection.unregister("no_rows")
                rows = f"select {columns} where false"
            if self._kinds().get(relation) == "table":  # in a working file of an earlier version
                self._run(f"drop table {relation}")
            self._run(f"create or replace view {relation} as {rows}")
            self._made(relation, "view")
            self._comment(relation, f"{table.description} {IN_PLACE} {lost}".rstrip(), table.words)
            self._note_contents(relation, f"{table.schema} {[f'{file.parent.name}/{file.name}' for file in files]}")

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
