"""Full backfills one after the other: does the history grow, and do the UI and the next run become slower?

As the command line and the UI do it: a run over all its months for each source, and one build. Months must stay green
whatever is trimmed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fw_pipeline_tests.support.command import fw_pipeline, start
from fw_pipeline_tests.tools.soak.tally import Tally

SECONDS = 2400.0
"""Ten backfills take twelve minutes on an idle machine."""
BACKFILLS, KEPT = 10, 5

QUERIES = {
    "assets with their months": """{ assetNodes { assetKey { path } partitionStats { numMaterialized }
        assetPartitionStatuses { ... on TimePartitionStatuses { ranges { status startKey endKey } } }
        assetMaterializations(limit: 1) { runId runOrError { __typename } } } }""",
    "checks": """{ assetNodes { assetChecksOrError { ... on AssetChecks {
        checks { name executionForLatestMaterialization { status } } } } } }""",
    "runs": """{ runsOrError(limit: 25) { ... on Runs {
        results { runId status tags { key value } assetSelection { path } assetChecks { name } } } } }""",
}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a user of the UI met: how long it took, and what was green."""

    seconds: dict[str, float] = field(default_factory=dict)
    green: dict[str, int] = field(default_factory=dict)
    """Materialised months by asset; for assets without months, whether they are there."""
    passed: int = 0
    """Checks whose last outcome is a success."""
    runs: int = 0


def ask(port: int, query: str) -> dict[str, Any]:
    """Ask the webserver, and return the data."""
    body = json.dumps({"query": query}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        said = json.load(answer)
    if said.get("errors"):
        raise ValueError(str(said["errors"])[:300])
    data: dict[str, Any] = said["data"]
    return data


def open_ui(data: Path, **settings: str) -> Seen:
    """Start the UI, wait for its first answer, ask what its pages ask, and stop it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    began = time.monotonic()
    process = start(data, ["ui", "--port", str(port)], **settings)
    try:
        while True:
            try:
                if ask(port, "{ assetNodes { id } }")["assetNodes"]:
                    break
            except (OSError, urllib.error.URLError, ValueError):
                if process.poll() is not None or time.monotonic() - began > 300:
                    raise
            time.sleep(0.1)
        seconds = {"to the first answer": time.monotonic() - began}
        found: dict[str, dict[str, Any]] = {}
        for name, query in QUERIES.items():
            taken = []
            for _ in range(5):
                asked = time.monotonic()
                found[name] = ask(port, query)
                taken.append(time.monotonic() - asked)
            seconds[name] = sorted(taken)[2]
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.communicate()
    green = {
        "/".join(node["assetKey"]["path"]): (node["partitionStats"] or {}).get("numMaterialized")
        or len(node["assetMaterializations"])
        for node in found["assets with their months"]["assetNodes"]
    }
    checks = [check for node in found["checks"]["assetNodes"] for check in node["assetChecksOrError"].get("checks", ())]
    outcomes = [(check["executionForLatestMaterialization"] or {}).get("status") for check in checks]
    return Seen(seconds, green, outcomes.count("SUCCEEDED"), len(found["runs"]["runsOrError"]["results"]))


def megabytes(folder: Path) -> float:
    """Return what a folder takes."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def backfill(data: Path, **settings: str) -> str:
    """Backfill everything; return what went wrong, if anything."""
    done = fw_pipeline(data, "run", **settings)
    return done.err if done.status else ""


def run(budget: float) -> Tally:
    """Backfill everything ten times, or as often as the budget allows, and look at the UI before and after."""
    tally, ends = Tally("backfills"), time.monotonic() + budget
    settings = {"FW_KEEP_RUNS": str(KEPT)}
    sizes: list[float] = []
    seconds: list[float] = []
    first = Seen()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        while len(sizes) < BACKFILLS and (len(sizes) < 3 or time.monotonic() < ends):
            began = time.monotonic()
            if wrong := backfill(data, **settings):
                tally.failures.append(f"backfill {len(sizes) + 1}: {wrong.splitlines()[-1]}")
                return tally
            seconds.append(time.monotonic() - began)
            sizes.append(megabytes(data / "dagster"))
            if len(sizes) == 1:
                first = open_ui(data, **settings)
        last = open_ui(data, **settings)
        logs = len(list((data / "dagster" / "storage").glob("*-*")))
    tally.count("full backfills done", len(sizes), BACKFILLS)
    months = {name: number for name, number in first.green.items() if name.startswith("raw/")}
    kept = sum(last.green.get(name, 0) for name in months)
    tally.count("months green after the first backfill that are green after the last", kept, sum(months.values()))
    tally.count("checks that pass after the last, of those after the first", last.passed, first.passed)
    tally.count("runs kept", last.runs)
    tally.counts.append(f"MB of history after each: {', '.join(f'{size:.0f}' for size in sizes)}")
    tally.counts.append(f"seconds of each: {', '.join(f'{one:.0f}' for one in seconds)}")
    for what, before in first.seconds.items():
        after = last.seconds[what]
        tally.counts.append(f"seconds, UI {what}: {before:.2f} after the first backfill, {after:.2f} after the last")
    if first.green != last.green:
        changed = sorted(set(first.green.items()) ^ set(last.green.items()))
        tally.failures.append(f"what is green has changed: {changed}")
    if first.passed != last.passed or not first.passed:
        tally.failures.append("checks have lost their last outcome")
    if last.runs > KEPT or logs > KEPT:
        tally.failures.append(f"{last.runs} runs and output of {logs} are there, and {KEPT} were to be kept")
    if max(sizes) > sizes[0] * (KEPT + 1):
        tally.failures.append("the history has grown beyond what the kept runs take")
    return tally
