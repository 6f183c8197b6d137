"""Text becomes SQL as it is, and what the warehouse says when something fails is known to the letter."""

from __future__ import annotations

import errno
import os

import duckdb
import pytest

from fw_pipeline.warehouse.sql_text import (
    first_line,
    interruptible,
    quoted,
    raised_in_python,
    reason_of_the_disk,
    refused_by_the_disk,
)


def test_a_signal_during_a_query_stops_the_run_and_another_error_stays_what_it_is() -> None:
    with pytest.raises(KeyboardInterrupt), interruptible():
        raise RuntimeError("Query interrupted")
    with pytest.raises(RuntimeError, match=r"^something else$"), interruptible():
        raise RuntimeError("something else")


def test_an_error_is_told_by_its_first_paragraph_on_one_line() -> None:
    assert first_line(ValueError("one\n  two\t three\n\nLINE 1: select")) == "one two three"
    assert first_line(ValueError("x" * 500)) == "x" * 400
    assert quoted("it's 'so'") == "it''s ''so''"


@pytest.mark.parametrize("module", ["", "obstore.exceptions."])
def test_what_a_file_system_of_python_raised_is_known_by_name_with_its_module_or_without(module: str) -> None:
    told = f'Traceback (most recent call last):\n  File "a.py", line 1, in read\n\n{module}NotFoundError: no a: b\nmore'
    assert raised_in_python(duckdb.Error(told)) == ("NotFoundError", "no a: b\nmore")
    assert first_line(duckdb.Error(told)) == "a file in the object store cannot be read: NotFoundError"
    assert raised_in_python(duckdb.Error("IO Error: no such file")) is None


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
