"""What an exchange can end in other than a good response: a wait, another try, or a response that must not be used.

`Throttled`, `Transient` and `InvalidResponse` are signals between a reader of a response and
`fw_pipeline.http.client.HttpClient`; no caller of it ever sees one. What the HTTP libraries raise becomes one of them.
"""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator

import requests
import urllib3

ADDRESS = "check the address of this service in the settings; the service may have moved"
"""What a user can do where the address is wrong."""

CHANGED = "check the address of this service in the settings; the service may have changed"
"""What a user can do where something else came than was asked for."""


class Throttled(Exception):  # noqa: N818 - a signal, not a bug
    """The server asks to wait. It is asked again after `wait_seconds`, or after a guess where it did not say."""

    def __init__(self, cause: str, wait_seconds: float | None = None) -> None:
        """Keep what the server said, and how many seconds from now it wants peace."""
        super().__init__(cause)
        self.cause = cause
        self.wait_seconds = None if wait_seconds is None else max(0.0, wait_seconds)


class Transient(Exception):  # noqa: N818
    """The response did not arrive whole, or the server is unwell: ask again."""

    def __init__(self, cause: str) -> None:
        """Keep the cause."""
        super().__init__(cause)
        self.cause = cause


class InvalidResponse(Exception):  # noqa: N818
    """The response arrived, and must not be used. Asking again at once would not help."""

    def __init__(self, cause: str, remedy: str = "look at the kept evidence; the service may have changed") -> None:
        """Keep the cause and what a user can do."""
        super().__init__(cause)
        self.cause = cause
        self.remedy = remedy


Fault = Throttled | Transient | InvalidResponse

FAULTS = (Throttled, Transient, InvalidResponse)

NETWORK_ERRORS = (
    *(requests.RequestException, urllib3.exceptions.HTTPError, http.client.HTTPException),
    *(OSError, UnicodeError),
)
"""What the HTTP libraries raise while a request is sent or a body is read."""

_CAUSES: tuple[tuple[tuple[type[BaseException], ...], str], ...] = (
    ((urllib3.exceptions.NameResolutionError,), "the name of the server cannot be resolved"),
    ((ConnectionRefusedError,), "the server refuses the connection"),
    ((requests.exceptions.ConnectTimeout,), "the server cannot be reached in time"),
    ((TimeoutError, urllib3.exceptions.TimeoutError, requests.exceptions.Timeout), "the server fell silent"),
    ((ConnectionResetError, BrokenPipeError), "the server broke the connection"),
    ((http.client.HTTPException, urllib3.exceptions.ProtocolError), "the answer broke off"),
)


def network_fault(error: BaseException) -> Fault:
    """Return the fault that an error of the HTTP libraries means. Its text holds no address, which may hold a key.

    Raise it outside the handler of the error, or the error's own text comes along as its context.
    """
    chain = [error]
    for outer in chain:  # grows meanwhile
        chain += (inner for inner in _inner(outer) if inner not in chain)
    texts = " ".join(str(e) for e in chain)
    if "CERTIFICATE_VERIFY_FAILED" in texts or "doesn't match" in texts:
        why = texts.partition("certificate verify failed: ")[2].partition(" (_ssl")[0] or "not the one of this host"
        return InvalidResponse(
            f"the certificate is not valid: {why}", "check the clock of this machine and the address"
        )
    if isinstance(error, requests.exceptions.InvalidHeader | UnicodeError):
        return InvalidResponse(
            "a header cannot be sent", "check the token and FW_CONTACT for characters that are not ASCII"
        )
    if isinstance(error, requests.exceptions.InvalidURL | requests.exceptions.MissingSchema | ValueError):
        return InvalidResponse("the address cannot be asked", ADDRESS)
    for kinds, cause in _CAUSES:
        if any(isinstance(e, kinds) for e in chain):
            return Transient(cause)
    return Transient(f"the connection failed ({type(chain[-1]).__name__})")


def seconds_in(text: str) -> int | None:
    """Return the seconds that a message asks to wait, such as `more requests available in 33635 seconds`."""
    found = re.search(r"\b(\d{1,7})\s*s(?:ec(?:ond)?s?)?\b", text, re.IGNORECASE | re.ASCII)
    return int(found[1]) if found else None


def _inner(error: BaseException) -> Iterator[BaseException]:
    named = (error.__cause__, error.__context__, getattr(error, "reason", None), *error.args)
    yield from (item for item in named if isinstance(item, BaseException))
