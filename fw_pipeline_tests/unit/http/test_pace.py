"""A rate that all processes of one machine keep together, and a file that is not believed."""

from __future__ import annotations

import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from fw_pipeline.errors import SourceError
from fw_pipeline.http import RateLimit
from fw_pipeline.http.session import RateLimiter
from fw_pipeline_tests.support.fake_services.faults import Answer as Answering
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import TORCH, Bench, Clock, ask


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_stamp_from_a_wrong_clock_is_not_believed(tmp_path: Path) -> None:
    path, clock = tmp_path / "x.pace", Clock()
    for stamp in (f"{clock.now + 10**6}", "nan", "", "junk\x00"):
        path.write_text(stamp)
        with RateLimiter(RateLimit(3.0, path), clock=clock, sleep=clock.sleep, patience=900).turn():
            pass
    assert not clock.slept


def test_a_pause_that_one_process_is_asked_for_holds_the_others_which_say_why(tmp_path: Path) -> None:
    clock, rate, told = Clock(), RateLimit(3.0, tmp_path / "x.pace"), list[tuple[str, float]]()

    def limiter() -> RateLimiter:
        return RateLimiter(rate, clock=clock, sleep=clock.sleep, patience=900, told=lambda *said: told.append(said))

    limiter().hold(600, "HTTP 200: Rate exceeded")  # of a process that was killed then
    with limiter().turn():
        assert sum(clock.slept) == pytest.approx(600, abs=0.01)
    [(why, seconds)] = told
    assert (why, round(seconds, 1)) == ("HTTP 200: Rate exceeded", 600.0)


_ASKER = """
import sys, pathlib, requests, time
from fw_pipeline.http.session import RateLimit, RateLimiter
limiter = RateLimiter(RateLimit(0.3, pathlib.Path(sys.argv[2])), clock=time.time, sleep=time.sleep, patience=60)
for number in range(3):
    with limiter.turn():
        requests.get(sys.argv[1], timeout=10)
"""


def test_processes_of_one_machine_take_turns(services: FakeServices, tmp_path: Path) -> None:
    def slowly(request: Request, answer: Answering) -> Response:
        time.sleep(0.1)
        return answer(request)

    services.faults.add("/pypistats", slowly, times=-1)
    asker = [sys.executable, "-c", _ASKER, f"{services.url}{TORCH}", f"{tmp_path / 'shared' / 'x.pace'}"]
    askers = [subprocess.Popen(asker, cwd=Path(__file__).parents[3]) for _ in range(2)]
    assert [it.wait(60) for it in askers] == [0, 0]
    assert len(services.requests) == 6
    for before, after in pairwise(sorted(services.requests, key=lambda it: it.at)):
        assert after.at - before.until >= 0.29


def test_a_shared_pace_that_cannot_be_kept_is_named(bench: Bench, services: FakeServices) -> None:
    (bench.folder / "file").write_text("")
    rate = RateLimit(3.0, bench.folder / "file" / "x.pace")
    with bench.web(rate=rate) as web, pytest.raises(SourceError, match="cannot keep the pace that this machine"):
        ask(web, services.url)
    assert not services.requests
