"""The question that arXiv is asked, and whether an answer is to that question.

Nothing here sends anything. How a feed is read is in `arxiv_feed`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache

from fw_pipeline.catalog.frameworks import FRAMEWORKS
from fw_pipeline.http import InvalidResponse, Response, Throttled
from fw_pipeline.sources.papers.arxiv_feed import Feed, Paper, read_feed

PAGE = 2000
"""Papers of one answer: the service advises no more, and a month has a few hundred."""
MINUTE = timedelta(minutes=1)
"""How exactly a time of submission can be asked for."""

_STRANGERS = 20
"""One paper in so many may be of another time than was asked for, before the answer is taken for another's."""
_STATUS_ERROR, _STATUS_BUSY = 400, 429


def query(first: datetime, last: datetime) -> str:
    """Return the question for papers that name a framework, submitted from one minute to another, both included."""
    named = _any_of([f"{part}:{term}" for term in _terms() for part in ("ti", "abs")])
    return f"{named} AND submittedDate:[{_stamp(first)} TO {_stamp(last)}]"


def frameworks_of(paper: Paper) -> tuple[str, ...]:
    """Return the frameworks that title or abstract name as whole words, in any case; sorted."""
    told = f"{paper.title}\n{paper.summary}"
    return tuple(sorted(name for name, term in _patterns() if term.search(told)))


def seconds_of_quiet(moment: datetime) -> float:
    """Return how long to wait at a moment (UTC): until 01:00 within the hour after midnight, else 0.

    The nightly announcement makes the service fail from shortly after midnight on.
    """
    if moment.hour != 0:
        return 0.0
    return (moment.replace(hour=1, minute=0, second=0, microsecond=0) - moment).total_seconds()


def classify(answer: Response, *, rest: float) -> None:
    """Raise what the service says by other means than its status.

    Args:
        answer: of any status.
        rest: seconds to leave the service alone where it throttles and does not say for how long.

    Raises:
        Throttled: `Rate exceeded.`, which comes with status 200 as well.
        InvalidResponse: the feed of an error.
    """
    if answer.body.strip().lower().startswith(b"rate exceeded"):
        raise Throttled(f"HTTP {answer.status}: Rate exceeded", rest)
    if answer.status == _STATUS_BUSY and "retry-after" not in answer.headers:
        raise Throttled(f"HTTP {answer.status}: {answer.first_words()}", rest)
    if answer.status == _STATUS_ERROR and "xml" in answer.content_type:
        read_feed(answer.text())


def refuse_other(feed: Feed, first: datetime, last: datetime) -> None:
    """Refuse the answer to another question than the one for papers submitted from `first` to `last`.

    Raises:
        InvalidResponse: the question that the answer repeats is another, or its papers are not what was asked for.
    """
    echo = feed.echo.lower()
    missing = [it for it in (*_terms(), _stamp(first), _stamp(last)) if it not in echo]
    if echo and missing:
        raise InvalidResponse(f"the answer is to another question, one without {', '.join(missing[:3])}")
    if feed.start != 0:
        raise InvalidResponse(f"the answer begins at paper {feed.start} instead of 0")
    strangers = sum(not first <= it.published < last + MINUTE for it in feed.papers)
    if strangers * _STRANGERS > len(feed.papers):
        raise InvalidResponse(
            f"{strangers} of {len(feed.papers)} papers were submitted at another time than was asked for"
        )
    nameless = sum(not frameworks_of(it) for it in feed.papers)
    if nameless * 2 > len(feed.papers):
        raise InvalidResponse(
            f"{nameless} of {len(feed.papers)} papers name no framework, although only such were asked for"
        )


def _any_of(terms: Sequence[str]) -> str:
    """Join terms by OR, every pair in parentheses: the language has no precedence, and a long chain nests deeply."""
    if len(terms) == 1:
        return terms[0]
    half = len(terms) // 2
    return f"({_any_of(terms[:half])} OR {_any_of(terms[half:])})"


def _terms() -> tuple[str, ...]:
    return tuple(term for it in FRAMEWORKS for term in it.arxiv_terms)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (it.name, re.compile(rf"\b(?:{'|'.join(map(re.escape, it.arxiv_terms))})\b", re.IGNORECASE))
        for it in FRAMEWORKS
        if it.arxiv_terms
    )


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%d%H%M}"
