"""Names on the disk: a month has one folder, names sort by time, and what is not ours is left alone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fw_pipeline.raw.file_names import folder_of, is_folder, stamp, stamped

AT = datetime(2026, 11, 2, 6, 0, 0, 7, tzinfo=UTC)


def test_a_folder_is_named_after_its_month() -> None:
    assert (folder_of(date(2022, 1, 1)), folder_of(None)) == ("2022-01", "unpartitioned")
    assert all(map(is_folder, ("2022-01", "unpartitioned")))


@pytest.mark.parametrize("name", ["2022-1", "2022-13", "2022-01-01", "2022", "", "backup", "2022-01 "])
def test_other_folders_are_not_ours(name: str) -> None:
    assert not is_folder(name)


def test_a_name_begins_with_its_time_in_utc_and_names_sort_by_time() -> None:
    assert stamp(AT) == stamp(AT.astimezone(timezone(timedelta(hours=-5)))) == "20261102T060000000007Z"
    assert stamped(stamp(AT)) == AT
    moments = [AT + timedelta(microseconds=step) for step in (0, 1, 10**6, 10**12)]
    assert sorted(moments, key=stamp) == moments


@pytest.mark.parametrize("text", ["", "20261102", "20261132T060000000007Z", "latest"])
def test_a_name_without_a_time_is_not_ours(text: str) -> None:
    assert stamped(text) is None
