"""One fetch's dealings with one service: its connections, turns, budget and patience, and how it gives up.

Nothing here keeps or reads a response.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import requests

from fw_pipeline import locks
from fw_pipeline.contract import FetchContext
from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.http.rate_limit import RateLimit, RateLimiter
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.response_errors import FAULTS, Fault, InvalidResponse, Throttled
from fw_pipeline.http.retry import Limits, patiently
from fw_pipeline.http.transport import Request, opened, polite_session
from fw_pipeline.text import one_line

T = TypeVar("T")

_KEPT = "what is done is kept and is not asked for again"


class Session:
    """A service that is asked politely: within a rate and a budget, again after a fault, not beyond our patience."""

    def __init__(
        self,
        fetch: FetchContext,
        *,
        rate: RateLimit,
        budget: int,
        label: str,
        limits: Limits,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Prepare; nothing is sent yet. `clock` gives Unix seconds."""
        self._window, self._log, self._waits = fetch.window, fetch.log, fetch.waits
        self._budget, self._label, self._clock, self._sleep = budget, label, clock, sleep
        self._retry = ""
        self.limits, self.redactor = limits, Redactor(fetch.secrets)
        self.limiter = RateLimiter(rate, clock, sleep, limits.patience, self._tell)
        self.connections = polite_session(fetch.options.get("contact", ""))
        self.asked = 0
        """Requests sent so far, repetitions included."""

    @contextlib.contextmanager
    def exchange(self, request: Request, *, sites: tuple[str, ...] = ()) -> Iterator[requests.Response]:
        """Wait for a turn, send a request within it, and yield the response with its body unread.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            Transient, InvalidResponse: nothing came, or a redirect to elsewhere.
            SourceError: the budget is spent.
        """
        if self.asked >= self._budget:
            raise self.failed(f"the budget of {self._budget} requests is spent", f"run again to resume; {_KEPT}")
        with self.limiter.turn():
            self.asked += 1
            with opened(self.connections, request, self.limits, sites=sites) as response:
                yield response

    def patiently(self, attempt: Callable[[], T], month: date | None) -> T:
        """Return what `attempt` returns, repeating it as far as that is polite.

        Raises:
            MonthRejected: a response that was for `month` only is unfit.
            SourceError: it cannot go on.
        """
        try:
            with self.redactor.over_logs():
                return patiently(attempt, limits=self.limits, sleep=self._pause, say=self._retried)
        except FAULTS as fault:
            reason: PipelineError = self._reason(fault, month)
        except PipelineError as caught:
            cause, remedy = self.redactor.text(caught.cause), self.redactor.text(caught.remedy)
            reason = type(caught)(caught.subject, cause, remedy, month=caught.month)
        raise reason  # not inside the handlers: their exceptions may name addresses with keys

    def failed(self, cause: str, remedy: str, month: date | None = None) -> SourceError:
        """Return the error that ends the fetch."""
        return SourceError(self._label, cause, remedy, month=month or self._window)

    def say(self, line: str) -> None:
        """Write a line into the log of the fetch."""
        self._log(one_line(f"{self._label}: {self.redactor.text(line)}", 400))

    def _reason(self, fault: Fault, month: date | None) -> PipelineError:
        cause = one_line(self.redactor.text(fault.cause), 300)
        if isinstance(fault, InvalidResponse):
            remedy = self.redactor.text(fault.remedy)
            if month is not None:
                return MonthRejected(self._label, cause, remedy, month=month)
            return self.failed(cause, remedy)
        wait = fault.wait_seconds if isinstance(fault, Throttled) else None
        if wait is not None and wait > self.limits.patience:
            until = datetime.fromtimestamp(self._clock(), UTC) + timedelta(seconds=wait + 60)
            return self.failed(cause, f"run again after {until:%Y-%m-%d %H:%M} UTC; {_KEPT}", month)
        tries = f"{self.limits.tries} {'try' if self.limits.tries == 1 else 'tries'}"
        return self.failed(f"{cause} ({tries})", f"run again later; {_KEPT}", month)

    def _retried(self, line: str) -> None:
        self._retry = line
        self.say(line)

    def _pause(self, seconds: float) -> None:
        self._tell(self._retry, seconds)
        self._sleep(seconds)

    def _tell(self, why: str, seconds: float) -> None:
        """Say a wait that takes long: on a terminal nothing else moves."""
        if seconds >= locks.WORTH_A_WORD:
            said = locks.line(self._label, seconds, now=self._clock(), why=self.redactor.text(why))
            self._waits(one_line(said, 400))
