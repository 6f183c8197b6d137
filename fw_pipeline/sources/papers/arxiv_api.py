"""The provider `arxiv`: papers that name a framework in title or abstract, from the arXiv query API.

One request a month brings every paper that names any framework; which ones it names is decided here, in whole words, so
that a paper is counted once, under the set of all that it names. What is asked is in `arxiv_query`.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import polars as pl

from fw_pipeline.contract import WHOLE_SITE, Availability, Batch, CostEstimate, FetchContext, Provider, Setting
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import HttpClient, InvalidResponse, Limits, RateLimit, Response, Transient
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month, next_month
from fw_pipeline.sources.papers.arxiv_query import (
    MINUTE,
    PAGE,
    Feed,
    classify,
    frameworks_of,
    query,
    read_feed,
    refuse_other,
    seconds_of_quiet,
)
from fw_pipeline.sources.papers.paper_tables import PAPERS, TABLE

_URL = Setting("FW_ARXIV_URL", "The arXiv query API.", default="https://export.arxiv.org/api")

_POPULATION = "arxiv abstracts"
_SUBJECT = "papers arxiv"
_ORIGIN = "arXiv query API; thank you to arXiv for use of its open access interoperability"
_METHOD = "counted once each, under the set of frameworks that title or abstract name as whole words, in any case"

_PACE = 3.0
"""Least seconds between two requests of this machine, as the service asks for."""
_REST = 600.0
"""Seconds without a request after `Rate exceeded.`: asked again sooner, it says the same."""
_PATIENCE = 3700.0
"""Longest wait in seconds: the hour after midnight, and a little."""
_SHORT_TRIES = 3
"""How often a page that lacks papers is asked for before its month is refused."""
_IN_A_ROW = 3
"""Months refused one after the other, after which no more is asked: the service has changed."""
_SETTLED = timedelta(days=5)
"""How long after a month its last papers may still be announced: a long weekend, and a day."""


def _reach(fetch: FetchContext) -> Availability:
    return Availability(
        Window.of(FIRST_MONTH, last_closed_month(fetch.now)),
        before=f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released",
        after="the month has not ended",
    )


def _plan(fetch: FetchContext) -> CostEstimate:
    months = len(fetch.window.months())
    text = (
        f"{months} requests at least {_PACE:g} s apart, one a month, less those that are answered already; "
        f"more only for a month with over {PAGE:,} papers"
    )
    return CostEstimate(months, text)


def _fetch(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    limits = Limits.of({"patience": f"{_PATIENCE}", **fetch.options})
    rate, budget = RateLimit.of_machine("arxiv", _PACE), 20 + 10 * len(fetch.window.months())
    refused = 0
    with HttpClient(fetch, rate=rate, budget=budget, host_label=_SUBJECT, limits=limits) as web:
        asking = _Asking(fetch, web)
        for month in fetch.window.months():
            try:
                batch = _batch(fetch, month, asking.pages(month))
            except MonthRejected as refusal:
                refused += 1
                yield refusal
                if refused == _IN_A_ROW:
                    cause = f"{refused} months in a row were refused, the last because {refusal.cause}"
                    raise SourceError(_SUBJECT, cause, refusal.remedy, month=fetch.window) from None
            else:
                refused = 0
                yield batch


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer that is fit: its evidence, and the papers in it."""

    ref: str
    feed: Feed


class _Asking:
    """Asks for the papers of a month, in as few answers as hold them, and never in the bad hour of the service.

    Options of the fetch that it reads, for a mirror: `rest` (seconds to leave the service alone when it throttles) and
    `quiet_hour` (`yes` or `no`; `no` unless the service is arXiv's own).
    """

    def __init__(self, fetch: FetchContext, web: HttpClient) -> None:
        self._url = f"{fetch.options[_URL.name]}/query"
        self._rest = float(fetch.options.get("rest", _REST))
        self._web, self._moment = web, fetch.now
        own = f".{urlsplit(self._url).hostname}".endswith(".arxiv.org")
        self._keeps_quiet = fetch.options.get("quiet_hour", "yes" if own else "no") == "yes"

    def pages(self, month: date) -> list[_Page]:
        """Return answers that together hold every paper of a month.

        Raises:
            MonthRejected: an answer is unfit.
            SourceError: the service cannot be asked on.
        """
        first, end = (datetime(it.year, it.month, 1, tzinfo=UTC) for it in (month, next_month(month)))
        return self._slice(month, first, end - MINUTE)

    def _slice(self, month: date, first: datetime, last: datetime) -> list[_Page]:
        """Return the papers submitted from one minute to another, both included; in halves where they are too many."""
        if self._keeps_quiet and (wait := seconds_of_quiet(self._moment)):
            self._web.hold(wait, "arXiv is not asked from 00:00 to 01:00 UTC")
        page = self._web.get(
            self._url,
            params={
                "search_query": query(first, last),
                "start": 0,
                "max_results": PAGE,
                "sortBy": "submittedDate",
                "sortOrder": "ascending",
            },
            name=f"{month:%Y-%m}-{first:%d%H%M}-{last:%d%H%M}",
            month=month,
            accept=("application/atom+xml", "application/xml", "text/xml"),
            classify=partial(classify, rest=self._rest),
            read=partial(self._read, first, last, itertools.count(1)),
        )
        if page.feed.total <= len(page.feed.papers):
            return [page]
        minutes = (last - first) // MINUTE
        if minutes == 0:
            cause = f"{page.feed.total:,} papers are said to be of one minute, {first:%Y-%m-%d %H:%M}"
            raise MonthRejected(_SUBJECT, cause, "run again later; the search may have changed", month=month)
        middle = first + minutes // 2 * MINUTE
        return [*self._slice(month, first, middle), *self._slice(month, middle + MINUTE, last)]

    def _read(self, first: datetime, last: datetime, tries: Iterator[int], answer: Response) -> _Page:
        if not answer.replayed:
            self._moment = answer.served_at
        feed = read_feed(answer.text())
        refuse_other(feed, first, last)
        if (lack := _lack(feed)) is None:
            return _Page(answer.evidence.ref, feed)
        if next(tries) < _SHORT_TRIES:
            raise Transient(lack)
        raise InvalidResponse(lack, "run again later; the service gives short pages now and then")


def _lack(feed: Feed) -> str | None:
    """Return what an answer does not hold although it should; None where it is whole."""
    if feed.total == 0:
        return "the answer counts no paper, and there are some in every month since November 2015"
    here = len({paper.arxiv_id for paper in feed.papers})
    expected = min(feed.total, PAGE, feed.page_size or PAGE)
    return None if here == expected else f"the answer holds {here} papers instead of {expected}"


def _batch(fetch: FetchContext, month: date, pages: Sequence[_Page]) -> Batch:
    found = {paper.arxiv_id: paper for page in pages for paper in page.feed.papers}
    dated = [it for it in found.values() if it.published.date().replace(day=1) == month]
    naming = [(it, names) for it in dated if (names := frameworks_of(it))]
    counts = Counter(names for _, names in naming)
    said = (_METHOD, _ORIGIN, fetch.now.date())
    rows = [(month, _POPULATION, WHOLE_SITE, list(names), None, n, None, *said) for names, n in sorted(counts.items())]
    listing = [
        (_POPULATION, it.url, it.arxiv_id, it.title, it.published.date(), list(names), None, list(it.authors), None)
        for it, names in naming
    ]
    return Batch(
        month,
        pl.DataFrame(rows, schema=TABLE.schema, orient="row"),
        tuple(page.ref for page in pages),
        detail=pl.DataFrame(listing, schema=PAPERS.schema, orient="row"),
        notes=tuple(_notes(fetch, month, pages, len(found) - len(dated), len(dated) - len(naming))),
    )


def _notes(fetch: FetchContext, month: date, pages: Sequence[_Page], strangers: int, nameless: int) -> Iterator[str]:
    if strangers:
        yield f"papers left out, because they were submitted in another month: {strangers}"
    if nameless:
        yield f"papers left out, because the search found the stem of a word and they name no framework: {nameless}"
    if strange := sorted({name for page in pages for name in page.feed.strange}):
        yield f"the answer has elements that are not known: {', '.join(strange)}"
    ended = next_month(month)
    if fetch.now - datetime(ended.year, ended.month, 1, tzinfo=UTC) < _SETTLED:
        yield "papers of its last days may not have been announced yet; fetch the month again in a week"


PROVIDER = Provider(
    name="arxiv",
    source="papers",
    reach=_reach,
    fetch=_fetch,
    plan=_plan,
    answers="any month since 2015-11: papers that name a framework in title or abstract",
    cost="one request per month, at least 3 s apart, and none from 00:00 to 01:00 UTC",
    needs="nothing",
    cannot_see="what only the text of a paper names, and code",
    settings=(_URL,),
    detail=PAPERS,
)
