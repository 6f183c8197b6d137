"""JSON read strictly, and its fields: what is missing, mistyped or absurd is never a figure.

The fields of an answer are declared as a pydantic model with `Count` and `Text`, and read at once. Where each row is
judged by itself, `needed` and `optional` take the value of one field to a reader. Every fault names field and value.
The text itself is parsed here: pydantic would let pass a key that is there twice, and numbers that are none.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import BeforeValidator, Field, ValidationError

from fw_pipeline.http.retry import InvalidResponse, Transient
from fw_pipeline.text import one_line, shown

T = TypeVar("T")

ABSURD = 10**12
"""No monthly count of any source comes near: more is a fault of the service."""


def integer(value: Any) -> int:
    """Return an integer, or the same written in digits.

    Raises:
        ValueError: it is a float, a truth value or anything else.
    """
    if isinstance(value, str) and re.fullmatch(r"[+-]?\d{1,20}", value.strip(), re.ASCII):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("not a whole number")  # noqa: TRY004 - pydantic takes no TypeError
    return value


Votes = Annotated[int, BeforeValidator(integer), Field(ge=-ABSURD, le=ABSURD)]
"""A sum of votes for and against."""
Count = Annotated[int, BeforeValidator(integer), Field(ge=0, le=ABSURD)]
Seconds = Annotated[int, BeforeValidator(integer), Field(ge=0, lt=4_102_444_800)]
"""A time in Unix seconds, before the year 2100."""
Text = Annotated[str, Field(pattern=r"[^\s\x1c-\x1f]")]
"""A text that is not empty."""

_WORDS = {
    "bool_type": "neither true nor false",
    "dict_type": "not an object",
    "frozen_set_type": "not a list",
    "greater_than_equal": "which no count can be",
    "less_than": "which no time can be",
    "less_than_equal": "which no count can be",
    "list_type": "not a list",
    "model_type": "not an object",
    "string_pattern_mismatch": "not a text",
    "string_type": "not a text",
    "string_unicode": "not a text",
    "tuple_type": "not a list",
}
"""What to say of an error of pydantic's."""


def unfit(wrong: ValidationError) -> InvalidResponse:
    """Return the fault of an answer that is not what its model declares: the first field that is wrong."""
    first = wrong.errors(include_url=False)[0]
    field = next((part for part in reversed(first["loc"]) if isinstance(part, str)), "(name)")
    if first["type"] == "missing":
        return InvalidResponse(f"field {field} is missing")
    if first["input"] is None:
        return InvalidResponse(f"field {field} is null")
    why = first.get("ctx", {}).get("error") or _WORDS.get(first["type"], first["msg"])
    return InvalidResponse(f"field {field} is {shown(first['input'])}, {why}")


def strict_json(text: str) -> Any:
    """Parse JSON as its standard says, and refuse what Python would let pass.

    Raises:
        Transient: the text is empty or cut off.
        InvalidResponse: it is not JSON, has a key twice in one object, or a number that is none.
    """
    if not text.strip():
        raise Transient("the answer is empty")
    try:
        return json.loads(text, object_pairs_hook=_no_twins, parse_constant=_no_number, parse_float=_finite)
    except json.JSONDecodeError as error:
        cut_off = error.pos >= len(text.rstrip()) - len("false") or error.msg.startswith("Unterminated string")
        cause = f"{error.msg} at character {error.pos}"
    except ValueError:  # Python's own, of a number with thousands of digits
        cut_off, cause = False, "a number has too many digits"
    except RecursionError:
        cut_off, cause = False, "nested too deeply"
    if cut_off:
        raise Transient(f"the JSON is cut off after {len(text)} characters")
    raise InvalidResponse(f"the answer is not JSON: {cause}: {one_line(text, 80)}")


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


def whole_number(value: Any, field: str) -> int:
    """Return a count: an integer from 0 to 10**12, or the same written in digits.

    Raises:
        InvalidResponse: it is less, absurd, a float, a truth value or anything else.
    """
    try:
        number = integer(value)
    except ValueError as error:
        raise InvalidResponse(f"field {field} is {shown(value)}, {error}") from None
    if not 0 <= number <= ABSURD:
        raise InvalidResponse(f"field {field} is {shown(number)}, which no count can be")
    return number


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


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise InvalidResponse(f"the answer has the key {one_line(twin, 40)!r} twice in one object")
    return found


def _no_number(constant: str) -> NoReturn:
    raise InvalidResponse(f"the answer holds {constant}, which is not a number")


def _finite(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise InvalidResponse(f"the answer holds {one_line(digits, 40)}, which is no number that fits")
    return value
