"""Copies of the published file: tables exported into files of their own, and the whole as it would be as of a month.

An export is made by DuckDB's `COPY` and described; a replay holds only what had been observed by the time a month was
known.
"""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

import duckdb

from fw_pipeline.atomic_files import unwritable
from fw_pipeline.months import next_month
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse.metadata_tables import TAKEN_ON
from fw_pipeline.warehouse.object_files import read_objects_if_needed, refused
from fw_pipeline.warehouse.queries import LISTINGS, needed, query
from fw_pipeline.warehouse.sql_text import WarehouseError, connected, first_line, quoted

Form = Literal["parquet", "csv"]


@dataclass(frozen=True, slots=True)
class DescribedColumn:
    """A column as the published file describes it."""

    name: str
    type: str
    comment: str

    @property
    def is_nested(self) -> bool:
        """Whether it contains lists or structs, which CSV cannot represent."""
        return self.type.endswith("]") or self.type.startswith(("STRUCT", "MAP", "UNION"))


@dataclass(frozen=True, slots=True)
class DescribedTable:
    """A table as the published file describes it; `name` includes the schema: `marts.verdicts`."""

    name: str
    comment: str
    columns: tuple[DescribedColumn, ...]

    def file(self, form: Form) -> str:
        """The path of its file in an export: the schema is the folder."""
        return f"{self.name.replace('.', '/', 1)}.{form}"


@dataclass(frozen=True, slots=True)
class CopiedTable(DescribedTable):
    """A table that was written into a file of its own."""

    rows: int


def described(published: Path) -> list[DescribedTable]:
    """Return every table of the published file with its comments, by name.

    Raises:
        WarehouseError: there is no published file, or it cannot be read.
    """
    with _reading(published) as connection:
        return _described(connection)


def copy_tables(published: Path, names: Sequence[str], folder: Path, form: Form) -> list[CopiedTable]:
    """Write tables below `folder`, each into its own file, and return what was written.

    All come from the same published version. In CSV files, columns of lists and structs are JSON.

    Raises:
        WarehouseError: there is no published file, it or a file that it names cannot be read, or it has no such table.
        StorageError: the folder cannot be written, or an object store refuses a listing.
    """
    written = []
    with _reading(published) as connection:
        tables = [table for table in _described(connection) if table.name in names]
        if missing := sorted(set(names) - {table.name for table in tables}):
            raise WarehouseError("export", f"{missing[0]} is no longer published", "run it again")
        for table in tables:
            path = folder / table.file(form)
            try:
                connection.execute(f"from {_identifier(table.name)} limit 1")  # a view may name files that are gone
            except duckdb.Error as error:
                cause = f"{table.name} cannot be read: {first_line(error)}"
                raise refused(connection, error) or WarehouseError("export", cause, LISTINGS) from error
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                copied = connection.execute(_copying(table, path, form)).fetchall()
            except (OSError, duckdb.IOException) as error:
                raise unwritable(path, _as_os_error(error)) from error
            except duckdb.Error as error:
                raise refused(connection, error) or error from error
            written.append(CopiedTable(table.name, table.comment, table.columns, int(copied[0][0])))
        return written


@contextlib.contextmanager
def _reading(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    needed(published)
    try:
        connection = connected(str(published), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError("published file", first_line(error), "make it anew: fw-pipeline rebuild") from error
    with contextlib.closing(connection):
        connection.execute("set timezone = 'UTC'")
        read_objects_if_needed(connection)
        yield connection


def _described(connection: duckdb.DuckDBPyConnection) -> list[DescribedTable]:
    columns: dict[str, list[DescribedColumn]] = {}
    for table, *column in connection.execute("""
        select schema_name || '.' || table_name, column_name, data_type, coalesce(comment, '')
        from duckdb_columns() where not internal order by schema_name, table_name, column_index
    """).fetchall():
        columns.setdefault(table, []).append(DescribedColumn(*column))
    tables = connection.execute("""
        select schema_name || '.' || table_name, coalesce(comment, '') from duckdb_tables()
        union all
        select schema_name || '.' || view_name, coalesce(comment, '') from duckdb_views() where not internal
        order by all
    """).fetchall()
    return [DescribedTable(name, comment, tuple(columns[name])) for name, comment in tables]


def _copying(table: DescribedTable, path: Path, form: Form) -> str:
    names = [f'"{column.name}"' for column in table.columns]
    if form == "csv":
        names = [
            f"to_json({name}) as {name}" if column.is_nested else name
            for name, column in zip(names, table.columns, strict=True)
        ]
        how = "format csv, header"
    else:
        how = f"format parquet, compression zstd, kv_metadata {{description: '{quoted(table.comment)}'}}"
    return f"copy (select {', '.join(names)} from {_identifier(table.name)}) to '{quoted(path)}' ({how})"


def _as_os_error(error: OSError | duckdb.IOException) -> OSError:
    """Return the message of the operating system, which DuckDB buries in its own when it writes in the background."""
    if isinstance(error, OSError):
        return error
    number = re.search(r'"errno":"(\d+)"', str(error))
    return OSError(int(number[1]), os.strerror(int(number[1]))) if number else OSError(first_line(error))


def _identifier(name: str) -> str:
    return ".".join(f'"{part}"' for part in name.split(".", 1))


_VINTAGES = f"""
    select provider, month, vintage, bool_or(is_current) as is_current, {TAKEN_ON} as taken_on,
        coalesce(max(observed_on), vintage::date) < date '{{end}}' as is_known
    from raw.{{source}}_vintages group by provider, month, vintage
"""
"""The vintages of a source, and which of them had been observed by then. `end` is the day after the month was known."""


def observed_later(published: Path, as_of: date) -> bool:
    """Return whether a figure that had been observed by then has since been replaced by a later one.

    Only then does a replay differ from what is published for that month.
    """
    end = _end(as_of)
    return any(
        query(
            published,
            f"""
            select count(*) > 0 as found from (
                select provider, month from ({_VINTAGES.format(source=source, end=end)})
                where month <= date '{as_of}'
                group by all having bool_or(is_known) and bool_or(is_current and not is_known)
            )
            """,
        ).item()
        for source in SOURCES
    )


@contextlib.contextmanager
def replayed(published: Path, steps: Iterable[tuple[str, str]], as_of: date) -> Iterator[Path]:
    """Yield a file in which each month is as observed by then; a month that had not been observed stays as it is.

    Args:
        published: the published file; it is not changed.
        steps: the tables to build anew and the SQL of each, in an order in which each comes after what it reads.
        as_of: the month. It counts as known until the end of the month after, in which its figures are first fetched.

    Raises:
        WarehouseError: a table cannot be built.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / published.name
        with contextlib.closing(connected(str(file))) as connection:
            try:
                connection.execute("set enable_progress_bar = false")  # it would be printed among the answers
                connection.execute(f"attach '{quoted(published)}' as now (read_only)")
                read_objects_if_needed(connection)
                connection.execute(f"copy from database now to {file.stem}")
                connection.execute("detach now")
                connection.execute("set threads = 1")
                for source in SOURCES:
                    _as_observed(connection, source, _end(as_of))
                for name, sql in steps:
                    connection.execute(f"create or replace table {name} as {sql}")
            except duckdb.Error as error:
                cause = f"as of {as_of:%Y-%m}: {first_line(error)}"
                raise WarehouseError("replay", cause, "run: fw-pipeline rebuild") from error
        yield file


def _as_observed(connection: duckdb.DuckDBPyConnection, source: str, end: date) -> None:
    """Keep of each month the vintages that had been observed, and let the newest of them count."""
    connection.execute(f"""
        create or replace temp table chosen as
        select provider, month, vintage, row_number() over newest = 1 as is_current
        from ({_VINTAGES.format(source=source, end=end)})
        window newest as (partition by provider, month order by is_known desc, taken_on desc, vintage desc)
        qualify is_known or (not bool_or(is_known) over (partition by provider, month) and is_current)
    """)
    connection.execute(f"""
        create or replace table raw.{source}_vintages as
        select vintages.* exclude (is_current), chosen.is_current
        from raw.{source}_vintages as vintages join chosen using (provider, month, vintage)
    """)
    connection.execute(f"""
        create or replace table raw.{source} as
        select * exclude (vintage, is_current) from raw.{source}_vintages where is_current
    """)


def _end(as_of: date) -> date:
    return next_month(next_month(as_of))
