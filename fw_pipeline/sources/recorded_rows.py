"""From the text of a recorded file to typed rows, and to a fault for every cell that is not what it should be.

Every cell is read as text first, so that a fault names its line, its column and its value, and one bad row hides no
other. Where the file lies, and what a month without rows means, is the business of `recorded`.
"""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from difflib import get_close_matches
from typing import Any

import polars as pl

from fw_pipeline.catalog.frameworks import POPULATIONS, Population
from fw_pipeline.contract import WHOLE_SITE, Table
from fw_pipeline.months import FIRST_MONTH

NOTHING_NAMED = "[]"
"""How an empty list is written; an empty cell is NULL."""

_NULLABLE = frozenset({"observed_on"})
"""Of the columns that every table has."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with one line."""

    line: int
    column: str
    cause: str

    def __str__(self) -> str:
        """Write line, column and cause."""
        return f"line {self.line}, {self.column}: {self.cause}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What a file holds, by month; under None what belongs to no month partition."""

    rows: Mapping[date | None, list[tuple[Any, ...]]]
    """Rows without a fault, in the order of the schema."""
    faults: Mapping[date | None, list[Fault]]
    """Faults of rows whose month is known; under None those of all others."""


class NotReadable(ValueError):  # noqa: N818 - the cause, in a reader's words
    """The text as a whole is not a table of this source."""


def read_figures(text: str, *, source: str, table: Table, last: date) -> Figures:
    """Read the text of a recorded file.

    Args:
        text: the whole file.
        source: name of the source, which decides what populations there are.
        table: the raw table that the file fills.
        last: the last closed month; nothing later can be recorded.

    Raises:
        NotReadable: the text is empty, has another header, no row, or a quote that never ends.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    reading = _Reading(source, table, last)
    try:
        header = next(reader, None)
        if header is None:
            raise NotReadable("is empty")
        if header != reading.schema.names():
            raise NotReadable(f"has the header {','.join(header)!r}, not {','.join(reading.schema.names())!r}")
        for cells in reader:
            if cells:
                reading.take(reader.line_num, cells)
    except csv.Error as broken:
        raise NotReadable(f"is no CSV table from line {reader.line_num} on: {broken}") from None
    if not reading.rows and not reading.faults:
        raise NotReadable("has no row below its header")
    return Figures(dict(reading.rows), dict(reading.faults))


@dataclass(slots=True)
class _Reading:
    """The state of one pass over a file."""

    source: str
    table: Table
    last: date
    rows: dict[date | None, list[tuple[Any, ...]]] = field(default_factory=lambda: defaultdict(list))
    faults: dict[date | None, list[Fault]] = field(default_factory=lambda: defaultdict(list))
    seen: dict[tuple[Any, ...], int] = field(default_factory=dict)
    read: dict[tuple[str, str], Any] = field(default_factory=dict)
    """Values of cells, by column and text: most cells repeat one that came before."""
    populations: dict[str, Population] = field(init=False)
    schema: pl.Schema = field(init=False)

    def __post_init__(self) -> None:
        self.schema = self.table.schema
        self.populations = {it.name: it for it in POPULATIONS if it.source == self.source}

    def take(self, line: int, cells: list[str]) -> None:
        """Read one line, and file it as a row or as faults."""
        schema = self.schema
        named = dict(zip(schema.names(), cells, strict=False))
        month, misplaced = self._place(named["month"], named.get("population"))
        slot = month if month is not None and month >= FIRST_MONTH else None
        if len(cells) != len(schema):
            told = f"{','.join(cells)[:80]!r} has not as many cells as the header, {len(schema)}"
            self.faults[slot].append(Fault(line, "row", told))
            return
        found = [Fault(line, "month", misplaced)] if misplaced else []
        values: dict[str, Any] = {"month": month}
        for column, dtype in schema.items():
            if column != "month":
                cell = column, named[column]
                try:
                    if cell not in self.read:
                        self.read[cell] = self._value(column, dtype, named[column])
                    values[column] = self.read[cell]
                except ValueError as wrong:
                    found.append(Fault(line, column, str(wrong)))
        found.extend(self._repeated(line, values))
        if found:
            self.faults[slot].extend(found)
        else:
            self.rows[slot].append(tuple(values[column] for column in schema))

    def _place(self, text: str, population: str | None) -> tuple[date | None, str | None]:
        """Return the month of a row, and why it cannot be placed if it cannot."""
        of = self.populations.get(population or "")
        if not text:
            return None, None if of and of.undated_allowed else "empty, where only some populations have no month"
        try:
            month = _day(text)
        except ValueError as wrong:
            return None, str(wrong)
        if month.day != 1:
            return None, f"{text!r} is not the first day of a month"
        if month > self.last:
            return None, f"{text} lies after {self.last:%Y-%m}, the last month that has ended"
        if month < FIRST_MONTH and not (of and of.early_allowed):
            return None, f"{text} lies before {FIRST_MONTH:%Y-%m}"
        return month, None

    def _value(self, column: str, dtype: pl.DataType, text: str) -> Any:
        """Return the value of one cell.

        Raises:
            ValueError: it is not what the column holds; the message says why.
        """
        if not text:
            table = self.table
            if column in {*_NULLABLE, *table.nullable, *table.measures} and column not in table.required:
                return None
            raise ValueError("empty")
        value = _parsed(dtype, text)
        if (known := self.table.known.get(column)) is not None:
            for name in value if isinstance(value, list) else [value]:
                _check_known(name, known)
        if isinstance(value, list) and WHOLE_SITE in value and len(value) > 1:
            raise ValueError(f"{text!r} has * beside names")
        return value

    def _repeated(self, line: int, values: Mapping[str, Any]) -> Iterator[Fault]:
        """Yield a fault where an earlier line has the same key."""
        if all(column in values for column in self.table.identity):
            key = tuple(tuple(it) if isinstance(it := values[column], list) else it for column in self.table.identity)
            if (first := self.seen.setdefault(key, line)) != line:
                told = ", ".join(str(values[column]) for column in self.table.identity)
                yield Fault(line, "key", f"({told}) is in line {first} already")


def _check_known(name: str, known: frozenset[str]) -> None:
    if name not in known:
        near = get_close_matches(name, sorted(known), n=1)
        raise ValueError(f"unknown name {name!r}" + (f", the nearest that is known is {near[0]!r}" if near else ""))


def _parsed(dtype: pl.DataType, text: str) -> Any:
    if dtype.is_integer():
        return _count(text, largest=2**31 - 1 if dtype == pl.Int32 else 2**63 - 1)
    if dtype == pl.Date:
        return _day(text)
    if dtype == pl.Boolean:
        if text not in {"true", "false"}:
            raise ValueError(f"{text!r} is neither true nor false")
        return text == "true"
    if text != text.strip():
        raise ValueError(f"{text!r} has space around it")
    return _names(text) if dtype == pl.List(pl.String) else text


def _count(text: str, *, largest: int) -> int:
    if re.fullmatch(r"-\d+", text, re.ASCII):
        raise ValueError(f"{text} is negative")
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise ValueError(f"{text!r} is not a whole number")
    if (count := int(text)) > largest:
        raise ValueError(f"{text} is too large")
    return count


def _day(text: str) -> date:
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        try:
            return date.fromisoformat(text)
        except ValueError:
            pass
    raise ValueError(f"{text!r} is not a date; write it YYYY-MM-DD")


def _names(text: str) -> list[str]:
    names = [] if text == NOTHING_NAMED else text.split(";")
    if "" in names or names != sorted(set(names)):
        raise ValueError(f"{text!r} is not a sorted list of different names")
    return names
