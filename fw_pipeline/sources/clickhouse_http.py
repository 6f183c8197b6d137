"""How a ClickHouse server answers over HTTP: a result in its JSON format, or an exception in one of many places.

Nothing here knows what was asked.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel, Field

from fw_pipeline.contract import Setting
from fw_pipeline.http import Count, InvalidResponse, Response, Throttled, Transient, seconds_in
from fw_pipeline.text import one_line

CLICKPY_URL = Setting(
    "FW_CLICKPY_URL",
    "ClickHouse's public server: downloads from PyPI, and the copy of Stack Overflow's data dump.",
    default="https://sql-clickhouse.clickhouse.com",
)

_EXCEPTION = re.compile(r"Code: (\d{1,5})\. DB::\w*Exception: (.*)")
_INTERVAL_END = re.compile(r"Interval will end at (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)", re.ASCII)
_CLOCKS_DIFFER = timedelta(seconds=45)
"""Added to the end of a quota's interval."""

_QUOTA, _BUSY = 201, 202
_TOO_LARGE = frozenset({158, 307, 396})
_UNWELL = frozenset({3, 159, 198, 209, 210, 236, 241, 243, 279, 394, 425, 439, 999})
"""Timeouts, lost connections, memory, cancelled and unscheduled queries: the question is right, the moment is not."""

_CHANGED = "the service may have changed; choose another provider with FW_PROVIDERS meanwhile"


class Result(BaseModel, extra="allow", defer_build=True):
    """What a result consists of; anything more is kept in the evidence and noted."""

    meta: Any = None
    data: list[dict[str, Any]]
    announced: Count = Field(alias="rows")
    full: Count | None = Field(None, alias="rows_before_limit_at_least")
    statistics: Any = None


SETTINGS = MappingProxyType(
    {
        "default_format": "JSON",  # unlike JSON lines it closes with a bracket and the number of rows
        "wait_end_of_query": "1",  # else an exception may follow a status 200 and half a result
        "read_overflow_mode": "throw",  # the public user's own setting cuts a result off in silence
        "result_overflow_mode": "throw",
    }
)
"""Settings with which a result is whole or an exception."""


def refuse_exceptions(answer: Response) -> None:
    """Let an answer pass that holds no exception of the server: in a header, as text, as JSON, or after a result.

    Raises:
        Throttled: the quota is spent, until the time that the message names, or too many queries are running.
        Transient: the server is unwell.
        InvalidResponse: the result would be too large, or the server does not accept the query.
    """
    found = _EXCEPTION.search(answer.body.decode("utf-8", "replace"))
    told = answer.headers.get("x-clickhouse-exception-code", "0").strip()
    code = int(found[1]) if found else int(told) if told.isdecimal() else -1
    if code == 0:
        return
    message = one_line(found[2].replace("\\n", " "), 220) if found else answer.first_words()
    cause = f"ClickHouse error {code if code > 0 else told}: {message}"
    if code == _QUOTA:
        raise Throttled(cause, _seconds_to_quota(answer, found[2] if found else ""))
    if code == _BUSY:
        raise Throttled(cause)
    if code in _UNWELL:
        raise Transient(cause)
    if code in _TOO_LARGE:
        raise InvalidResponse(cause, "ask for a shorter range of months with --from and --to")
    raise InvalidResponse(cause, _CHANGED)


def result_rows(answer: Response, columns: frozenset[str]) -> tuple[list[dict[str, Any]], tuple[str, ...]]:
    """Return the rows of a result, and a note for each thing in it that was not asked for.

    Raises:
        Transient: the answer is cut off.
        InvalidResponse: it is no result in the JSON format, or says itself that rows are left out.
    """
    result = answer.json(Result)
    if len(result.data) != result.announced:
        cause = f"the result says that it has {result.announced} rows, and has {len(result.data)}"
        raise InvalidResponse(cause, _CHANGED)
    if result.full is not None and result.full > result.announced:
        cause = f"the result was cut off after {result.announced} of {result.full} rows"
        raise InvalidResponse(cause, "ask for a shorter range of months")
    strange = sorted(result.model_extra or {}) + sorted({name for row in result.data for name in row} - columns)
    return result.data, tuple(f"the answer also has {one_line(name, 60)}, which was not asked for" for name in strange)


def text_array(values: tuple[str, ...]) -> str:
    """Return some texts as the value of a parameter of type Array(String)."""
    quoted = (value.replace("\\", "\\\\").replace("'", "\\'") for value in values)
    return "[" + ",".join(f"'{value}'" for value in quoted) + "]"


def _seconds_to_quota(answer: Response, message: str) -> float | None:
    """Return how long the quota stays spent: until the time named (UTC), else for the whole interval named."""
    if (named := _INTERVAL_END.search(message)) is None:
        return seconds_in(message)
    try:
        end = datetime.strptime(named[1], "%Y-%m-%d %H:%M:%S").replace(tzinfo=UTC)
    except ValueError:
        return seconds_in(message)
    return answer.seconds_until(end + _CLOCKS_DIFFER)
