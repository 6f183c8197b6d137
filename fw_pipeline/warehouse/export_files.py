"""Exports: copies tables of the published file into separate files with DuckDB's `COPY`, and describes them."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import duckdb

from fw_pipeline.atomic_files import unwritable
from fw_pipeline.warehouse.queries import needed
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
    rows: int
    columns: tuple[DescribedColumn, ...]

    def file(self, form: Form) -> str:
        """The path of its file in an export: the schema is the folder."""
        return f"{self.name.replace('.', '/', 1)}.{form}"


def described(published: Path) -> list[DescribedTable]:
    """Return every table of the published file with its comments, by name.

    Raises:
        WarehouseError: there is no published file, or it cannot be read.
    """
    with _reading(published) as connection:
        return _described(connection)


def copy_tables(published: Path, names: Sequence[str], folder: Path, form: Form) -> list[DescribedTable]:
    """Write tables below `folder`, each into its own file, and return what was written.

    All come from the same published version. In CSV files, columns of lists and structs are JSON.

    Raises:
        WarehouseError: there is no published file, it cannot be read, or it has no table of that name.
        StorageError: the folder cannot be written.
    """
    with _reading(published) as connection:
        tables = [table for table in _described(connection) if table.name in names]
        if missing := sorted(set(names) - {table.name for table in tables}):
            raise WarehouseError("export", f"{missing[0]} is no longer published", "run it again")
        for table in tables:
            path = folder / table.file(form)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                connection.execute(_copying(table, path, form))
            except (OSError, duckdb.IOException) as error:
                raise unwritable(path, _as_os_error(error)) from error
        return tables


@contextlib.contextmanager
def _reading(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    needed(published)
    try:
        connection = connected(str(published), read_only=True)
    except duckdb.Error as error:
        raise WarehouseError("published file", first_line(error), "make it anew: fw-pipeline rebuild") from error
    with contextlib.closing(connection):
        connection.execute("set timezone = 'UTC'")
        yield connection


def _described(connection: duckdb.DuckDBPyConnection) -> list[DescribedTable]:
    columns: dict[str, list[DescribedColumn]] = {}
    for table, *column in connection.execute("""
        select schema_name || '.' || table_name, column_name, data_type, coalesce(comment, '')
        from duckdb_columns() where not internal order by schema_name, table_name, column_index
    """).fetchall():
        columns.setdefault(table, []).append(DescribedColumn(*column))
    tables = connection.execute("""
        select schema_name || '.' || table_name, coalesce(comment, '') from duckdb_tables() order by all
    """).fetchall()
    return [
        DescribedTable(
            name,
            comment,
            int(connection.execute(f"select count(*) from {_identifier(name)}").fetchall()[0][0]),
            tuple(columns[name]),
        )
        for name, comment in tables
    ]


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
