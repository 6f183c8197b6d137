"""One answer of a server, and how its body is read strictly.

Nothing here asks for anything, and nothing knows what the body means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn, TypeVar

from fw_pipeline.contract import Evidence
from fw_pipeline.http.response_errors import InvalidResponse, Transient
from fw_pipeline.text import one_line

T = TypeVar("T")

_MOST_DIGITS = 400
"""Of a whole number: Python refuses a few thousand with an error of its own."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered: already kept as evidence, already unpacked, without our secrets."""

    request: str
    """The request in one canonical line: method, address, sorted parameters; no secrets."""
    status: int
    headers: Mapping[str, str]
    """By lower-case name. A replayed answer has only those that were kept (see `Web`)."""
    body: bytes = field(repr=False)
    evidence: Evidence
    """Where the body is kept; `answer.evidence.ref` goes into `Batch.evidence`."""
    served_at: datetime
    """When the server says that it answered (its own clock, UTC); ours where it does not say."""
    replayed: bool = False
    """Whether it was kept by an earlier, unfinished try. What it says of waits and quotas is then old."""

    @property
    def content_type(self) -> str:
        """The media type, lower case, without parameters; empty where it is not known."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

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
        """Return the body as JSON: a `dict` or a `list`.

        Raises:
            Transient: the body is empty or cut off.
            InvalidResponse: it is HTML or of another content type, not UTF-8, not JSON, has a key twice in one object,
                a number that is none (NaN, Infinity), or is of another type than `expect`.
        """
        kind = self.content_type
        if kind and "json" not in kind:
            raise InvalidResponse(f"answered {kind} instead of JSON: {self.first_words()}")
        if self.body.lstrip()[:1] == b"<":
            raise InvalidResponse(f"answered HTML instead of JSON: {self.first_words()}")
        value = strict_json(self.text())
        if not isinstance(value, expect):
            raise InvalidResponse(
                f"answered a JSON {type(value).__name__} instead of a {expect.__name__}: {self.first_words()}"
            )
        return value

    def seconds_until(self, moment: datetime) -> float:
        """Return the seconds from this answer to `moment`, by the server's clock; 0 where it has passed."""
        return max(0.0, (moment - self.served_at).total_seconds())


def strict_json(text: str) -> Any:
    """Parse JSON as its standard says, and refuse what Python would let pass.

    Raises:
        Transient: the text is empty or cut off.
        InvalidResponse: it is not JSON, has a key twice in one object, or a number that is none.
    """
    if not text.strip():
        raise Transient("the answer is empty")
    try:
        return json.loads(
            text, object_pairs_hook=_no_twins, parse_constant=_no_number, parse_float=_finite, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        cut_off = error.pos >= len(text.rstrip()) - len("false") or error.msg.startswith("Unterminated string")
        cause = f"{error.msg} at character {error.pos}"
    except RecursionError:
        cut_off, cause = False, "nested too deeply"
    if cut_off:
        raise Transient(f"the JSON is cut off after {len(text)} characters")
    raise InvalidResponse(f"the answer is not JSON: {cause}: {one_line(text, 80)}")


def next_link(answer: Answer) -> str | None:
    """Return the address marked `rel="next"` in the Link header, or None on the last page."""
    for part in re.split(r",\s*(?=<)", answer.headers.get("link", "")):
        found = re.match(r'\s*<([^>]*)>.*?;\s*rel="?next"?', part, re.IGNORECASE)
        if found:
            return found[1]
    return None


def http_date(text: str | None) -> datetime | None:
    """Return the moment that a header names, or None where it is not a date."""
    try:
        moment = parsedate_to_datetime(text or "")
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _no_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twin = next(name for name in names if names.count(name) > 1)
        raise InvalidResponse(f"the answer has the key {one_line(twin, 40)!r} twice in one object")
    return found


def _no_number(constant: str) -> NoReturn:
    raise InvalidResponse(f"the answer holds {constant}, which is not a number")


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise InvalidResponse(f"the answer holds a number of {len(digits):,} digits, which is no number that fits")
    return int(digits)


def _finite(digits: str) -> float:
    value = float(digits)
    if value in {float("inf"), float("-inf")}:
        raise InvalidResponse(f"the answer holds {one_line(digits, 40)}, which is no number that fits")
    return value
