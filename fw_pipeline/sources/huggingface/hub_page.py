"""One page of the Hub's listing of models, read strictly.

Nothing here asks for a page, or knows what came before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any, NamedTuple

from fw_pipeline.http import (
    InvalidResponse,
    Response,
    needed,
    next_link,
    optional,
    rows,
    text,
    utc_moment,
    whole_number,
)
from fw_pipeline.months import Window, next_month
from fw_pipeline.sources.huggingface.hub_counts import FORMATS, OLDEST
from fw_pipeline.text import one_line, shown

EXPANDED = ("createdAt", "library_name", "tags", "downloads", "likes", "gated", "private")
"""The fields that are asked for; `_id` and `id` come by themselves."""

_FIELDS = frozenset({"_id", "id", *EXPANDED})
_KEPT = frozenset(FORMATS)

_TELLING = 20
"""A page of so many models, none of them with tags, is of a service that does not give them any more."""


class Order(Enum):
    """Which way a listing goes through the models, by their creation."""

    OLDEST_FIRST = "oldest first"
    NEWEST_FIRST = "newest first"

    def through(self, window: Window) -> tuple[date, ...]:
        """Return the months of a window in the order in which the listing comes to them."""
        return window.months() if self is Order.OLDEST_FIRST else window.months()[::-1]

    def is_further(self, moment: datetime, than: datetime) -> bool:
        """Say whether the listing comes to `moment` later than to another. All older than the Hub's dates are one."""
        here, there = max(moment, OLDEST), max(than, OLDEST)
        return here > there if self is Order.OLDEST_FIRST else here < there

    def is_past(self, moment: datetime, month: date) -> bool:
        """Say whether a listing that has come to `moment` has left a month behind."""
        if self is Order.OLDEST_FIRST:
            return moment >= midnight(next_month(month))
        return moment < midnight(month)

    @property
    def more(self) -> str:
        """What the listing brings with each page."""
        return "newer" if self is Order.OLDEST_FIRST else "older"


class Unsorted(InvalidResponse):
    """A page is not in the order that was asked for."""


class Model(NamedTuple):
    """One model; the columns of `MODELS`, but the formats in one text, joined by `;`."""

    model_id: str
    name: str
    created_at: datetime
    library: str | None
    formats: str
    gated: str | None
    downloads: int | None
    likes: int | None

    @property
    def month(self) -> date:
        """The month of creation."""
        return date(self.created_at.year, self.created_at.month, 1)


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of the listing says."""

    ref: str
    """Where it is kept."""
    seen_at: datetime
    models: tuple[Model, ...]
    """The public models, in the order of the listing."""
    faults: tuple[tuple[date, date, str], ...]
    """What could not be read: the first and the last month that it may belong to, and the cause."""
    begins: datetime | None
    """Creation of the first model; None on an empty page."""
    ends: datetime | None
    """Creation of the last one."""
    strange: frozenset[str]
    """Fields that were not asked for."""
    untagged: frozenset[str]
    """Identifiers of the models that came without a list of tags."""


def read_page(answer: Response, *, over: datetime, order: Order) -> Page:
    """Read one page strictly.

    A model that cannot be read spoils its month and nothing else; where its date cannot be read either, it spoils every
    month that the page spans.

    Args:
        answer: the page.
        over: when the last month that is wanted was over; a kept page on which models of that month may be missing is
            asked for anew.
        order: in which it was asked for.

    Raises:
        Unsorted: it is not sorted by creation in that order.
        InvalidResponse: it is not a page of the listing, or nothing in it can be read.
    """
    is_open = order is Order.NEWEST_FIRST or next_link(answer) is None  # new models are added at the end of the Hub
    if answer.replayed and is_open and answer.served_at < over:
        raise InvalidResponse("the kept page is from before the end of the range")
    listed = rows(answer.json(list), "models")
    moments: list[datetime] = []
    faults: list[tuple[datetime | None, str]] = []
    models: list[Model] = []
    strange: set[str] = set()
    if len(listed) >= _TELLING and all(row.get("tags") is None for row in listed):
        raise InvalidResponse(f"none of the {len(listed)} models of the page has the field tags")
    for number, row in enumerate(listed, 1):
        strange |= row.keys() - _FIELDS
        created: datetime | None = None
        try:
            created = needed(row, "createdAt", utc_moment)
            model = _model(row, created)
        except InvalidResponse as fault:
            faults.append((created, f"model {number} of the page, {_named(row)}: {fault.cause}"))
        else:
            models += [model] if model else []
        if created is not None and moments and order.is_further(moments[-1], created):
            raise Unsorted(
                f"model {number} of the page is in the wrong place: the listing is not sorted by creation",
                f"the service answered another question than sort=createdAt, {order.value}; it may have changed",
            )
        moments += [created] if created else []
    if faults and len(faults) == len(listed):
        raise InvalidResponse(f"no model of the page can be read; {faults[0][1]}")
    spans = [(created or min(moments), created or max(moments), cause) for created, cause in faults]
    return Page(
        ref=answer.evidence.ref,
        seen_at=answer.served_at,
        models=tuple(models),
        faults=tuple((first.date().replace(day=1), last.date().replace(day=1), cause) for first, last, cause in spans),
        begins=moments[0] if moments else None,
        ends=moments[-1] if moments else None,
        strange=frozenset(strange),
        untagged=frozenset(filter(None, (row.get("_id") for row in listed if row.get("tags") is None))),
    )


def midnight(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime.combine(day, datetime.min.time(), UTC)


def _model(row: dict[str, Any], created: datetime) -> Model | None:
    """Return one model, or None where it is a private one, which only its owner's token shows."""
    key, name = needed(row, "_id", text), needed(row, "id", text)
    library = None if row.get("library_name") == "" else optional(row, "library_name", text)
    tags = optional(row, "tags", _tags) or []
    gated = row.get("gated")
    model = Model(
        model_id=key,
        name=name,
        created_at=created,
        library=library,
        formats=";".join(sorted(_KEPT.intersection(map(str.lower, tags)))),
        gated=None if gated is None else "no" if gated is False else _words(gated, 40),
        downloads=optional(row, "downloads", whole_number),
        likes=optional(row, "likes", whole_number),
    )
    return None if optional(row, "private", _truth) else model


def _tags(value: Any, field_name: str) -> list[str]:
    if not isinstance(value, list) or {*map(type, value)} - {str}:
        raise InvalidResponse(f"field {field_name} is {shown(value)}, not a list of texts")
    return value


def _truth(value: Any, field_name: str) -> bool:
    if not isinstance(value, bool):
        raise InvalidResponse(f"field {field_name} is {shown(value)}, neither true nor false")
    return value


def _named(row: dict[str, Any]) -> str:
    return _words(row.get("id") or row.get("_id") or "without a name", 60)


def _words(value: Any, limit: int) -> str:
    return one_line(value, limit) if isinstance(value, str) else shown(value, limit)
