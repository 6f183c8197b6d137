"""The arXiv query API: Atom feeds, an error feed that counts one result, and its throttling."""

from __future__ import annotations

import base64
import hashlib
import time
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from fw_pipeline_tests.support.fake_services.arxiv_query import QueryError, normal_form, parse
from fw_pipeline_tests.support.fake_services.messages import Request, Response, as_text
from fw_pipeline_tests.support.fake_services.world import World

_HEAD = (
    "<?xml version='1.0' encoding='UTF-8'?>\n"
    '<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" '
    'xmlns="http://www.w3.org/2005/Atom">\n'
)
_SORTS = ("relevance", "lastUpdatedDate", "submittedDate")
_WINDOW, _LEGACY_WINDOW, _SLICE = 10_000, 30_000, 2_000


class _Wrong(Exception):  # noqa: N818 - an answer of the service
    pass


def answer(request: Request, world: World) -> Response:
    """Answer one request."""
    if request.path != "/query":
        return as_text("Not found", 404)
    now, last = time.monotonic(), world.moments.get("arxiv", -1e9)
    world.moments["arxiv"] = now
    if now - last < world.arxiv_least_seconds:
        return as_text("Rate exceeded.", 429)
    try:
        start, size = _whole(request, "start", 0), _whole(request, "max_results", 10, most=_LEGACY_WINDOW)
        if size == 0 or start + size > _WINDOW:
            return as_text("Internal Server Error", 500, "text/html")
        found = _found(request, world)
    except (_Wrong, QueryError) as wrong:
        return _feed(_error_feed(str(wrong)), 400)
    return _feed(_result_feed(request, found, start, min(size, _SLICE)), 200)


def _feed(text: str, status: int) -> Response:
    return as_text(text, status, "application/atom+xml; charset=utf-8")


def _whole(request: Request, name: str, default: int, *, most: int | None = None) -> int:
    try:
        number = request.whole(name, default)
    except ValueError:
        raise _Wrong(f"{name} must be an integer") from None
    if number < 0:
        raise _Wrong(f"{name} must be non-negative")
    if most is not None and number > most:
        raise _Wrong(f"{name} must not exceed {most}")
    return number


def _found(request: Request, world: World) -> list[dict[str, Any]]:
    sort, order = request.one("sortBy", "relevance"), request.one("sortOrder", "descending")
    if sort not in _SORTS:
        raise _Wrong(f"sortBy must be in: {', '.join(_SORTS)}")
    if order not in {"ascending", "descending"}:
        raise _Wrong("sortOrder must be in: ascending, descending")
    ids = [it for it in request.one("id_list").split(",") if it]
    for it in ids:
        if not it.replace(".", "").replace("v", "").isdecimal():
            raise _Wrong(f"incorrect id format for {it}")
    matches = parse(request.one("search_query"))
    found = [it for it in world.papers() if matches(it) and (not ids or it["arxiv_id"] in ids)]
    key = "updated" if sort == "lastUpdatedDate" else "published"
    found.sort(key=lambda it: it["arxiv_id"])
    found.sort(key=lambda it: it[key], reverse=order == "descending")
    return found


def _result_feed(request: Request, found: list[dict[str, Any]], start: int, size: int) -> str:
    asked = f"search_query={normal_form(request.one('search_query'))}&id_list={request.one('id_list')}"
    window = f"start={start}&max_results={size}"
    digest = base64.b64encode(hashlib.sha1(asked.encode(), usedforsecurity=False).digest()).decode().rstrip("=")
    link = quoteattr(f"https://arxiv.org/api/query?{asked.replace('&id_list', f'&{window}&id_list')}")
    entries = "".join(_entry(it) for it in found[start : start + size])
    return (
        f"{_HEAD}  <id>https://arxiv.org/api/{digest}</id>\n"
        f"  <title>arXiv Query: {escape(f'{asked}&{window}')}</title>\n"
        f"  <updated>{_stamp(datetime(2023, 7, 5))}</updated>\n"  # noqa: DTZ001 - written without a zone below
        f'  <link href={link} type="application/atom+xml"/>\n'
        f"  <opensearch:itemsPerPage>{size}</opensearch:itemsPerPage>\n"
        f"  <opensearch:totalResults>{len(found)}</opensearch:totalResults>\n"
        f"  <opensearch:startIndex>{start}</opensearch:startIndex>\n{entries}</feed>\n"
    )


def _entry(paper: dict[str, Any]) -> str:
    name = f"{paper['arxiv_id']}v{paper['version']}"
    categories = "".join(
        f'    <category term="{term}" scheme="http://arxiv.org/schemas/atom"/>\n' for term in paper["categories"]
    )
    authors = "".join(f"    <author>\n      <name>{escape(it)}</name>\n    </author>\n" for it in paper["authors"])
    return (
        f"  <entry>\n    <id>http://arxiv.org/abs/{name}</id>\n"
        f"    <title>{escape(paper['title'])}</title>\n"
        f"    <updated>{_stamp(paper['updated'])}</updated>\n"
        f'    <link href="https://arxiv.org/abs/{name}" rel="alternate" type="text/html"/>\n'
        f'    <link href="https://arxiv.org/pdf/{name}" rel="related" type="application/pdf" title="pdf"/>\n'
        f"    <summary>{escape(paper['abstract'])}</summary>\n{categories}"
        f"    <published>{_stamp(paper['published'])}</published>\n"
        f'    <arxiv:primary_category term="{paper["categories"][0]}"/>\n{authors}  </entry>\n'
    )


def _error_feed(message: str) -> str:
    link = f"https://arxiv.org/api/errors#{message.replace(' ', '_')}"
    return (
        f"{_HEAD}  <id>https://arxiv.org/</id>\n  <title>arXiv Search Results</title>\n"
        "  <updated>2023-07-05T00:00:00Z</updated>\n"
        "  <opensearch:itemsPerPage>1</opensearch:itemsPerPage>\n"
        "  <opensearch:totalResults>1</opensearch:totalResults>\n"
        "  <opensearch:startIndex>0</opensearch:startIndex>\n"
        f"  <entry>\n    <id>{escape(link)}</id>\n    <title>Error</title>\n"
        "    <updated>2023-07-05T00:00:00Z</updated>\n"
        f'    <link href={quoteattr(link)} rel="alternate" type="text/html"/>\n'
        f"    <summary>{escape(message)}</summary>\n"
        "    <author>\n      <name>arXiv api core</name>\n    </author>\n  </entry>\n</feed>\n"
    )


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"
