"""Exceptions of a ClickHouse server are found wherever it puts them; a result is whole, or it is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from types import MappingProxyType

import pytest

from fw_pipeline.http import InvalidResponse, Response, Throttled, Transient
from fw_pipeline.sources.clickhouse_http import refuse_exceptions, text_array
from fw_pipeline_tests.support.fake_services.clickhouse import engine
from fw_pipeline_tests.support.fake_services.world import World

QUOTA = (
    "Code: 201. DB::Exception: Quota for user `demo` for 3600s has been exceeded: queries = 61/60. "
    "Interval will end at {end}. Name of quota template: `demo`. (QUOTA_EXPIRED)"
)

MEMORY = "Code: 241. DB::Exception: Memory limit (for query) exceeded. (MEMORY_LIMIT_EXCEEDED)"


def answer(body: str, status: int = 500, served_at: datetime | None = None, **headers: str) -> Response:
    at = served_at or datetime.now(UTC)
    named: Mapping[str, str] = MappingProxyType({k.replace("_", "-"): v for k, v in headers.items()})
    return Response("POST x", status, named, body.encode(), None, at)  # type: ignore[arg-type]


def test_a_spent_quota_is_waited_for_until_the_time_it_names_by_the_clock_of_the_server() -> None:
    served = datetime(2026, 8, 26, 21, 1, 8, tzinfo=UTC)
    text = QUOTA.format(end="2026-08-26 21:11:08")
    for body in (text, f'{{"exception":"{text}"}}'):
        for status in (200, 201, 403, 429, 500, 503):
            with pytest.raises(Throttled) as caught:
                refuse_exceptions(answer(body, status, served))
            assert caught.value.wait_seconds == 600 + 45


def test_a_spent_quota_whose_time_cannot_be_read_is_waited_for_as_long_as_its_interval() -> None:
    for end in ("2026-99-99 21:11:08", "soon"):
        with pytest.raises(Throttled) as caught:
            refuse_exceptions(answer(QUOTA.format(end=end)))
        assert caught.value.wait_seconds == 3600
    with pytest.raises(Throttled) as caught:
        refuse_exceptions(answer("", 200, x_clickhouse_exception_code="201"))
    assert caught.value.wait_seconds is None


@pytest.mark.parametrize(
    ("body", "headers", "kind", "says"),
    [
        (MEMORY, {}, Transient, "241"),
        (f'{{"exception":"{MEMORY}"}}', {}, Transient, "241"),
        (f'{{"data":[],"rows":0}}\n{MEMORY}', {}, Transient, "241"),
        ('{"data":[],"rows":0}', {"x_clickhouse_exception_code": "159"}, Transient, "159"),
        ("Code: 202. DB::Exception: Too many simultaneous queries. (X)", {}, Throttled, "202"),
        (
            "Code: 60. DB::Exception: Table pypi.x does not exist. (UNKNOWN_TABLE)",
            {},
            InvalidResponse,
            "60: Table pypi.x",
        ),
        ("Code: 452. DB::Exception: Setting y should not be changed. (X)", {}, InvalidResponse, "452"),
        ("Code: 27. DB::ParsingException: Cannot parse input. (X)", {}, InvalidResponse, "27"),
        ("Code: 209. DB::NetException: Timeout exceeded. (SOCKET_TIMEOUT)", {}, Transient, "209"),
        ("who are you", {"x_clickhouse_exception_code": "516"}, InvalidResponse, "516: who are you"),
        ("", {"x_clickhouse_exception_code": "sixty"}, InvalidResponse, "sixty"),
    ],
)
def test_an_exception_is_found_wherever_the_server_puts_it(
    body: str, headers: dict[str, str], kind: type[Exception], says: str
) -> None:
    for status in (200, 404, 500):
        with pytest.raises(kind, match=re.escape(says)):
            refuse_exceptions(answer(body, status, None, **headers))


def test_a_result_without_an_exception_passes() -> None:
    refuse_exceptions(answer('{"data":[],"rows":0}', 200))
    refuse_exceptions(answer('{"data":[],"rows":0}', 200, None, x_clickhouse_exception_code="0"))


def test_a_name_with_a_quote_stays_one_text_of_the_array() -> None:
    names = ("a'b", "c\\d", "e,f", "torch")
    failure, body = engine().run(
        "SELECT arrayJoin({names:Array(String)}) AS name FORMAT TabSeparatedRaw",
        "TabSeparatedRaw",
        settings={},
        parameters={"names": text_array(names)},
        world=World(),
    )
    assert failure is None
    assert body.decode().splitlines() == list(names)
