"""Months come, change and go, and so does a source: what is kept is what a build from nothing publishes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance

from fw_pipeline_tests.support.dagster_runs import add_month, execute

pytestmark = pytest.mark.long


def holds(file: Path) -> dict[str, object]:
    """Return what a published file holds: rows and comments of every table, without how often it was loaded."""
    with duckdb.connect(str(file), read_only=True) as connection:
        tables = connection.execute(
            "select schema_name || '.' || table_name, comment from duckdb_tables() order by all"
        ).fetchall()
        words = connection.execute(
            "select schema_name, table_name, column_name, comment from duckdb_columns() order by all"
        ).fetchall()
        rows = {name: sorted(map(repr, connection.execute(f"from {name}").fetchall())) for name, _ in tables}
    return {"comments": tables, "columns": words, **rows}


def withdrawn(data: Path) -> None:
    """Take back one month of questions, as a user does who deletes its vintages."""
    months = sorted((data / "raw" / "stackoverflow").glob("20*"))
    shutil.rmtree(months[len(months) // 2])


def lost(data: Path) -> None:
    """Lose a source whole."""
    (data / "raw" / "papers").rename(data / "papers")


def regained(data: Path) -> None:
    """Have that source again."""
    (data / "papers").rename(data / "raw" / "papers")


CHANGES: Mapping[str, Callable[[Path], object]] = {
    "a new month": add_month,
    "a month counted otherwise": lambda data: add_month(data, date(2021, 5, 1), 77),
    "a month counted the same again": lambda data: add_month(data, date(2021, 5, 1), 77),
    "a month taken back": withdrawn,
    "a source lost": lost,
    "the source again": regained,
}


@pytest.mark.parametrize(
    "order",
    [
        ("a source lost", "a new month"),
        ("a source lost", "a month taken back", "the source again"),
        ("a month counted otherwise", "a month counted the same again", "a month taken back"),
    ],
)
def test_a_build_that_keeps_tables_publishes_what_a_build_from_nothing_publishes(
    recorded: Path, order: Sequence[str]
) -> None:
    with DagsterInstance.ephemeral() as instance:
        for change in order:
            CHANGES[change](recorded)
            assert execute(recorded, instance, "rebuild").success, (order, change)
        kept = holds(recorded / "warehouse.duckdb")
        shutil.rmtree(recorded / ".work")
        assert execute(recorded, instance, "rebuild").success
    anew = holds(recorded / "warehouse.duckdb")
    assert [name for name in anew if anew[name] != kept.get(name)] == [], order
    assert kept.keys() == anew.keys()
