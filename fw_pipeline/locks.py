"""Locks and waiting: who may do what alone, whether a run is alive, and whose turn it is at a service.

`Locks` and `Pace` say what the rest of the program relies on. `FileLocks` keeps it among the processes of one machine;
`postgres_locks` keeps it among machines.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from filelock import FileLock, Timeout

from fw_pipeline.errors import PipelineError

WORTH_A_WORD = 5.0
"""Seconds: shorter waits pass before they are read."""

FAR = 3600.0
"""Seconds: a pace further ahead than this was noted by a clock that was wrong, and is not believed."""

Tell = Callable[[str], None]
"""Takes one line on what is waited for."""

StillHeld = Callable[[], None]
"""Raises `LockLost` once a lock is no longer ours; called before whatever others must not see half done."""


class Busy(Exception):  # noqa: N818 - no fault: somebody else is at work
    """Somebody else has held the lock for as long as our patience lasts."""


class LockLost(PipelineError):  # noqa: N818 - named after what happened to the lock
    """Where locks are held cannot be reached, or has let ours go: whoever works under one must stop."""


class Turn(Protocol):
    """A turn at a service, while it is held."""

    def wait(self) -> tuple[float, str]:
        """Return how many seconds to wait before asking, 0 or less for none, and why."""

    def begin(self, longest: float) -> None:
        """Note that a request is sent now, which ends within `longest` seconds.

        Raises:
            LockLost: the turn is no longer ours; nothing may be sent.
        """

    def end(self, seconds: float, why: str) -> None:
        """Note that the request has ended, and that nobody may ask for `seconds` from now."""


class Pace(Protocol):
    """The pace at which all who share it ask one service, one at a time."""

    @property
    def others(self) -> str:
        """Who else may hold the turn, for messages."""

    def turn(self, *, patience: float, told: Callable[[float], None]) -> AbstractContextManager[Turn]:
        """Hold the turn.

        Raises:
            Busy: others have held it for `patience` seconds.
            PipelineError: it cannot be known whose turn it is.
        """

    def hold(self, seconds: float, why: str) -> None:
        """Let no turn begin for `seconds` from now."""


class Locks(Protocol):
    """What one process at a time may do, by name, and which runs are alive."""

    def held(
        self, name: str, *, patience: float, told: Callable[[float], None], after: float = 0.0
    ) -> AbstractContextManager[StillHeld]:
        """Hold a lock.

        `told` hears once, `after` so many seconds, how long the wait may last yet.

        Raises:
            Busy: somebody else has held it for `patience` seconds.
            LockLost: where locks are held cannot be reached.
            OSError: the file of the lock cannot be made.
        """

    def alive(self, run_id: str) -> AbstractContextManager[None]:
        """Let everybody know that a run is at work. Raises as `held`."""

    def killed(self, at_work: Collection[str]) -> list[str]:
        """Return the runs that were alive and whose process is gone, each once. Raises as `held`.

        `at_work` are the runs that the history of whoever asks takes for being at work; others may have histories of
        their own.
        """

    def pace(self, service: str) -> Pace | None:
        """Return the pace that machines share at a service; None where each machine keeps its own."""


def silent(_: str) -> None:
    """Tell nobody."""


def always() -> None:
    """Find a lock still held: one that the operating system keeps is, as long as the process lives."""


def line(what: str, seconds: float, *, now: float, why: str, at_most: bool = False) -> str:
    """Return the line that says who waits until when (UTC) and why; `now` is in Unix seconds."""
    until = datetime.fromtimestamp(now + seconds, UTC)
    waits = "waits at most until" if at_most else "waits until"
    return f"{what}: {waits} {until:%H:%M:%S} UTC ({seconds:,.0f} s): {why}"


def acquire(take: Callable[[], bool], *, patience: float, told: Callable[[float], None], after: float = 0.0) -> None:
    """Try to take a lock until it is ours; `told` as for `Locks.held`.

    Raises:
        Busy: it was not to be had for `patience` seconds.
    """
    begun, silent_so_far = time.monotonic(), True
    while not take():
        waited = time.monotonic() - begun
        if waited > patience:
            raise Busy
        if silent_so_far and waited >= after:
            told(patience - waited)
            silent_so_far = False
        time.sleep(random.uniform(0.05, 0.4))  # noqa: S311 - jitter, not a secret


@dataclass(frozen=True, slots=True)
class FileLocks:
    """Locks among the processes of one machine: files, which the operating system frees when a process is killed."""

    folder: Path
    mode: int = 0o644

    @contextmanager
    def held(
        self, name: str, *, patience: float, told: Callable[[float], None], after: float = 0.0
    ) -> Iterator[StillHeld]:
        """Hold a lock; see `Locks.held`."""
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = FileLock(self.folder / f"{name}.lock", mode=self.mode)
        acquire(lambda: _taken(lock), patience=patience, told=told, after=after)
        try:
            yield always
        finally:
            lock.release()

    @contextmanager
    def alive(self, run_id: str) -> Iterator[None]:
        """Hold the lock of a run; see `Locks.alive`."""
        path = self.folder / "runs" / f"{run_id}.lock"
        made = path.with_suffix(".new")
        lock = FileLock(made)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            lock.acquire()
            made.rename(path)  # so that nobody finds a lock that is not held yet
        except OSError:
            lock.release()
            raise
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            lock.release()

    def killed(self, at_work: Collection[str]) -> list[str]:  # noqa: ARG002 - the folder has one history
        """Return the runs whose lock is free; see `Locks.killed`."""
        gone = []
        for path in sorted((self.folder / "runs").glob("*.lock")):
            try:
                with FileLock(path, timeout=0):
                    path.unlink()
            except Timeout:
                continue
            gone.append(path.stem)
        return gone

    def pace(self, service: str) -> None:
        """Return None: each machine keeps its own pace."""


def _taken(lock: FileLock) -> bool:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return False
    return True
