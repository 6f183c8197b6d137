"""A month of downloads covers the days that are known: a quiet day is a zero for a rare package, a hole for others."""

from __future__ import annotations

from datetime import date

import pytest

from fw_pipeline.catalog.frameworks import PACKAGES
from fw_pipeline.sources.pypi.monthly_downloads import PACKAGE_NAMES, QUIET, TABLE, Days, Figure, month_frame

MAY = date(2023, 5, 1)
WHOLE = Days(MAY, 31)


@pytest.mark.parametrize(
    ("downloads", "seen", "covered"),
    [
        (QUIET * 30, Days(date(2023, 5, 2), 30), Days(date(2023, 5, 2), 30)),
        (QUIET * 30 - 1, Days(date(2023, 5, 2), 30), WHOLE),
        (10**6, WHOLE, WHOLE),
        (0, WHOLE, WHOLE),
    ],
)
def test_only_a_busy_package_has_lost_a_day_without_downloads(downloads: int, seen: Days, covered: Days) -> None:
    assert Figure("torch", "all", downloads, seen).covered(WHOLE) == covered


def test_rows_of_a_month_are_those_of_the_raw_table_in_order() -> None:
    figures = [Figure("torch", "pip", 10**6, WHOLE), Figure("jax", "all", 3, Days(date(2023, 5, 9), 2))]
    frame = month_frame(MAY, figures, present=WHOLE, origin="somebody", observed_on=date(2023, 6, 1))
    assert frame.schema == TABLE.schema
    seen = frame.select("package", "installers", "downloads", "window_start", "days_covered").rows()
    assert seen == [("jax", "all", 3, MAY, 31), ("torch", "pip", 10**6, MAY, 31)]
    assert {*frame["origin"], *frame["method"]} == {"somebody", "sum of daily counts"}


def test_each_package_of_the_catalogue_is_asked_for_once() -> None:
    assert len(PACKAGE_NAMES) == len({*PACKAGE_NAMES})
    assert {*PACKAGE_NAMES} == {it.name for it in PACKAGES}
