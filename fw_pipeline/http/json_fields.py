"""Typed readers for the needed fields of an answer: what is missing, mistyped or absurd is never a figure.

Each takes the value and the name of its field, and raises `InvalidResponse` naming both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Any, TypeVar

from fw_pipeline.http.response_errors import InvalidResponse
from fw_pipeline.text import shown

T = TypeVar("T")

ABSURD = 10**12
"""No monthly count of any source comes near: more is a fault of the service."""


def needed(row: Mapping[str, Any], field: str, reader: Callable[[Any, str], T]) -> T:
    """Return a field that must be there and must not be null.

    Raises:
        InvalidResponse: it is absent, null, or not what `reader` accepts.
    """
    if row.get(field) is None:
        raise InvalidResponse(f"field {field} is {'null' if field in row else 'missing'}")
    return reader(row[field], field)


def optional(row: Mapping[str, Any], field: str, reader: Callable[[Any, str], T]) -> T | None:
    """Return a field, or None where it is absent or null.

    Raises:
        InvalidResponse: it is there and is not what `reader` accepts.
    """
    return None if row.get(field) is None else reader(row[field], field)


def whole_number(value: Any, field: str, *, least: int = 0) -> int:
    """Return a count: an integer from `least` to 10**12, or the same written in digits.

    Raises:
        InvalidResponse: it is less, absurd, a float, a truth value or anything else.
    """
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}", value.strip(), re.ASCII):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidResponse(f"field {field} is {shown(value)}, not a whole number")
    if not least <= value <= ABSURD:
        raise InvalidResponse(f"field {field} is {value}, which no count can be")
    return value


def truth(value: Any, field: str) -> bool:
    """Return true or false.

    Raises:
        InvalidResponse: it is neither.
    """
    if not isinstance(value, bool):
        raise InvalidResponse(f"field {field} is {shown(value)}, neither true nor false")
    return value


def text(value: Any, field: str) -> str:
    """Return a text that is not empty.

    Raises:
        InvalidResponse: it is empty or no text.
    """
    if not isinstance(value, str) or not value.strip():
        raise InvalidResponse(f"field {field} is {shown(value)}, not a text")
    return value


def texts(value: Any, field: str) -> tuple[str, ...]:
    """Return a list of texts; it may be empty.

    Raises:
        InvalidResponse: it is no list, or has something else in it.
    """
    if not isinstance(value, list):
        raise InvalidResponse(f"field {field} is {shown(value)}, not a list")
    return tuple(text(item, field) for item in value)


def rows(value: Any, field: str) -> list[dict[str, Any]]:
    """Return a list of JSON objects; it may be empty.

    Raises:
        InvalidResponse: it is no list, or has something else in it.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise InvalidResponse(f"field {field} is {shown(value)}, not a list of objects")
    return value


def utc_moment(value: Any, field: str) -> datetime:
    """Return a moment in UTC from an ISO text (a bare one is taken as UTC) or whole Unix seconds.

    Raises:
        InvalidResponse: it is neither, or lies before 1990 or after 2100.
    """
    moment: datetime | None = None
    try:
        if isinstance(value, int) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        elif isinstance(value, str):
            moment = datetime.fromisoformat(value.strip())
        if moment is not None:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        moment = None
    if moment is None:
        raise InvalidResponse(f"field {field} is {shown(value)}, not a date")
    if not 1990 <= moment.year < 2100:  # noqa: PLR2004 - written in the docstring
        raise InvalidResponse(f"field {field} is {shown(value)}, not a date of our time")
    return moment


def utc_date(value: Any, field: str) -> date:
    """Return the UTC day of an ISO date or moment, or of whole Unix seconds.

    Raises:
        InvalidResponse: it is none of them.
    """
    return utc_moment(value, field).date()
