"""One fetch's dealings with one service: whose turn it is, how many requests may be sent, and how the fetch gives up.

A turn keeps the pace of this process, or of every process on this machine. Nothing here keeps or reads a response.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import TypeVar

import requests
from filelock import Timeout

from fw_pipeline import locks
from fw_pipeline.contract import FetchContext
from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.retry import FAULTS, Fault, InvalidResponse, Limits, Throttled, patiently
from fw_pipeline.http.transport import Request, opened
from fw_pipeline.text import one_line

T = TypeVar("T")

_KEPT = "what is done is kept and is not asked for again"

_PAUSE = "the service asked for a pause"
_PACE = "the pace at which this service may be asked"

_FAR = 3600.0
"""A stamp further ahead than this was written by a clock that was wrong, and is not believed."""


@dataclass(frozen=True, slots=True)
class RateLimit:
    """Least seconds from the end of one response to the next request, one request at a time."""

    seconds: float = 0.0
    shared: Path | None = None
    """A file by which all processes of this machine keep the same rate; None: this process alone."""

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
    _free_at: float = 0.0
    _why: str = _PACE
    _mine: threading.Lock = field(default_factory=threading.Lock)

    def hold(self, seconds: float, why: str = "") -> None:
        """Let no turn begin for `seconds` from now: none of this process, and none of this machine at a shared rate."""
        moment = self.clock() + seconds
        if seconds > 0 and moment > self._free_at:
            self._free_at, self._why = moment, one_line(why) or _PAUSE
            if self.rate.shared is not None:
                _write_stamp(self.rate.shared, self._free_at, self._why)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            SourceError: the file of the shared rate cannot be written.
        """
        shared = self.rate.shared
        with self._mine, contextlib.nullcontext() if shared is None else self._turn_of_machine(shared):
            free_at, why = self._free_at, self._why
            if shared is not None:
                free_at, why = max((free_at, why), _read_stamp(shared, self.clock() + max(_FAR, self.rate.seconds)))
            wait = free_at - self.clock()
            if wait > self.patience:
                raise Throttled(_PAUSE if why == _PAUSE else f"{_PAUSE}: {why}", wait)
            if wait > 0:
                self.told(why, wait)
                self.sleep(wait)
            try:
                yield
            finally:
                moment = self.clock() + self.rate.seconds
                if moment > self._free_at:
                    self._free_at, self._why = moment, _PACE
                if shared is not None:
                    _write_stamp(shared, self._free_at, self._why)

    @contextlib.contextmanager
    def _turn_of_machine(self, shared: Path) -> Iterator[None]:
        late = "another process of this machine holds the turn at this service"
        fault: Exception | None = None
        with contextlib.ExitStack() as held:
            try:
                shared.parent.mkdir(parents=True, exist_ok=True)
                lock = shared.with_name(f"{shared.name}.lock")
                told = partial(self.told, late)
                held.enter_context(locks.lock_held(lock, patience=self.patience, told=told, mode=0o666))
            except Timeout:
                fault = Throttled(late, self.patience + 1)
            except OSError as error:
                cause = f"cannot keep the pace that this machine shares, in {shared.parent}: {error.strerror}"
                fault = SourceError(shared.stem, cause, "allow writing there, or set TMPDIR to another folder")
            if fault is not None:
                raise fault
            yield


def _read_stamp(shared: Path, latest: float) -> tuple[float, str]:
    """Return from when on anybody may ask, in Unix seconds, and why not before; 0 where the file is not believed."""
    try:
        text, _, why = shared.read_text(encoding="utf-8").strip().partition(" ")
        moment = float(text)
    except (OSError, ValueError):
        return 0.0, ""
    return (moment, one_line(why) or _PACE) if math.isfinite(moment) and moment <= latest else (0.0, "")


def _write_stamp(shared: Path, moment: float, why: str) -> None:
    create = 0 if shared.exists() else os.O_CREAT  # another user's file in a sticky folder refuses O_CREAT
    handle = os.open(shared, os.O_WRONLY | os.O_NOFOLLOW | create, 0o666)
    with contextlib.suppress(PermissionError):
        os.fchmod(handle, 0o666)  # the rate is that of every user of this machine  # nosec B103
    with os.fdopen(handle, "w", encoding="utf-8") as stream:
        stream.write(f"{moment:.3f} {why}\n")
        stream.truncate()


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
        """
        if self.asked >= self.budget:
            raise self.failed(f"the budget of {self.budget} requests is spent", f"run again to resume; {_KEPT}")
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
