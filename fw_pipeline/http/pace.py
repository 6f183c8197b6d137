"""The pace that all processes of one machine keep at a service: a file that says from when on anybody may ask."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from fw_pipeline.errors import SourceError
from fw_pipeline.locks import FAR, FileLocks
from fw_pipeline.text import one_line

PACE = "the pace at which this service may be asked"


@dataclass(frozen=True, slots=True)
class FilePace:
    """A pace in a file; see `locks.Pace`. It is its own turn: what there is to know is in the file."""

    file: Path
    clock: Callable[[], float]
    """Gives Unix seconds."""
    latest: float = FAR
    """How many seconds ahead a stamp is believed."""
    others: str = "another process of this machine"

    @contextlib.contextmanager
    def turn(self, *, patience: float, told: Callable[[float], None]) -> Iterator[FilePace]:
        """Hold the turn of this machine; see `locks.Pace.turn`."""
        with contextlib.ExitStack() as held:
            try:
                locks = FileLocks(self.file.parent, mode=0o666)
                held.enter_context(locks.held(self.file.name, patience=patience, told=told))
            except OSError as error:
                cause = f"cannot keep the pace that this machine shares, in {self.file.parent}: {error.strerror}"
                remedy = "allow writing there, or set TMPDIR to another folder"
                raise SourceError(self.file.stem, cause, remedy) from None
            yield self

    def wait(self) -> tuple[float, str]:
        """Return how many seconds to wait, and why; none where the file is not believed."""
        try:
            text, _, why = self.file.read_text(encoding="utf-8").strip().partition(" ")
            seconds = float(text) - self.clock()
        except (OSError, ValueError):
            return 0.0, ""
        return (seconds, one_line(why) or PACE) if math.isfinite(seconds) and seconds <= self.latest else (0.0, "")

    def begin(self, longest: float) -> None:
        """Note nothing: the operating system ends a killed process together with its request."""

    def end(self, seconds: float, why: str) -> None:
        """Write down from when on anybody may ask."""
        self.hold(seconds, why)

    def hold(self, seconds: float, why: str) -> None:
        """Write down that nobody may ask for so many seconds."""
        create = 0 if self.file.exists() else os.O_CREAT  # another user's file in a sticky folder refuses O_CREAT
        handle = os.open(self.file, os.O_WRONLY | os.O_NOFOLLOW | create, 0o666)
        with contextlib.suppress(PermissionError):
            os.fchmod(handle, 0o666)  # the rate is that of every user of this machine  # nosec B103
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(f"{self.clock() + seconds:.3f} {why}\n")
            stream.truncate()
