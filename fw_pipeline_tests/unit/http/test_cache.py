"""What was kept: written before it is read, replayed by the next run, never replayed once it proved unfit."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.http import InvalidResponse, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.web_fetch import Bench, ask, rows_of

ROWS = 360
"""Both mirror series of 180 days."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_second_run_asks_only_for_what_the_first_could_not_get(bench: Bench, services: FakeServices) -> None:
    services.faults.add("/pypistats", "error", status=500, after=2, times=-1)
    packages = ("torch", "tensorflow", "keras", "jax")

    def all_rows() -> list[int]:
        with bench.web() as web:
            url = f"{services.url}/pypistats/packages"
            return [web.get(f"{url}/{name}/overall", name=name, read=rows_of) for name in packages]

    with pytest.raises(SourceError):
        all_rows()
    services.faults.clear()
    services.requests.clear()
    assert all_rows() == [ROWS] * 4
    assert [request.path.split("/")[3] for request in services.requests] == ["keras", "jax"]


def test_the_body_is_kept_before_it_is_read_and_rejected_when_reading_fails(
    bench: Bench, services: FakeServices
) -> None:
    seen: list[bytes] = []

    def read(answer: Response) -> int:
        seen.append(answer.evidence.read())
        raise InvalidResponse("field x is missing")

    with bench.web() as web, pytest.raises(MonthRejected, match="field x is missing"):
        ask(web, services.url, read=read)
    assert seen[0].startswith(b'{"data":[')
    assert any(body == seen[0] for body in bench.written().values())
    assert bench.journal()[-1]["cause"] == "field x is missing"


def test_a_kept_answer_that_is_no_longer_fit_is_asked_for_anew(bench: Bench, services: FakeServices) -> None:
    with bench.web() as web:
        ask(web, services.url)

    def read(answer: Response) -> str:
        if answer.replayed:
            raise InvalidResponse("an older version kept this")
        return "fresh"

    with bench.web() as web:
        assert ask(web, services.url, read=read) == "fresh"
        assert (web.asked, web.replayed) == (1, 0)


def test_an_accepted_status_is_read_and_replayed_with_its_status(bench: Bench, services: FakeServices) -> None:
    url = f"{services.url}/pypistats/packages/nobody/overall"
    for _ in range(2):
        with bench.web() as web:
            assert web.get(url, name="nobody", read=lambda it: it.status, statuses=(200, 404)) == 404
    assert len(services.requests) == 1
