"""What a process costs, and two or more ways of doing one thing measured in turn.

Nothing large is imported here: Linux counts what a process held before it became another program, so that a large
parent would show in the peak of every child.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from fw_pipeline_tests.support.command import environment

HERE = Path(__file__).parents[3]
"""The checkout."""

PATIENCE = 300.0
"""Seconds after which a process that is being measured is killed."""


class NotMeasured(Exception):  # noqa: N818 - it says what there is instead of a figure
    """A process failed: there is no figure, and the message says why."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one process cost, its children included."""

    wall: float
    """Seconds from its start to its end."""
    cpu: float
    """Seconds on processors, in the program and in the kernel."""
    peak: float
    """Most memory that it held at once, in 10^6 bytes."""


@dataclass(frozen=True, slots=True)
class Side:
    """One way of doing a thing: a command, run on a data folder of its own."""

    name: str
    command: tuple[str, ...]
    prepare: Callable[[Path], None] = lambda _: None
    """Makes the data folder what it must be; not measured."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Ways of doing one thing; the last is the yardstick of the others."""

    title: str
    sides: tuple[Side, ...]
    seconds: float
    """No further round is begun that would end later than this, by the length of the last one."""
    rounds: int = 3
    closing: Callable[[Mapping[str, Path]], list[str]] = lambda _: []
    """Given the last data folder of each side: what else there is to say."""


@dataclass
class Measured:
    """What came of a comparison."""

    comparison: Comparison
    costs: dict[str, list[Cost]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    def of(self, side: str, figure: str) -> float:
        """Return the median of `wall`, `cpu` or `peak` of one side."""
        return float(median(getattr(cost, figure) for cost in self.costs[side]))


def cost_of(command: Sequence[str], data: Path) -> Cost:
    """Run a command to its end on a data folder, in an environment without the caller's settings.

    Raises:
        NotMeasured: it failed, or took longer than `PATIENCE`.
    """
    with tempfile.TemporaryFile("w+", errors="replace") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=data.parent,
            env=environment(data, PYTHONPATH=str(HERE)),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        end = threading.Timer(PATIENCE, process.kill)
        end.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        finally:
            end.cancel()
        wall = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            said.seek(0)
            last = (said.read().strip().splitlines() or ["it said nothing"])[-1]
            raise NotMeasured(f"{' '.join(command[1:])} ended with status {process.returncode}: {last}")
    unit = 1 if sys.platform == "darwin" else 1024
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * unit / 1e6)


def measure(comparison: Comparison, room: Path) -> Measured:
    """Measure the sides in turn, A B A B, each time on a new data folder below `room`.

    Raises:
        NotMeasured: a side failed.
    """
    measured = Measured(comparison, {side.name: [] for side in comparison.sides})
    left: dict[str, Path] = {}
    began = time.monotonic()
    for number in _rounds(comparison):
        for index, side in enumerate(comparison.sides):
            if side.name in left:
                shutil.rmtree(left[side.name])
            left[side.name] = data = room / f"{number}-{index}"
            data.mkdir(parents=True)
            side.prepare(data)
            os.sync()  # nobody pays for what somebody else has left to write
            measured.costs[side.name].append(cost_of(side.command, data))
    measured.remarks = comparison.closing(left)
    taken = f"{time.monotonic() - began:.0f} s"
    rounds = f"{number} rounds, medians" if number > 1 else "one round only, as it took long: no median"
    measured.remarks.append(f"{rounds}; {taken} in all")
    shutil.rmtree(room)
    return measured


def _rounds(comparison: Comparison) -> Iterator[int]:
    began = time.monotonic()
    for number in range(1, comparison.rounds + 1):
        round_began = time.monotonic()
        yield number
        now = time.monotonic()
        if now - began + (now - round_began) > comparison.seconds:
            return
