"""One page of the Hub's listing of models, read strictly.

Nothing here asks for a page, or knows what came before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import Enum
from itertools import pairwise

import polars as pl

from fw_pipeline.http import InvalidResponse, Response, next_link, rows
from fw_pipeline.months import Window, next_month
from fw_pipeline.sources.huggingface.hub_counts import OLDEST
from fw_pipeline.sources.huggingface.hub_models import FIELDS, Fault, Models, models_of

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


@dataclass(frozen=True, slots=True)
class Page:
    """What one page of the listing says."""

    ref: str
    """Where it is kept."""
    seen_at: datetime
    models: pl.DataFrame
    """The public models, in the order of the listing, with the columns `LISTED`."""
    keys: tuple[str, ...]
    """Their identifiers."""
    faults: tuple[tuple[date, date, str], ...]
    """What could not be read: the first and the last month that it may belong to, and the cause."""
    begins: datetime | None
    """Creation of the first model; None on an empty page."""
    ends: datetime | None
    """Creation of the last one."""
    strange: frozenset[str]
    """Fields that were not asked for."""


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
    if len(listed) >= _TELLING and all(row.get("tags") is None for row in listed):
        raise InvalidResponse(f"none of the {len(listed)} models of the page has the field tags")
    models = models_of(listed)
    moments = [created for _, created in models.created]
    if moments != sorted(moments, reverse=order is Order.NEWEST_FIRST):
        _check_order(models, order)
    if models.faults and len(models.faults) == len(listed):
        raise InvalidResponse(f"no model of the page can be read; {models.faults[0].cause}")
    return Page(
        ref=answer.evidence.ref,
        seen_at=answer.served_at,
        models=models.public,
        keys=tuple(models.public["model_id"]),
        faults=tuple(_span(fault, moments) for fault in models.faults),
        begins=moments[0] if moments else None,
        ends=moments[-1] if moments else None,
        strange=frozenset(set().union(*listed) - FIELDS),
    )


def _check_order(models: Models, order: Order) -> None:
    for (_, before), (number, created) in pairwise(models.created):
        if order.is_further(before, created):
            raise Unsorted(
                f"model {number} of the page is in the wrong place: the listing is not sorted by creation",
                f"the service answered another question than sort=createdAt, {order.value}; it may have changed",
            )


def _span(fault: Fault, moments: Sequence[datetime]) -> tuple[date, date, str]:
    """Return the first and the last month that a row which cannot be read may belong to, and the cause."""
    first, last = fault.created or min(moments), fault.created or max(moments)
    return first.date().replace(day=1), last.date().replace(day=1), fault.cause


def midnight(day: date) -> datetime:
    """Return the first moment of a day."""
    return datetime.combine(day, datetime.min.time(), UTC)
