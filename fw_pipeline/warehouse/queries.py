"""Queries: over files for a provider, and over the published file for a user."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import polars as pl

from fw_pipeline.warehouse.object_files import read_no_objects, read_objects_if_needed, refused
from fw_pipeline.warehouse.sql_text import WarehouseError, connected, first_line, interruptible, quoted

T = TypeVar("T")

_NOTHING_FROM_OUTSIDE: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "python_enable_replacements": "false",
}
"""A query cannot make DuckDB download an extension, and cannot use this program's variables as tables."""

_SHUT: dict[str, str | bool | int | float | list[str]] = {
    **_NOTHING_FROM_OUTSIDE,
    "enable_external_access": "false",
    "allow_community_extensions": "false",
    "temp_directory": "",
    "memory_limit": "2GB",
}
"""Without a spill folder, a query that needs more memory than it has fails, and writes nothing."""

_READS = frozenset({"SELECT", "EXPLAIN", "PRAGMA", "CALL", "MULTI"})
"""Statements that a user may run; MULTI is a pivot that looks up its columns. `_shut` ensures that none can write."""

SCAN_MEMORY = "2GB"

MOST_ROWS = 5_000_000
"""A larger result would be built in memory, and is of no use on a terminal or in a pipe."""

MOST_SECONDS = 600.0
"""A query on a file of a few megabytes that has not finished by then never will."""

_UNKNOWN_TO_FRAMES = ("INTERVAL", "UNION")
_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))
"""First and last date that Python can represent, in days since 1970."""

_BATCH = 100_000

_TABLES = "see the tables: fw-pipeline sql 'show tables'"
_TABLES_THERE = """
    select schema_name || '.' || table_name as name, estimated_size as rows, comment from duckdb_tables()
    union all
    select schema_name || '.' || view_name, null, comment from duckdb_views() where not internal
    order by name
"""
"""Replaces `show tables`: DuckDB's own lists the schema `main`, which is empty. Rows of a view are not counted."""

LISTINGS = (
    "the listings are read from the data folder that the file was built in: ask there, or run: fw-pipeline rebuild"
)
"""What to do where a view cannot be read."""

_DETAIL = re.compile(r'\bdetail"?\s*\.', re.IGNORECASE)
"""The schema whose views read files, which a query cannot."""

_OWN_COPY = "this command only reads the tables of the published file; for more, open a copy of it with duckdb"


def scan(sql: str, parameters: Mapping[str, Any] | Sequence[Any] = (), *, spill: Path | None = None) -> pl.DataFrame:
    """Run one query over files in an in-memory DuckDB and return its rows; memory is bounded, the rest spills.

    Args:
        sql: the query.
        parameters: its values, by name or in order.
        spill: the folder for what does not fit in memory; DuckDB creates it when needed. With None, nothing is spilled.

    Raises:
        ValueError: a file is not of the kind that the query expects; the message is DuckDB's own first line.
    """
    given = dict(parameters) if isinstance(parameters, Mapping) else list(parameters)
    with contextlib.closing(connected(":memory:", config=_NOTHING_FROM_OUTSIDE)) as connection:
        connection.execute(f"set memory_limit = '{SCAN_MEMORY}'")
        connection.execute(f"set temp_directory = '{quoted(spill or '')}'")
        try:
            with interruptible():
                return pl.DataFrame(connection.sql(sql, params=given).pl())
        except duckdb.Error as error:
            raise ValueError(first_line(error)) from error


def needed(published: Path) -> None:
    """Check that the published file exists; the error says how to create it.

    Raises:
        WarehouseError: there is none.
    """
    if not published.is_file():
        raise WarehouseError("published file", f"{published} does not exist", "make it: fw-pipeline run")


def query(published: Path, sql: str, *, seconds: float = MOST_SECONDS, rows: int = MOST_ROWS) -> pl.DataFrame:
    """Run one query on the published file: read-only, without files, extensions or network, and bounded.

    Args:
        published: the published file.
        sql: one statement that reads.
        seconds: the query is stopped after this time.
        rows: the maximum number of rows in the result.

    Raises:
        WarehouseError: there is no published file, or the query is not a single one that can be answered.
    """
    with reading(published, seconds=seconds, rows=rows) as read:
        return read(sql)


@contextlib.contextmanager
def reading(
    published: Path, *, seconds: float = MOST_SECONDS, rows: int = MOST_ROWS
) -> Iterator[Callable[[str], pl.DataFrame]]:
    """Open the published file once for many queries, and yield what runs one; arguments and errors as of `query`."""
    needed(published)
    with contextlib.ExitStack() as opened:
        with _worded(seconds):
            shut = opened.enter_context(_shut(published))

        def read(sql: str) -> pl.DataFrame:
            sql = _TABLES_THERE if re.fullmatch(r"\s*show\s+tables\s*;?\s*", sql, re.IGNORECASE) else sql
            with contextlib.ExitStack() as closed, _worded(seconds):
                _refuse_what_changes(shut, sql)
                names_listings = _DETAIL.search(sql) is not None
                connection = closed.enter_context(_empty()) if names_listings else shut
                until = time.monotonic() + seconds
                if names_listings:
                    _awaited(connection, partial(_take_in, connection, published, sql), until)
                return _awaited(connection, partial(_answered, connection, sql, rows), until)

        yield read


@contextlib.contextmanager
def _worded(seconds: float) -> Iterator[None]:
    """Turn an error of DuckDB into one line that says what to do."""
    try:
        yield
    except duckdb.PermissionException as error:
        cause = "it reaches for a file, an extension or the network, or would change something"
        raise WarehouseError("query", cause, _OWN_COPY) from error
    except (duckdb.InterruptException, TimeoutError) as error:
        raise WarehouseError("query", f"it was stopped after {seconds:g} s", "ask for less at a time") from error
    except duckdb.OutOfMemoryException as error:
        raise WarehouseError("query", "it needs more than 2 GB of memory", "ask for less at a time") from error
    except duckdb.Error as error:
        raise WarehouseError("query", first_line(error), _TABLES) from error


def _awaited(connection: duckdb.DuckDBPyConnection, answer: Callable[[], T], until: float) -> T:
    """Run a query in another thread while this one handles signals: DuckDB handles none while it returns rows.

    Raises:
        TimeoutError: it took longer than until then, by the clock of `time.monotonic`.
    """
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(answer)
        try:
            return running.result(until - time.monotonic())
        finally:
            while not running.done():  # until it takes effect: between two steps there is nothing to interrupt
                with contextlib.suppress(KeyboardInterrupt):  # the first one is on its way
                    connection.interrupt()
                    wait([running], timeout=0.05)


@contextlib.contextmanager
def _shut(published: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the published file so that nothing else can be reached through it.

    Even without `enable_external_access`, a statement can still access the database file itself and its write-ahead
    log: COPY could overwrite both. So the file system is disabled once the file is open.
    """
    with contextlib.closing(connected(str(published), read_only=True, config=_SHUT)) as connection:
        connection.execute("set disabled_filesystems = 'LocalFileSystem'")
        connection.execute("set lock_configuration = true")
        yield connection


@contextlib.contextmanager
def _empty() -> Iterator[duckdb.DuckDBPyConnection]:
    config = {name: value for name, value in _SHUT.items() if name != "enable_external_access"}
    with contextlib.closing(connected(":memory:", config=config)) as connection:
        yield connection


def _take_in(connection: duckdb.DuckDBPyConnection, published: Path, sql: str) -> None:
    """Copy the published file into memory, with the views of files that a query names as tables, and shut the rest off.

    Letting the query itself read those files would let it write there: a SELECT may hold a COPY.
    """
    connection.execute(f"attach '{quoted(published)}' as published (read_only)")
    from_objects = read_objects_if_needed(connection)
    connection.execute("copy from database published to memory")
    views = "select view_name from duckdb_views() where database_name = 'memory' and schema_name = 'detail'"
    for (view,) in connection.execute(views).fetchall():
        if view in sql.lower():
            connection.execute(f"drop view detail.{view}")
            try:
                connection.execute(f"create table detail.{view} as from published.detail.{view}")
            except (duckdb.InterruptException, duckdb.OutOfMemoryException):
                raise
            except duckdb.Error as error:
                cause = f"detail.{view} cannot be read: {first_line(error)}"
                raise refused(connection, error) or WarehouseError("query", cause, LISTINGS) from error
    connection.execute("detach published")
    if from_objects:
        read_no_objects(connection)
    connection.execute("set enable_external_access = false")
    connection.execute("set disabled_filesystems = 'LocalFileSystem'")
    connection.execute("set lock_configuration = true")


def _refuse_what_changes(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    if not sql.isascii() and sql.encode("utf-8", "replace") != sql.encode("utf-8", "surrogatepass"):
        raise WarehouseError("query", "it is not valid UTF-8", "write it in UTF-8")
    try:
        kinds = [statement.type.name for statement in connection.extract_statements(sql)]
    except ValueError:  # a statement type that DuckDB's own Python client does not know
        kinds = ["the statement"]
    if len(kinds) != 1:
        raise WarehouseError("query", f"{len(kinds)} statements", "write one statement at a time")
    (kind,) = kinds
    if kind not in _READS:
        raise WarehouseError("query", f"{kind.replace('_', ' ')} is not a query", _OWN_COPY)


def _answered(connection: duckdb.DuckDBPyConnection, sql: str, rows: int) -> pl.DataFrame:
    import pyarrow as pa  # noqa: PLC0415 - a third of a second that only an answer is worth

    relation = connection.sql(sql)
    if relation is None:
        raise WarehouseError("query", "it returns no rows", "write a query that selects")
    for name, kind in zip(relation.columns, relation.types, strict=True):
        if any(unknown in str(kind) for unknown in _UNKNOWN_TO_FRAMES):
            raise WarehouseError("query", f"{name} is of the type {kind}", f'cast it: select "{name}"::varchar')
    parts, height = [], 0
    with relation.to_arrow_reader(_BATCH) as reader:
        for part in reader:
            parts.append(part)
            height += part.num_rows
            if height > rows:
                raise WarehouseError("query", f"it returns more than {rows:,} rows", f"add a limit; {_OWN_COPY}")
    table = pa.Table.from_batches(parts, reader.schema)
    found = pl.DataFrame(pl.from_arrow(table.rename_columns(_told_apart(relation.columns))))
    for name in found.select(pl.col(pl.Date, pl.Datetime)).columns:
        if not found[name].dt.epoch("d").is_between(_FIRST_DAY, _LAST_DAY).all():
            cause = f"{name} holds a day that is infinite or outside the years 1 to 9999"
            raise WarehouseError("query", cause, f'cast it: select "{name}"::varchar')
    return found


def _told_apart(names: Sequence[str]) -> list[str]:
    """Return unique column names: a join returns its key column twice."""
    found: list[str] = []
    for name in names:
        while name in found:
            name += "_1"  # noqa: PLW2901 - until nothing else is called so
        found.append(name)
    return found
