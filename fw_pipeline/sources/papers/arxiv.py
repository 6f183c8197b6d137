"""The provider `arxiv`: papers that name a framework in title or abstract, from the arXiv query API.

One request a month brings every paper that names any framework; which ones it names is decided here, in whole words, so
that a paper is counted once, under the set of all that it names. How a feed is read is in `arxiv_feed`.
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from urllib.parse import urlsplit

import polars as pl

from fw_pipeline.contract import (
    FIRST_MONTH,
    TABLES,
    WHOLE_SITE,
    Batch,
    Fetch,
    MonthRefused,
    Plan,
    Provider,
    Reach,
    SourceFailed,
    Window,
    last_closed_month,
    next_month,
)
from fw_pipeline.frameworks import FRAMEWORKS
from fw_pipeline.sources.papers.arxiv_feed import Feed, Paper, read_feed
from fw_pipeline.sources.papers.detail import DETAIL_NAME, DETAIL_SCHEMA
from fw_pipeline.web import Answer, Limits, Pace, Throttled, Transient, Unfit, Web

POPULATION = "arxiv abstracts"
_SUBJECT = "papers (arxiv)"
_ORIGIN = "arXiv query API. Thank you to arXiv for use of its open access interoperability."
_METHOD = "counted once each by the set of frameworks that title or abstract name, as whole words, in any case"

_PAGE = 2000
"""Papers of one answer: the service advises no more, and no month has had a quarter of that."""
_REST = 600.0
"""Seconds without a request after `Rate exceeded.`: sooner, it stays so."""
_PATIENCE = 3700.0
"""Seconds to wait at most: the hour after midnight, and a little."""
_SHORT_TRIES = 3
"""How often a page that lacks papers is asked for, before its month is refused."""
_IN_A_ROW = 3
"""Months refused one after the other, after which no more is asked: the service has changed."""
_SETTLED = timedelta(days=5)
"""Papers of the last days of a month are announced this much later, over a weekend with a holiday."""
_MINUTE = timedelta(minutes=1)

_TERMS = {it.name: re.compile(rf"\b(?:{'|'.join(it.arxiv_terms)})\b", re.I) for it in FRAMEWORKS if it.arxiv_terms}


def _reach(fetch: Fetch) -> Reach:
    return Reach(
        Window.of(FIRST_MONTH, last_closed_month(fetch.now)),
        before=f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released",
        after="the month has not ended",
    )


def _plan(fetch: Fetch) -> Plan:
    months = len(fetch.window.months())
    text = (
        f"{months} requests, one a month and at least 3 s apart, less those whose answers are here already; "
        f"more only for a month with over {_PAGE:,} papers"
    )
    return Plan(months, text)


def _fetch(fetch: Fetch) -> Iterator[Batch | MonthRefused]:
    limits = Limits.of({"patience": f"{_PATIENCE}", **fetch.options})
    budget = 20 + 10 * len(fetch.window.months())
    refused = 0
    with Web(
        fetch, pace=Pace.of_machine("arxiv", 3.0), budget=budget, host_label="papers arxiv", limits=limits
    ) as web:
        asking = _Asking(fetch, web)
        for month in fetch.window.months():
            try:
                batch = _batch(fetch, month, asking.pages(month))
            except MonthRefused as refusal:
                refused += 1
                yield refusal
                if refused == _IN_A_ROW:
                    cause = f"{refused} months in a row were refused, the last because {refusal.cause}"
                    raise SourceFailed(_SUBJECT, cause, refusal.remedy) from None
            else:
                refused = 0
                yield batch


@dataclass(slots=True)
class _Page:
    """One answer that is fit: its evidence, and the papers in it."""

    ref: str
    feed: Feed


class _Asking:
    """Asks for the papers of a month, in as few answers as hold them, and never in the bad hour of the service."""

    def __init__(self, fetch: Fetch, web: Web) -> None:
        self._url = f"{fetch.options['FW_ARXIV_URL']}/query"
        self._rest = float(fetch.options.get("rest", _REST))
        self._web, self._moment = web, fetch.now
        host = urlsplit(self._url).hostname or ""
        own = host == "arxiv.org" or host.endswith(".arxiv.org")
        self._keeps_quiet = fetch.options.get("quiet_hour", "yes" if own else "no") == "yes"

    def pages(self, month: date) -> list[_Page]:
        """Return answers that together hold every paper of a month.

        Raises:
            MonthRefused: an answer is unfit.
            SourceFailed: the service cannot be asked on.
        """
        first = datetime(month.year, month.month, 1, tzinfo=UTC)
        end = next_month(month)
        return self._slice(month, first, datetime(end.year, end.month, 1, tzinfo=UTC) - _MINUTE)

    def _slice(self, month: date, first: datetime, last: datetime) -> list[_Page]:
        """Return the papers submitted from one minute to another, both included."""
        if self._keeps_quiet and (wait := seconds_of_quiet(self._moment)):
            self._web.hold(wait)
        page = self._web.get(
            self._url,
            params={
                "search_query": query(first, last),
                "start": 0,
                "max_results": _PAGE,
                "sortBy": "submittedDate",
                "sortOrder": "ascending",
            },
            name=f"{month:%Y-%m}-{first:%d%H%M}-{last:%d%H%M}",
            month=month,
            accept=("application/atom+xml", "application/xml", "text/xml"),
            classify=partial(_classify, self._rest),
            read=partial(self._read, first, last, itertools.count(1)),
        )
        if page.feed.total <= len(page.feed.papers):
            return [page]
        minutes = (last - first) // _MINUTE
        if minutes == 0:
            cause = f"{page.feed.total:,} papers are said to be of one minute, {first:%Y-%m-%d %H:%M}"
            raise MonthRefused(_SUBJECT, cause, "run again later; the search may have changed", month=month)
        middle = first + minutes // 2 * _MINUTE
        return [*self._slice(month, first, middle), *self._slice(month, middle + _MINUTE, last)]

    def _read(self, first: datetime, last: datetime, tries: Iterator[int], answer: Answer) -> _Page:
        if not answer.replayed:
            self._moment = answer.served_at
        feed = read_feed(answer.text())
        _refuse_other(feed, first, last)
        distinct = len({paper.arxiv_id for paper in feed.papers})
        expected = min(feed.total, _PAGE, feed.page_size or _PAGE)
        short = None
        if feed.total == 0:
            short = "the answer counts no paper, and there are some in every month since November 2015"
        elif distinct != expected:
            short = f"the answer holds {distinct} papers instead of {expected}"
        if short and next(tries) < _SHORT_TRIES:
            raise Transient(short)
        if short:
            raise Unfit(short, "run again later; the service gives short pages now and then")
        return _Page(answer.evidence.ref, feed)


def seconds_of_quiet(moment: datetime) -> float:
    """Return how long to wait at a moment (UTC): until 01:00 within the hour after midnight, else 0.

    The nightly announcement makes the service fail from shortly after midnight on.
    """
    return (moment.replace(hour=1, minute=0, second=0, microsecond=0) - moment).total_seconds() if not moment.hour else 0


def query(first: datetime, last: datetime) -> str:
    """Return the question for papers that name a framework, submitted from one minute to another, both included."""
    terms = [term for it in FRAMEWORKS for term in it.arxiv_terms]
    named = _any_of([f"{part}:{term}" for term in terms for part in ("ti", "abs")])
    return f"{named} AND submittedDate:[{first:%Y%m%d%H%M} TO {last:%Y%m%d%H%M}]"


def _any_of(terms: Sequence[str]) -> str:
    """Join terms by OR, every pair in parentheses: the language has no precedence, and a long chain nests deeply."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({_any_of(terms[:half])} OR {_any_of(terms[half:])})"


def _classify(rest: float, answer: Answer) -> None:
    """Raise what the service says by other means than its status.

    Raises:
        Throttled: `Rate exceeded.`, whatever the status.
        Unfit: the feed of an error.
    """
    if answer.body.strip().lower().startswith(b"rate exceeded"):
        raise Throttled(f"HTTP {answer.status}: Rate exceeded", rest)
    if answer.status == 429 and "retry-after" not in answer.headers:  # noqa: PLR2004
        raise Throttled(f"HTTP 429: {answer.first_words()}", rest)
    if answer.status == 400 and answer.body.lstrip().startswith(b"<?xml"):  # noqa: PLR2004
        read_feed(answer.text())


def _refuse_other(feed: Feed, first: datetime, last: datetime) -> None:
    """Refuse the answer to another question.

    Raises:
        Unfit: the question that the answer repeats is another, or most of its papers are not what was asked for.
    """
    echo = feed.echo.lower()
    if echo:
        asked = [*(it for framework in FRAMEWORKS for it in framework.arxiv_terms)]
        missing = [it for it in (*asked, f"{first:%Y%m%d%H%M}", f"{last:%Y%m%d%H%M}") if it not in echo]
        if missing:
            raise Unfit(f"the answer is to another question, without {', '.join(missing[:3])}")
    if feed.start != 0:
        raise Unfit(f"the answer begins at paper {feed.start} instead of 0")
    strangers = sum(not first <= it.published < last + _MINUTE for it in feed.papers)
    if strangers * 20 > len(feed.papers):
        raise Unfit(f"{strangers} of {len(feed.papers)} papers were submitted at another time than was asked for")
    nameless = sum(not frameworks_of(it) for it in feed.papers)
    if nameless * 2 > len(feed.papers):
        raise Unfit(f"{nameless} of {len(feed.papers)} papers name no framework, although only such were asked for")


def frameworks_of(paper: Paper) -> tuple[str, ...]:
    """Return the frameworks that title or abstract name, sorted."""
    told = f"{paper.title}\n{paper.summary}"
    return tuple(sorted(name for name, term in _TERMS.items() if term.search(told)))


def _batch(fetch: Fetch, month: date, pages: Sequence[_Page]) -> Batch:
    found = {paper.arxiv_id: paper for page in pages for paper in page.feed.papers}
    dated = [it for it in found.values() if it.published.date().replace(day=1) == month]
    named = {it.arxiv_id: names for it in dated if (names := frameworks_of(it))}
    counted = Counter(named.values())
    said = (_METHOD, _ORIGIN, fetch.now.date())
    rows = [(month, POPULATION, WHOLE_SITE, list(names), None, n, None, *said) for names, n in sorted(counted.items())]
    listing = [
        (POPULATION, it.url, it.arxiv_id, it.title, it.published.date(), list(names), None, list(it.authors))
        for it in dated
        if (names := named.get(it.arxiv_id))
    ]
    return Batch(
        month,
        pl.DataFrame(rows, schema=TABLES["papers"].schema, orient="row"),
        tuple(page.ref for page in pages),
        detail=pl.DataFrame(listing, schema=DETAIL_SCHEMA, orient="row"),
        notes=tuple(_notes(fetch, month, pages, len(found) - len(dated), len(dated) - len(named))),
    )


def _notes(fetch: Fetch, month: date, pages: Sequence[_Page], strangers: int, nameless: int) -> Iterator[str]:
    if strangers:
        yield f"{strangers} papers of the answer were submitted in another month, and are left out"
    if nameless:
        yield f"{nameless} papers were found by the stem of a word and name no framework, and are left out"
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
    answers="any month since 2015-11",
    cost="one request a month, at least 3 s apart; none from 00:00 to 01:00 UTC",
    needs="nothing",
    cannot_see="what stands in the text of a paper only, and code",
    options=("FW_ARXIV_URL", "FW_CONTACT"),
    detail=DETAIL_NAME,
)
