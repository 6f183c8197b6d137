"""A run on a disk that is full, on one that is read-only, and on one that knows neither rights nor hard links.

The data folder lies on a small file system in memory, of another size at each try, so that it is full while answers are
kept, in the working file, in Dagster's history, in the published copy. Each run must fail with lines that
name what is full and what to do, or succeed; when room is made, the next run must leave the same as a run with room.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fw_pipeline.errors import PipelineError
from fw_pipeline_tests.tools.benchmarks.sameness import differing
from fw_pipeline_tests.tools.soak import inspection
from fw_pipeline_tests.tools.soak.forked import Ended, Say, forked, tell, told
from fw_pipeline_tests.tools.soak.small_run import SmallRun, recorded_figures
from fw_pipeline_tests.tools.soak.tally import Tally

SECONDS = 900.0

TRIES = ((60, False), (13_000, False), (900, True), (4_000, False), (200, True), (9_000, True), (24_000, False))
"""Sizes of the file system in KiB, and whether Dagster's history lies there too; the last one is enough."""

ROOM = "256m"


class Disks:
    """The tries so far; the recorded figures lie elsewhere, so that only what is written needs room."""

    def __init__(self, room: Path, tally: Tally) -> None:
        """Run once with room, to compare with."""
        self._room, self._tally, self._run = room, tally, SmallRun()
        recorded_figures(room / "figures")
        self._unfilled = self._folder(room / "with room")
        self._lines(self._unfilled)

    def full(self, kilobytes: int, *, history: bool) -> str:
        """Fill a disk, make room, run again; return what the first run said."""
        with mounted(self._room / "disk", "tmpfs", f"size={kilobytes}k") as disk:
            data = self._folder(disk)
            said = self._lines(data, home=disk / "dagster" if history else None)
            before = inspection.write_once(data)
            subprocess.run(["mount", "-o", f"remount,size={ROOM}", str(disk)], check=True)
            self._heals(data, before, f"full at {kilobytes} KiB")
        return said

    def read_only(self) -> str:
        """Run on a file system that became read-only, then make it writable."""
        with mounted(self._room / "disk", "tmpfs", f"size={ROOM}") as disk:
            data = self._folder(disk)
            self._lines(data)
            before = inspection.write_once(data)
            subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
            said = self._lines(data)
            self._tally.failures += [f"read-only: {it}" for it in self._same(data)]
            subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
            self._heals(data, before, "read-only")
        return said

    def without_links(self) -> str:
        """Run twice on a FAT file system: no hard links, no symbolic links, no rights."""
        image = self._room / "fat"
        with image.open("wb") as stream:
            stream.truncate(64 << 20)
        subprocess.run(["mkfs.vfat", str(image)], check=True, capture_output=True)
        with mounted(self._room / "disk", "vfat", "loop", image) as disk:
            recorded_figures(disk / "data")
            said = self._lines(disk / "data")
            self._heals(disk / "data", inspection.write_once(disk / "data"), "FAT")
        return said

    def _folder(self, disk: Path) -> Path:
        data = disk / "data"
        data.mkdir(parents=True)
        (data / "recorded").symlink_to(self._room / "figures" / "recorded")
        return data

    def _lines(self, data: Path, *, home: Path | None = None) -> str:
        """Run once; return its failures, each of which must be a line with a remedy."""
        home = home or Path(tempfile.mkdtemp(dir=self._room))
        ended = self._ended(data, home)
        for line in ended.error.splitlines() if ended.error else []:
            if "PipelineError" not in line and "StorageError" not in line:
                self._tally.failures.append(f"no clear line: {line[-600:]}")
        return next((step.removeprefix("lines ") for step in ended.steps if step.startswith("lines ")), "")

    def _ended(self, data: Path, home: Path) -> Ended:
        def work(say: Say) -> None:
            try:
                home.mkdir(exist_ok=True)
                failures = self._run(data, home=home, progress=lambda *_: None).failures
            except PipelineError as reason:
                failures = (str(reason),)
            tell(say, (f"no remedy: {line}" for line in failures if "allow writing there, then run again" not in line))
            say(f"lines {' | '.join(failures)}")

        ended = forked(work, root=self._room / "nowhere")
        self._tally.failures += [fault for fault in told(ended) if fault != ended.error]
        return ended

    def _heals(self, data: Path, before: inspection.Contents, where: str) -> None:
        said = self._lines(data)
        found = [f"the run with room failed: {said}"] if said else self._same(data, before)
        found += [f"left behind: {path}" for path in inspection.leftovers(data)]
        self._tally.failures += [f"{where}: {it}" for it in found]

    def _same(self, data: Path, before: inspection.Contents | None = None) -> list[str]:
        def work(say: Say) -> None:
            tell(say, inspection.faults(data, before or {}, inspection.months(self._unfilled)))
            files = [str(folder / "warehouse.duckdb") for folder in (self._unfilled, data)]
            tell(say, (f"{name} differs from a run with room" for name in differing(*files)[1]))

        return told(forked(work, root=self._room / "nowhere"))


@contextmanager
def mounted(place: Path, kind: str, options: str, device: Path | str = "tmpfs") -> Iterator[Path]:
    """Mount a file system for a while."""
    place.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", kind, "-o", options, str(device), str(place)], check=True)
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def run(budget_seconds: float) -> Tally:
    """Fill disks of growing sizes until the time is over, then the other file systems."""
    tally, deadline = Tally("full-disks"), time.monotonic() + budget_seconds
    if os.geteuid() != 0 or shutil.which("mount") is None:
        tally.skip("full disks", "only root may mount file systems")
        return tally
    with tempfile.TemporaryDirectory(prefix="fw disks ") as folder:
        disks = Disks(Path(folder), tally)
        tried, refused = 0, 0
        for kilobytes, history in TRIES:
            if time.monotonic() < deadline:
                said = disks.full(kilobytes, history=history)
                tried, refused = tried + 1, refused + bool(said)
                tally.counts.append(
                    f"{kilobytes} KiB{' with the history' if history else ''}: {said[:300] or 'enough'}"
                )
        tally.count("disks, each left the same as one with room when room was made", tried, len(TRIES))
        tally.count("of these, full during the run", refused, tried)
        tally.counts.append(f"read-only: {disks.read_only()[:300]}")
        try:
            tally.counts.append(f"FAT: {disks.without_links() or 'a run succeeded'}")
        except (OSError, subprocess.CalledProcessError) as error:
            tally.skip("FAT", f"no such file system here ({error})")
    return tally
