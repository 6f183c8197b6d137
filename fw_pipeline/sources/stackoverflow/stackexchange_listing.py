"""All questions of a month that carry any of some tags: pages put together, and held against the service's own total.

Without a key the service shows 25 pages of a listing, so a longer one is begun anew where they end. How a page is asked
for is in `stackexchange_client`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import chain

from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.sources.stackoverflow.stackexchange_client import PAGE, SUBJECT, Site, seconds_of
from fw_pipeline.sources.stackoverflow.stackexchange_response import Question, TooManyTags

TAGS_A_CALL = 5
"""Tags of one listing: what `/questions` takes. What `/search` takes is not documented."""

_LAST_PAGE = 25

_AGAIN = "run again: it is asked for anew"


@dataclass(frozen=True, slots=True)
class Listing:
    """The questions of a month, each once, the answers that they were read from, and strange fields of these."""

    questions: tuple[Question, ...]
    refs: tuple[str, ...]
    strange: frozenset[str]


@dataclass(slots=True)
class Lister:
    """Lists the questions of one month after another, with as many tags a request as the service takes."""

    site: Site
    at_once: int = TAGS_A_CALL

    def questions(self, tags: Sequence[str], month: date) -> Listing:
        """Return the questions of a month that carry any of the tags.

        Raises:
            MonthRejected: the pages contradict one another, or the service's own total.
            SourceError: the service takes not even one tag.
        """
        while True:
            groups = [tuple(tags[start : start + self.at_once]) for start in range(0, len(tags), self.at_once)]
            try:
                parts = {group: self._group(group, month) for group in groups}
            except TooManyTags as refused:
                if self.at_once == 1:
                    raise SourceError(SUBJECT, str(refused), "correct dbt_like_sql/seeds/tags.csv") from None
                self.at_once = max(1, self.at_once // 2)
                self.site.fetch.log(f"{SUBJECT}: {refused}; now {self.at_once} tags a request")
            else:
                return self._joined(parts, month)

    def _group(self, tags: tuple[str, ...], month: date) -> Listing:
        found: dict[int, Question] = {}
        refs: list[str] = []
        strange = frozenset[str]()
        total, newest = -1, 0
        following: int | None = seconds_of(month)["fromdate"]
        while (begun := following) is not None:
            following = None
            for number in range(1, _LAST_PAGE + 1):
                page = self.site.page(tags, month, begun, number)
                refs.append(page.ref)
                strange |= page.strange
                total = page.total if total < 0 else total
                if page.questions and page.questions[0].created < newest:
                    self._refuse(refs, "the pages are not in the order of time that was asked for", month)
                newest = page.questions[-1].created if page.questions else newest
                found |= {it.number: it for it in page.questions if it.number not in found}
                more = number * PAGE < page.total if page.more is None else page.more
                if not (more and page.questions):
                    break
            else:
                if newest == begun:
                    self._refuse(refs, f"{_LAST_PAGE} pages do not reach beyond one second", month)
                following = newest
        if len(found) != total:
            cause = f"{len(found):,} questions tagged {' or '.join(tags)} are listed, and the service counts {total:,}"
            self._refuse(refs, cause, month)
        return Listing(tuple(found.values()), tuple(refs), strange)

    def _joined(self, parts: dict[tuple[str, ...], Listing], month: date) -> Listing:
        """Put the groups together: a question that carries tags of two groups must be in both."""
        found = {it.number: it for part in parts.values() for it in part.questions}
        refs = tuple(chain.from_iterable(part.refs for part in parts.values()))
        for group, part in parts.items():
            here = {it.number for it in part.questions}
            overlooked = [it for it in found.values() if it.number not in here and not it.tags.isdisjoint(group)]
            if overlooked:
                tags = ", ".join(sorted(overlooked[0].tags & set(group)))
                self._refuse(refs, f"question {overlooked[0].number} carries {tags}, and is not listed there", month)
        return Listing(tuple(found.values()), refs, frozenset().union(*(it.strange for it in parts.values())))

    def _refuse(self, refs: Sequence[str], cause: str, month: date) -> None:
        for ref in refs:  # which of them is wrong cannot be told
            self.site.fetch.evidence.reject(ref, cause)
        raise MonthRejected(SUBJECT, cause, _AGAIN, month=month)
