"""A connection reads an object store only if it is told to, or if a view that it has needs it."""

from __future__ import annotations

import duckdb
import pytest

from fw_pipeline.warehouse.object_files import read_no_objects, read_objects, read_objects_if_needed
from fw_pipeline.warehouse.sql_text import first_line


def test_a_connection_reads_objects_until_that_is_taken_from_it() -> None:
    with duckdb.connect() as connection:
        assert "s3" not in connection.list_filesystems()
        read_objects(connection)
        assert "s3" in connection.list_filesystems()
        read_no_objects(connection)
        assert "s3" not in connection.list_filesystems()


@pytest.mark.parametrize(
    ("view", "needed"), [("select 's3://bucket/a.parquet' as file", True), ("select 'data/a.parquet' as file", False)]
)
def test_it_does_so_where_a_view_of_an_attached_database_needs_it(view: str, needed: bool) -> None:
    with duckdb.connect() as connection:
        connection.execute("attach ':memory:' as published")
        connection.execute(f"create view published.listing as {view}")
        assert read_objects_if_needed(connection) is needed
        assert ("s3" in connection.list_filesystems()) is needed


def test_what_a_file_system_of_python_raises_is_one_line() -> None:
    raised = duckdb.Error(
        'Traceback (most recent call last):\n  File "store.py", line 291, in head\nGenericError: away: x'
    )
    assert first_line(raised) == "a file in the object store cannot be read: GenericError"
    assert first_line(duckdb.Error("Binder Error: no such column\n\nLINE 1: x")) == "Binder Error: no such column"
