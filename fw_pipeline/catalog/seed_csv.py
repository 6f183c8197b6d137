"""How a small table is read from a CSV file: every cell is typed, and what is wrong is told with its line.

Needs the standard library alone, because the catalogue is read below everything else. The figures of the four sources
are read by `sources.recorded_rows`, which must not lose a good month to a bad line.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Protocol

from fw_pipeline.errors import PipelineError

Row = dict[str, Any]
Rule = Callable[[Row], str | None]
"""Returns what is wrong with a row whose cells are right, or None."""

_RESTORE = "restore it from the repository"
_CORRECT = "correct the line, or restore the file from the repository"


class Cells(Protocol):
    """What the cells of one column must be."""

    @property
    def type(self) -> str:
        """Type in DuckDB; one of TYPES."""

    @property
    def nullable(self) -> bool:
        """Whether a cell may be empty."""

    @property
    def values(self) -> Collection[Any] | None:
        """The only values that may occur; None where any may."""


def read_csv(
    path: Path,
    columns: Mapping[str, Cells],
    *,
    unique: Sequence[Sequence[str]] = (),
    rule: Rule = lambda _: None,
) -> list[Row]:
    """Return the rows of a file, typed.

    Args:
        path: the file.
        columns: what the cells of each column must be, in the order of the file.
        unique: lists of columns in whose values no two rows may agree.
        rule: what else must hold of every row.

    Raises:
        PipelineError: the file cannot be read, has other columns, or a line is wrong.
    """
    file = f"{path.parent.name}/{path.name}"
    try:
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            header = list(reader.fieldnames or ())
            lines = [(reader.line_num, row) for row in reader]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PipelineError(file, f"cannot be read: {error}", _RESTORE) from error
    if header != list(columns):
        told = f"has the columns {','.join(header)!r}, not {','.join(columns)!r}"
        raise PipelineError(file, told, _RESTORE)
    rows, seen = [], dict[tuple[str, ...], int]()
    for number, line in lines:
        subject = f"{file} line {number}"
        try:
            row = _typed(line, columns)
        except ValueError as error:
            raise PipelineError(subject, str(error), _CORRECT) from None
        if wrong := rule(row):
            raise PipelineError(subject, wrong, _CORRECT)
        for key in unique:
            values = tuple(str(row[column]) for column in key)
            if (first := seen.setdefault((*key, *values), number)) != number:
                raise PipelineError(subject, f"({', '.join(values)}) is in line {first} already", _CORRECT)
        rows.append(row)
    return rows


def _typed(line: Mapping[str, str], columns: Mapping[str, Cells]) -> Row:
    if None in line or None in line.values():
        raise ValueError(f"has not as many cells as the header, {len(columns)}")
    return {name: _cell(name, cells, line[name]) for name, cells in columns.items()}


def _cell(name: str, cells: Cells, text: str) -> Any:
    if not text.strip():
        if not cells.nullable:
            raise ValueError(f"{name} is empty")
        return None
    if cells.values is not None and text not in cells.values:
        raise ValueError(f"{name} is {text!r}, not one of: {', '.join(sorted(cells.values))}")
    read, words = TYPES[cells.type]
    try:
        return read(text)
    except (ValueError, KeyError):
        raise ValueError(f"{name} is {text!r}, which is not {words}") from None


def _number(text: str) -> float:
    if not math.isfinite(number := float(text)):
        raise ValueError(text)
    return number


def _whole(text: str) -> int:
    if not re.fullmatch(r"-?\d{1,18}", text, re.ASCII):
        raise ValueError(text)
    return int(text)


def _moment(text: str) -> datetime:
    if (moment := datetime.fromisoformat(text)).tzinfo is not None:
        raise ValueError(text)
    return moment.replace(tzinfo=UTC)


def _parts(text: str) -> list[str]:
    if "" in (parts := [] if text == "[]" else text.split(";")):
        raise ValueError(text)
    return parts


TYPES: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "VARCHAR": (str, "a text"),
    "DATE": (date.fromisoformat, "a date, YYYY-MM-DD"),
    "DOUBLE": (_number, "a number"),
    "BIGINT": (_whole, "a whole number"),
    "BOOLEAN": ({"true": True, "false": False}.__getitem__, "true or false"),
    "TIMESTAMP WITH TIME ZONE": (_moment, "a time in UTC, YYYY-MM-DD HH:MM:SS"),
    "VARCHAR[]": (_parts, "a list, a;b"),
}
"""The types of columns, how a cell of each is read, and what to call it in a message."""
