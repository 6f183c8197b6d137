"""Queries on the published file; the forms of their answers are in `test_output`."""

from __future__ import annotations

from pathlib import Path

from fw_pipeline_tests.support.command import called, fw_pipeline


def test_sql_reads_the_published_file_and_nothing_else(recorded_once: Path) -> None:
    done = fw_pipeline(recorded_once, "sql", "select count(*) as n from raw.pypi", "--format", "csv")
    assert (done.status, done.out) == (0, "n\n5178\n")
    refused = called(recorded_once, "sql", "select * from read_csv('/etc/passwd')")
    assert (refused.status, len(refused.complaints), refused.out) == (1, 1, "")
