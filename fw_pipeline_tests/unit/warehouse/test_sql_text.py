"""What the warehouse says when something fails, and what a reader may ask at most: to the letter, at the border."""

from __future__ import annotations

import errno
import os
from datetime import date
from pathlib import Path

import duckdb
import pytest

from fw_pipeline.warehouse import Warehouse, WarehouseError, query
from fw_pipeline.warehouse.metadata_tables import BOOKS
from fw_pipeline.warehouse.published_copies import copy_tables, described
from fw_pipeline.warehouse.sql_text import (
    first_line,
    interruptible,
    quoted,
    reason_of_the_disk,
    refused_by_the_disk,
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = Warehouse(tmp_path_factory.mktemp("words"))
    with warehouse.writing() as writer:
        writer.build("marts.x", "select 1 as a", description="It's x.", columns={"a": "A number."})
    warehouse.publish()
    return warehouse.published


def test_a_signal_during_a_query_stops_the_run_and_another_error_stays_what_it_is() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match=r"^something else$"), interruptible():
        raise RuntimeError("something else")


def test_an_error_is_told_by_its_first_paragraph_on_one_line() -> None:
    assert first_line(ValueError("one\n  two\t three\n\nLINE 1: select")) == "one two three"
    assert first_line(ValueError("x" * 500)) == "x" * 400
    assert quoted("it's 'so'") == "it''s ''so''"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_known_by_what_the_system_says(code: int) -> None:
    error = duckdb.IOException(f'IO Error: could not write: {os.strerror(code)}\n\nmore\n{{"errno":"{code}"}}')
    assert refused_by_the_disk(error)
    assert reason_of_the_disk(error) == os.strerror(code)


def test_what_is_tried_after_a_write_failed_is_laid_to_the_disk_and_nothing_else_is() -> None:
    after = duckdb.FatalException("FATAL Error: the database has been invalidated because of\n\nmore")
    assert refused_by_the_disk(after)
    assert reason_of_the_disk(after) == "FATAL Error: the database has been invalidated because of"
    assert not refused_by_the_disk(duckdb.IOException("IO Error: no magic bytes"))


def test_a_table_is_described_and_copied_while_others_read(published: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(published), read_only=True) as reader:
        (table,) = (found for found in described(published) if found.name == "marts.x")
        assert (table.comment, table.rows) == ("It's x.", 1)
        assert [(column.name, column.type, column.comment) for column in table.columns] == [
            ("a", "INTEGER", "A number.")
        ]
        assert copy_tables(published, ["marts.x"], tmp_path, "csv") == [table]
        assert reader.execute("from marts.x").fetchall() == [(1,)]
    assert (tmp_path / "marts/x.csv").read_text(encoding="utf-8") == "a\n1\n"


def test_what_cannot_be_read_or_is_not_there_is_one_line(published: Path, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"^published file: \S+/gone does not exist; make it: fw-pipeline run$"):
        described(tmp_path / "gone")
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseError, match=r"^published file: .*; make it anew: fw-pipeline rebuild$"):
        described(damaged)
    with pytest.raises(WarehouseError, match=r"^export: marts.gone is no longer published; run it again$"):
        copy_tables(published, ["marts.x", "marts.gone"], tmp_path / "out", "parquet")


def test_an_answer_may_have_as_many_rows_as_were_said_and_days_that_python_has(published: Path) -> None:
    assert query(published, "from range(5)", rows=5).height == 5
    with pytest.raises(WarehouseError, match="it returns more than 4 rows"):
        query(published, "from range(5)", rows=4)
    ends = query(published, "select date '0001-01-01' as first, date '9999-12-31' as last")
    assert ends.rows() == [(date.min, date.max)]
    for beyond in ("date '0001-01-01' - 1", "date '9999-12-31' + 1"):
        with pytest.raises(WarehouseError, match="outside the years 1 to 9999"):
            query(published, f"select {beyond} as day")


def test_columns_of_one_name_are_told_apart_whatever_else_is_called_so(published: Path) -> None:
    found = query(published, "select 1 as a, 2 as a, 3 as a_1, 4 as a")
    assert found.columns == ["a", "a_1", "a_1_1", "a_1_1_1"]
    assert found.rows() == [(1, 2, 3, 4)]


def test_the_books_of_the_warehouse_have_the_columns_that_users_query() -> None:
    assert {name: list(book.columns) for name, book in BOOKS.items()} == {
        "meta.builds": ["relation", "turn"],
        "meta.loads": ["source", "vintages", "listing"],
        "meta.validations": ["relation", "expectation", "severity", "passed", "unexpected", "observed"],
    }
