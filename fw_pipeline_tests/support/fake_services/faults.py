"""Faults that can be put before any service: each wraps the answering, and spoils what is asked or what is answered."""

from __future__ import annotations

import gzip
import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from email.utils import formatdate
from types import MappingProxyType
from typing import Any

from fw_pipeline_tests.support.fake_services.messages import Request, Response

Answer = Callable[[Request], Response]
Fault = Callable[[Request, Answer], Response]
"""Gets the request and the way to answer it truly; returns what is sent instead."""

_HTML = "<!doctype html><html><head><title>Sorry</title></head><body><h1>Please stand by</h1></body></html>"


def instead(
    status: int = 200, body: str | bytes = "", kind: str = "text/plain", headers: Mapping[str, str] | None = None
) -> Fault:
    """Answer something else."""
    raw = body.encode() if isinstance(body, str) else body
    return lambda _request, _answer: Response(status, {"Content-Type": kind, **(headers or {})}, raw)


def html_200() -> Fault:
    """Answer a page, with status 200."""
    return instead(200, _HTML, "text/html; charset=utf-8")


def error(status: int = 500) -> Fault:
    """Answer a status with a page, as gateways do."""
    return instead(status, _HTML, "text/html")


def throttled(status: int = 429, hint: str = "none", seconds: int = 1, skew: int = 0) -> Fault:
    """Answer 429 or 503 with a hint: `none`, `seconds`, `date` (its clock is `skew` seconds ahead) or `ratelimit`."""

    def fault(_request: Request, _answer: Answer) -> Response:
        now = time.time() + skew
        headers = {
            "none": {},
            "seconds": {"Retry-After": str(seconds)},
            "date": {"Date": formatdate(now, usegmt=True), "Retry-After": formatdate(now + seconds, usegmt=True)},
            "ratelimit": {
                "RateLimit": f'"api";r=0;t={seconds}',
                "RateLimit-Policy": '"fixed window";"api";q=500;w=300',
            },
        }[hint]
        return Response(status, {"Content-Type": "text/plain", **headers}, b"Too many requests")

    return fault


def changed(**parts: Any) -> Fault:
    """Answer truly, but with some parts of the response changed."""
    return lambda request, answer: replace(answer(request), **parts)


def reset_mid_body(after: int = 20) -> Fault:
    """Reset the connection within the body."""
    return changed(reset_after=after)


def short_body(after: int = 20) -> Fault:
    """Close the connection within the body, although more was announced."""
    return changed(cut_after=after)


def slow_drip(seconds: float = 0.05) -> Fault:
    """Send the body byte by byte, with a pause after each."""
    return changed(drip_seconds=seconds)


def late(seconds: float, until: threading.Event | None = None) -> Fault:
    """Answer truly, but only after some seconds, or as soon as something has happened."""
    come = until or threading.Event()

    def fault(request: Request, answer: Answer) -> Response:
        come.wait(seconds)
        return answer(request)

    return fault


def wrong_content_type(kind: str = "application/pdf") -> Fault:
    """Answer truly, under a wrong content type."""
    return lambda request, answer: _typed(answer(request), kind)


def truncated_gzip(less: int = 12) -> Fault:
    """Send a packed body whose end is missing, as if it were whole."""

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(request)
        packed = gzip.compress(true.body, mtime=0)[:-less]
        return replace(true, body=packed, headers={**true.headers, "Content-Encoding": "gzip"}, always_packed=False)

    return fault


def truncated_body(keep: float = 0.5) -> Fault:
    """Send a part of the body, as if it were whole."""
    return lambda request, answer: _cut(answer(request), keep)


def invalid_utf8() -> Fault:
    """Put a byte into the body that no UTF-8 text has."""

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(request)
        middle = true.body.find(b'"') + 1
        return replace(true, body=true.body[:middle] + b"\xff\xfe" + true.body[middle:])

    return fault


def appended(text: str) -> Fault:
    """Answer truly, with a text after the body."""
    return lambda request, answer: _appended(answer(request), text)


def replaced(old: str, new: str, most: int = -1) -> Fault:
    """Answer truly, with a text in the body replaced, at `most` so many times."""

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(request)
        return replace(true, body=true.body.replace(old.encode(), new.encode(), most))

    return fault


def redirect_elsewhere() -> Fault:
    """Redirect to a page on another host."""
    return lambda request, _answer: Response(
        302, {"Location": _root(request).replace("127.0.0.1", "localhost") + "/_page"}
    )


def redirect_to_page() -> Fault:
    """Redirect to a page on the same host."""
    return lambda request, _answer: Response(302, {"Location": _root(request) + "/_page"})


def redirect_loop() -> Fault:
    """Redirect to the same path."""
    return lambda request, _answer: Response(307, {"Location": request.base_url + request.path})


def huge_claimed(length: int = 2 * 2**30) -> Fault:
    """Announce a body of two gigabytes, and begin to send it."""
    return lambda request, answer: _typed(
        Response(200, answer(request).headers, stream=_endless(length), claimed_length=length), None
    )


def huge_streamed(length: int = 2 * 2**30) -> Fault:
    """Send a body of two gigabytes without announcing it."""
    return lambda request, answer: Response(200, answer(request).headers, stream=_endless(length))


def bomb(megabytes: int = 1024) -> Fault:
    """Send a small body that unpacks to a huge one."""

    def fault(request: Request, answer: Answer) -> Response:
        headers = {**answer(request).headers, "Content-Encoding": "gzip"}
        return Response(200, headers, _bomb(megabytes))

    return fault


def other_question(**query: str) -> Fault:
    """Answer another question than was asked: the same with some parameters changed."""

    def fault(request: Request, answer: Answer) -> Response:
        kept = tuple((name, value) for name, value in request.query if name not in query)
        return answer(replace(request, query=(*kept, *query.items())))

    return fault


KINDS: Mapping[str, Callable[..., Fault]] = MappingProxyType(
    {
        made.__name__: made
        for made in (
            *(instead, html_200, error, throttled, reset_mid_body, short_body, slow_drip, wrong_content_type),
            *(truncated_gzip, truncated_body, invalid_utf8, appended, replaced, redirect_elsewhere, redirect_to_page),
            *(redirect_loop, huge_claimed, huge_streamed, bomb, other_question),
        )
    }
)
"""Faults by name, as `POST /_faults` takes them."""


def _typed(response: Response, kind: str | None) -> Response:
    return response if kind is None else replace(response, headers={**response.headers, "Content-Type": kind})


def _cut(response: Response, keep: float) -> Response:
    return replace(response, body=response.body[: int(len(response.body) * keep)])


def _appended(response: Response, text: str) -> Response:
    return replace(response, body=response.body + text.encode())


def _root(request: Request) -> str:
    return request.base_url.rsplit("/", 1)[0]


def _endless(length: int) -> Iterator[bytes]:
    block = b'{"items":[' + b" " * 65526
    return itertools.repeat(block, length // len(block))


def _bomb(megabytes: int) -> bytes:
    member = gzip.compress(b" " * 2**20, mtime=0)
    return member * megabytes
