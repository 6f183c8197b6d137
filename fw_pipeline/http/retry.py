"""Asking again: how often, after what wait, and the bounds in time and size that every exchange has, with reasons.

Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from fw_pipeline.errors import PipelineError
from fw_pipeline.http.response_errors import Throttled, Transient

T = TypeVar("T")

_MIB = 2**20

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
    attempt: Callable[[], T], *, limits: Limits, sleep: Callable[[float], None], say: Callable[[str], None]
) -> T:
    """Return what `attempt` returns, repeating it while it raises `Transient` or `Throttled`.

    Waits are drawn at random below an exponentially growing bound (full jitter); a wait that the server named is kept.

    Raises:
        Throttled: the last try was throttled, or the server asks for a longer wait than our patience.
        Transient: the last try failed too.
    """
    usual = wait_random_exponential(multiplier=limits.first_wait, max=limits.longest_wait)
    busy = wait_random_exponential(multiplier=limits.first_wait * _UNHURRIED, max=limits.longest_wait)

    def wait(state: RetryCallState) -> float:
        fault = _fault(state)
        if not isinstance(fault, Throttled):
            return usual(state)
        return busy(state) if fault.wait_seconds is None else fault.wait_seconds + _LAGGARDS(state)

    def asks_too_much(state: RetryCallState) -> bool:
        fault = _fault(state)
        return isinstance(fault, Throttled) and (fault.wait_seconds or 0) > limits.patience

    def announce(state: RetryCallState) -> None:
        tries = f"try {state.attempt_number + 1} of {limits.tries}"
        say(f"{_fault(state)}; {tries} in {state.upcoming_sleep:.1f} seconds")

    retrying = Retrying(
        stop=lambda state: stop_after_attempt(limits.tries)(state) or asks_too_much(state),
        wait=wait,
        sleep=sleep,
        retry=retry_if_exception_type((Transient, Throttled)),
        before_sleep=announce,
        reraise=True,
    )
    return retrying(attempt)


def _fault(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome is not None else None
