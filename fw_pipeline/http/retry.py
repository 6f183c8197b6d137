"""How an exchange can fail, and when it is asked again: faults, waits, and the bounds that every exchange has.

`Throttled`, `Transient` and `InvalidResponse` are signals between a reader of a response and
`fw_pipeline.http.client.HttpClient`; no caller of it ever sees one. What the HTTP libraries raise becomes one of them.
Nothing here sends anything.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

import requests
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from fw_pipeline.errors import PipelineError
from fw_pipeline.http.redaction import Redactor

T = TypeVar("T")

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


_MIB = 2**20

LOGGERS = ("urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.response", "urllib3.util.retry")
"""Loggers of the HTTP libraries that write whole addresses."""

_UNHURRIED = 4
"""A server that is too busy to say for how long gets this many times the usual wait."""

_LAGGARDS = wait_random_exponential(multiplier=1, max=1)
"""Added to a wait that the server named: never less than it asked for, and not everybody at the same instant."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of what one provider's requests may cost. Seconds, bytes and counts."""

    connect_seconds: float = 10.0
    """To open a connection."""
    read_seconds: float = 60.0
    """Of silence within an answer: arXiv has been seen to take more than thirty before the first byte."""
    answer_seconds: float = 300.0
    """For one whole answer, however steadily it drips."""
    download_seconds: float = 4 * 3600.0
    """For one try at a large file; the next try resumes where it ended."""
    answer_bytes: int = 64 * _MIB
    """Of one answer, unpacked: ten times the largest page that any of the services gives."""
    download_bytes: int = 4096 * _MIB
    """Of one large file: more than twice the largest known one."""
    tries: int = 6
    """Of the same request, the first included."""
    first_wait: float = 1.0
    """Upper bound of the first wait; doubled for each further one, and drawn at random below it (full jitter)."""
    longest_wait: float = 60.0
    """Upper bound of a wait that the server did not ask for."""
    patience: float = 900.0
    """The longest wait that a server may ask for before the fetch stops and says when to run again."""
    redirects: int = 5
    """Within the same site."""
    pages: int = 10_000
    """Of one listing."""
    pace: float | None = None
    """Least seconds between requests, for a mirror or a server of one's own; None: those of the provider."""

    @property
    def longest(self) -> float:
        """Seconds within which a request ends whose answer is no large file, redirects included."""
        return (self.redirects + 1) * (self.connect_seconds + self.read_seconds) + self.answer_seconds

    @classmethod
    def of(cls, options: Mapping[str, str]) -> Limits:
        """Return the bounds with those changed that a provider's options name, for example `tries` or `patience`.

        Raises:
            PipelineError: an option is not a number, or is negative or endless.
        """
        given: dict[str, float] = {}
        for bound in fields(cls):
            if (text := options.get(bound.name)) is None:
                continue
            try:
                number = float(text)
            except ValueError:
                number = -1.0
            if not 0 <= number < float("inf"):
                cause = f"{text!r} is not a number that fits"
                raise PipelineError(f"option {bound.name}", cause, "write a number from 0 on")
            given[bound.name] = int(number) if bound.type == "int" else number
        return cls(**given)  # type: ignore[arg-type]


def patiently(
    attempt: Callable[[], T], *, limits: Limits, redactor: Redactor, pause: Callable[[str, float], None]
) -> T:
    """Return what `attempt` returns, repeating it while it raises `Transient` or `Throttled`.

    Waits are drawn at random below an exponentially growing bound (full jitter); a wait that the server named is kept.
    `pause` hears why, and waits so many seconds. `redactor` hides the secrets in what the HTTP libraries log meanwhile.

    Raises:
        Throttled: the last try was throttled, or the server asks for a longer wait than our patience.
        Transient: the last try failed too.
    """

    def passes(fault: BaseException) -> bool:
        if isinstance(fault, Throttled):
            return (fault.wait_seconds or 0) <= limits.patience
        return isinstance(fault, Transient)

    def wait(state: RetryCallState) -> float:
        fault = _fault(state)
        if isinstance(fault, Throttled) and fault.wait_seconds is not None:
            return fault.wait_seconds + _LAGGARDS(state)
        bound = limits.first_wait * (_UNHURRIED if isinstance(fault, Throttled) else 1)
        return wait_random_exponential(multiplier=bound, max=limits.longest_wait)(state)

    def paused(state: RetryCallState) -> None:
        tries = f"try {state.attempt_number + 1} of {limits.tries}"
        pause(f"{_fault(state)}; {tries} in {state.upcoming_sleep:.1f} seconds", state.upcoming_sleep)

    stop, retry = stop_after_attempt(limits.tries), retry_if_exception(passes)
    retrying = Retrying(stop=stop, wait=wait, retry=retry, before_sleep=paused, sleep=lambda _: None, reraise=True)
    with contextlib.ExitStack() as hidden:
        for logger in map(logging.getLogger, LOGGERS if redactor.values else ()):
            logger.addFilter(redactor)
            hidden.callback(logger.removeFilter, redactor)
        return retrying(attempt)


def _fault(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
