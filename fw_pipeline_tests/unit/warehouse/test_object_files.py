"""A connection reads an object store only if it is told to, or if a view that it has needs it."""

from __future__ import annotations

import io
import random
from collections.abc import Callable
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.warehouse import WarehouseError, copy_tables, query
from fw_pipeline.warehouse.object_files import read_no_objects, read_objects, read_objects_if_needed
from fw_pipeline.warehouse.sql_text import first_line
from fw_pipeline_tests.support.s3_refusals import Bucket, bucket_that_refuses


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


@pytest.fixture(scope="module")
def listing() -> pl.DataFrame:
    """As many rows as fill several megabytes, in several parts."""
    chosen = random.Random(15)
    return pl.DataFrame({"number": range(400_000), "value": [chosen.random() for _ in range(400_000)]})


def published(one: Bucket, listing: pl.DataFrame, folder: Path) -> Path:
    """Put a listing into a bucket, and return a published file with a view of it."""
    content = io.BytesIO()
    listing.write_parquet(content, row_group_size=50_000)
    one.objects["data/models.parquet"] = content.getvalue()
    path = folder / "warehouse.duckdb"
    with duckdb.connect(str(path)) as connection:
        read_objects(connection)
        connection.execute("create schema detail")
        connection.execute(f"create view detail.models as from read_parquet(['{one.root}/models.parquet'])")
    return path


def asked(path: Path) -> pl.DataFrame:
    return query(path, "from detail.models order by number")


def copied(path: Path) -> pl.DataFrame:
    copy_tables(path, ["detail.models"], path.parent / "export", "parquet")
    return pl.read_parquet(path.parent / "export/detail/models.parquet").sort("number")


READERS = pytest.mark.parametrize("read", [asked, copied])


@READERS
def test_a_listing_of_several_megabytes_is_read_as_it_is(
    listing: pl.DataFrame, tmp_path: Path, read: Callable[[Path], pl.DataFrame]
) -> None:
    with bucket_that_refuses(f"large-{read.__name__}") as one:
        assert read(published(one, listing, tmp_path)).equals(listing)


@READERS
@pytest.mark.parametrize("after", [0, 8])
def test_a_store_that_refuses_at_once_or_in_the_middle_of_a_listing_is_one_line_with_its_address_and_a_remedy(
    listing: pl.DataFrame, tmp_path: Path, read: Callable[[Path], pl.DataFrame], after: int
) -> None:
    name = f"refusing-{read.__name__}-{after}"
    with bucket_that_refuses(name) as one:
        path = published(one, listing, tmp_path)
        one.asked, one.refuses = 0, lambda method, asked: method == "GET" and asked >= after
        with pytest.raises(StorageError) as raised:
            read(path)
        assert one.asked > after, "it had begun"
    assert str(raised.value) == (
        f"data folder: the object store of s3://{name} refuses these credentials (AccessDenied); mend AWS_ACCESS_KEY_ID"
        " and AWS_SECRET_ACCESS_KEY; they must allow listing, reading and writing, then run again; nothing was lost"
    )


@READERS
def test_a_listing_that_is_gone_is_no_refusal_of_the_store(
    listing: pl.DataFrame, tmp_path: Path, read: Callable[[Path], pl.DataFrame]
) -> None:
    with bucket_that_refuses(f"gone-{read.__name__}") as one:
        path = published(one, listing, tmp_path)
        one.objects.clear()
        with pytest.raises(WarehouseError, match=r"detail.models cannot be read: .*; the listings are read from"):
            read(path)
