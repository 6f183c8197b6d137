"""Names of raw files: a folder per month, and names that sort by the time at which the file was written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from fw_pipeline.raw.file_names import UNPARTITIONED, folder_of, is_folder, stamp, stamped


def test_a_month_has_one_folder_and_figures_of_no_month_have_theirs() -> None:
    assert (folder_of(date(2022, 4, 1)), folder_of(None)) == ("2022-04", UNPARTITIONED)
    assert is_folder("2022-04")
    assert is_folder(UNPARTITIONED)


@pytest.mark.parametrize("name", ["2022-4", "2022-13", "2022-04-01", "0000-01", " 2022-04", "detail", ""])
def test_other_folders_are_not_ours(name: str) -> None:
    assert not is_folder(name)


def test_a_time_is_read_as_it_was_written_whatever_zone_it_was_told_in() -> None:
    moment = datetime(2022, 4, 1, 12, 30, 15, 42, tzinfo=UTC)
    assert stamp(moment) == stamp(moment.astimezone(timezone(timedelta(hours=5)))) == "20220401T123015000042Z"
    assert stamped(stamp(moment)) == moment
    assert stamped("20220401") is None


def test_names_sort_by_time() -> None:
    moments = [datetime(2022, 4, 1, tzinfo=UTC) + timedelta(microseconds=step**7) for step in range(40)]
    assert sorted(map(stamp, moments)) == [stamp(moment) for moment in moments]
