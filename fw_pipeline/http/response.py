"""One response of a server: its body read strictly, what its status and its headers mean, and where its next page is.

Nothing here asks for anything or waits, and nothing knows what the body means.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TypeVar
from urllib.parse import urlsplit

from pydantic import TypeAdapter, ValidationError

from fw_pipeline.contract import Evidence
from fw_pipeline.http.json_fields import strict_json, unfit
from fw_pipeline.http.retry import CHANGED, InvalidResponse, Throttled, Transient
from fw_pipeline.http.transport import followed, same_site
from fw_pipeline.text import one_line

T = TypeVar("T")

_UNWELL = frozenset({408, 425, 500, 502, 504, *range(520, 531)})
_BUSY = frozenset({429, 503})
_CLOSED = frozenset({401, 403, 407})
_GONE = frozenset({301, 302, 303, 307, 308, 404, 410})
_EPOCH = 10**9
"""A reset written as a number beyond this is a moment in Unix seconds, not a span."""


@dataclass(frozen=True, slots=True)
class Response:
    """What a server answered: already kept as evidence, already unpacked, without our secrets."""

    request: str
    """The request in one canonical line: method, address, sorted parameters; no secrets."""
    status: int
    headers: Mapping[str, str]
    """By lower-case name. A replayed response has only those that were kept (see `ResponseCache`)."""
    body: bytes = field(repr=False)
    evidence: Evidence
    """Where the body is kept; `response.evidence.ref` goes into `Batch.evidence`."""
    received_at: datetime
    """When it came (UTC), by our clock."""
    replayed: bool = False
    """Whether it was kept by an earlier, unfinished try. What it says of waits and quotas is then old."""

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters; empty where it is not known."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def served_at(self) -> datetime:
        """When the server says that it answered (its own clock, UTC); ours where it does not say."""
        return http_date(self.headers.get("date")) or self.received_at

    def first_words(self) -> str:
        """Return how the body begins, on one line, for a message."""
        start = self.body[:4000].decode("utf-8", "replace")
        return one_line(re.sub(r"<(style|script)\b.*?</\1>|<[^>]*>", " ", start, flags=re.DOTALL | re.IGNORECASE), 120)

    def text(self) -> str:
        """Return the body as text.

        Raises:
            InvalidResponse: it is not UTF-8.
        """
        try:
            return self.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            place = error.start
        raise InvalidResponse(f"the answer is not UTF-8 at byte {place}")

    def json(self, expect: type[T]) -> T:
        """Return the body as JSON: as a `dict`, a `list`, or the pydantic model of an object.

        Raises:
            Transient: the body is empty or cut off.
            InvalidResponse: it is HTML or of another content type, not UTF-8, not JSON, has a key twice in one object,
                a number that is none (NaN, Infinity), is of another type than `expect`, or has a field that `expect`
                does not accept.
        """
        kind = self.content_type
        if kind and "json" not in kind:
            raise InvalidResponse(f"answered {kind} instead of JSON: {self.first_words()}")
        if self.body.lstrip()[:1] == b"<":
            raise InvalidResponse(f"answered HTML instead of JSON: {self.first_words()}")
        value = strict_json(self.text())
        if not isinstance(value, list if expect is list else dict):
            wanted = "list" if expect is list else "dict"
            raise InvalidResponse(f"answered a JSON {type(value).__name__} instead of a {wanted}: {self.first_words()}")
        try:
            return TypeAdapter(expect).validate_python(value)
        except ValidationError as error:
            fault = unfit(error)
        raise fault

    def seconds_until(self, moment: datetime) -> float:
        """Return the seconds from this response to `moment`, by the server's clock; 0 where it has passed."""
        return max(0.0, (moment - self.served_at).total_seconds())

    def check(self, statuses: Collection[int] = (200,), accept: Collection[str] = ()) -> None:
        """Let a response pass that has one of some statuses, and one of some content types where any are named.

        Raises:
            Throttled: 429 and 503, with the wait that the headers name.
            Transient: other statuses of a server that is unwell.
            InvalidResponse: every other status, or another content type.
        """
        if self.status not in statuses:
            words = self.first_words()
            cause = f"HTTP {self.status} {_phrase(self.status)}" + (f": {words}" if words else "")
            if self.status in _BUSY:
                raise Throttled(cause, self._asked_wait())
            if self.status in _UNWELL:
                raise Transient(cause)
            if self.status in _CLOSED:
                raise InvalidResponse(cause, "check the key or token of this service, or go without one")
            raise InvalidResponse(cause, CHANGED) if self.status in _GONE else InvalidResponse(cause)
        if accept and self.content_type and self.content_type not in accept:
            cause = f"answered {self.content_type} instead of {next(iter(accept))}: {self.first_words()}"
            raise InvalidResponse(cause, CHANGED)

    def spent_wait(self) -> float | None:
        """Return the seconds until a quota opens again of which `RateLimit` says that nothing remains; else None.

        The form is `"api";r=0;t=293`, of the draft standard `RateLimit header fields for HTTP`.
        """
        said = self.headers.get("ratelimit", "")
        remaining, opens = (re.search(rf"\b{letter}=(\d{{1,9}})\b", said, re.ASCII) for letter in "rt")
        if remaining is None or opens is None or int(remaining[1]) > 0:
            return None
        return int(opens[1]) + 1.0

    def _asked_wait(self) -> float | None:
        """Return the seconds that the headers ask to wait, or None where they do not say.

        Read are `RateLimit` (when nothing remains), `Retry-After` in seconds or as a date, and the `...-Reset` headers.
        A date is measured against the server's own `Date`, so that a wrong clock on either side does no harm.
        """
        if (spent := self.spent_wait()) is not None:
            return spent
        said = self.headers.get("retry-after", "").strip()
        if re.fullmatch(r"\d{1,9}(\.\d+)?", said, re.ASCII):
            return float(said)
        if (moment := http_date(said)) is not None:
            return self.seconds_until(moment)
        for name in ("ratelimit-reset", "x-ratelimit-reset"):
            reset = self.headers.get(name, "").strip()
            if re.fullmatch(r"\d{1,10}(\.\d+)?", reset, re.ASCII):
                seconds = float(reset)
                return seconds if seconds < _EPOCH else max(0.0, seconds - self.served_at.timestamp())
        return None


def next_link(response: Response) -> str | None:
    """Return the address marked `rel="next"` in the Link header, or None on the last page."""
    for part in re.split(r",\s*(?=<)", response.headers.get("link", "")):
        found = re.match(r'\s*<([^>]*)>.*?;\s*rel="?next"?', part, re.IGNORECASE)
        if found:
            return found[1]
    return None


def next_page(url: str, named: str) -> str:
    """Return the address of the next page that the page at `url` names.

    Raises:
        InvalidResponse: it is no address, or lies on another site.
    """
    target = followed(url, named)
    if not same_site(url, target):
        raise InvalidResponse(f"the next page lies on another site, {urlsplit(target).hostname}")
    return target


def http_date(text: str | None) -> datetime | None:
    """Return the moment that a header names, or None where it is not a date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "(unknown status)"
