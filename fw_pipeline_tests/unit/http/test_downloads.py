"""Large files: bounded, resumed after a break, kept byte for byte, and refused when they are not the file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.contract import Evidence
from fw_pipeline.errors import SourceError
from fw_pipeline.http import HttpClient, InvalidResponse
from fw_pipeline_tests.support.fake_services import pwc
from fw_pipeline_tests.support.fake_services.faults import Answer, Fault, changed
from fw_pipeline_tests.support.fake_services.messages import Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench

LINKS = "/pwc/links-between-papers-and-code.parquet"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _whole(services: FakeServices) -> bytes:
    return pwc.archive_file("links-between-papers-and-code", "parquet", services.world.paper_count)


def _fetched(web: HttpClient, services: FakeServices) -> bytes:
    return web.download(f"{services.url}{LINKS}", name="links.parquet", read=lambda kept: kept.path.read_bytes())


def _ranges(services: FakeServices) -> list[str]:
    return [request.headers.get("range", "whole") for request in services.requests]


def test_a_file_is_kept_byte_for_byte_and_read_in_place(bench: Bench, services: FakeServices) -> None:
    def rows(kept: Evidence) -> tuple[str, int]:
        return kept.ref, pl.read_parquet(kept.path).height

    with bench.web() as web:
        ref, height = web.download(f"{services.url}{LINKS}", name="links.parquet", read=rows)
        assert web.head_of(f"{services.url}{LINKS}")["last-modified"] == "Wed, 05 Jul 2023 00:00:00 GMT"
    assert (bench.folder / ref).read_bytes() == _whole(services)
    assert height == len(pwc.link_rows(services.world.paper_count))
    assert not list((bench.folder / "scratch").iterdir())


def test_a_second_run_reads_the_kept_file(bench: Bench, services: FakeServices) -> None:
    for _ in range(2):
        with bench.web() as web:
            assert _fetched(web, services) == _whole(services)
    assert len(services.requests) == 1


@pytest.mark.parametrize("fault", ["short_body", "reset_mid_body"])
def test_a_broken_download_goes_on_where_it_ended(fault: str, bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", fault, after=0, times=1)
    services.faults.clear()
    services.faults.add("/pwc", _broken(fault, 5000))
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    first, again = _ranges(services)
    assert first == "whole"
    assert (
        again == "bytes=5000-" if fault == "short_body" else again in {"whole", *(f"bytes={n}-" for n in range(5001))}
    )


def _broken(fault: str, after: int) -> Fault:
    part = {"short_body": "cut_after", "reset_mid_body": "reset_after"}[fault]
    return lambda request, answer: replace(answer(request), **{part: after})  # type: ignore[arg-type]


def test_a_killed_run_leaves_its_part_to_the_next_one(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", _broken("short_body", 5000))
    with bench.web(tries=1) as web, pytest.raises(SourceError, match=r"the answer broke off \(1 try\)"):
        _fetched(web, services)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert _ranges(services) == ["whole", "bytes=5000-"]


def test_a_file_that_changed_meanwhile_is_fetched_anew(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", _broken("short_body", 5000))
    with bench.web(tries=1) as web, pytest.raises(SourceError):
        _fetched(web, services)
    services.world.paper_count = 500
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert [request.status for request in services.requests] == [200, 200]


def test_a_part_is_not_gone_on_with_when_nothing_tells_it_from_another_file(
    bench: Bench, services: FakeServices
) -> None:
    def nameless(request: Request, answer: Answer) -> Response:
        true = answer(request)
        return replace(true, headers={"Content-Type": "application/octet-stream"}, cut_after=5000)

    services.faults.add("/pwc", nameless)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert _ranges(services) == ["whole", "whole"]


def test_a_range_that_is_not_the_one_asked_for_is_not_glued_on(bench: Bench, services: FakeServices) -> None:
    def shifted(request: Request, answer: Answer) -> Response:
        return answer(replace(request, headers={**request.headers, "range": "bytes=6000-"}))

    services.faults.add("/pwc", _broken("short_body", 5000))
    services.faults.add("/pwc", shifted)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert "another part than was asked for" in bench.log[1]
    assert [request.status for request in services.requests] == [200, 206, 200]


def test_a_server_that_sends_less_than_the_rest_is_asked_for_more(bench: Bench, services: FakeServices) -> None:
    def little(request: Request, answer: Answer) -> Response:
        return answer(replace(request, headers={**request.headers, "range": "bytes=5000-5999"}))

    services.faults.add("/pwc", _broken("short_body", 5000))
    services.faults.add("/pwc", little)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert _ranges(services) == ["whole", "bytes=5000-", "bytes=6000-"]


def test_a_file_that_announces_itself_as_too_large_is_not_begun(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", changed(claimed_length=2**31, cut_after=20))
    with bench.web(download_bytes=2**20) as web, pytest.raises(SourceError, match="larger than 1048576 bytes"):
        _fetched(web, services)


@pytest.mark.parametrize("fault", ["huge_claimed", "huge_streamed"])
def test_a_file_beyond_the_cap_is_refused(fault: str, bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", fault)
    with bench.web(download_bytes=2**20) as web, pytest.raises(SourceError, match="larger than 1048576 bytes"):
        _fetched(web, services)
    assert sum(map(len, bench.written().values())) < 2**21


def test_a_page_instead_of_the_file_is_refused_and_kept_as_evidence(bench: Bench, services: FakeServices) -> None:
    with (
        bench.web() as web,
        pytest.raises(SourceError, match="answered text/html instead of the file: Trending Papers"),
    ):
        web.download(f"{services.url}/pwc/gone.parquet", name="gone.parquet", read=lambda kept: kept.ref)
    assert any(b"Trending Papers" in body for body in bench.written().values())


def test_a_page_is_never_replayed_as_the_file(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", "html_200")
    with bench.web() as web, pytest.raises(SourceError):
        _fetched(web, services)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)


@pytest.mark.parametrize(("hint", "slept"), [("seconds", 5), ("ratelimit", 6)])
def test_a_throttled_download_waits(hint: str, slept: int, bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", "throttled", hint=hint, seconds=5)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert slept <= sum(bench.clock.slept) <= slept + 1


def test_a_redirect_to_an_unknown_host_is_refused(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pwc", "redirect_elsewhere")
    with bench.web() as web, pytest.raises(SourceError, match="redirected to another site, localhost"):
        _fetched(web, services)


def test_a_file_that_is_not_what_it_should_be_is_asked_for_again_next_time(
    bench: Bench, services: FakeServices
) -> None:
    def unfit(_kept: Evidence) -> int:
        raise InvalidResponse("not a Parquet file", "check the address")

    with bench.web() as web, pytest.raises(SourceError, match="not a Parquet file; check the address"):
        web.download(f"{services.url}{LINKS}", name="links.parquet", read=unfit)
    with bench.web() as web:
        assert _fetched(web, services) == _whole(services)
    assert len(services.requests) == 2


def test_a_folder_that_cannot_be_written_is_named(bench: Bench, services: FakeServices) -> None:
    (bench.folder / "scratch").write_text("a file where the folder should be")
    with bench.web() as web, pytest.raises(SourceError, match="cannot write the part that has come"):
        _fetched(web, services)


def test_a_name_under_which_the_file_would_be_packed_is_a_mistake(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web, pytest.raises(ValueError, match=r"ends in one of"):
        web.download(f"{services.url}{LINKS}", name="links.bin", read=lambda kept: kept.ref)
