"""Months and ranges of months: half-open, in UTC. The one grain of time of this project."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

FIRST_MONTH = date(2015, 11, 1)
"""The month in which TensorFlow was released: the first partition."""


def next_month(month: date) -> date:
    """Return the first day of the month after `month`."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def parse_month(text: str) -> date:
    """Return the first day of the month written `YYYY-MM` or `YYYY-MM-01`.

    Raises:
        ValueError: the text is neither.
    """
    if (found := re.fullmatch(r"(?!0000)(\d{4})-(0[1-9]|1[0-2])(-01)?", text.strip(), re.ASCII)) is None:
        raise ValueError(f"{text!r} is not a month; write it YYYY-MM, for example 2023-01")
    return date(int(found[1]), int(found[2]), 1)


def last_closed_month(now: datetime) -> date:
    """Return the first day of the last month that has ended at `now` (UTC)."""
    first = date(now.year, now.month, 1)
    return date(first.year - (first.month == 1), (first.month - 2) % 12 + 1, 1)


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A half-open range of UTC months: `start` is in it, `end` is not."""

    start: date
    end: date

    def __post_init__(self) -> None:
        """Refuse a window that is empty or does not lie on month borders."""
        if self.start.day != 1 or self.end.day != 1 or self.start >= self.end:
            message = f"not a range of months: {self.start} to {self.end}"
            raise ValueError(message)

    @classmethod
    def of(cls, first: date, last: date) -> Window:
        """Return the window from month `first` to month `last`, both included."""
        return cls(first, next_month(last))

    @classmethod
    def spans(cls, months: Iterable[date]) -> list[Window]:
        """Return the windows without holes that some months make, in order."""
        found: list[Window] = []
        for month in sorted(months):
            if found and found[-1].end == month:
                found[-1] = cls.of(found[-1].start, month)
            else:
                found.append(cls.of(month, month))
        return found

    def months(self) -> tuple[date, ...]:
        """Return the first day of every month in the window, in order."""
        found, month = [], self.start
        while month < self.end:
            found.append(month)
            month = next_month(month)
        return tuple(found)

    def parts(self, count: int) -> list[Window]:
        """Return the window in parts of at most `count` months, in order; whole where `count` is 0."""
        months = self.months()
        size = count or len(months)
        parts = (months[start : start + size] for start in range(0, len(months), size))
        return [Window.of(part[0], part[-1]) for part in parts]

    def common(self, other: Window) -> Window | None:
        """Return the months that both windows hold; None where there are none."""
        start, end = max(self.start, other.start), min(self.end, other.end)
        return Window(start, end) if start < end else None

    def __contains__(self, month: object) -> bool:
        """Say whether a month lies in the window."""
        return isinstance(month, date) and self.start <= month < self.end

    def __str__(self) -> str:
        """Write both ends as the reader would: `2022-01 to 2022-12`."""
        last = self.months()[-1]
        return f"{self.start:%Y-%m}" if last == self.start else f"{self.start:%Y-%m} to {last:%Y-%m}"
