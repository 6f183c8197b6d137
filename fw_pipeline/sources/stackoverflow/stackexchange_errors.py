"""What the Stack Exchange API means by its errors: they all come with HTTP 400, and only `error_id` tells them apart.

Nothing here asks for anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NoReturn

from fw_pipeline.errors import SourceError
from fw_pipeline.http import (
    InvalidResponse,
    Response,
    Throttled,
    Transient,
    optional,
    seconds_in,
    strict_json,
    whole_number,
)
from fw_pipeline.text import one_line

_KEY = "correct STACKEXCHANGE_KEY, or leave it out and go on with 300 requests a day"
_ADDRESS = "check FW_STACKEXCHANGE_URL; the service may have changed"

_REMEDIES: Mapping[int, str] = MappingProxyType(
    {400: _ADDRESS, 401: _KEY, 402: _KEY, 403: _KEY, 404: _ADDRESS, 405: _KEY, 406: _KEY, 407: _ADDRESS}
)
"""Errors that every further request would meet too, with what a user can do."""

_WAITING = frozenset({409, 502})
"""The same question too often; too many questions."""

_UNWELL = frozenset({500, 503})


class TooManyTags(Exception):  # noqa: N818 - a signal to ask for fewer
    """The service does not take so many tags in one request."""


@dataclass(frozen=True, slots=True)
class ApiError:
    """An error as the API tells it."""

    number: int
    name: str
    message: str
    backoff: int | None

    def __str__(self) -> str:
        """Write it on one line."""
        return one_line(f"{self.name or 'error'} ({self.number}): {self.message}", 200)

    @property
    def is_of_filter(self) -> bool:
        """Whether the filter is not known to the server."""
        return self.number == 400 and "filter" in self.message.lower()  # noqa: PLR2004 - bad_parameter

    @property
    def is_of_tags(self) -> bool:
        """Whether the service does not take the tags of the request, as it does when there are too many."""
        return self.number == 400 and self.message.strip().lower().startswith("tagged")  # noqa: PLR2004

    def raise_as(self, subject: str) -> NoReturn:
        """Raise what it means for the fetch.

        Raises:
            Throttled: ask again later: after the seconds in the message, where it names them.
            Transient: ask again.
            SourceError: every further request would be refused as well.
            InvalidResponse: an error that is not documented.
        """
        if self.number in _WAITING:
            raise Throttled(str(self), self.backoff or seconds_in(self.message))
        if self.number in _UNWELL:
            raise Transient(str(self))
        remedy = _KEY if self.number == 400 and "key" in self.message.lower() else _REMEDIES.get(self.number)  # noqa: PLR2004
        if remedy is not None:
            raise SourceError(subject, str(self), remedy)
        raise InvalidResponse(str(self), _ADDRESS)


def error_in(answer: Response) -> ApiError | None:
    """Return the error that an answer tells, whatever its status; None where it tells none.

    Raises:
        InvalidResponse: it tells one without a number.
    """
    if b'"error_id"' not in answer.body:
        return None
    try:
        said = strict_json(answer.text())  # under whatever content type
    except (Transient, InvalidResponse):
        return None  # the status and the reader judge it
    if not isinstance(said, dict) or "error_id" not in said:
        return None
    number = whole_number(said["error_id"], "error_id")
    return ApiError(number, _word(said, "error_name"), _word(said, "error_message"), _backoff(said))


def _word(said: Mapping[str, Any], field: str) -> str:
    return said[field] if isinstance(said.get(field), str) else ""


def _backoff(said: Mapping[str, Any]) -> int | None:
    seconds = optional(said, "backoff", whole_number)
    return None if seconds is None else seconds + 1
