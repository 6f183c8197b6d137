"""One fetch's dealings with one host: its session, its turns, its budget, its patience, and how it gives up.

Nothing here keeps or reads an answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from typing import TypeVar

import requests

from fw_pipeline import locks
from fw_pipeline.contract import FetchContext
from fw_pipeline.errors import MonthRejected, PipelineError, SourceError
from fw_pipeline.http.limits import Limits
from fw_pipeline.http.rate_limit import Pace, Turns
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.response_errors import FAULTS, Fault, InvalidResponse, Throttled
from fw_pipeline.http.retry import patiently
from fw_pipeline.locks import WORTH_A_WORD
from fw_pipeline.months import Window
from fw_pipeline.text import one_line

T = TypeVar("T")

_KEPT = "what is done is kept and is not asked for again"


class Host:
    """A host that is asked politely: at a pace, within a budget, again after a fault, and not beyond our patience."""

    def __init__(
        self,
        fetch: FetchContext,
        *,
        pace: Pace,
        budget: int,
        label: str,
        limits: Limits,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
    ) -> None:
        """Prepare a session; nothing is sent yet. `clock` gives Unix seconds."""
        self._window: Window = fetch.window
        self._log, self._budget, self._label, self._clock, self._sleep = fetch.log, budget, label, clock, sleep
        self._waits, self._retry = fetch.waits, ""
        self.limits, self.redactor = limits, Redactor(fetch.secrets)
        self.turns = Turns(pace, clock=clock, sleep=sleep, patience=limits.patience, told=self._tell)
        self.session = polite_session(fetch.options.get("contact", ""))
        self.asked = 0

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and count the request that is made in it.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            SourceError: the budget is spent.
        """
        if self.asked >= self._budget:
            raise self.failed(f"the budget of {self._budget} requests is spent", f"run again to go on; {_KEPT}")
        with self.turns.turn():
            self.asked += 1
            yield

    def patiently(self, attempt: Callable[[], T], month: date | None) -> T:
        """Return what `attempt` returns, repeating it as far as that is polite.

        Raises:
            MonthRejected: an answer that was for `month` only is unfit.
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

    def say(self, line: str) -> None:
        """Write a line into the log of the fetch."""
        self._log(one_line(f"{self._label}: {self.redactor.text(line)}", 400))

    def _pause(self, seconds: float) -> None:
        self._tell(self._retry, seconds)
        self._sleep(seconds)

    def _tell(self, why: str, seconds: float) -> None:
        """Say a wait that takes long: on a terminal nothing else moves."""
        if seconds >= WORTH_A_WORD:
            said = locks.line(self._label, seconds, now=self._clock(), why=self.redactor.text(why))
            self._waits(one_line(said, 400))


def polite_session(contact: str) -> requests.Session:
    """Return a session that says who we are, takes no redirect and no password of its own accord."""
    session = _Session()
    session.auth = _as_given
    session.headers["User-Agent"] = _user_agent(contact)
    session.headers["Accept-Encoding"] = "gzip, deflate"
    return session


class _Session(requests.Session):
    """A session that never looks at a redirect: the library would read the whole body of one, however large."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the library's signature
        """Return nothing to go on with; redirects are judged and followed by `exchange.opened`."""
        return


def _as_given(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Leave the headers alone: without this, a .netrc file on the machine would replace our tokens."""
    return request


def _user_agent(contact: str) -> str:
    try:
        name = f"fw-pipeline/{version('fw-pipeline')}"
    except PackageNotFoundError:  # run from a checkout
        name = "fw-pipeline"
    said = contact.strip().encode("ascii", "replace").decode()
    return f"{name} (+{said})" if said else name
