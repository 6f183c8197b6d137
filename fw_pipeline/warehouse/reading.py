"""Reading: one query over files for a provider, one query over the published file for a user."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from fw_pipeline.warehouse.wording import WarehouseFailed, first_line, quoted


def scan(sql: str, parameters: Mapping[str, Any] | Sequence[Any] = ()) -> pl.DataFrame:
    """Run one query over files in an in-memory DuckDB and return its rows; memory is bounded, the rest spills.

    Raises:
        ValueError: a file is not what the query takes it for; the message is DuckDB's own first line.
    """
    given = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
    with tempfile.TemporaryDirectory() as spill, contextlib.closing(duckdb.connect(":memory:")) as connection:
        connection.execute(f"set memory_limit = '2GB'; set temp_directory = '{quoted(spill)}'; set timezone = 'UTC'")
        try:
            return pl.DataFrame(connection.sql(sql, params=given).pl())
        except duckdb.Error as error:
            raise ValueError(first_line(error)) from error


def query(published: Path, sql: str) -> pl.DataFrame:
    """Run one query on the published file: read-only, without files, extensions or network.

    Raises:
        WarehouseFailed: there is no published file, or the query is not a single one that can be answered.
    """
    if not published.is_file():
        raise WarehouseFailed("published file", f"{published} does not exist", "make it: fw-pipeline run")
    try:
        with contextlib.closing(
            duckdb.connect(
                str(published),
                read_only=True,
                config={
                    "enable_external_access": "false",
                    "autoinstall_known_extensions": "false",
                    "autoload_known_extensions": "false",
                    "lock_configuration": "true",
                },
            )
        ) as connection:
            statements = connection.extract_statements(sql)
            if len(statements) != 1:
                raise WarehouseFailed("query", f"{len(statements)} statements", "write one statement at a time")
            relation = connection.sql(sql)
            if relation is None:
                raise WarehouseFailed("query", "it returns no rows", "write a query that selects")
            return pl.DataFrame(relation.pl())
    except duckdb.Error as error:
        raise WarehouseFailed(
            "query", first_line(error), "see the tables: fw-pipeline sql 'show all tables'"
        ) from error
