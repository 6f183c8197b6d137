"""What an HTTP status means where a provider has nothing better to say, and how long a server asks to wait.

Nothing here waits.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from http import HTTPStatus

from fw_pipeline.http.response import Answer, http_date
from fw_pipeline.http.response_errors import InvalidResponse, Throttled, Transient

_UNWELL = frozenset({408, 425, 500, 502, 504, *range(520, 531)})
_BUSY = frozenset({429, 503})
_CLOSED = frozenset({401, 403, 407})
_GONE = frozenset({301, 302, 303, 307, 308, 404, 410})
_ADDRESS = "check the address of this service in the settings; the service may have changed"
_EPOCH = 10**9
"""A reset written as a number beyond this is a moment in Unix seconds, not a span."""


def judge_status(answer: Answer, accepted: Collection[int]) -> None:
    """Let an accepted status pass.

    Raises:
        Throttled: 429 and 503, with the wait that the headers name.
        Transient: other statuses of a server that is unwell.
        InvalidResponse: every other status.
    """
    if answer.status in accepted:
        return
    words = answer.first_words()
    cause = f"HTTP {answer.status} {_phrase(answer.status)}" + (f": {words}" if words else "")
    if answer.status in _BUSY:
        raise Throttled(cause, asked_wait(answer))
    if answer.status in _UNWELL:
        raise Transient(cause)
    if answer.status in _CLOSED:
        raise InvalidResponse(cause, "check the key or token of this service, or go without one")
    if answer.status in _GONE:
        raise InvalidResponse(cause, _ADDRESS)
    raise InvalidResponse(cause)


def judge_type(answer: Answer, accepted: Collection[str]) -> None:
    """Let a content type pass that is among `accepted`, or any where none is named.

    Raises:
        InvalidResponse: the answer is of another type.
    """
    if accepted and answer.content_type and answer.content_type not in accepted:
        cause = f"answered {answer.content_type} instead of {next(iter(accepted))}: {answer.first_words()}"
        raise InvalidResponse(cause, _ADDRESS)


def judge_html(answer: Answer) -> None:
    """Refuse a page where a file was asked for.

    Raises:
        InvalidResponse: always.
    """
    cause = f"answered {answer.content_type or 'something'} instead of the file: {answer.first_words()}"
    raise InvalidResponse(cause, _ADDRESS)


def asked_wait(answer: Answer) -> float | None:
    """Return the seconds that the headers of an answer ask to wait, or None where they do not say.

    Read are `RateLimit` (when nothing remains), `Retry-After` in seconds or as a date, and the `...-Reset` headers. A
    date is measured against the server's own `Date`, so that a wrong clock on either side does no harm.
    """
    if (spent := spent_wait(answer)) is not None:
        return spent
    said = answer.headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}(\.\d+)?", said, re.ASCII):
        return float(said)
    if (moment := http_date(said)) is not None:
        return answer.seconds_until(moment)
    for name in ("ratelimit-reset", "x-ratelimit-reset"):
        reset = answer.headers.get(name, "").strip()
        if re.fullmatch(r"\d{1,10}(\.\d+)?", reset, re.ASCII):
            seconds = float(reset)
            return seconds if seconds < _EPOCH else max(0.0, seconds - answer.served_at.timestamp())
    return None


def spent_wait(answer: Answer) -> float | None:
    """Return the seconds until a quota opens again of which `RateLimit` says that nothing remains; else None.

    The form is `"api";r=0;t=293`, of the draft standard `RateLimit header fields for HTTP`.
    """
    said = answer.headers.get("ratelimit", "")
    remaining, opens = (re.search(rf"\b{letter}=(\d{{1,9}})\b", said, re.ASCII) for letter in "rt")
    if remaining is None or opens is None or int(remaining[1]) > 0:
        return None
    return int(opens[1]) + 1.0


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(unknown status)"
