"""Answers of the arXiv query API: from the text of an Atom feed to papers, and to a fault where it is not one.

Elements are found by name, so that the order of the legacy server and of the present one are both read. What is asked,
and which papers count, is the business of `arxiv_query`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from defusedxml import DefusedXmlException, ElementTree

from fw_pipeline.http import InvalidResponse, Transient, needed, text, utc_moment, whole_number
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
