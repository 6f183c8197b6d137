"""How long a fetch waits: as long as the server says, by the server's clock, and never longer than is useful."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.http import RateLimit
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench, ask


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_spent_window_holds_the_next_request_before_the_server_refuses_it(
    bench: Bench, services: FakeServices
) -> None:
    services.world.hub_quota = 1
    with bench.web() as web:
        web.get(f"{services.url}/huggingface/api/models", name="first", read=lambda it: it.status)
        assert not bench.clock.slept
        services.reset()
        web.get(f"{services.url}/huggingface/api/models?limit=1", name="next", read=lambda it: it.status)
    assert 295 <= sum(bench.clock.slept) <= 301
    assert [request.status for request in services.requests] == [200]


def test_a_reader_can_ask_for_a_pause(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web:
        ask(web, services.url, name="one", read=lambda _: web.hold(10))
        ask(web, services.url, name="two", params={"mirrors": "true"})
    assert bench.clock.slept == [10]


def test_requests_of_one_process_keep_their_distance(bench: Bench, services: FakeServices) -> None:
    with bench.web(rate=RateLimit(3.0)) as web:
        for number in range(3):
            ask(web, services.url, name=f"{number}", params={"period": number})
    assert bench.clock.slept == [3.0, 3.0]


def test_the_pace_of_a_mirror_can_be_set(bench: Bench, services: FakeServices) -> None:
    bench.options = {"pace": "0"}
    with bench.web(rate=RateLimit(3.0)) as web:
        for number in range(3):
            ask(web, services.url, name=f"{number}", params={"period": number})
    assert not bench.clock.slept
