"""Stack Overflow as the Stack Exchange API 2.3 shows it: a filter, the tags, a count, and pages of questions.

What an answer means is in `stackexchange_response`, how pages become a whole listing in `stackexchange_api`.
Nothing here knows which tags and months are wanted.
"""

from __future__ import annotations

import calendar
import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar
from urllib.parse import quote

from fw_pipeline.contract import FetchContext, Setting
from fw_pipeline.errors import SourceError
from fw_pipeline.http import HttpClient, InvalidResponse, Response, Transient, whole_number
from fw_pipeline.months import next_month
from fw_pipeline.sources.stackoverflow.stackexchange_response import (
    FIELDS,
    NEEDED,
    Answer,
    Filters,
    Listing,
    Page,
    Tags,
    TooManyTags,
    Total,
    error_in,
)
from fw_pipeline.text import one_line, shown

SUBJECT = "stackoverflow (api)"

URL = Setting("FW_STACKEXCHANGE_URL", "The Stack Exchange API.", default="https://api.stackexchange.com/2.3")
KEY = Setting(
    "STACKEXCHANGE_KEY", "Stack Exchange allows 300 requests a day without a key, and 10,000 with one.", is_secret=True
)

NAMES_A_CALL = 100
"""Tags that are looked up with one request, at most."""

PAGE = 100
"""Questions on a page, the most that there can be."""

_SITE = "stackoverflow"
_WRAPPER = (
    *("items", "has_more", "total", "backoff", "quota_max", "quota_remaining"),
    *("error_id", "error_name", "error_message"),
)
"""The fields of an answer that the filter asks for. The built-in filter `total` leaves out quota and backoff."""
_INCLUDED = (*(f".{name}" for name in _WRAPPER), *(f"question.{name}" for name in FIELDS))
_VITAL = (".items", ".total", *(f"question.{name}" for name in NEEDED))
"""What nothing can be counted without."""

_CORRECT = "correct dbt_like_sql/seeds/tags.csv"

T = TypeVar("T")
A = TypeVar("A", bound=Answer)


@dataclass(slots=True)
class Site:
    """The site as the API shows it, through one custom filter."""

    web: HttpClient
    fetch: FetchContext
    left: int | None = None
    """What was left of the quota at the last answer that said so."""
    _filter: str = ""
    _filter_ref: str = ""

    def make_filter(self) -> None:
        """Have the filter made that everything is asked with. Filters never change and never expire."""
        params = {"base": "none", "include": ";".join(_INCLUDED), "unsafe": "false"}
        self._filter, self._filter_ref = self._ask("filters/create", params, "filter", self._read_filter)

    def all_time(self, names: tuple[str, ...]) -> tuple[dict[str, int], tuple[str, ...]]:
        """Return the questions of all time by tag, and which tags have synonyms; a tag that never was used is left out.

        Raises:
            SourceError: the site knows none of the tags.
        """
        ever: dict[str, int] = {}
        merged: tuple[str, ...] = ()
        for number, start in enumerate(range(0, len(names), NAMES_A_CALL), 1):
            some = names[start : start + NAMES_A_CALL]
            path = f"tags/{quote(';'.join(some), safe=';')}/info"
            params = {"site": _SITE, "pagesize": NAMES_A_CALL}
            counts, synonyms = self._ask(path, params, f"tags-{number}", partial(self._read_tags, some))
            ever |= counts
            merged += synonyms
        return ever, merged

    def total(self, month: date) -> Page:
        """Return how many questions of a month the whole site has, as a page without questions.

        Raises:
            MonthRejected: the answer holds no count.
        """
        span = seconds_of(month)
        params = {"site": _SITE, **span, "pagesize": 1, "filter": self._filter}
        read = partial(self._read_page, (), span["fromdate"], span["todate"])
        return self._ask("questions", params, f"{month:%Y-%m}-site", read, month)

    def page(self, tags: tuple[str, ...], month: date, since: int, number: int) -> Page:
        """Return a page of the questions that carry any of some tags, from a second of a month to its end, by time.

        Raises:
            TooManyTags: the service does not take so many at once.
            MonthRejected: the answer is no such page.
        """
        until = seconds_of(month)["todate"]
        params = {
            "site": _SITE,
            "tagged": ";".join(tags),
            "fromdate": since,
            "todate": until,
            "sort": "creation",
            "order": "asc",
            "page": number,
            "pagesize": PAGE,
            "filter": self._filter,
        }
        name = f"{month:%Y-%m}-{tags[0].replace('+', 'p').replace('#', '-sharp')}-{since}-{number:02d}"
        return self._ask("search", params, name, partial(self._read_page, tags, since, until), month)

    def _ask(
        self, path: str, params: Mapping[str, Any], name: str, read: Callable[[Response], T], month: date | None = None
    ) -> T:
        url = f"{self.fetch.options[URL.name]}/{path}"
        keyed = {**params, "key": self.fetch.secrets.get(KEY.name)}
        return self.web.get(url, params=keyed, name=name, read=read, month=month, classify=self._judge)

    def _judge(self, answer: Response) -> None:
        """Raise what an error means; of any other answer, fit or not, take to heart that it asks to wait."""
        if b'"error_id"' not in answer.body or (error := error_in(answer)) is None:
            if b'"backoff"' in answer.body and not answer.replayed:
                with contextlib.suppress(InvalidResponse, Transient):  # the reader refuses it
                    if backoff := answer.json(Answer).backoff:
                        self.web.hold(backoff + 1)  # the clocks of the service's machines differ
            return
        if error.is_of_filter and self._filter_ref:
            self.fetch.evidence.reject(self._filter_ref, str(error))
            raise SourceError(SUBJECT, str(error), "run again: the filter is then made anew")
        if error.is_of_tags:
            raise TooManyTags(str(error))
        error.raise_as(SUBJECT)

    def _opened(self, answer: Response, kind: type[A]) -> A:
        """Return what a good answer says, and note what is left of the quota."""
        said = answer.json(kind)
        self.left = None
        with contextlib.suppress(InvalidResponse):
            self.left = whole_number(said.quota_remaining, "quota_remaining")
        return said

    def _read_filter(self, answer: Response) -> tuple[str, str]:
        made = self._opened(answer, Filters).items
        if len(made) != 1:
            raise InvalidResponse(f"{len(made)} filters were made instead of one")
        fields = made[0].included_fields
        if isinstance(fields, list) and (lacking := [name for name in _VITAL if name not in fields]):
            raise InvalidResponse(f"the filter that was made lacks {', '.join(lacking)}: {shown(fields, 100)}")
        return made[0].filter, answer.evidence.ref

    def _read_tags(self, names: Collection[str], answer: Response) -> tuple[dict[str, int], tuple[str, ...]]:
        said = self._opened(answer, Tags)
        if said.model_fields_set.isdisjoint({"items", "has_more"}):
            raise InvalidResponse("field items is missing")
        if said.has_more:
            raise InvalidResponse(f"only {len(said.items)} of {len(names)} tags were shown")
        counts = {item.name.lower(): item.count for item in said.items}
        known = {name: counts[name] for name in names if counts.get(name)}
        if dead := [name for name in names if name not in known]:
            others = sorted(counts.keys() - set(names))
            instead = f"; the answer tells of {', '.join(others)} instead: a synonym?" if others else ""
            cause = f"no question was ever tagged {', '.join(dead)}, so that a count of 0 would say nothing{instead}"
            if not known:
                raise SourceError(SUBJECT, cause, _CORRECT)
            if not answer.replayed:
                self.fetch.log(f"{SUBJECT}: left out: {cause}; {_CORRECT}")
        return known, tuple(item.name for item in said.items if item.has_synonyms is True)

    def _read_page(self, tags: tuple[str, ...], since: int, until: int, answer: Response) -> Page:
        """Read a page of questions that carry any of some tags; only their number where no tags are named."""
        said = self._opened(answer, Listing if tags else Total)
        found = said.items if isinstance(said, Listing) else ()
        for question in found:  # the service may have overlooked the tags or the dates
            if not since <= question.created <= until:
                raise InvalidResponse(f"question {question.number} is of another time than was asked for")
            if question.tags.isdisjoint(tags):
                raise InvalidResponse(f"question {question.number} carries none of {', '.join(tags)}")
        if any(later.created < earlier.created for earlier, later in pairwise(found)):
            raise InvalidResponse("the questions are not in the order of time that was asked for")
        strange = frozenset(one_line(name, 40) for name in (said.model_extra or {}).keys() - set(_WRAPPER))
        return Page(found, said.total, said.has_more, answer.evidence.ref, strange)


def seconds_of(month: date) -> dict[str, int]:
    """Return the first and the last second of a month, in Unix seconds: both ends of a range are included."""
    return {
        "fromdate": calendar.timegm(month.timetuple()),
        "todate": calendar.timegm(next_month(month).timetuple()) - 1,
    }
