"""Waiting: for a moment or for a lock, with a word on what is waited for and until when where it takes long.

Nothing here knows who is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

WORTH_A_WORD = 5.0
"""Seconds: shorter waits pass before they are read."""

Tell = Callable[[str], None]
"""Takes one line on what is waited for."""


def silent(_: str) -> None:
    """Tell nobody."""


def line(what: str, seconds: float, *, now: float, why: str, at_most: bool = False) -> str:
    """Return the line that says who waits until when (UTC) and why; `now` is in Unix seconds."""
    until = datetime.fromtimestamp(now + seconds, UTC)
    waits = "waits at most until" if at_most else "waits until"
    return f"{what}: {waits} {until:%H:%M:%S} UTC ({seconds:,.0f} s): {why}"


@contextmanager
def lock_held(path: Path, *, patience: float, told: Callable[[float], None], mode: int = 0o644) -> Iterator[None]:
    """Hold a lock of all processes of this machine; `told` hears the longest wait in seconds, if there is one.

    Raises:
        Timeout: somebody else has held it for `patience` seconds.
        OSError: the file cannot be made.
    """
    lock = FileLock(path, mode=mode)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        told(patience)
        lock.acquire(timeout=patience)
    try:
        yield
    finally:
        lock.release()
