"""Faults of single answers: each gives one clear line and no figure; a second run asks only for what is missing."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.http import Response, Throttled, Transient
from fw_pipeline_tests.support.fake_services.faults import instead
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import MONTH, TORCH, Bench, ask, rows_of

ROWS = 360
"""Both mirror series of 180 days."""

PASSING: dict[str, dict[str, Any]] = {
    "reset_mid_body": {},
    "short_body": {},
    "slow_drip": {},
    "truncated_gzip": {},
    "truncated_body": {},
    "error": {"status": 500},
    "error 502": {"status": 502},
    "error 504": {"status": 504},
    "throttled": {"status": 429},
    "throttled 503": {"status": 503, "hint": "seconds", "seconds": 2},
}

CAUSES = {
    "reset_mid_body": "the server broke the connection|the answer broke off",
    "short_body": "the answer broke off",
    "slow_drip": r"still dripping in after 0\.2 seconds",
    "truncated_gzip": "gzip packing of the answer is cut off",
    "truncated_body": "the JSON is cut off",
    "error": "HTTP 500 Internal Server Error",
    "error 502": "HTTP 502 Bad Gateway",
    "error 504": "HTTP 504 Gateway Timeout",
    "throttled": "HTTP 429 Too Many Requests",
    "throttled 503": "HTTP 503 Service Unavailable",
}

LASTING: dict[str, tuple[dict[str, Any], str]] = {
    "html_200": ({}, "answered text/html instead of JSON: Sorry Please stand by"),
    "wrong_content_type": ({}, "answered application/pdf instead of JSON"),
    "redirect_elsewhere": ({}, "redirected to another site, localhost"),
    "redirect_to_page": ({}, "answered text/html instead of JSON: A page to read"),
    "redirect_loop": ({}, "redirected more than 5 times"),
    "invalid_utf8": ({}, "not UTF-8 at byte"),
    "huge_claimed": ({}, "larger than 4194304 bytes"),
    "huge_streamed": ({}, "larger than 4194304 bytes"),
    "bomb": ({"megabytes": 64}, "larger than 4194304 bytes"),
    "replaced NaN": ({"old": '"downloads":', "new": '"downloads":NaN,"x":', "most": 1}, "holds NaN"),
    "replaced twin": ({"old": '"date":', "new": '"category":', "most": 1}, "the key 'category' twice"),
    "replaced junk": ({"old": '{"data"', "new": "{data", "most": 1}, "not JSON"),
    "instead list": ({"body": "[]", "kind": "application/json"}, "a JSON list instead of a dict"),
    "instead html": ({"body": "<p>Sorry</p>", "kind": "application/json"}, "answered HTML instead of JSON: Sorry"),
    "error 418": ({"status": 418}, "HTTP 418"),
    "error 404": ({"status": 404}, "HTTP 404 Not Found"),
    "error 403": ({"status": 403}, "HTTP 403 Forbidden"),
}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _refused(bench: Bench, services: FakeServices, **limits: Any) -> PipelineError:
    with bench.web(answer_seconds=0.2, **limits) as web, pytest.raises(PipelineError) as caught:
        ask(web, services.url)
    assert "\n" not in str(caught.value)
    return caught.value


def _heals(bench: Bench, services: FakeServices) -> None:
    services.faults.clear()
    services.requests.clear()
    for replayed in range(2):
        with bench.web() as web:
            assert ask(web, services.url) == ROWS
            assert web.replayed == replayed
    assert len(services.requests) == 1


@pytest.mark.parametrize("name", PASSING)
def test_a_passing_fault_is_asked_again_and_leaves_no_trace(name: str, bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", name.split(maxsplit=1)[0], **PASSING[name])
    with bench.web(answer_seconds=0.2) as web:
        assert ask(web, services.url) == ROWS
    assert len(services.requests) == 2
    assert re.search(CAUSES[name], bench.log[0]), bench.log


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_does_not_pass_stops_the_fetch(name: str, bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", name.split(maxsplit=1)[0], times=-1, **PASSING[name])
    reason = _refused(bench, services)
    assert isinstance(reason, SourceError)
    assert re.search(CAUSES[name] + r".*\(3 tries\)", reason.cause), reason
    assert len(services.requests) == 3
    _heals(bench, services)


@pytest.mark.parametrize("name", LASTING)
def test_an_unfit_answer_is_refused_for_its_month_and_never_replayed(
    name: str, bench: Bench, services: FakeServices
) -> None:
    options, cause = LASTING[name]
    services.faults.add("/pypistats", name.split(maxsplit=1)[0], times=-1, **options)
    reason = _refused(bench, services)
    assert isinstance(reason, MonthRejected)
    assert reason.month == MONTH
    assert cause in reason.cause
    assert not bench.clock.slept
    _heals(bench, services)


def test_a_server_that_is_down_stops_the_fetch_until_it_is_up(bench: Bench, services: FakeServices) -> None:
    with services.down():
        reason = _refused(bench, services)
    assert isinstance(reason, SourceError)
    assert reason.cause == "the server refuses the connection (3 tries)"
    assert len(bench.clock.slept) == 2
    _heals(bench, services)


def test_an_unfit_answer_without_a_month_stops_the_fetch(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", "html_200")
    with bench.web() as web, pytest.raises(SourceError, match="2023-01 to 2023-06: answered text/html"):
        web.get(f"{services.url}{TORCH}", name="torch", read=rows_of)


def test_a_bug_in_a_reader_is_not_taken_for_a_fault_of_the_server(bench: Bench, services: FakeServices) -> None:
    def read(answer: Response) -> int:
        return int(answer.json(dict)["no such key"])

    with bench.web() as web, pytest.raises(KeyError):
        ask(web, services.url, read=read)
    assert len(services.requests) == 1
    _heals(bench, services)


def test_a_provider_sees_every_answer_before_the_status_is_judged(bench: Bench, services: FakeServices) -> None:
    def classify(answer: Response) -> None:
        if answer.status == 400:
            raise Transient(f"error {answer.json(dict)['error_id']}")

    services.faults.add("/pypistats", instead(400, '{"error_id":500}', "application/json"))
    with bench.web() as web:
        assert ask(web, services.url, classify=classify) == ROWS
    assert "error 500" in bench.log[0]


def test_a_reason_of_the_provider_passes_through(bench: Bench, services: FakeServices) -> None:
    own = MonthRejected("pypi pypistats", "too few days", "wait", month=date(2023, 1, 1))

    def read(_answer: Response) -> int:
        raise own

    with bench.web() as web, pytest.raises(MonthRejected, match="2023-01: too few days; wait"):
        ask(web, services.url, read=read)
    _heals(bench, services)


@pytest.mark.parametrize("fault", [Throttled("x", 901.0), Throttled("x", 33635.0)])
def test_a_wait_beyond_our_patience_stops_at_once_and_says_until_when(
    fault: Throttled, bench: Bench, services: FakeServices
) -> None:
    def read(_answer: Response) -> int:
        raise fault

    with bench.web() as web, pytest.raises(SourceError, match=r"run again after 2023-07-05 (12:16|21:21) UTC"):
        ask(web, services.url, read=read)
    assert not bench.clock.slept
    _heals(bench, services)
