"""When the next request may go out: politeness of one process, or of every process on this machine.

Nothing here sends anything.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from filelock import Timeout

from fw_pipeline.errors import SourceError
from fw_pipeline.http.response_errors import Throttled
from fw_pipeline.locks import lock_held
from fw_pipeline.text import one_line

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
                held.enter_context(lock_held(lock, patience=self.patience, told=told, mode=0o666))
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
