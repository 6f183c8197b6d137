"""The comparisons of processes: what is set beside what, and what would make it unfair."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from fw_pipeline_tests.support.command import COMMAND
from fw_pipeline_tests.tools.benchmarks.measuring import HERE, Comparison, NotMeasured, Side, cost_of

_RUN = (*COMMAND, "run")
_BARE = (sys.executable, "-m", "fw_pipeline_tests.tools.benchmarks.bare")
_MONTH = ("--from", "2023-01", "--to", "2023-01", "--source", "pypi")

_LATE = ("great_expectations", "pandas", "altair")
"""What loading the code location must not import: each takes a second or more, and most starts never need it."""


def recorded_job(kept: Path) -> Comparison:
    """Return the recorded job over all months; its data folder is left at `kept` for others."""

    def closing(left: Mapping[str, Path]) -> list[str]:
        pipeline, _, bare = left.values()
        files = [str(data / "warehouse.duckdb") for data in (pipeline, bare)]
        said = _output("-m", "fw_pipeline_tests.tools.benchmarks.sameness", *files)
        pipeline.rename(kept)
        return [said]

    return Comparison(
        "The recorded job, all months, into a new data folder",
        (
            Side("fw-pipeline run", _RUN),
            Side("bare: loads, SQL, publish, and the page", (*_BARE, "--page")),
            Side("bare: loads, SQL, publish", _BARE),
        ),
        seconds=170,
        closing=closing,
    )


def one_month(kept: Path) -> Comparison:
    """Return one month of one source asked for again, in a copy of `kept`, which is made where it is not there."""
    if not kept.exists():
        cost_of(_RUN, kept)

    def prepare(data: Path) -> None:
        shutil.copytree(kept, data, dirs_exist_ok=True)

    return Comparison(
        "One month of one source (2023-01, pypi) asked for again, in a data folder with all months",
        (
            Side("fw-pipeline run", (*_RUN, *_MONTH), prepare),
            Side("bare: ingest, load, every model, publish", (*_BARE, *_MONTH), prepare),
            Side("bare: ingest, load, publish", (*_BARE, *_MONTH, "--no-models"), prepare),
        ),
        seconds=90,
        rounds=2,
    )


def code_location(_: Path) -> Comparison:
    """Return loading the code location beside loading Dagster alone."""
    load = "from fw_pipeline.definitions import defs; defs()"

    def closing(_: Mapping[str, Path]) -> list[str]:
        program = f"import json, sys; {load}; print(json.dumps([*({{*{_LATE}}} & {{*sys.modules}})]))"
        if found := sorted(json.loads(_output("-c", program))):
            return [f"it imports {', '.join(found)}, which it should not"]
        return [f"it imports none of {', '.join(_LATE)}"]

    return Comparison(
        "Loading the code location",
        (
            Side("fw_pipeline.definitions", (sys.executable, "-c", load)),
            Side("import dagster", (sys.executable, "-c", "import dagster")),
        ),
        seconds=30,
        rounds=5,
        closing=closing,
    )


COMPARISONS: Mapping[str, Callable[[Path], Comparison]] = {
    "recorded-job": recorded_job,
    "one-month": one_month,
    "code-location": code_location,
}
"""By the name that chooses each; given a place for a data folder with all months."""


def _output(*arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=HERE, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise NotMeasured((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
    return done.stdout.strip()
