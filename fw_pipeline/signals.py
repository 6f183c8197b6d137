"""Being stopped by a signal: which one it was is remembered, so that the command ends as shells expect.

Nothing here knows what is being stopped.
"""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

INTERRUPTED = "interrupted before it was done"
REMEDY = "nothing that came in is lost: run it again, and it resumes where it stopped"

CONTINUING = "its runs continue on the workers: see them in the UI, under Runs"


class RunsContinue(KeyboardInterrupt):
    """A command was stopped that only followed runs, which continue without it."""


@dataclass(frozen=True, slots=True)
class Signals:
    """The signals that have come since somebody began to listen."""

    _ear: socket.socket

    def last(self) -> signal.Signals:
        """Return the signal that came last; SIGINT where none was heard."""
        try:
            heard = self._ear.recv(4096)
        except BlockingIOError:
            heard = b""
        stops = [number for number in heard if number in (signal.SIGINT, signal.SIGTERM)]
        return signal.Signals(stops[-1]) if stops else signal.SIGINT


@contextmanager
def heard() -> Iterator[Signals]:
    """Let SIGTERM interrupt as Ctrl-C does, and note which of the two came.

    Dagster and DuckDB put handlers of their own in the place of Python's, and those forget the number; Python itself
    writes it to a socket, whoever handles it.
    """
    ear, mouth = socket.socketpair()
    with ear, mouth:
        ear.settimeout(0)
        mouth.settimeout(0)
        # a shell that starts us in the background ignores SIGINT
        before = {stop: signal.signal(stop, signal.default_int_handler) for stop in (signal.SIGINT, signal.SIGTERM)}
        told_before = signal.set_wakeup_fd(mouth.fileno(), warn_on_full_buffer=False)
        try:
            yield Signals(ear)
        finally:
            signal.set_wakeup_fd(told_before)
            for stop, handler in before.items():
                signal.signal(stop, handler)
