"""Locks, liveness and pace among machines: each process here is what a machine is there, and the server is real."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.http import RateLimit
from fw_pipeline.http.session import RateLimiter
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import choose
from fw_pipeline.locks import Busy, FileLocks, LockLost, StillHeld
from fw_pipeline.months import Window
from fw_pipeline.postgres_locks import PostgresLocks
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SOURCES
from fw_pipeline.warehouse import Warehouse
from fw_pipeline_tests.support.cluster_servers import (
    NEEDS_POSTGRES,
    PASSWORD,
    PostgresServer,
    free_port,
    postgres_server,
)
from fw_pipeline_tests.support.fake_services.faults import Answer as Answering
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import TORCH

ROOT = Path(__file__).parents[2]
LIMIT = RateLimit(0.5, Path("arxiv"))

pytestmark = [pytest.mark.long, NEEDS_POSTGRES]


@pytest.fixture(scope="module")
def running() -> Iterator[PostgresServer]:
    with postgres_server() as server:
        yield server


@pytest.fixture
def server(running: PostgresServer) -> PostgresServer:
    running.reset()
    return running


@pytest.fixture
def locks(server: PostgresServer) -> PostgresLocks:
    return PostgresLocks(server.address)


def hold(locks: PostgresLocks, name: str) -> AbstractContextManager[StillHeld]:
    return locks.held(name, patience=60, told=lambda _: None)


def process(code: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True)


def heard(one: subprocess.Popen[str], word: str) -> None:
    assert one.stdout is not None
    assert one.stdout.readline().strip() == word


def limiter(locks: PostgresLocks, *, longest: float = 60.0, patience: float = 60.0) -> RateLimiter:
    return RateLimiter(LIMIT, time.time, time.sleep, patience, shared=locks.pace("arxiv"), longest=longest)


# --- Locks


def test_one_holds_a_lock_at_a_time_and_who_waits_says_so_once(locks: PostgresLocks) -> None:
    told: list[float] = []
    with hold(locks, "writer") as still_held:
        with pytest.raises(Busy), locks.held("writer", patience=1.0, told=told.append):
            pass
        with hold(locks, "report"):
            still_held()
    assert [round(seconds) for seconds in told] == [1]
    with locks.held("writer", patience=0.0, told=told.append):
        pass
    assert len(told) == 1


_HOLDER = """
import sys, time
from fw_pipeline.postgres_locks import PostgresLocks
locks = PostgresLocks(sys.argv[1])
with locks.held("fetch-papers", patience=0, told=print), locks.alive("a-run"):
    print("held", flush=True)
    time.sleep(600)
"""


def test_a_killed_process_frees_its_lock_and_its_run_is_known_as_killed_once(
    server: PostgresServer, locks: PostgresLocks
) -> None:
    holder = process(_HOLDER, server.address)
    try:
        heard(holder, "held")
        with pytest.raises(Busy), locks.held("fetch-papers", patience=0, told=lambda _: None):
            pass
        assert locks.killed(["a-run"]) == []
    finally:
        holder.kill()
        holder.wait()
    with hold(locks, "fetch-papers"):
        pass
    assert locks.killed(["a run of another history"]) == []
    assert locks.killed(["a-run", "another"]) == ["a-run"]
    assert locks.killed(["a-run"]) == []


def test_a_run_that_was_stopped_before_it_had_its_lock_is_known_as_killed_after_a_while(
    server: PostgresServer, locks: PostgresLocks
) -> None:
    assert locks.killed(["a-run"]) == [], "it may be about to take it"
    with locks.alive("a-run"):
        assert locks.killed(["a-run"]) == []
    assert locks.killed(["another"]) == []
    server.ask("update fw_pipeline_runs set since = since - interval '2 minutes'")
    assert locks.killed([]) == []
    assert locks.killed(["another"]) == ["another"]
    assert locks.killed(["another"]) == []


def test_a_run_that_ends_is_not_taken_for_killed(locks: PostgresLocks) -> None:
    with locks.alive("a-run"):
        assert locks.killed(["a-run"]) == []
    assert locks.killed(["a-run"]) == []

    def fail() -> None:
        with locks.alive("a-run"):
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert locks.killed(["a-run"]) == []


def test_a_run_that_is_handed_out_twice_is_executed_once(locks: PostgresLocks) -> None:
    with locks.alive("a-run"):
        with pytest.raises(PipelineError, match="run a-run is at work in another process"), locks.alive("a-run"):
            pass
        assert locks.killed(["a-run"]) == []


def test_a_session_that_is_lost_does_not_go_on_as_if_it_held_the_lock(
    server: PostgresServer, locks: PostgresLocks
) -> None:
    with hold(locks, "writer") as still_held:
        still_held()
        assert server.end_sessions() == 1
        with pytest.raises(LockLost) as raised:
            still_held()
        with pytest.raises(LockLost):
            still_held()
        with hold(locks, "writer"):
            pass
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("PostgreSQL (FW_LOCKS): ")
    assert str(raised.value).endswith("; what is done is kept; see that it runs, then run again")


# --- What works under them


def settings(server: PostgresServer, data: Path) -> Settings:
    return read({"FW_DATA_DIR": str(data), "FW_LOCKS": server.address}, dotenv=Path("none"))


def test_a_fetch_that_lost_its_lock_writes_nothing_more_and_the_next_one_fills_the_months(
    server: PostgresServer, tmp_path: Path
) -> None:
    given, source, window = settings(server, tmp_path), SOURCES["pypi"], Window.of(date(2022, 1, 1), date(2022, 6, 1))

    def fetched(say: list[str], *, lose: bool) -> list[str]:
        def told(line: str) -> None:
            say.append(line)
            if lose and "recorded" in line:
                server.end_sessions()

        got = ingest(
            choose(source, given), window, given, run_id=f"{lose}", now=datetime(2026, 11, 2, tzinfo=UTC),
            log=say.append, done=lambda _: None, say=told,
        )  # fmt: skip
        return [str(failure) for failure in got.failures]

    (line,) = fetched([], lose=True)
    assert line.startswith("PostgreSQL (FW_LOCKS): ")
    assert VintageStore(tmp_path).vintages("pypi") == []
    assert fetched([], lose=False) == []
    assert len(VintageStore(tmp_path).vintages("pypi")) == 6
    assert not list((tmp_path / ".work").glob("*.lock"))


def test_a_build_that_lost_its_lock_commits_nothing_and_publishes_nothing(
    server: PostgresServer, locks: PostgresLocks, tmp_path: Path
) -> None:
    warehouse = Warehouse(tmp_path, locks=locks)
    with warehouse.publishing() as writer:
        writer.build("marts.one", "select 1 as n", description="", columns={})
    before = warehouse.published.read_bytes()

    def lose() -> None:
        with warehouse.publishing() as writer:
            writer.build("marts.two", "select 2 as n", description="", columns={})
            server.end_sessions()

    with pytest.raises(LockLost):
        lose()
    assert warehouse.published.read_bytes() == before
    with warehouse.writing() as writer:
        assert writer.has("marts.one")
        assert not writer.has("marts.two")


# --- Pace


_ASKER = """
import sys, pathlib, requests, time
from fw_pipeline.http import RateLimit
from fw_pipeline.http.session import RateLimiter
from fw_pipeline.postgres_locks import PostgresLocks
pace = PostgresLocks(sys.argv[2]).pace("arxiv")
skewed = lambda: time.time() + float(sys.argv[3])
limiter = RateLimiter(RateLimit(0.5, pathlib.Path("arxiv")), skewed, time.sleep, 60, shared=pace, longest=3)
for number in range(int(sys.argv[4])):
    with limiter.turn():
        print("asks", flush=True)
        requests.get(sys.argv[1], timeout=10)
"""


def slowly(request: Request, answer: Answering) -> Response:
    time.sleep(0.2)
    return answer(request)


def test_processes_take_turns_whatever_their_clocks_say_and_whoever_is_killed(
    server: PostgresServer, services: FakeServices
) -> None:
    services.faults.add("/pypistats", slowly, times=-1)
    address = f"{services.url}{TORCH}"
    askers = [process(_ASKER, address, server.address, skew, "3") for skew in ("0", "-86400", "86400")]
    doomed = process(_ASKER, address, server.address, "0", "1000")
    try:
        for _ in range(2):
            heard(doomed, "asks")
    finally:
        doomed.kill()
        doomed.wait()
    assert [it.wait(120) for it in askers] == [0, 0, 0]
    assert len(services.requests) >= 10
    for before, after in pairwise(sorted(services.requests, key=lambda it: it.at)):
        assert after.at - before.until >= 0.49


def test_a_turn_that_was_lost_in_the_middle_of_a_request_is_not_taken_before_that_must_have_ended(
    server: PostgresServer, locks: PostgresLocks
) -> None:
    said: list[tuple[str, float]] = []
    with limiter(locks, longest=4).turn():
        begun = time.monotonic()
        assert server.end_sessions() == 1
        other = limiter(locks)
        other.told = lambda *wait: said.append(wait)
        with other.turn():
            assert time.monotonic() - begun >= 3.5
    [(why, _)] = said
    assert why == "the last request did not report its end, and may not have ended yet"
    with limiter(locks).turn():  # what ended without a word to the server is no fault
        pass


def test_a_turn_that_is_lost_while_it_waits_is_no_turn(server: PostgresServer, locks: PostgresLocks) -> None:
    locks.pace("arxiv").hold(3, "a pause")
    waits = limiter(locks)

    def slept(_: float) -> None:
        server.end_sessions()

    waits.sleep = slept
    with pytest.raises(LockLost), waits.turn():
        pytest.fail("it asked")


def test_a_pause_that_one_machine_is_asked_for_holds_the_others_which_say_why(locks: PostgresLocks) -> None:
    said: list[tuple[str, float]] = []
    limiter(locks).hold(2, "HTTP 200: Rate exceeded")
    other = limiter(locks)
    other.told = lambda *wait: said.append(wait)
    with other.turn():
        pass
    [(why, seconds)] = said
    assert why == "HTTP 200: Rate exceeded"
    assert 1 < seconds <= 2


def test_a_stamp_from_a_wrong_clock_is_not_believed_and_is_mended(server: PostgresServer, locks: PostgresLocks) -> None:
    with limiter(locks).turn():
        pass
    server.ask("update fw_pipeline_pace set free_at = now() + interval '10 days'")
    with limiter(locks).turn():
        pass
    [(ahead,)] = server.ask("select extract(epoch from free_at - now())::float8 from fw_pipeline_pace")
    assert ahead < 1


def test_many_sessions_make_the_tables_at_once(server: PostgresServer, locks: PostgresLocks) -> None:
    def once(number: int) -> None:
        locks.pace(f"service-{number}").hold(0.1, "first")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(once, range(16))) == [None] * 16
    assert server.ask("select count(*) from fw_pipeline_pace") == [(16,)]


# --- A server that is away, and secrets


def test_a_server_that_is_away_and_comes_back_is_one_line_and_then_all_is_well(
    server: PostgresServer, locks: PostgresLocks
) -> None:
    with hold(locks, "writer") as still_held:
        server.stop()
        for call in (still_held, lambda: locks.killed([]), lambda: locks.pace("arxiv").hold(1, "x")):
            with pytest.raises(LockLost) as raised:
                call()
            assert "\n" not in str(raised.value)
        server.start()
        with pytest.raises(LockLost):
            still_held()
    with hold(locks, "writer") as still_held:
        still_held()


@pytest.mark.parametrize("wrong", ["password", "host", "port", "database"])
def test_the_password_is_in_no_message(server: PostgresServer, wrong: str) -> None:
    address = {
        "password": server.address.replace("rd%40123", "ng%40123"),
        "host": server.address.replace("127.0.0.1", "nowhere.invalid"),
        "port": server.address.replace(f":{server.port}/", f":{free_port()}/"),
        "database": f"{server.address}-of-others",
    }[wrong]
    locks = PostgresLocks(address)
    with pytest.raises(PipelineError) as raised, hold(locks, "writer"):
        pass
    shown = f"{raised.value!r} {raised.value} {locks!r} {raised.value.__cause__} {raised.value.__context__}"
    for secret in (PASSWORD, "pass:w", "pass%3Aw", "123"):
        assert secret not in shown.replace(f"{server.port}", "")


def test_without_the_setting_locks_are_files_of_this_machine(server: PostgresServer, tmp_path: Path) -> None:
    assert settings(server, tmp_path).locks == PostgresLocks(server.address)
    assert read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none")).locks == FileLocks(tmp_path / ".work")
