"""Stack Overflow as the Stack Exchange API 2.3 shows it: a filter, the tags, and how many questions a month has.

What the errors mean is in `api_errors`. Nothing here knows which tags and months are wanted.
"""

from __future__ import annotations

import calendar
import contextlib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote

from fw_pipeline.contract import WHOLE_SITE, Fetch, SourceFailed, next_month
from fw_pipeline.sources.stackoverflow.api_errors import error_in
from fw_pipeline.web import Answer, Unfit, Web, needed, one_line, optional, rows, shown, text, whole_number

SUBJECT = "stackoverflow (api)"

NAMES_A_CALL = 100
"""Tags that are looked up with one request, at most."""

_SITE = "stackoverflow"
_WRAPPER = ("total", "backoff", "has_more", "quota_max", "quota_remaining", "error_id", "error_name", "error_message")
"""The fields of an answer that the filter asks for. The built-in filter `total` leaves out quota and backoff."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Total:
    """One count, where it is kept, and what else the answer said."""

    questions: int
    ref: str
    strange: frozenset[str]


@dataclass(slots=True)
class Site:
    """The site as the API shows it, through one custom filter."""

    web: Web
    fetch: Fetch
    left: int | None = None
    """What was left of the quota at the last answer that said so."""
    _filter: str = ""
    _filter_ref: str = ""

    def make_filter(self) -> None:
        """Have the filter made that all counts are asked with. Filters never change and never expire."""
        params = {"base": "none", "include": ";".join(f".{name}" for name in _WRAPPER), "unsafe": "false"}
        self._filter, self._filter_ref = self._ask("filters/create", params, "filter", self._read_filter)

    def all_time(self, names: tuple[str, ...]) -> tuple[dict[str, int], tuple[str, ...]]:
        """Return the questions of all time by tag, and which tags have synonyms.

        Raises:
            SourceFailed: a tag has none, or is not known.
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

    def total(self, tagged: str, month: date) -> Total:
        """Return how many questions of a month carry a tag, or both tags of a pair.

        Raises:
            MonthRefused: the answer holds no count.
        """
        params = {
            "site": _SITE,
            "tagged": None if tagged == WHOLE_SITE else tagged,
            "fromdate": calendar.timegm(month.timetuple()),
            "todate": calendar.timegm(next_month(month).timetuple()) - 1,  # both ends are included
            "filter": self._filter,
        }
        label = (
            "site" if tagged == WHOLE_SITE else tagged.replace(";", "-and-").replace("+", "p").replace("#", "-sharp")
        )
        return self._ask("questions", params, f"{month:%Y-%m}-{label}", self._read_total, month)

    def _ask(
        self, path: str, params: Mapping[str, Any], name: str, read: Callable[[Answer], T], month: date | None = None
    ) -> T:
        url = f"{self.fetch.options['FW_STACKEXCHANGE_URL']}/{path}"
        keyed = {**params, "key": self.fetch.secrets.get("STACKEXCHANGE_KEY")}
        return self.web.get(url, params=keyed, name=name, read=read, month=month, classify=self._judge)

    def _judge(self, answer: Answer) -> None:
        if (error := error_in(answer)) is None:
            return
        if error.is_of_filter and self._filter_ref:
            self.fetch.keeper.reject(self._filter_ref, str(error))
            raise SourceFailed(SUBJECT, str(error), "run again: the filter is then made anew")
        error.raise_as(SUBJECT)

    def _opened(self, answer: Answer) -> dict[str, Any]:
        """Return the fields of a good answer, once what it says of waiting and of the quota is taken to heart."""
        said = answer.json(dict)
        backoff = optional(said, "backoff", whole_number)
        if backoff and not answer.replayed:
            self.web.hold(backoff + 1)  # the clocks of the service's machines differ
        with contextlib.suppress(Unfit):
            self.left = optional(said, "quota_remaining", whole_number)
        return said

    def _read_filter(self, answer: Answer) -> tuple[str, str]:
        made = rows(self._opened(answer).get("items"), "items")
        if len(made) != 1:
            raise Unfit(f"{len(made)} filters were made instead of one")
        fields = made[0].get("included_fields")
        if isinstance(fields, list) and ".total" not in fields:
            raise Unfit(f"the filter that was made lacks .total: {shown(fields, 100)}")
        return needed(made[0], "filter", text), answer.evidence.ref

    def _read_tags(self, names: Collection[str], answer: Answer) -> tuple[dict[str, int], tuple[str, ...]]:
        said = self._opened(answer)
        items = rows(said.get("items", [] if "has_more" in said else None), "items")  # what is empty may be left out
        if said.get("has_more"):
            raise Unfit(f"only {len(items)} of {len(names)} tags were shown")
        counts = {needed(item, "name", text).lower(): needed(item, "count", whole_number) for item in items}
        if dead := [name for name in names if not counts.get(name)]:
            others = sorted(counts.keys() - set(names))
            instead = f"; the answer tells of {', '.join(others)} instead: a synonym?" if others else ""
            cause = f"no question was ever tagged {', '.join(dead)}, so that a count of 0 would say nothing{instead}"
            raise SourceFailed(SUBJECT, cause, "correct TAGS in fw_pipeline/frameworks.py")
        return counts, tuple(str(item["name"]) for item in items if item.get("has_synonyms") is True)

    def _read_total(self, answer: Answer) -> Total:
        said = self._opened(answer)
        strange = frozenset(one_line(str(name), 40) for name in said.keys() - set(_WRAPPER))
        return Total(needed(said, "total", whole_number), answer.evidence.ref, strange)
