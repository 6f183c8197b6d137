"""The Hub's listing of models, from either end: where it has come to, and when a month of it is whole.

Nothing here asks for a page or reads one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime

import polars as pl

from fw_pipeline.months import Window
from fw_pipeline.sources.huggingface.hub_counts import MODELS, OLDEST
from fw_pipeline.sources.huggingface.hub_models import LISTED
from fw_pipeline.sources.huggingface.hub_page import Order, Page

_STANDSTILL = 3
"""So many pages in a row that bring nothing further, and the listing leads nowhere."""


class OutOfPlace(Exception):  # noqa: N818 - a signal to the provider, not a bug
    """A page does not go on where the listing was."""


@dataclass(slots=True)
class MonthListed:
    """What the listing brought for one month."""

    keys: set[str] = field(default_factory=set)
    """The immutable identifiers of its models."""
    parts: list[pl.DataFrame] = field(default_factory=list)
    """Its models, as the pages brought them."""
    refs: dict[str, None] = field(default_factory=dict)
    """The pages that brought them, in order; where the listing passed the month by, the pages before and after."""
    faults: list[str] = field(default_factory=list)

    def add(self, models: pl.DataFrame, ref: str) -> None:
        """Take in what a page brought."""
        self.parts.append(models)
        self.keys.update(models["model_id"])
        self.refs[ref] = None

    def models(self) -> pl.DataFrame:
        """Return the models, with the columns `MODELS` and `untagged`; one that comes twice is one."""
        listed = pl.concat([LISTED.to_frame(), *self.parts]).unique("model_id", keep="first", maintain_order=True)
        formats = pl.col("formats").str.split(";").list.filter(pl.element() != "")
        return listed.select(*MODELS, "untagged").with_columns(formats)


class Listing:
    """The months of a window, filled page by page from one end of the Hub on.

    The Hub gives its pages in order. Should two neighbours be swapped, nothing is lost: a month counts as whole only
    when two pages in a row hold nothing but models from beyond it. Once the order was broken, no month counts as whole
    before the listing has come to its end in this way.
    """

    def __init__(self, window: Window, order: Order) -> None:
        """Begin with nothing listed."""
        self._window, self._order = window, order
        months = order.through(window)
        self._final = months[-1]
        self._open = {month: MonthListed() for month in months}
        self._last: tuple[Page, ...] = ()
        self._standing = 0
        self._in_order = True
        self._since: list[str] = []
        self.first: Page | None = None
        """The page that the listing began with."""
        self.reached: datetime | None = None
        """Creation of the model that lies furthest from where the listing began."""
        self.newest: datetime | None = None
        self.strange: set[str] = set()

    def add(self, page: Page) -> None:
        """Take in the next page.

        Raises:
            OutOfPlace: it brings models of a month that is counted already, or the listing stands still.
        """
        self.first = self.first or page
        fresh = self._fresh(page)
        self._check_progress(page, moved=bool(fresh.height) or not page.keys)
        self.strange |= page.strange
        before = self._last[-1].ends if self._last else None
        first = next(iter(fresh["created_at"]), None)
        if self._in_order and before is not None and first is not None and self._order.is_further(before, first):
            self._in_order, self._since = False, [last.ref for last in self._last]
        if not self._in_order:
            self._since.append(page.ref)
        for (month,), models in fresh.partition_by("month", as_dict=True).items():
            if month in self._window:
                if (listed := self._open.get(month)) is None:
                    raise OutOfPlace(f"a page brings models of {month:%Y-%m} after that month was over in the listing")
                listed.add(models, page.ref)
        for month, listed in self._open.items():
            listed.faults += [cause for first, last, cause in page.faults if first <= month <= last]
            if not listed.refs and page.ends is not None and self._order.is_past(page.ends, month):
                listed.refs = dict.fromkeys((*(last.ref for last in self._last[-1:]), page.ref))
        if page.begins is not None and page.ends is not None:
            self._last = (*self._last[-1:], page)
            self.newest = max(filter(None, (self.newest, page.begins, page.ends)))
            if self.reached is None or self._order.is_further(page.ends, self.reached):
                self.reached = page.ends

    def spoiled_by(self, page: Page) -> str | None:
        """Return why a page must be asked for again: what it holds of the window cannot all be read."""
        begin, end = self._window.start, self._window.end
        return next((cause for first, last, cause in page.faults if first < end and last >= begin), None)

    @property
    def doubtful(self) -> tuple[str, ...]:
        """The last pages, or all since the order was broken: where something is missing, one of them led astray."""
        return tuple(self._since) or tuple(page.ref for page in self._last)

    @property
    def nearest_to_now(self) -> Page | None:
        """The page that shows up to when the Hub was seen."""
        return self.first if self._order is Order.NEWEST_FIRST or not self._last else self._last[-1]

    def take_whole(self, *, ended: bool = False) -> Iterator[tuple[date, MonthListed]]:
        """Give away the months that no further page can add to, in order; all where the listing has ended."""
        done = ended or self.past_range
        while self._open:
            month = next(iter(self._open))
            if not done and not (self._in_order and self._behind(month)):
                return
            yield month, self._open.pop(month)

    @property
    def past_range(self) -> bool:
        """Whether everything in the window has been listed."""
        if self._in_order:
            return self.reached is not None and self._order.is_past(self.reached, self._final)
        return self._behind(self._final)

    @property
    def reached_the_oldest(self) -> bool:
        """Whether the listing has come to, or begun with, the models that are older than the Hub's dates."""
        return self._order is Order.OLDEST_FIRST or (self.reached is not None and self.reached <= OLDEST)

    def _fresh(self, page: Page) -> pl.DataFrame:
        """Return the models that did not come before, as far back as they could still be counted twice."""
        known, nothing = {key for last in self._last for key in last.keys}, MonthListed()
        open_keys = {month: self._open.get(month, nothing).keys for month in page.models["month"].unique()}
        new = [
            key not in known and key not in open_keys[month]
            for key, month in zip(page.keys, page.models["month"], strict=True)
        ]
        return page.models if all(new) else page.models.filter(new)

    def _behind(self, month: date) -> bool:
        """Say whether the last two pages hold nothing but what lies beyond `month`."""
        begins = [page.begins for page in self._last if page.begins is not None]
        return len(begins) > 1 and all(self._order.is_past(moment, month) for moment in begins)

    def _check_progress(self, page: Page, *, moved: bool) -> None:
        reached, ends = self.reached, page.ends
        further = ends is not None and (reached is None or self._order.is_further(ends, reached))
        same = ends is not None and ends == reached and moved
        self._standing = 0 if further or same else self._standing + 1
        if self._standing >= _STANDSTILL:
            where = f"at {self.reached:%Y-%m-%d %H:%M:%S}" if self.reached else "at its beginning"
            raise OutOfPlace(
                f"the listing stands still {where}: {_STANDSTILL} pages brought nothing {self._order.more}"
            )
