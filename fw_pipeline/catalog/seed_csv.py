"""How a small table that is shipped as CSV beside the recorded figures is read; what is wrong is told with its line.

Which tables there are is in `recorded_tables`. The figures of the four sources themselves are read by
`sources.recorded`.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.errors import PipelineError

Kind = pl.DataType | type[pl.DataType]

_RESTORE = "restore it from the repository"
_CORRECT = "correct the line, or restore the file from the repository"


@dataclass(frozen=True, slots=True)
class RecordedTable:
    """A table of `meta` that is a CSV file: its columns in the order of the file, and what each cell must be."""

    name: str
    """Of the file, and of the table in `meta`."""
    description: str
    columns: Mapping[str, tuple[Kind, str]]
    key: tuple[str, ...]
    """The columns that tell its rows apart."""
    may_be_empty: frozenset[str] = frozenset()
    choices: Mapping[str, frozenset[str]] = field(default_factory=dict)
    rule: Callable[[Mapping[str, Any]], str | None] = lambda _: None
    """Returns what is wrong with a row whose cells are right, or None."""

    def read(self, folder: Path) -> list[dict[str, Any]]:
        """Return the rows of the file, typed.

        Raises:
            PipelineError: the file cannot be read, has other columns, or a line is wrong.
        """
        file = f"recorded {self.name}.csv"
        try:
            with (folder / f"{self.name}.csv").open(encoding="utf-8", newline="") as stream:
                reader = csv.DictReader(stream, strict=True)
                header = list(reader.fieldnames or ())
                lines = [(reader.line_num, row) for row in reader]
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise PipelineError(file, f"cannot be read: {error}", _RESTORE) from error
        if header != list(self.columns):
            told = f"has the columns {','.join(header)!r}, not {','.join(self.columns)!r}"
            raise PipelineError(file, told, _RESTORE)
        seen: dict[tuple[str, ...], int] = {}
        return [self._taken(number, row, seen) for number, row in lines]

    def _taken(self, number: int, row: Mapping[str, str], seen: dict[tuple[str, ...], int]) -> dict[str, Any]:
        subject = f"recorded {self.name}.csv line {number}"
        try:
            values = self._row(row)
        except ValueError as error:
            raise PipelineError(subject, str(error), _CORRECT) from error
        key = tuple(str(values[column]) for column in self.key)
        if (first := seen.setdefault(key, number)) != number:
            raise PipelineError(subject, f"({', '.join(key)}) is in line {first} already", _CORRECT)
        return values

    def _row(self, row: Mapping[str, str]) -> dict[str, Any]:
        if None in row or None in row.values():
            raise ValueError(f"has not as many cells as the header, {len(self.columns)}")
        values = {column: self._cell(column, kind, row[column]) for column, (kind, _) in self.columns.items()}
        if wrong := self.rule(values):
            raise ValueError(wrong)
        return values

    def _cell(self, column: str, kind: Kind, text: str) -> Any:
        if not text:
            if column not in self.may_be_empty:
                raise ValueError(f"{column} is empty")
            return None
        allowed = self.choices.get(column)
        if allowed is not None and text not in allowed:
            raise ValueError(f"{column} is {text!r}, not one of: {', '.join(sorted(allowed))}")
        try:
            return _READERS[kind](text) if kind in _READERS else text
        except (ValueError, KeyError):
            raise ValueError(f"{column} is {text!r}, which is not {_WORDS[kind]}") from None


_READERS: Mapping[Any, Callable[[str], Any]] = {
    pl.Date(): date.fromisoformat,
    pl.Float64(): float,
    pl.Int64(): int,
    pl.Boolean(): {"true": True, "false": False}.__getitem__,
    pl.Datetime("us", "UTC"): lambda text: datetime.fromisoformat(text).replace(tzinfo=UTC),
    pl.List(pl.String): lambda text: [] if text == "[]" else text.split(";"),
}
_WORDS: Mapping[Any, str] = {
    pl.Date(): "a date, YYYY-MM-DD",
    pl.Float64(): "a number",
    pl.Int64(): "a whole number",
    pl.Boolean(): "true or false",
    pl.Datetime("us", "UTC"): "a time, YYYY-MM-DD HH:MM:SS",
    pl.List(pl.String): "a list",
}
