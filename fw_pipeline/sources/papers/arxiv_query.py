"""The arXiv query API: what it is asked, its answer (an Atom feed) as papers, and whether that answers the question.

Elements are found by name, so that the order of the legacy server and of the present one are both read. Nothing here
sends anything.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException, ElementTree

from fw_pipeline.catalog.frameworks import FRAMEWORKS
from fw_pipeline.http import InvalidResponse, Response, Throttled, Transient, needed, text, utc_moment, whole_number
from fw_pipeline.text import one_line

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element  # the type alone  # nosec B405

ATOM = "{http://www.w3.org/2005/Atom}"
_SEARCH = "{http://a9.com/-/spec/opensearch/1.1/}"
_ARXIV = "{http://arxiv.org/schemas/atom}"

_KNOWN = frozenset(
    {
        *(f"{ATOM}{name}" for name in ("id", "title", "updated", "link", "author", "entry", "summary", "category")),
        *(f"{ATOM}{name}" for name in ("published", "rights", "generator", "contributor")),
        *(f"{_SEARCH}{name}" for name in ("itemsPerPage", "totalResults", "startIndex")),
        *(f"{_ARXIV}{name}" for name in ("comment", "primary_category", "journal_ref", "doi", "affiliation", "author")),
    }
)

PAGE = 2000
"""Papers of one answer: the service advises no more, and a month has a few hundred."""
MINUTE = timedelta(minutes=1)
"""How exactly a time of submission can be asked for."""

_STRANGERS = 20
"""One paper in so many may be of another time than was asked for, before the answer is taken for another's."""
_STATUS_ERROR, _STATUS_BUSY = 400, 429


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper as a feed shows it."""

    url: str
    arxiv_id: str
    """Without the version."""
    title: str
    summary: str
    published: datetime
    """When its first version was submitted (UTC)."""
    authors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """One page of an answer."""

    total: int
    """Papers that match in all, on this page or not."""
    start: int
    page_size: int | None
    """Most papers that a page holds; it says nothing of how many this one does."""
    echo: str
    """The question, as the service understood it; empty where it does not say."""
    papers: tuple[Paper, ...]
    strange: tuple[str, ...]
    """Names of elements that are not known."""


def read_feed(body: str) -> Feed:
    """Return the papers of a feed, and what it says of itself.

    Raises:
        Transient: the text is empty or cut off.
        InvalidResponse: it is no feed, is the feed of an error (which claims one result), or lacks a needed element.
    """
    root = _root(body)
    if root.tag != f"{ATOM}feed":
        raise InvalidResponse(f"the answer is a {one_line(_local(root.tag), 40)} document, not an Atom feed")
    entries = root.findall(f"{ATOM}entry")
    for entry in entries:
        _refuse_error(entry)
    title = _inner(root, f"{ATOM}title")
    return Feed(
        total=_count(root, "totalResults"),
        start=_count(root, "startIndex"),
        page_size=_count(root, "itemsPerPage") if root.find(f"{_SEARCH}itemsPerPage") is not None else None,
        echo=title.partition("search_query=")[2],
        papers=tuple(_paper(entry) for entry in entries),
        strange=tuple(sorted({_local(it.tag) for part in (root, *entries) for it in part if it.tag not in _KNOWN})),
    )


def _root(body: str) -> Element:
    try:
        root: Element = ElementTree.fromstring(body.strip(), forbid_dtd=True)
    except ElementTree.ParseError as error:
        cause, cut_off = str(error), any(sign in str(error) for sign in ("no element found", "unclosed"))
    except DefusedXmlException:
        cause, cut_off = "it declares a document type or entities", False
    else:
        return root
    if cut_off:
        raise Transient(f"the feed is cut off after {len(body)} characters")
    raise InvalidResponse(f"the answer is not XML that can be read: {cause}: {one_line(body, 80)}")


def _refuse_error(entry: Element) -> None:
    """Refuse the entry that stands for an error.

    Raises:
        InvalidResponse: it does; the cause is the service's own words.
    """
    identity, title = _inner(entry, f"{ATOM}id"), _inner(entry, f"{ATOM}title")
    if "/api/errors" in identity or (title == "Error" and "/abs/" not in identity):
        said = _inner(entry, f"{ATOM}summary") or identity
        raise InvalidResponse(f"the service answers with an error: {one_line(said, 160)}")


def _paper(entry: Element) -> Paper:
    found = {_local(child.tag): _squeezed(child) for child in entry}
    identity = needed(found, "id", text)
    place = re.search(r"/abs/(\S+?)(?:v\d+)?$", identity, re.ASCII)
    if place is None:
        raise InvalidResponse(f"field id is {one_line(identity, 60)!r}, not the address of a paper")
    if "summary" not in found:
        raise InvalidResponse("field summary is missing")
    return Paper(
        url=f"https://arxiv.org/abs/{place[1]}",
        arxiv_id=place[1],
        title=needed(found, "title", text),
        summary=found["summary"],
        published=utc_moment(needed(found, "published", text), "published"),
        authors=tuple(name for it in entry.findall(f"{ATOM}author") if (name := _inner(it, f"{ATOM}name"))),
    )


def _count(root: Element, name: str) -> int:
    element = root.find(f"{_SEARCH}{name}")
    return needed({name: _squeezed(element) if element is not None else None}, name, whole_number)


def _inner(parent: Element, tag: str) -> str:
    element = parent.find(tag)
    return "" if element is None else _squeezed(element)


def _squeezed(element: Element) -> str:
    """Return all text within an element, line breaks and indentation taken out."""
    return " ".join("".join(element.itertext()).split())


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


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
    of_all = f"of {len(feed.papers)} papers"
    if strangers * _STRANGERS > len(feed.papers):
        raise InvalidResponse(f"{strangers} {of_all} were submitted at another time than was asked for")
    nameless = sum(not frameworks_of(it) for it in feed.papers)
    if nameless * 2 > len(feed.papers):
        raise InvalidResponse(f"{nameless} {of_all} name no framework, although only such were asked for")


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
