"""What an answer can be other than good: to be waited for, to be tried again, or unfit.

These are signals between a reader of an answer and `fw_pipeline.http.client.Web`; no caller of `Web` ever sees one.
"""

from __future__ import annotations

import re


class Throttled(Exception):  # noqa: N818 - a signal, not a bug
    """The server asks to wait. It is asked again after `wait_seconds`, or after a guess where it did not say."""

    def __init__(self, cause: str, wait_seconds: float | None = None) -> None:
        """Keep what the server said, and how many seconds from now it wants peace."""
        super().__init__(cause)
        self.cause = cause
        self.wait_seconds = None if wait_seconds is None else max(0.0, wait_seconds)


class Transient(Exception):  # noqa: N818
    """The answer did not arrive whole, or the server is unwell: ask again."""

    def __init__(self, cause: str) -> None:
        """Keep the cause."""
        super().__init__(cause)
        self.cause = cause


class InvalidResponse(Exception):  # noqa: N818
    """The answer arrived, and must not be used. Asking again at once would not help."""

    def __init__(self, cause: str, remedy: str = "look at the kept evidence; the service may have changed") -> None:
        """Keep the cause and what a user can do."""
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


Fault = Throttled | Transient | InvalidResponse

FAULTS = (Throttled, Transient, InvalidResponse)


def seconds_in(text: str) -> int | None:
    """Return the seconds that a message asks to wait, such as `more requests available in 33635 seconds`."""
    found = re.search(r"\b(\d{1,7})\s*s(?:ec(?:ond)?s?)?\b", text, re.IGNORECASE | re.ASCII)
    return int(found[1]) if found else None
