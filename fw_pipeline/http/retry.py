"""Asking again: how often, and after what wait.

Nothing here sends anything.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from fw_pipeline.http.limits import Limits
from fw_pipeline.http.response_errors import Throttled, Transient

T = TypeVar("T")

_UNHURRIED = 4
"""A server that is too busy to say for how long gets this many times the usual wait."""

_LAGGARDS = wait_random_exponential(multiplier=1, max=1)
"""Added to a wait that the server named: never less than it asked for, and not everybody at the same instant."""


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
