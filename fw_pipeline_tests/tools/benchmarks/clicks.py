"""How long a user of the UI waits for figures: from the launch to the published file, and to the page.

`python -m fw_pipeline_tests.tools.benchmarks.clicks` prints one table. The UI runs on a data folder of its own, which
has every recorded month but those that are launched.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from fw_pipeline.months import Window
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.dagster_ui import Ui
from fw_pipeline_tests.tools.benchmarks.showing import table

SINGLE = Window.of(date(2021, 12, 1), date(2022, 2, 1))
"""Months of `SOURCE` that are launched one by one."""
SOURCE = "pypi"

YEAR = Window.of(date(2022, 3, 1), date(2023, 2, 1))
"""Months of every source, launched as a backfill each: Dagster takes assets of unlike months together only with all."""

TITLES = ("", "fetch begins s", "least to most", "published s", "least to most", "page s", "least to most")


def main() -> int:
    """Measure, and print the table."""
    with tempfile.TemporaryDirectory(prefix="fw-clicks-") as folder:
        data = Path(folder) / "data"
        for options in (("--to", "2021-11"), ("--from", "2023-03")):
            done = fw_pipeline(data, "run", *options)
            if "published" not in done.err:  # not its status: recorded figures end before the last closed month
                print(done.err, file=sys.stderr)
                return 1
        with Ui(data) as ui:
            single = [_waited(ui, partial(ui.launch, f"fetch_{SOURCE}", month, month)) for month in _keys(SINGLE)]
            year = _waited(ui, lambda: [ui.backfill([source], _keys(YEAR)) for source in SOURCES], fetches=len(SOURCES))
    rows = [(f"one month of {SOURCE}", *_shown(single)), ("a year of every source", *_shown([year]))]
    table(
        "From the launch in the UI to the published file and to the page; every other month is there",
        TITLES,
        rows,
        [
            f"{len(single)} months, one after the other, medians; one year, launched once; figures are recorded ones",
            "Dagster looks for backfills every 30 s, whatever is set; a single month needs none",
        ],
    )
    return 0


def _waited(ui: Ui, launch: Callable[[], object], fetches: int = 1) -> tuple[float, float, float]:
    """Launch; return the seconds until the first fetch began, all months were published, and their page was made."""
    known = {run["runId"] for run in ui.runs()}
    began = time.time()
    launch()

    def has_ended() -> bool:
        runs = [run for run in ui.runs() if run["runId"] not in known]
        fetched = [run["endTime"] for run in runs if _is_fetch(run)]
        if len(fetched) < fetches or not all(run["endTime"] for run in runs):
            return False
        return any(run["startTime"] >= max(fetched) for run in runs if not _is_fetch(run))

    ui.wait_for("the build of all that was fetched", has_ended, patience=180)
    published, page = (ui.data / it for it in ("warehouse.duckdb", "report/index.html"))
    fetching = min(run["startTime"] for run in ui.runs() if run["runId"] not in known)
    return fetching - began, published.stat().st_mtime - began, page.stat().st_mtime - began


def _keys(window: Window) -> list[str]:
    return [month.isoformat() for month in window.months()]


def _is_fetch(run: Mapping[str, Any]) -> bool:
    return run["jobName"].startswith("fetch_") or any(key["path"][0] == "raw" for key in run["assetSelection"] or [])


def _shown(waited: Sequence[tuple[float, float, float]]) -> tuple[str, ...]:
    return tuple(
        cell
        for times in zip(*waited, strict=True)
        for cell in (f"{median(times):.1f}", f"{min(times):.1f} to {max(times):.1f}")
    )


if __name__ == "__main__":
    sys.exit(main())
