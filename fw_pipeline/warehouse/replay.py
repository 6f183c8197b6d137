"""Replay: the published file as it would be with only what had been observed by the time a month was known."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path

import duckdb

from fw_pipeline.months import next_month
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse.metadata_tables import TAKEN_ON
from fw_pipeline.warehouse.queries import query
from fw_pipeline.warehouse.sql_text import WarehouseError, connected, first_line, quoted

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
                connection.execute(f"attach '{quoted(published)}' as now (read_only)")
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
