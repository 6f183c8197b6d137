"""A clock that a test moves, under programs that believe it: libfaketime, loaded into them and into what they start.

The clock that counts on, for waits, is left alone, as it is when somebody sets the time of a machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

LIBRARY = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
"""Debian's package libfaketime, where it is installed."""

NEEDED = pytest.mark.skipif(LIBRARY is None, reason="libfaketime is not installed")

READ_AGAIN_AFTER = 1
"""Seconds after which a program looks whether the clock was moved."""

SLEEP = "import select, time\ntime.sleep = lambda seconds: select.select((), (), (), seconds) and None\n"
"""What every Python below runs first: libfaketime 0.9.10 shifts the moment until which Python sleeps, by mistake."""


class MovedClock:
    """A file says how far the clock is off; the programs that have `settings` in their environment obey it."""

    def __init__(self, folder: Path, now: datetime) -> None:
        """Set the clock to a moment."""
        self._first = folder / "first"
        self._first.mkdir()
        (self._first / "sitecustomize.py").write_text(SLEEP, encoding="ascii")
        self._file = folder / "clock"
        self.set(now)

    def set(self, now: datetime) -> None:
        """Move the clock to a moment, from where it goes on."""
        off = self._off = round((now - datetime.now(UTC)).total_seconds())
        aside = self._file.with_suffix(".new")
        aside.write_text(f"{off:+d}s\n", encoding="ascii")
        aside.replace(self._file)

    def now(self) -> datetime:
        """Return what it shows."""
        return datetime.now(UTC) + timedelta(seconds=self._off)

    @property
    def settings(self) -> Mapping[str, str]:
        """The environment of a program that shall believe this clock."""
        return {
            "LD_PRELOAD": str(LIBRARY),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_CACHE_DURATION": str(READ_AGAIN_AFTER),
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "PYTHONPATH": str(self._first),
        }
