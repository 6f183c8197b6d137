"""What the Stack Exchange API answers: its errors, and a question as a row of `detail.stackoverflow_questions`.

All errors come with HTTP 400, and only `error_id` tells them apart. Nothing here asks for anything.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from types import MappingProxyType
from typing import Annotated, Any, NoReturn

import polars as pl
from pydantic import AfterValidator, BaseModel, Field, StrictBool

from fw_pipeline.errors import SourceError
from fw_pipeline.http import (
    Count,
    InvalidResponse,
    Response,
    Seconds,
    Text,
    Throttled,
    Transient,
    Votes,
    optional,
    seconds_in,
    strict_json,
    whole_number,
)
from fw_pipeline.sources.stackoverflow.monthly_questions import STACKOVERFLOW_QUESTIONS
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


_Tag = Annotated[Text, AfterValidator(html.unescape), AfterValidator(str.lower)]


class Question(BaseModel, frozen=True, defer_build=True):
    """A question, with None for what the service did not say."""

    number: Count = Field(alias="question_id")
    created: Seconds = Field(alias="creation_date")
    tags: frozenset[_Tag]
    score: Votes | None = None
    views: Count | None = Field(None, alias="view_count")
    answers: Count | None = Field(None, alias="answer_count")
    answered: StrictBool | None = Field(None, alias="is_answered")
    closed: Seconds | None = Field(None, alias="closed_date")
    """None where it is open."""


FIELDS = tuple(field.alias or name for name, field in Question.model_fields.items())
"""The fields of a question that are asked for."""
NEEDED = tuple(field.alias or name for name, field in Question.model_fields.items() if field.is_required())
"""Those that may not be absent."""


class Answer(BaseModel, extra="allow", defer_build=True):
    """What a good answer of any kind may say beside what was asked for."""

    backoff: Count | None = None
    """Seconds for which the same method must not be called again."""
    quota_remaining: Any = None


class Filter(BaseModel, defer_build=True):
    """A filter that was made, and the fields that it includes."""

    filter: Text
    included_fields: Any = None


class Filters(Answer):
    """The answer to a filter that is to be made."""

    items: tuple[Filter, ...]


class Tag(BaseModel, defer_build=True):
    """A tag, and its questions of all time."""

    name: Text
    count: Count
    has_synonyms: Any = None


class Tags(Answer):
    """The answer on some tags; what is empty may be left out."""

    items: tuple[Tag, ...] = ()
    has_more: Any = None


class Total(Answer):
    """A count of questions."""

    total: Count
    has_more: StrictBool | None = None


class Listing(Total):
    """A page of questions; what is empty may be left out."""

    items: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing; no questions where only their number was asked for."""

    questions: tuple[Question, ...]
    total: int
    """Questions on all pages."""
    more: bool | None
    """Whether a page follows; None where the service did not say."""
    ref: str
    strange: frozenset[str]
    """Fields of the answer that were not asked for."""


def listing_of(questions: Iterable[Question]) -> pl.DataFrame:
    """Return some questions as rows of `detail.stackoverflow_questions`, by number."""
    rows = [
        (
            it.number,
            datetime.fromtimestamp(it.created, UTC),
            sorted(it.tags),
            it.score,
            it.views,
            it.answers,
            it.answered,
            None if it.closed is None else datetime.fromtimestamp(it.closed, UTC),
        )
        for it in sorted(questions, key=attrgetter("number"))
    ]
    return pl.DataFrame(rows, schema=STACKOVERFLOW_QUESTIONS.schema, orient="row")
