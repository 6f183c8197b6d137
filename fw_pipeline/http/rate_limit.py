"""When the next request may go out: politeness of one process, or of every process on this machine.

Nothing here sends anything.
"""

from __future__ import annotations

import contextlib
import math
import os
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from filelock import Timeout

from fw_pipeline.errors import SourceError
from fw_pipeline.http.limits import option_number
from fw_pipeline.http.response_errors import Throttled
from fw_pipeline.locks import lock_held
from fw_pipeline.text import one_line

_PAUSE = "the service asked for a pause"
_PACE = "the pace at which this service may be asked"

_FAR = 3600.0
"""A stamp further ahead than this was written by a clock that was wrong, and is not believed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Least seconds from the end of one answer to the next request, one request at a time."""

    seconds: float = 0.0
    shared: Path | None = None
    """A file by which all processes of this machine keep the same pace; None: this process alone."""

    @classmethod
    def of_machine(cls, service: str, seconds: float) -> Pace:
        """Return a pace that every process of this machine keeps together, for a service that asks for it."""
        return cls(seconds, Path(tempfile.gettempdir()) / f"fw-pipeline-{service}.pace")

    def changed(self, options: Mapping[str, str]) -> Pace:
        """Return the pace with the seconds that the option `pace` names, for a mirror or a server of one's own."""
        return replace(self, seconds=option_number("pace", options["pace"])) if "pace" in options else self


class Turns:
    """Hands out turns at a pace. A turn is held while the answer is read."""

    def __init__(
        self,
        pace: Pace,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], None],
        patience: float,
        told: Callable[[str, float], None] = lambda _why, _seconds: None,
    ) -> None:
        """Start with a free turn. `clock` gives Unix seconds; `told` hears why a turn waits, and how many seconds."""
        self._pace, self._clock, self._sleep, self._patience, self._told = pace, clock, sleep, patience, told
        self._free_at, self._why = 0.0, _PACE
        self._mine = threading.Lock()

    def hold(self, seconds: float, why: str = "") -> None:
        """Let no turn begin for `seconds` from now: none of this process, and none of this machine at a shared pace."""
        moment = self._clock() + seconds
        if seconds > 0 and moment > self._free_at:
            self._free_at, self._why = moment, one_line(why) or _PAUSE
            _Stamp(self._pace.shared).write(self._free_at, self._why)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            SourceError: the file of the shared pace cannot be written.
        """
        with self._mine, self._machine() as stamp:
            said = stamp.read(self._clock() + max(_FAR, self._pace.seconds))
            self._await(*max((self._free_at, self._why), said))
            try:
                yield
            finally:
                moment = self._clock() + self._pace.seconds
                if moment > self._free_at:
                    self._free_at, self._why = moment, _PACE
                stamp.write(self._free_at, self._why)

    def _await(self, moment: float, why: str) -> None:
        wait = moment - self._clock()
        if wait > self._patience:
            raise Throttled(_PAUSE if why == _PAUSE else f"{_PAUSE}: {why}", wait)
        if wait > 0:
            self._told(why, wait)
            self._sleep(wait)

    @contextlib.contextmanager
    def _machine(self) -> Iterator[_Stamp]:
        if self._pace.shared is None:
            yield _Stamp(None)
            return
        path = self._pace.shared
        late = "another process of this machine holds the turn at this service"
        fault: Exception | None = None
        with contextlib.ExitStack() as held:
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                lock = path.with_name(f"{path.name}.lock")
                told = partial(self._told, late)
                held.enter_context(lock_held(lock, patience=self._patience, told=told, mode=0o666))
            except Timeout:
                fault = Throttled(late, self._patience + 1)
            except OSError as error:
                cause = f"cannot keep the pace that this machine shares, in {path.parent}: {error.strerror}"
                fault = SourceError(path.stem, cause, "allow writing there, or set TMPDIR to another folder")
            if fault is not None:
                raise fault
            yield _Stamp(path)


@dataclass(frozen=True, slots=True)
class _Stamp:
    """The file that says from when on anybody may ask, in Unix seconds, and why not before."""

    path: Path | None

    def read(self, latest: float) -> tuple[float, str]:
        if self.path is None:
            return 0.0, ""
        try:
            text, _, why = self.path.read_text(encoding="utf-8").strip().partition(" ")
            moment = float(text)
        except (OSError, ValueError):
            return 0.0, ""
        return (moment, one_line(why) or _PACE) if math.isfinite(moment) and moment <= latest else (0.0, "")

    def write(self, moment: float, why: str) -> None:
        if self.path is None:
            return
        create = 0 if self.path.exists() else os.O_CREAT  # another user's file in a sticky folder refuses O_CREAT
        handle = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | create, 0o666)
        with contextlib.suppress(PermissionError):
            os.fchmod(handle, 0o666)  # the pace is that of every user of this machine  # nosec B103
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{moment:.3f} {why}\n")
            stream.truncate()
