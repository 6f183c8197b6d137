"""Asking again: the wait is what the server asks for, else it grows at random; and every bound can be set."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.errors import PipelineError, SourceError
from fw_pipeline.http import Limits, Throttled, seconds_in
from fw_pipeline.http import Response as Received
from fw_pipeline_tests.support.fake_services.faults import instead
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench, ask


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


WAITS = {"seconds": (30, 31), "date": (29, 31), "ratelimit": (31, 32), "none": (0, 60)}


@pytest.mark.parametrize("hint", WAITS)
@pytest.mark.parametrize("status", [429, 503])
def test_the_wait_is_what_the_server_asks_for(hint: str, status: int, bench: Bench, services: FakeServices) -> None:
    least, most = WAITS[hint]
    services.faults.add("/pypistats", "throttled", status=status, hint=hint, seconds=30)
    with bench.web() as web:
        ask(web, services.url)
    assert least <= sum(bench.clock.slept) <= most
    assert len(services.requests) == 2


@pytest.mark.parametrize("skew", [-86_400, 86_400])
def test_a_date_to_wait_for_is_read_by_the_clock_of_the_server(skew: int, bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", "throttled", hint="date", seconds=30, skew=skew)
    with bench.web() as web:
        ask(web, services.url)
    assert 29 <= sum(bench.clock.slept) <= 31


def test_seconds_named_in_a_text_are_obeyed(bench: Bench, services: FakeServices) -> None:
    def classify(answer: Received) -> None:
        if answer.status == 400:
            raise Throttled("the quota is spent", seconds_in(answer.text()))

    services.faults.add("/pypistats", instead(400, "more requests available in 40 seconds"))
    with bench.web() as web:
        ask(web, services.url, classify=classify)
    assert 40 <= sum(bench.clock.slept) <= 41


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("too many requests from this IP, more requests available in 33635 seconds", 33635),
        ("Please try again in 12s.", 12),
        ("quota for 3600s has been exceeded", 3600),
        ("Rate exceeded.", None),
        ("HTTP 503 from 10 servers", None),
    ],
)
def test_seconds_are_found_in_a_text_only_where_they_are_named(text: str, seconds: int | None) -> None:
    assert seconds_in(text) == seconds


def test_waits_grow_and_are_drawn_at_random_below_a_bound(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", "error", times=-1)
    with bench.web(tries=9, first_wait=1.0, longest_wait=20.0) as web, pytest.raises(SourceError, match="9 tries"):
        ask(web, services.url)
    bounds = [1, 2, 4, 8, 16, 20, 20, 20]
    assert all(0 <= wait <= bound for wait, bound in zip(bench.clock.slept, bounds, strict=True))
    assert len(set(bench.clock.slept)) == len(bounds)


@pytest.mark.parametrize(("name", "text"), [("pace", "fast"), ("pace", "-1"), ("tries", "inf"), ("patience", "nan")])
def test_an_impossible_option_is_named(name: str, text: str) -> None:
    with pytest.raises(PipelineError, match=f"option {name}: '{text}'"):
        Limits.of({name: text})


def test_options_change_the_limits() -> None:
    assert Limits.of({"tries": "2", "patience": "1.5", "url": "x"}) == Limits(tries=2, patience=1.5)
