"""A question as the Stack Exchange API writes it, and as a row of `detail.stackoverflow_questions`.

Nothing here asks for anything.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl

from fw_pipeline.details import STACKOVERFLOW_QUESTIONS
from fw_pipeline.http import InvalidResponse, needed, optional, texts, whole_number
from fw_pipeline.text import shown

NEEDED = ("question_id", "creation_date", "tags")
FIELDS = (*NEEDED, "score", "view_count", "answer_count", "is_answered", "closed_date")
"""The fields of a question that are asked for; those that are not needed may be absent."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, with None for what the service did not say."""

    number: int
    created: int
    """Unix seconds."""
    tags: frozenset[str]
    score: int | None
    views: int | None
    answers: int | None
    answered: bool | None
    closed: int | None
    """Unix seconds; None where it is open."""


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a listing."""

    questions: tuple[Question, ...]
    total: int
    """Questions on all pages."""
    more: bool | None
    """Whether a page follows; None where the service did not say."""
    ref: str
    strange: frozenset[str]
    """Fields of the answer that were not asked for."""


def question_of(item: Mapping[str, Any]) -> Question:
    """Return a question of an answer.

    Raises:
        InvalidResponse: its number, its time or its tags are missing, or a field is of another kind than documented.
    """
    tags = frozenset(html.unescape(tag).lower() for tag in needed(item, "tags", texts))
    if not tags:
        raise InvalidResponse("a question has no tag, although it was found by one")
    return Question(
        number=needed(item, "question_id", whole_number),
        created=needed(item, "creation_date", whole_number),
        tags=tags,
        score=optional(item, "score", _signed),
        views=optional(item, "view_count", whole_number),
        answers=optional(item, "answer_count", whole_number),
        answered=optional(item, "is_answered", _truth),
        closed=optional(item, "closed_date", whole_number),
    )


def listing_of(questions: Iterable[Question]) -> pl.DataFrame:
    """Return some questions as rows of `detail.stackoverflow_questions`, by number."""
    rows = [
        (
            it.number,
            _moment(it.created),
            sorted(it.tags),
            it.score,
            it.views,
            it.answers,
            it.answered,
            None if it.closed is None else _moment(it.closed),
        )
        for it in sorted(questions, key=lambda it: it.number)
    ]
    return pl.DataFrame(rows, schema=STACKOVERFLOW_QUESTIONS.schema, orient="row")


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _signed(value: Any, field: str) -> int:
    """Return a score, which may be negative."""
    if isinstance(value, int) and not isinstance(value, bool) and value < 0:
        return -whole_number(-value, field)
    return whole_number(value, field)


def _truth(value: Any, field: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidResponse(f"field {field} is {shown(value)}, neither true nor false")
    return value
