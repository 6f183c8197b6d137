"""Months and windows: half-open, in order, and nothing that is not a month is taken for one."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fw_pipeline.months import Window, last_closed_month, next_month, parse_month

MONTHS = st.dates(date(2015, 11, 1), date(2030, 12, 1)).map(lambda day: day.replace(day=1))


@pytest.mark.parametrize("text", ["2023-01", "2023-01-01", " 2023-01 "])
def test_a_month_is_read_as_its_first_day(text: str) -> None:
    assert parse_month(text) == date(2023, 1, 1)


@pytest.mark.parametrize("text", ["2023", "2023-13", "2023-00", "2023-1", "2023-01-02", "0000-01", "", "２０２３-01"])  # noqa: RUF001 - digits of another script
def test_what_is_no_month_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write it YYYY-MM"):
        parse_month(text)


@pytest.mark.parametrize(
    ("now", "closed"),
    [
        (datetime(2026, 1, 1, tzinfo=UTC), date(2025, 12, 1)),
        (datetime(2026, 2, 28, 23, 59, tzinfo=UTC), date(2026, 1, 1)),
        (datetime(2026, 12, 31, tzinfo=UTC), date(2026, 11, 1)),
    ],
)
def test_the_last_closed_month_is_the_one_before_the_present(now: datetime, closed: date) -> None:
    assert last_closed_month(now) == closed
    assert next_month(closed) == date(now.year, now.month, 1)


@given(st.sets(MONTHS, min_size=1))
def test_spans_hold_exactly_the_months_given_and_never_touch(months: set[date]) -> None:
    spans = Window.spans(months)
    assert [month for span in spans for month in span.months()] == sorted(months)
    assert all(one.end < other.start for one, other in pairwise(spans))


@given(MONTHS, MONTHS, MONTHS, MONTHS)
def test_what_two_windows_have_in_common_is_what_both_hold(a: date, b: date, c: date, d: date) -> None:
    one, other = Window.of(*sorted((a, b))), Window.of(*sorted((c, d)))
    shared = one.common(other)
    assert set(shared.months() if shared else ()) == set(one.months()) & set(other.months())
    assert shared == other.common(one)


@pytest.mark.parametrize(
    ("start", "end"),
    [(date(2023, 1, 1), date(2023, 1, 1)), (date(2023, 2, 1), date(2023, 1, 1)), (date(2023, 1, 2), date(2023, 2, 1))],
)
def test_a_window_that_is_empty_or_cuts_a_month_is_refused(start: date, end: date) -> None:
    with pytest.raises(ValueError, match="not a range of months"):
        Window(start, end)


def test_a_window_is_written_with_its_last_month_and_does_not_hold_its_end() -> None:
    year = Window(date(2022, 1, 1), date(2023, 1, 1))
    assert (str(year), str(Window.of(date(2022, 3, 1), date(2022, 3, 1)))) == ("2022-01 to 2022-12", "2022-03")
    assert date(2022, 12, 1) in year
    assert date(2023, 1, 1) not in year


def test_a_window_is_cut_into_parts_of_so_many_months() -> None:
    year = Window.of(date(2022, 1, 1), date(2023, 2, 1))
    assert [len(part.months()) for part in year.parts(6)] == [6, 6, 2]
    assert [month for part in year.parts(6) for month in part.months()] == list(year.months())
    assert year.parts(0) == [year] == year.parts(14)
