"""Listings over many pages: nothing is lost at a break, and no server can keep us turning for ever."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from fw_pipeline.errors import SourceError
from fw_pipeline.http import HttpClient
from fw_pipeline.http import Response as Received
from fw_pipeline_tests.support.fake_services.faults import Answer as Answering
from fw_pipeline_tests.support.fake_services.faults import Fault
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench

PAGES = 6
LISTING = "/huggingface/api/models"


@pytest.fixture
def bench(tmp_path: Path, services: FakeServices) -> Bench:
    services.world.hub_page_cap = 500
    return Bench(tmp_path)


def _ids(answer: Received) -> list[str]:
    return [row["_id"] for row in answer.json(list)]


def _listed(web: HttpClient, services: FakeServices) -> list[str]:
    params = {"sort": "createdAt", "expand[]": ["createdAt", "tags"]}
    pages = web.pages(f"{services.url}{LISTING}", params, name="models", read=_ids)
    return [name for page in pages for name in page]


def _relinked(change: Callable[[Request, str], str]) -> Fault:
    def fault(request: Request, answer: Answering) -> Response:
        true = answer(request)
        return replace(true, headers={**true.headers, "Link": change(request, true.headers["Link"])})

    return fault


def _everything(services: FakeServices) -> list[str]:
    return [model["_id"] for model in services.world.models()]


def test_every_page_is_read_once_and_in_order(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web:
        assert _listed(web, services) == _everything(services)
    assert len(services.requests) == PAGES
    assert not bench.clock.slept


def test_a_short_last_page_is_not_lost_and_an_empty_one_is_no_fault(bench: Bench, services: FakeServices) -> None:
    services.world.hub_page_cap = 999

    def one_more(request: Request, answer: Answering) -> Response:
        link = f'<{request.base_url}/end>; rel="next"'
        return replace(answer(request), headers={"Content-Type": "application/json", "Link": link})

    services.faults.add(LISTING, one_more, after=3)
    services.faults.add("/huggingface/end", "instead", body="[]", kind="application/json")
    with bench.web() as web:
        assert _listed(web, services) == _everything(services)
    assert len(services.requests) == 5


def test_a_listing_that_broke_goes_on_where_it_was(bench: Bench, services: FakeServices) -> None:
    services.faults.add(LISTING, "truncated_body", after=4, times=-1)
    with bench.web() as web, pytest.raises(SourceError, match="cut off"):
        _listed(web, services)
    services.faults.clear()
    services.requests.clear()
    with bench.web() as web:
        assert _listed(web, services) == _everything(services)
        assert (web.asked, web.replayed) == (2, 4)
    assert all("cursor" in dict(request.query) for request in services.requests)


def test_nothing_is_asked_beyond_what_the_caller_reads(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web:
        pages = web.pages(f"{services.url}{LISTING}", {"sort": "createdAt"}, name="models", read=_ids)
        next(pages)
        next(pages)
    assert len(services.requests) == 2


def test_a_cursor_that_repeats_is_refused(bench: Bench, services: FakeServices) -> None:
    first = "api/models?sort=createdAt&expand[]=createdAt&expand[]=tags"
    own = _relinked(lambda request, _: f'<{request.base_url}/{first}>; rel="next"')
    services.faults.add(LISTING, own, after=2)
    with bench.web() as web, pytest.raises(SourceError, match="the next page is one that was there already"):
        _listed(web, services)
    services.requests.clear()
    with bench.web() as web:
        assert _listed(web, services) == _everything(services)
    assert len(services.requests) == PAGES - 2


def test_a_next_page_on_another_host_is_refused(bench: Bench, services: FakeServices) -> None:
    away = _relinked(lambda _, link: link.replace("127.0.0.1", "localhost"))
    services.faults.add(LISTING, away, times=-1)
    with bench.web() as web, pytest.raises(SourceError, match="the next page lies on another site, localhost"):
        _listed(web, services)
    assert len(services.requests) == 1


def test_a_next_page_without_an_address_is_refused(bench: Bench, services: FakeServices) -> None:
    services.faults.add(LISTING, _relinked(lambda *_: '<http://[::1>; rel="next"'))
    with bench.web() as web, pytest.raises(SourceError, match="names an address that cannot be read"):
        _listed(web, services)


def test_endless_pages_end(bench: Bench, services: FakeServices) -> None:
    services.world.hub_page_cap = 1
    with bench.web(pages=20) as web, pytest.raises(SourceError, match="more than 20 pages"):
        _listed(web, services)
    assert len(services.requests) == 20


def test_a_cursor_can_be_made_by_the_provider(bench: Bench, services: FakeServices) -> None:
    base = f"{services.url}/stackexchange/questions?site=stackoverflow&tagged=jax&pagesize=100&key=sesame-key"
    bench.secrets = {"STACKEXCHANGE_KEY": "sesame-key"}
    number = iter(range(2, 100))

    def following(answer: Received) -> str | None:
        return f"{base}&page={next(number)}" if answer.json(dict)["has_more"] else None

    with bench.web() as web:
        pages = web.pages(base, name="jax", read=lambda it: it.json(dict)["items"], next_url=following)
        found = [row["question_id"] for page in pages for row in page]
    assert len(found) == services.world.all_time("jax") - 1000
    assert len(set(found)) == len(found)
