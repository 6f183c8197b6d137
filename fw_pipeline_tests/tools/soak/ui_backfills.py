"""Backfills of a running UI that meet one another, a job, a cancellation, and somebody who reads the published file.

The real server, its daemon and its runs, asked as its pages ask. All months come from the recorded figures; the year
that is cancelled in the middle comes from a service on the loopback interface, a month in a few seconds.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from fw_pipeline.months import FIRST_MONTH, last_closed_month
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.dagster_ui import Ui
from fw_pipeline_tests.support.fake_services.faults import late
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.questions_live import COUNTS
from fw_pipeline_tests.tools.soak.tally import Tally

SECONDS = 900.0
"""What it takes on an idle machine is four minutes; what still waits after this time has failed."""

ENDED = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "COMPLETED", "CANCELED", "FAILED"}

ONE_STATE = """
    select (select count(distinct month) from raw.stackoverflow),
           (select count(distinct month) from staging.stackoverflow),
           (select count(distinct month) from raw.huggingface),
           (select count(distinct month) from staging.huggingface)
"""
"""Two layers of two sources: in one build they cover the same months."""


def months(first: int, last: int) -> list[str]:
    """Return the keys of all months of some years that a backfill may ask for."""
    all_of_them = [date(year, month, 1) for year in range(first, last + 1) for month in range(1, 13)]
    closed = last_closed_month(datetime.now(UTC))
    return [month.isoformat() for month in all_of_them if FIRST_MONTH <= month <= closed]


@dataclass(slots=True)
class Reader:
    """Somebody who has the published file open for twenty queries at a time, and opens it again."""

    path: Path
    reads: int = 0
    versions: set[tuple[int, ...]] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Read in a loop while the block runs."""
        done = threading.Event()
        thread = threading.Thread(target=self._read, args=(done,))
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()

    def _read(self, done: threading.Event) -> None:
        while not done.is_set():
            if not self.path.exists():
                done.wait(0.2)
                continue
            try:
                with duckdb.connect(self.path, read_only=True) as connection:
                    seen = {tuple(connection.execute(ONE_STATE).fetchone() or ()) for _ in range(20)}
            except duckdb.Error as error:
                self.faults.append(f"a reader met {error}")
                return
            self.reads += 20
            self.versions |= seen
            if len(seen) != 1:
                self.faults.append(f"an open file changed under its reader: {seen}")
            done.wait(0.2)


def end(ui: Ui, backfills: list[str], ends: float) -> list[str]:
    """Wait until some backfills, and whatever else is at work, have ended; return how each backfill ended."""
    left = ends - time.monotonic()
    ui.wait_for("the backfills", lambda: all(ui.backfill_status(each) in ENDED for each in backfills), left)
    idle = {"SUCCESS", "FAILURE", "CANCELED"}
    ui.wait_for("the runs", lambda: {run["status"] for run in ui.runs()} <= idle, left)
    return [ui.backfill_status(each) for each in backfills]


def green(ui: Ui) -> dict[str, list[tuple[str, str]]]:
    """Return the months of every source that are green."""
    return {source: ui.months(source) for source in SOURCES}


def of_one_and_all(tally: Tally, data: Path, ends: float) -> None:
    """Everything at once; then, for each source, two backfills that overlap, and a job in the middle of them."""
    reader = Reader(data / "warehouse.duckdb")
    with Ui(data) as ui, reader.at_work():
        first = end(ui, [ui.backfill(SOURCES)], ends)
        runs = [run for run in ui.runs() if run["assetSelection"]]
        tally.count("runs of a backfill of all months of four sources", len(runs), len(SOURCES))
        ui.wait_for("the build", lambda: [run["status"] for run in ui.runs("rebuild")] == ["SUCCESS"])
        before = green(ui)
        overlapping = [ui.backfill([source], months(2022, 2022)[3:]) for source in SOURCES]
        overlapping += [ui.backfill([source], months(2022, 2023)[8:17]) for source in SOURCES]
        job = ui.launch("fetch_pypi", "2022-06-01", "2022-06-01")
        second = end(ui, overlapping, ends)
        (launched,) = (run["status"] for run in ui.runs() if run["runId"] == job)
        tally.count("overlapping backfills that ended, with the job among them", len(second), 2 * len(SOURCES))
        bad = [run for run in ui.runs() if run["status"] != "SUCCESS"]
        if launched != "SUCCESS" or bad:
            tally.failures.append(f"the job ended as {launched}; runs that did not succeed: {bad}")
        if green(ui) != before:
            tally.failures.append("other months are green than before")
        ended = [*first, *second]
        tally.count("backfills that ended well", ended.count("COMPLETED_SUCCESS"), len(ended))
    tally.count("reads of the published file meanwhile", reader.reads)
    tally.count("states of it that were seen", len(reader.versions))
    tally.failures += reader.faults
    tally.failures += [
        f"half a build was read: {seen}" for seen in reader.versions if seen[0] != seen[1] or seen[2] != seen[3]
    ]


def cancelled(tally: Tally, data: Path, ends: float) -> None:
    """A year is cancelled in the middle, and asked for again: what was green stays, and only the rest is asked for."""
    year = months(2022, 2022)
    with FakeServices() as services:
        services.world.keyless_quota = 100_000
        services.faults.add(COUNTS, late(5), times=-1)
        settings = {"FW_PROVIDERS": "stackoverflow=api", "FW_STACKEXCHANGE_URL": f"{services.url}/stackexchange"}
        with Ui(data, {**settings, "FW_CONTACT": "somebody@example.org"}) as ui:
            stopped = ui.backfill(["stackoverflow"], year)
            ui.wait_for("some months", lambda: ui.months("stackoverflow") not in ([], [(year[0], year[0])]))
            ui.cancel(stopped)
            (status,) = end(ui, [stopped], ends)
            [(first, last)] = ui.months("stackoverflow")
            kept = year.index(last) + 1
            tally.count(f"months of a year that stay green after it was cancelled ({status})", kept, len(year))
            if first != year[0] or not 0 < kept < len(year):
                tally.failures.append(f"cancelled in the middle, and green are {first} to {last}")
            again = ui.backfill(["stackoverflow"], year[kept:])
            end(ui, [again], ends)
            if ui.months("stackoverflow") != [(year[0], year[-1])]:
                tally.failures.append(f"after the rest, green are {ui.months('stackoverflow')}")
        asked = sum(request.path == COUNTS for request in services.of("stackexchange"))
        tally.count("counts of the whole site asked for, of those that a year has", asked, len(year))
        if not len(year) <= asked <= len(year) + 1:
            tally.failures.append("more was asked for again than the one request that was under way")


def run(budget: float) -> Tally:
    """Do both, within a time."""
    tally, ends = Tally("ui-backfills"), time.monotonic() + budget
    with tempfile.TemporaryDirectory() as folder:
        of_one_and_all(tally, Path(folder) / "all" / "data", ends)
        cancelled(tally, Path(folder) / "cancelled" / "data", ends)
    return tally
