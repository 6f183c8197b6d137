"""One fetch's dealings with one service: whose turn it is, how many requests may be sent, and how the fetch gives up.

A turn keeps the pace of this process, or of all who share it. Nothing here keeps or reads a response.
"""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import requests

from fw_pipeline import locks
from fw_pipeline.contract import FetchContext
from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.http.pace import PACE, FilePace
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.retry import FAULTS, Fault, InvalidResponse, Limits, Throttled, patiently
from fw_pipeline.http.transport import Request, opened
from fw_pipeline.locks import FAR, Busy, Pace, Turn
from fw_pipeline.text import one_line

T = TypeVar("T")

_KEPT = "what is done is kept and is not asked for again"

_PAUSE = "the service asked for a pause"


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Least seconds from the end of one response to the next request, one request at a time."""

    seconds: float = 0.0
    shared: Path | None = None
    """A file by which all processes of this machine keep the same rate; None: this process alone.

    Its name is that of the service wherever machines share a rate.
    """

    @classmethod
    def of_machine(cls, service: str, seconds: float) -> RateLimit:
        """Return a rate that every process of this machine keeps together, for a service that asks for it."""
        return cls(seconds, Path(tempfile.gettempdir()) / f"fw-pipeline-{service}.pace")


@dataclass(slots=True)
class RateLimiter:
    """Hands out turns within a rate. A turn is held while the response is read."""

    rate: RateLimit
    clock: Callable[[], float]
    """Gives Unix seconds."""
    sleep: Callable[[float], None]
    patience: float
    """The longest wait for a turn, in seconds."""
    told: Callable[[str, float], None] = lambda _why, _seconds: None
    """Hears why a turn waits, and how many seconds."""
    shared: Pace | None = None
    """Whose turn it is among all who share the rate; None: as the file of the rate says, if it names one."""
    longest: float = 0.0
    """Seconds within which any request ends whose response is no large file."""
    _free_at: float = 0.0
    _why: str = PACE
    _mine: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Share the rate by its file, unless told otherwise."""
        if self.shared is None and self.rate.shared is not None:
            self.shared = FilePace(self.rate.shared, self.clock, max(FAR, self.rate.seconds))

    def hold(self, seconds: float, why: str = "") -> None:
        """Let no turn begin for `seconds` from now: none of this process, and none of others at a shared rate."""
        moment = self.clock() + seconds
        if seconds > 0 and moment > self._free_at:
            self._free_at, self._why = moment, one_line(why) or _PAUSE
            if self.shared is not None:
                self.shared.hold(seconds, self._why)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            PipelineError: it cannot be known whose turn it is.
        """
        with self._mine, contextlib.nullcontext() if self.shared is None else self._turn_of_all(self.shared) as turn:
            wait, why = self._free_at - self.clock(), self._why
            if turn is not None:
                wait, why = max((wait, why), turn.wait())
            if wait > self.patience:
                raise Throttled(_PAUSE if why == _PAUSE else f"{_PAUSE}: {why}", wait)
            if wait > 0:
                self.told(why, wait)
                self.sleep(wait)
            if turn is not None:
                turn.begin(self.longest)
            try:
                yield
            finally:
                moment = self.clock() + self.rate.seconds
                if moment > self._free_at:
                    self._free_at, self._why = moment, PACE
                if turn is not None:
                    turn.end(self._free_at - self.clock(), self._why)

    @contextlib.contextmanager
    def _turn_of_all(self, shared: Pace) -> Iterator[Turn]:
        late = f"{shared.others} holds the turn at this service"
        with contextlib.ExitStack() as held:
            try:
                turn = held.enter_context(shared.turn(patience=self.patience, told=partial(self.told, late)))
            except Busy:
                raise Throttled(late, self.patience + 1) from None
            yield turn


@dataclass(slots=True)
class Session:
    """A service that is asked politely: within a rate and a budget, again after a fault, not beyond our patience."""

    fetch: FetchContext
    label: str
    """Subject of every error."""
    budget: int
    """How many requests may be sent in all, repetitions included."""
    limits: Limits
    redactor: Redactor
    limiter: RateLimiter
    connections: requests.Session
    asked: int = 0
    """Requests sent so far, repetitions included."""

    @contextlib.contextmanager
    def exchange(self, request: Request, *, sites: tuple[str, ...] = ()) -> Iterator[requests.Response]:
        """Wait for a turn, send a request within it, and yield the response with its body unread.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            Transient, InvalidResponse: nothing came, or a redirect to elsewhere.
            SourceError: the budget is spent.
            LockLost: the fetch may not go on.
        """
        if self.asked >= self.budget:
            raise self.failed(f"the budget of {self.budget} requests is spent", f"run again to resume; {_KEPT}")
        with self.limiter.turn():
            self.fetch.permitted()  # after the wait: what was ours may have been lost meanwhile
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
            return patiently(attempt, limits=self.limits, redactor=self.redactor, pause=self._pause)
        except FAULTS as fault:
            reason: PipelineError = self._reason(fault, month)
        except PipelineError as caught:
            cause, remedy = self.redactor.text(caught.cause), self.redactor.text(caught.remedy)
            reason = type(caught)(caught.subject, cause, remedy, month=caught.month)
        raise reason  # not inside the handlers: their exceptions may name addresses with keys

    def failed(self, cause: str, remedy: str, month: date | None = None) -> SourceError:
        """Return the error that ends the fetch."""
        return SourceError(self.label, cause, remedy, month=month or self.fetch.window)

    def say(self, line: str) -> None:
        """Write a line into the log of the fetch."""
        self.fetch.log(one_line(f"{self.label}: {self.redactor.text(line)}", 400))

    def _reason(self, fault: Fault, month: date | None) -> PipelineError:
        cause = one_line(self.redactor.text(fault.cause), 300)
        if isinstance(fault, InvalidResponse):
            remedy = self.redactor.text(fault.remedy)
            if month is not None:
                return MonthRejected(self.label, cause, remedy, month=month)
            return self.failed(cause, remedy)
        wait = fault.wait_seconds if isinstance(fault, Throttled) else None
        if wait is not None and wait > self.limits.patience:
            until = datetime.fromtimestamp(self.limiter.clock(), UTC) + timedelta(seconds=wait + 60)
            return self.failed(cause, f"run again after {until:%Y-%m-%d %H:%M} UTC; {_KEPT}", month)
        tries = f"{self.limits.tries} {'try' if self.limits.tries == 1 else 'tries'}"
        return self.failed(f"{cause} ({tries})", f"run again later; {_KEPT}", month)

    def _pause(self, line: str, seconds: float) -> None:
        self.say(line)
        self.limiter.told(line, seconds)
        self.limiter.sleep(seconds)


def tell_wait(
    why: str, seconds: float, *, fetch: FetchContext, label: str, redactor: Redactor, clock: Callable[[], float]
) -> None:
    """Say a wait that takes long: on a terminal nothing else moves."""
    if seconds >= locks.WORTH_A_WORD:
        said = locks.line(label, seconds, now=clock(), why=redactor.text(why))
        fetch.waits(one_line(said, 400))
