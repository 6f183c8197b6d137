"""What is sent: who asks, how often, in which words; and what cannot be sent is named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import HttpClient
from fw_pipeline_tests.support.fake_services.faults import changed
from fw_pipeline_tests.support.fake_services.messages import Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import TORCH, Bench, ask, rows_of


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


@pytest.mark.parametrize("encoding", ["br", "zstd"])
def test_a_packing_that_was_not_asked_for_is_refused(encoding: str, bench: Bench, services: FakeServices) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    services.faults.add("/pypistats", changed(headers=headers))
    with bench.web() as web, pytest.raises(MonthRejected, match=f"packed as {encoding}, which was not asked for"):
        ask(web, services.url)


def test_the_request_says_who_asks_and_takes_no_password_from_the_machine(
    bench: Bench, services: FakeServices, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", f"{netrc}")
    with bench.web() as web:
        ask(web, services.url, headers={"Authorization": "Bearer given"})
    headers = services.requests[0].headers
    assert re.fullmatch(r"fw-pipeline(/[\d.]+)? \(\+mail@example\.org\)", headers["user-agent"])
    assert headers["authorization"] == "Bearer given"


def test_a_posted_question_is_told_from_another_by_its_body(bench: Bench, services: FakeServices) -> None:
    def counted(web: HttpClient, sql: str) -> int:
        params = {"user": "demo"}
        url = f"{services.url}/clickpy/"
        return web.post(url, params=params, body=sql, name="sql", read=lambda it: int(it.text()))

    for sql, number, requests in (("SELECT 1", 1, 1), ("SELECT 2", 2, 2), ("SELECT 1", 1, 2)):
        with bench.web() as web:
            assert counted(web, sql) == number
        assert len(services.requests) == requests


def test_a_header_that_cannot_be_sent_is_named_without_its_value(bench: Bench, services: FakeServices) -> None:
    for value in ("Bearer tok\u20acn", "Bearer token\n"):
        with bench.web() as web, pytest.raises(MonthRejected, match="a header cannot be sent; check the token"):
            ask(web, services.url, headers={"Authorization": value})


@pytest.mark.parametrize("url", ["http://", "ftp://127.0.0.1/x", "127.0.0.1/x"])
def test_an_address_that_cannot_be_asked_is_refused(url: str, bench: Bench) -> None:
    with bench.web() as web, pytest.raises(SourceError, match="the address cannot be asked"):
        web.get(url, name="x", read=rows_of)


def test_a_name_that_does_not_resolve_is_tried_again(bench: Bench) -> None:
    with bench.web(tries=2) as web, pytest.raises(SourceError, match=r"cannot be resolved \(2 tries\)"):
        web.get("http://no-such-host.invalid/x", name="x", read=rows_of)


def test_a_content_type_that_was_not_asked_for_is_refused(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web, pytest.raises(MonthRejected, match="answered application/json instead of text/csv"):
        ask(web, services.url, accept=("text/csv",))
    assert services.requests[0].headers["accept"] == "text/csv"


def test_a_redirect_to_what_is_no_address_is_refused(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", lambda _request, _answer: Response(302, {"Location": "http://[::1"}))
    with bench.web() as web, pytest.raises(MonthRejected, match="names an address that cannot be read"):
        ask(web, services.url)


def test_another_port_is_another_site(bench: Bench, services: FakeServices) -> None:
    away = Response(302, {"Location": f"http://127.0.0.1:{services.port + 1}{TORCH}"})
    services.faults.add("/pypistats", lambda _request, _answer: away)
    with bench.web() as web, pytest.raises(MonthRejected, match=r"redirected to another site, 127\.0\.0\.1"):
        ask(web, services.url)


def test_the_body_of_a_redirect_is_not_read(bench: Bench, services: FakeServices) -> None:
    sent: list[int] = []

    def endless() -> Iterator[bytes]:
        for number in range(2**15):
            sent.append(number)
            yield b" " * 2**16

    target = {"Location": f"{services.url}{TORCH}"}
    services.faults.add("/pypistats", lambda _request, _answer: Response(307, target, stream=endless()))
    with bench.web() as web:
        assert ask(web, services.url) == 360
    assert len(sent) < 2**10


def test_a_body_that_announces_itself_as_too_large_is_not_begun(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", changed(claimed_length=2**31, cut_after=20))
    with bench.web() as web, pytest.raises(MonthRejected, match="larger than 4194304 bytes"):
        ask(web, services.url)
