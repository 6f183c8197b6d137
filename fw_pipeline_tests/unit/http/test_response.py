"""What the status and the headers of a response mean: when to ask again, how long to wait, and that it is no answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from fw_pipeline.http import InvalidResponse, Response, Throttled, Transient

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)


def response(status: int = 200, body: bytes = b"{}", **headers: str) -> Response:
    return with_headers({name.replace("_", "-"): value for name, value in headers.items()}, status, body)


def with_headers(named: Mapping[str, str], status: int = 200, body: bytes = b"{}") -> Response:
    return Response("GET x", status, named, body, None, NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "kind", "says"),
    [
        (408, Transient, "HTTP 408 Request Timeout"),
        (500, Transient, "HTTP 500 Internal Server Error"),
        (522, Transient, "HTTP 522 (unknown status)"),
        (429, Throttled, "HTTP 429 Too Many Requests"),
        (503, Throttled, "HTTP 503 Service Unavailable"),
        (401, InvalidResponse, "HTTP 401 Unauthorized"),
        (404, InvalidResponse, "HTTP 404 Not Found"),
        (206, InvalidResponse, "HTTP 206 Partial Content"),
    ],
)
def test_a_status_that_is_no_answer_is_told_with_the_first_words(status: int, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as raised:
        response(status, b"<html><style>p {}</style><p>Come\n back</p>").check()
    assert str(raised.value).startswith(f"{says}: Come back")


def test_an_answer_of_another_kind_is_refused_and_one_that_names_none_is_not() -> None:
    response(206).check((200, 206), ("application/json",))
    response(content_type="Application/JSON; charset=utf-8").check(accept=("application/json",))
    with pytest.raises(InvalidResponse, match="answered text/html instead of application/json"):
        response(content_type="text/html").check(accept=("application/json",))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7.5"}, 7.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Mon, 02 Nov 2026 06:02:00 GMT"}, 120),
        ({"retry-after": "Mon, 02 Nov 2026 05:00:00 GMT"}, 0),
        ({"retry-after": "Mon, 02 Nov 2026 06:02:00 GMT", "date": "Mon, 02 Nov 2026 06:01:00 GMT"}, 60),
        ({"x-ratelimit-reset": "30"}, 30),
        ({"ratelimit-reset": str(int(NOW.timestamp()) + 90)}, 90),
        ({"ratelimit": '"api";r=0;t=293', "retry-after": "5"}, 294),
        ({"ratelimit": '"api";r=4;t=293', "retry-after": "5"}, 5),
    ],
)
def test_a_wait_is_what_the_server_asks_for_by_its_own_clock(headers: dict[str, str], seconds: float | None) -> None:
    with pytest.raises(Throttled) as raised:
        with_headers(headers, 429).check()
    assert raised.value.wait_seconds == seconds


def test_a_spent_quota_is_known_before_it_is_refused() -> None:
    assert response(ratelimit='"api";r=0;t=12').spent_wait() == 13
    assert response(ratelimit='"api";r=1;t=12').spent_wait() is None
    assert response().spent_wait() is None


def test_seconds_are_counted_from_when_the_server_says_that_it_answered() -> None:
    moment = NOW + timedelta(minutes=1)
    assert response().seconds_until(moment) == 60
    assert response(date="Mon, 02 Nov 2026 06:00:45 GMT").seconds_until(moment) == 15
    assert response(date="Mon, 02 Nov 2026 06:02:00 GMT").seconds_until(moment) == 0


def test_a_text_is_utf_8_with_or_without_its_mark() -> None:
    assert response(body=b"\xef\xbb\xbfa\xc3\xa4").text() == response(body=b"a\xc3\xa4").text() == "a\xe4"
    with pytest.raises(InvalidResponse, match="the answer is not UTF-8 at byte 1"):
        response(body=b"a\xff").text()


@pytest.mark.parametrize(
    ("body", "content_type", "kind", "says"),
    [
        (b"", "application/json", Transient, "the answer is empty"),
        (b'{"a": 1', "application/json", Transient, "the JSON is cut off after 7 characters"),
        (b"{}", "text/html", InvalidResponse, "answered text/html instead of JSON"),
        (b" <html>", "", InvalidResponse, "answered HTML instead of JSON"),
        (b"[]", "", InvalidResponse, "answered a JSON list instead of a dict"),
        (b'{"a": 1, "a": 2}', "", InvalidResponse, "has the key 'a' twice in one object"),
        (b'{"a": NaN}', "", InvalidResponse, "the answer holds NaN, which is not a number"),
        (b"{no answer at all}", "", InvalidResponse, "the answer is not JSON"),
    ],
)
def test_json_is_read_as_its_standard_says(body: bytes, content_type: str, kind: type[Exception], says: str) -> None:
    with pytest.raises(kind) as raised:
        response(body=body, content_type=content_type).json(dict)
    assert says in str(raised.value)
