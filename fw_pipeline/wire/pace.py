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
from pathlib import Path

from filelock import FileLock, Timeout

from fw_pipeline.contract import SourceFailed
from fw_pipeline.wire.faults import Throttled
from fw_pipeline.wire.limits import option_number

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
        self, pace: Pace, *, clock: Callable[[], float], sleep: Callable[[float], None], patience: float
    ) -> None:
        """Start with a free turn. `clock` gives Unix seconds."""
        self._pace, self._clock, self._sleep, self._patience = pace, clock, sleep, patience
        self._free_at = 0.0
        self._mine = threading.Lock()

    def hold(self, seconds: float) -> None:
        """Let no turn begin for `seconds` from now: none of this process, and none of this machine at a shared pace."""
        self._free_at = max(self._free_at, self._clock() + seconds)
        if seconds > 0:
            _Stamp(self._pace.shared).write(self._free_at)

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn and keep it.

        Raises:
            Throttled: the turn would come later than our patience lasts.
            SourceFailed: the file of the shared pace cannot be written.
        """
        with self._mine, self._machine() as stamp:
            self._await(max(self._free_at, stamp.read(self._clock() + max(_FAR, self._pace.seconds))))
            try:
                yield
            finally:
                self._free_at = max(self._free_at, self._clock() + self._pace.seconds)
                stamp.write(self._free_at)

    def _await(self, moment: float) -> None:
        wait = moment - self._clock()
        if wait > self._patience:
            raise Throttled("the service asked for a pause", wait)
        if wait > 0:
            self._sleep(wait)

    @contextlib.contextmanager
    def _machine(self) -> Iterator[_Stamp]:
        if self._pace.shared is None:
            yield _Stamp(None)
            return
        path = self._pace.shared
        late = "another process of this machine holds the turn at this service"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path.with_name(f"{path.name}.lock"), timeout=self._patience, mode=0o666)
            lock.acquire()
        except Timeout:
            fault: Exception | None = Throttled(late, self._patience + 1)
        except OSError as error:
            cause = f"cannot keep the pace that this machine shares, in {path.parent}: {error.strerror}"
            fault = SourceFailed(path.stem, cause, "allow writing there, or set TMPDIR to another folder")
        else:
            fault = None
        if fault is not None:
            raise fault
        try:
            yield _Stamp(path)
        finally:
            lock.release()


@dataclass(frozen=True, slots=True)
class _Stamp:
    """The file that says from when on anybody may ask, in Unix seconds."""

    path: Path | None

    def read(self, latest: float) -> float:
        if self.path is None:
            return 0.0
        try:
            moment = float(self.path.read_text(encoding="ascii"))
        except (OSError, ValueError):
            return 0.0
        return moment if math.isfinite(moment) and moment <= latest else 0.0

    def write(self, moment: float) -> None:
        if self.path is None:
            return
        create = 0 if self.path.exists() else os.O_CREAT  # another user's file in a sticky folder refuses O_CREAT
        handle = os.open(self.path, os.O_WRONLY | os.O_NOFOLLOW | create, 0o666)
        with contextlib.suppress(PermissionError):
            os.fchmod(handle, 0o666)  # the pace is that of every user of this machine  # nosec B103
        with os.fdopen(handle, "w", encoding="ascii") as stream:
            stream.write(f"{moment:.3f}\n")
            stream.truncate()
