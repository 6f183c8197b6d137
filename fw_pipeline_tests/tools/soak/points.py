"""A kill before every single step on a file: each open for writing, rename, removal, folder and change of rights.

The work is a live fetch of two sources from loopback services, the load, a build, a publish and a page.
It is killed before its first step, then on a new folder before its second, and so on until it is over. Each time the
folder is looked at, the work is done once more, and the services say whether anything was asked for twice.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import great_expectations  # noqa: F401 - imported before the fork
import pandas as pd  # noqa: F401

from fw_pipeline.atomic_files import written_aside
from fw_pipeline.orchestration.publish_assets import alone
from fw_pipeline.sources.stackoverflow.stackexchange_api import api
from fw_pipeline.warehouse import Warehouse
from fw_pipeline_tests.support import hub_live, questions_live
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.tools.benchmarks.sameness import differing
from fw_pipeline_tests.tools.soak import inspection
from fw_pipeline_tests.tools.soak.forked import Say, forked, tell, told
from fw_pipeline_tests.tools.soak.tally import Tally

SECONDS = 900.0
LEAST = 12
"""Steps before which it kills when there is no time."""

GOLDEN = (5**0.5 - 1) / 2

KEY = "a-key-with-a-larger-quota"

FETCHED = ("stackoverflow", "huggingface")
MONTHS = ("2023-05", "2023-06")
COUNTED = " union all ".join(f"select '{name}' as source, count(*) as figures from raw.{name}" for name in FETCHED)


def work(data: Path, services: FakeServices) -> None:
    """Do all of it, as a run does, in one process.

    Raises:
        RuntimeError: a month was not answered.
    """
    questions = questions_live.Desk(data, api(questions_live.FEW), services, key=KEY)
    hub = hub_live.Desk(data, services)
    failures = [*questions.run(*MONTHS).failures, *hub.run(*MONTHS).failures]
    if failures:
        raise RuntimeError("; ".join(str(failure) for failure in failures))
    warehouse = Warehouse(data)
    with warehouse.writing() as writer:
        for name in FETCHED:
            writer.load_raw(name)
    with warehouse.writing() as writer:
        writer.build("marts.figures", COUNTED, description="", columns={})
    warehouse.publish()
    with alone(data / "report", data / ".work"), written_aside(data / "report" / "index.html") as stream:
        stream.write(b"<!doctype html>")


class Points:
    """The enumeration: an unkilled run to compare with, and one kill a folder."""

    def __init__(self, room: Path, services: FakeServices) -> None:
        """Do the work unkilled, and remember its steps and its requests."""
        self._room, self._services = room, services
        services.world.models()  # made before the fork, so that no child makes them again
        self._unkilled = room / "unkilled"
        ended = forked(lambda _: work(self._unkilled, services), root=self._unkilled)
        if ended.error:
            raise RuntimeError(ended.error)
        self.steps = ended.steps
        self._asked = self._requests()
        self.again = 0
        """Requests that an earlier, killed run had sent and whose answer it had not yet kept."""

    def kill_before(self, number: int) -> Iterator[str]:
        """Kill the work before one of its steps and do it again; yield what does not hold."""
        self._services.reset(self._services.world)
        data = self._room / f"before-{number}"
        steps = count(1)
        ended = forked(lambda _: work(data, self._services), root=data, last=lambda _: next(steps) == number)
        if not ended.killed:
            yield f"was not killed: {ended.error or 'it ended'}"
            return
        kept = inspection.write_once(data)

        def rest(say: Say) -> None:
            tell(say, inspection.faults(data, {}, inspection.months(self._unkilled)))
            work(data, self._services)
            tell(say, inspection.faults(data, kept, inspection.months(self._unkilled)))
            tell(say, (f"left behind: {path}" for path in inspection.leftovers(data)))
            files = [str(folder / "warehouse.duckdb") for folder in (self._unkilled, data)]
            tell(say, (f"{name} differs from an unkilled run" for name in differing(*files)[1]))

        yield from told(forked(rest, root=self._room / "nowhere"))
        twice = (self._requests() - self._asked).total()
        self.again += twice
        if twice > 1:
            yield f"{twice} requests were sent again; only the one that was under way may be"

    def _requests(self) -> Counter[tuple[str, ...]]:
        asked: Counter[tuple[str, ...]] = Counter(
            (it.method, it.path, repr(it.query)) for it in self._services.requests
        )
        self._services.requests.clear()
        return asked


def spread(points: int) -> list[int]:
    """Return the numbers 1 to `points` in an order whose every beginning is spread over all of them."""
    return sorted(range(1, points + 1), key=lambda number: number * GOLDEN % 1)


def run(budget_seconds: float) -> Tally:
    """Kill before each step until the time is over, but before some steps at least."""
    tally, deadline = Tally("crash-points"), time.monotonic() + budget_seconds
    with tempfile.TemporaryDirectory(prefix="fw-points-") as folder, FakeServices() as services:
        points = Points(Path(folder), services)
        links = [step for step in points.steps if step.startswith("link ")]
        tally.failures += [f"{step}: there are file systems without links" for step in links]
        done, held = 0, 0
        for number in spread(len(points.steps)):
            if time.monotonic() > deadline and done >= LEAST:
                break
            faults = list(points.kill_before(number))
            done, held = done + 1, held + (not faults)
            tally.failures += [f"before step {number}, {points.steps[number - 1]!r}: {fault}" for fault in faults]
    tally.count("kills before a step on a file, survived", held, done)
    tally.count("steps that there are", len(points.steps))
    tally.count("requests sent again, each under way when its run was killed", points.again)
    return tally
