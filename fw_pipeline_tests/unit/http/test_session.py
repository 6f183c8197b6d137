"""One fetch and its service: how many requests it may send, what it says of waits, and when it gives up."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fw_pipeline.errors import SourceError
from fw_pipeline.http import RateLimit
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench, ask


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_budget_ends_the_fetch_and_counts_repetitions(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", "error", times=-1)
    with bench.web(budget=2) as web, pytest.raises(SourceError, match="the budget of 2 requests is spent"):
        ask(web, services.url)
    assert len(services.requests) == 2


def test_a_pause_beyond_our_patience_stops_the_fetch(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web:
        web.hold(5000)
        with pytest.raises(SourceError, match=r"asked for a pause; run again after 2023-07-05 13:24 UTC"):
            ask(web, services.url)
    assert not services.requests


def test_a_long_wait_is_said_with_its_cause_and_its_end(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", "throttled", status=429, hint="seconds", seconds=30)
    services.faults.add("/pypistats", "error")
    with bench.web(rate=RateLimit(3.0), first_wait=0.1) as web:
        ask(web, services.url)
    [line] = bench.waits
    assert re.search(r": waits until \d\d:\d\d:\d\d UTC \(3[01] s\): HTTP 429 .*; try 2 of", line), "short ones are not"
