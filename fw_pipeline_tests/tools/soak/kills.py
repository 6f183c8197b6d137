"""Kills (SIGKILL) of a run at random moments, spread over its stages: nothing is lost, and the next run completes.

A series begins with an empty data folder and kills one run after the other on it, each going on where the last one was
killed; then a run is left alone, and its published file is compared with that of a run that nobody ever killed.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from fw_pipeline_tests.tools.benchmarks.sameness import differing
from fw_pipeline_tests.tools.soak import inspection
from fw_pipeline_tests.tools.soak.forked import Say, forked, tell, told
from fw_pipeline_tests.tools.soak.small_run import SmallRun, recorded_figures
from fw_pipeline_tests.tools.soak.tally import Tally

SECONDS = 3600.0
KILLS = 200

PUBLISH = "publish"
STAGES = ("fetch", "vintage write", "load", "build and check", PUBLISH)

SERIES = {"fetch": 3, "vintage write": 5, "load": 4, "build and check": 3, "publish": 5}
"""How many kills of one series are aimed at each stage, in this order."""

STEPS = {"fetch": 8, "vintage write": 4, "load": 4, "build and check": 60, "publish": 5}
"""The step after which to kill is one of the first so many of its stage."""

LONGEST = {"fetch": 0.05, "vintage write": 0.004, "load": 0.06, "build and check": 0.1, "publish": 0.02}
"""The kill comes up to so many seconds after that step."""


class Stages:
    """Tells the stage of a run from what it says."""

    def __init__(self) -> None:
        """Begin before the fetch."""
        self.now = "start"
        self._progress = ""

    def of(self, step: str) -> str:
        """Return the stage that a step begins or belongs to."""
        kind, _, what = step.partition(" ")
        if kind in {"say", "fetch", "build", "check", "publish"}:
            self._progress = kind
        if kind == "open" and what.startswith("raw/"):
            self.now = "vintage write"
        elif kind in {"say", "fetch"} or what.startswith("evidence/"):
            self.now = "fetch"
        elif step == "open .work/writer.lock":
            self.now = "load" if self._progress in {"say", "fetch"} else "build and check"
        elif kind in {"build", "check"}:
            self.now = "build and check"
        elif ".publishing-" in what:
            self.now = "publish"
        elif kind == "publish":
            self.now = "after publish"
        return self.now


def step_of(stage: str, number: int) -> Callable[[str], bool]:
    """Return what is true from one step of a stage on."""
    stages, left = Stages(), number

    def reached(step: str) -> bool:
        nonlocal left
        left -= stages.of(step) == stage
        return left <= 0

    return reached


@dataclass(slots=True)
class Killing:
    """The kills so far, on data folders below one room."""

    room: Path
    chance: random.Random
    run: SmallRun = field(default_factory=SmallRun)
    fell: Counter[str] = field(default_factory=Counter)
    """Kills by the stage in which they fell."""
    survived: int = 0
    failures: list[str] = field(default_factory=list)

    def work(self, data: Path, only: str = "") -> Callable[[Say], None]:
        """Return the run to be forked."""

        def work(say: Say) -> None:
            os.environ["TMPDIR"] = tempfile.tempdir = str(self.scratch)
            os.chdir(self.scratch)
            ran = self.run(data, home=self.home, progress=lambda kind, what: say(f"{kind} {what}"), only=only)
            if not ran.succeeded:
                raise RuntimeError("; ".join(ran.failures))

        return work

    @property
    def scratch(self) -> Path:
        """The working and temporary folder of every run."""
        return self.room / "scratch"

    @property
    def home(self) -> Path:
        """Dagster's home, one for all: its history lives through every kill."""
        return self.room / "dagster"

    def begin(self) -> None:
        """Leave a run alone on a folder of its own, to compare with."""
        self.scratch.mkdir()
        self.home.mkdir()
        self.complete(self.fresh("unkilled"), compare=False)

    def fresh(self, name: str) -> Path:
        """Return a new data folder."""
        recorded_figures(self.room / name)
        return self.room / name

    def kill(self, data: Path, stage: str, *, exactly: bool = False) -> None:
        """Kill a run on a data folder, unless it ends before, and see what holds.

        A random moment after the step may fall into another stage; `exactly` the step itself does not.
        """
        before, only = inspection.write_once(data), PUBLISH if stage == PUBLISH else ""
        reached = step_of(stage, self.chance.randint(1, STEPS[stage]))
        if exactly:
            ended = forked(self.work(data, only), root=data, last=reached)
        else:
            after = self.chance.uniform(0.0, LONGEST[stage])
            ended = forked(self.work(data, only), root=data, kill=lambda step: after if reached(step) else None)
        if ended.error:
            self.failures.append(f"a run failed by itself: {ended.error}")
        if not ended.killed:
            return
        stages = Stages()
        for step in ended.steps:
            stages.of(step)
        self.fell[stages.now] += 1
        found = self.inspect(data, before)
        self.survived += not found
        self.failures += [f"killed in {stages.now}, after {ended.stage!r}: {fault}" for fault in found]

    def inspect(self, data: Path, before: inspection.Contents) -> list[str]:
        """Return what does not hold of a data folder; in a child, because what it opens must not be forked."""

        def work(say: Say) -> None:
            whole = inspection.months(self.room / "unkilled")
            tell(say, inspection.faults(data, before, whole))

        return told(forked(work, root=self.room / "nowhere"))

    def complete(self, data: Path, *, only: str = "", compare: bool = True) -> None:
        """Leave the next run alone, and see that it leaves what a run leaves that nobody ever killed."""
        before = inspection.write_once(data)
        ended = forked(self.work(data, only), root=data)
        found = [f"the next run failed: {ended.error}"] if ended.error else self.inspect(data, before)
        found += [f"left behind: {path}" for path in inspection.leftovers(data, self.scratch)]
        found += inspection.history_faults(self.home)
        if compare and not found:

            def work(say: Say) -> None:
                files = [str(folder / "warehouse.duckdb") for folder in (self.room / "unkilled", data)]
                tell(say, (f"{name} differs from an unkilled run" for name in differing(*files)[1]))

            found = told(forked(work, root=self.room / "nowhere"))
        self.failures += [f"after a series: {fault}" for fault in found]


def run(budget_seconds: float, *, kills: int = KILLS, seed: int | None = None) -> Tally:
    """Kill up to `kills` runs in series until the time is over; without time, one in each stage."""
    tally, deadline = Tally("kills"), time.monotonic() + budget_seconds
    seed = random.SystemRandom().randrange(10**6) if seed is None else seed
    with tempfile.TemporaryDirectory(prefix="fw-kills-") as folder:
        killing = Killing(Path(folder), random.Random(seed))
        killing.begin()
        series = 0
        while not series or (killing.fell.total() < kills and time.monotonic() < deadline and not killing.failures):
            short = time.monotonic() > deadline
            data = killing.fresh(f"series-{series}")
            for stage in STAGES:
                if stage == PUBLISH:
                    killing.complete(data)
                for _ in range(1 if short else SERIES[stage]):
                    killing.kill(data, stage, exactly=short)
            killing.complete(data, only=PUBLISH)
            series += 1
    tally.count("kills survived", killing.survived, killing.fell.total())
    for stage, fell in killing.fell.most_common():
        tally.count(f"killed in {stage}", fell)
    tally.count(
        "series after which the next runs left the same as an unkilled one", series - bool(killing.failures), series
    )
    tally.counts.append(f"seed {seed}")
    tally.failures = killing.failures
    if missed := [stage for stage in STAGES if not killing.fell[stage]]:
        tally.failures.append(f"no kill fell in {', '.join(missed)}")
    return tally
