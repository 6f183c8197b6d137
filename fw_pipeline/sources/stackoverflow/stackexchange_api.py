"""The provider `api`: the questions themselves from the Stack Exchange API 2.3, each once with all its tags.

So one listing answers every tag and pair of tags, and one more request a month the whole site. The pages of a listing
are put together here, and held against the service's own total; how a page is asked for is in `stackexchange_client`,
which counts cannot be true in `monthly_questions`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from itertools import chain
from typing import NoReturn

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.contract import WHOLE_SITE, Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import HttpClient, RateLimit
from fw_pipeline.sources.stackoverflow.monthly_questions import (
    STACKOVERFLOW_QUESTIONS,
    carriers,
    contradiction,
    month_rows,
    names_of,
    reach_of,
)
from fw_pipeline.sources.stackoverflow.stackexchange_client import (
    KEY,
    NAMES_A_CALL,
    PAGE,
    SUBJECT,
    URL,
    Site,
    seconds_of,
)
from fw_pipeline.sources.stackoverflow.stackexchange_response import Question, TooManyTags, listing_of

NAME = "api"
TAGS_A_CALL = 5
"""Tags of one listing: what `/questions` takes. What `/search` takes is not documented."""

_LAST_PAGE = 25
"""Without a key the service shows 25 pages of a listing, so a longer one is begun anew where they end."""

_KEYED, _KEYLESS = 10_000, 300
"""Requests a day with and without a key."""

_RATE = RateLimit(0.1)
"""Seconds between requests: a third of the thirty a second from which on the service shuts a client out."""

_AGAIN = "run again: it is asked for anew"
_LATER = "run again; if it stays so, look at the kept evidence: the service may have changed"

_ASKED_A_MONTH = {2015: 500, 2016: 1_500, 2017: 2_800, 2018: 3_200, 2019: 3_400}
_ASKED_A_MONTH |= {2020: 5_200, 2021: 3_400, 2022: 2_800, 2023: 1_700, 2024: 450}
_ASKED_LATELY = 300
"""Questions a month that carry a tag of the catalogue, at most, by year: recorded figures, samples of 2024 and 2025.

They tell what a fetch will cost, and nothing else.
"""


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
        total, newest, strange = -1, 0, frozenset[str]()
        following: int | None = seconds_of(month)["fromdate"]
        while (begun := following) is not None:
            following = None
            for number in range(1, _LAST_PAGE + 1):
                page = self.site.page(tags, month, begun, number)
                refs.append(page.ref)
                strange |= page.strange
                total = page.total if total < 0 else total
                if page.questions and page.questions[0].created < newest:
                    _refuse(self.site.fetch, refs, "the pages are not in the order of time that was asked for", month)
                newest = page.questions[-1].created if page.questions else newest
                found |= {it.number: it for it in page.questions if it.number not in found}
                more = number * PAGE < page.total if page.more is None else page.more
                if not (more and page.questions):
                    break
            else:
                if newest == begun:
                    _refuse(self.site.fetch, refs, f"{_LAST_PAGE} pages do not reach beyond one second", month)
                following = newest
        if len(found) != total:
            cause = f"{len(found):,} questions tagged {' or '.join(tags)} are listed, and the service counts {total:,}"
            _refuse(self.site.fetch, refs, cause, month)
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
                _refuse(
                    self.site.fetch,
                    refs,
                    f"question {overlooked[0].number} carries {tags}, and is not listed there",
                    month,
                )
        return Listing(tuple(found.values()), refs, frozenset().union(*(it.strange for it in parts.values())))


def api(tags: tuple[Tag, ...] = TAGS) -> Provider:
    """Return the provider that counts some tags, and the whole site.

    A tag that the site does not know has no questions, like a tag that nobody used in a month. So every tag is looked
    up first, and one without any question in all time is left out: it has no figure, which is no zero.
    """
    return Provider(
        name=NAME,
        source="stackoverflow",
        reach=reach_of,
        fetch=partial(_fetch, tags),
        plan=partial(_plan, tags),
        answers="any closed month, every tag and pair of tags and the whole site, as they stand on the day of asking",
        cost="a request for 100 questions and one for the whole site: about 5 for a month of 2025, 15 for one of 2023, "
        f"60 for one of 2020; {_KEYLESS} requests a day without a key, {_KEYED:,} with one",
        needs="STACKEXCHANGE_KEY for more than 300 requests a day; a run ends when the quota is spent, and the next "
        "run resumes",
        cannot_see="questions deleted since; tags as they were before they were edited or merged",
        settings=(URL, KEY),
        detail=STACKOVERFLOW_QUESTIONS,
    )


def _requests(tags: tuple[Tag, ...], fetch: FetchContext) -> int:
    """Return about how many requests a fetch makes, rather too many than too few."""
    months, groups = fetch.window.months(), -(-len(carriers(tags)) // TAGS_A_CALL)
    pages = sum(-(-_ASKED_A_MONTH.get(month.year, _ASKED_LATELY) // PAGE) for month in months)
    lookups = -(-len(names_of(tags)) // NAMES_A_CALL)
    return 1 + lookups + pages + (groups + 1) * len(months)


def _plan(tags: tuple[Tag, ...], fetch: FetchContext) -> CostEstimate:
    kept, left = _kept(tags, fetch)
    requests = max(0, _requests(tags, fetch) - kept)
    keyed = bool(fetch.secrets.get(KEY.name))
    quota = _KEYED if keyed else _KEYLESS
    days = -(-requests // quota)
    said = [
        f"at most about {requests:,} requests, by how many questions were asked in such months",
        *([f"{kept:,} more are answered already"] if kept else []),
        f"{quota:,} a day {'with the key' if keyed else 'without STACKEXCHANGE_KEY'}: {days} day{'s' * (days != 1)}",
        *([f"a key allows {_KEYED:,}"] if days > 1 and not keyed else []),
        *([f"{left:,} of the quota were left when last asked"] if left is not None else []),
    ]
    return CostEstimate(None, "; ".join(said))


def _kept(tags: tuple[Tag, ...], fetch: FetchContext) -> tuple[int, int | None]:
    """Return how many requests an unfinished fetch has answers to, and what the last one said of the quota."""
    with HttpClient(fetch, rate=_RATE, budget=0, host_label=SUBJECT) as web:  # what is not kept is not asked for
        site = Site(web, fetch)
        with contextlib.suppress(SourceError):
            site.make_filter()
            ever, _ = site.all_time(names_of(tags))
            lister, listed = Lister(site), carriers(tag for tag in tags if ever.keys() >= {*tag.tagged.split(";")})
            for month in fetch.window.months():
                with contextlib.suppress(SourceError, MonthRejected):
                    site.total(month)
                    lister.questions(listed, month)
        return web.replayed, site.left


def _fetch(tags: tuple[Tag, ...], fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    budget = 10 * _requests(tags, fetch) + 200
    with HttpClient(fetch, rate=_RATE, budget=budget, host_label=SUBJECT) as web:
        site = Site(web, fetch)
        site.make_filter()
        ever, merged = site.all_time(names_of(tags))
        if site.left is not None and web.asked:
            fetch.log(f"{SUBJECT}: {site.left:,} requests are left of the day's quota")
        notes = (f"counted with their synonyms: {', '.join(merged)}",) if merged else ()
        lister, known = Lister(site), tuple(tag for tag in tags if ever.keys() >= {*tag.tagged.split(";")})
        for month in fetch.window.months():
            try:
                yield _month(lister, known, month, ever, notes)
                notes = ()
            except MonthRejected as refused:
                yield refused


def _month(
    lister: Lister, tags: tuple[Tag, ...], month: date, ever: Mapping[str, int], notes: tuple[str, ...]
) -> Batch:
    fetch, site = lister.site.fetch, lister.site.total(month)
    listing = lister.questions(carriers(tags), month)
    counts = {WHOLE_SITE: site.total}
    for tag in tags:  # both tags of a pair
        wanted = frozenset(tag.tagged.split(";"))
        counts[tag.tagged] = sum(wanted <= question.tags for question in listing.questions)
    refs = tuple(dict.fromkeys((site.ref, *listing.refs)))
    if (cause := contradiction(counts, ever)) is not None:
        _refuse(fetch, refs, cause, month, _LATER)
    if strange := sorted(site.strange | listing.strange):
        notes = (*notes, f"the answers also hold {', '.join(strange)}")
    rows = month_rows(month, counts, origin="Stack Exchange API", observed_on=fetch.now.date())
    return Batch(month, rows, refs, detail=listing_of(listing.questions), notes=notes)


def _refuse(fetch: FetchContext, refs: Sequence[str], cause: str, month: date, remedy: str = _AGAIN) -> NoReturn:
    for ref in refs:  # which of them is wrong cannot be told
        fetch.evidence.reject(ref, cause)
    raise MonthRejected(SUBJECT, cause, remedy, month=month)


PROVIDER = api()
