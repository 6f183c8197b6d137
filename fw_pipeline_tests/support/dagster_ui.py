"""The Dagster UI as a user starts it: `fw-pipeline ui` in another process, with its pages and its GraphQL."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from fw_pipeline.orchestration.raw_assets import RANGE_END, RANGE_START
from fw_pipeline_tests.support.command import COMMAND, environment

PATIENCE = 400.0
"""Seconds to wait for anything: what comes at all comes in a minute on an idle machine."""

ARTEFACTS = Path(__file__).parents[2] / "test-artefacts"
"""Where screenshots and server logs are left; ignored by git, kept by CI."""

MONTHS = """
query months($path: [String!]!) { assetNodes(assetKeys: [{path: $path}]) { assetPartitionStatuses {
    ... on TimePartitionStatuses { ranges { startKey endKey status } }
} } }
"""

SCHEDULES = """
query schedules { repositoriesOrError { ... on RepositoryConnection {
    nodes { schedules { name scheduleState { status } } }
} } }
"""

RUNS = """
query runs { runsOrError(limit: 200) { ... on Runs { results {
    runId status jobName startTime endTime tags { key value } assetSelection { path }
} } } }
"""

LAUNCH = """
mutation launch($job: String!, $tags: [ExecutionTag!]!) { launchRun(executionParams: {
    selector: {repositoryLocationName: "fw_pipeline", repositoryName: "__repository__", jobName: $job}
    executionMetadata: {tags: $tags}
}) { __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""

BACKFILL = """
mutation backfill($assets: [AssetKeyInput!]!, $months: [String!], $all: Boolean) {
    launchPartitionBackfill(backfillParams: {assetSelection: $assets, partitionNames: $months, allPartitions: $all}) {
        __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message }
    }
}
"""

SWITCH_ON = """
mutation on($name: String!) { startSchedule(scheduleSelector: {
    repositoryLocationName: "fw_pipeline", repositoryName: "__repository__", scheduleName: $name
}) { __typename ... on PythonError { message } } }
"""

EVENTS = """
query events($run: ID!) { logsForRun(runId: $run) { ... on EventConnection { events {
    ... on MessageEvent { message }
} } } }
"""

CANCEL = "mutation cancel($id: String!) { cancelPartitionBackfill(backfillId: $id) { __typename } }"

BACKFILL_STATUS = """
query status($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }
"""


@dataclass(slots=True)
class Ui:
    """A running UI. `with Ui(data) as ui:` starts it on a free port and waits until it is of use."""

    data: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    log: Path = field(init=False)
    url: str = field(init=False, default="")
    process: subprocess.Popen[bytes] = field(init=False)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start the UI, and wait until the code location is loaded and every daemon at work."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.log = self.data / "ui.log"
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*COMMAND, "ui", "--port", str(port)],
                env=environment(self.data, **self.settings),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.wait_for("the UI", self._of_use)

    def stop(self) -> None:
        """Stop it as Ctrl-C does, or by force where that does not help."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(60)
        self.kill()

    def kill(self) -> None:
        """Kill it and all its processes, as when the machine stops."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def ask(self, query: str, **variables: Any) -> Any:
        """Return the answer to a GraphQL query.

        Raises:
            RuntimeError: the query is wrong.
        """
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(f"{self.url}/graphql", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            said = json.load(answer)
        if said.get("errors"):
            raise RuntimeError(said["errors"][0]["message"])
        return said["data"]

    def months(self, source: str, status: str = "MATERIALIZED") -> list[tuple[str, str]]:
        """Return the ranges of months of a raw asset that have a status, as first and last key."""
        (node,) = self.ask(MONTHS, path=["raw", source])["assetNodes"]
        ranges = node["assetPartitionStatuses"]["ranges"]
        return [(each["startKey"], each["endKey"]) for each in ranges if each["status"] == status]

    def schedules(self) -> dict[str, str]:
        """Return whether each schedule is on: RUNNING or STOPPED."""
        (repository,) = self.ask(SCHEDULES)["repositoriesOrError"]["nodes"]
        return {each["name"]: each["scheduleState"]["status"] for each in repository["schedules"]}

    def switch_on(self, schedule: str) -> None:
        """Switch a schedule on."""
        said = self.ask(SWITCH_ON, name=schedule)["startSchedule"]
        if said["__typename"] != "ScheduleStateResult":
            raise RuntimeError(str(said))

    def runs(self, job: str = "") -> list[dict[str, Any]]:
        """Return the runs, or those of one job, the newest first."""
        found: list[dict[str, Any]] = self.ask(RUNS)["runsOrError"]["results"]
        return [run for run in found if job in ("", run["jobName"])]

    def process_of(self, run_id: str) -> int:
        """Return the id of the process in which a run is at work, as the UI shows it."""
        events = self.ask(EVENTS, run=run_id)["logsForRun"]["events"]
        said = " ".join(event.get("message", "") for event in events)
        return int(re.findall(r"process \(pid: (\d+)\)", said)[0])

    def launch(self, job: str, first: str, last: str) -> str:
        """Launch a job for some months; return the id of its run."""
        tags = [{"key": RANGE_START, "value": first}, {"key": RANGE_END, "value": last}]
        launched = self.ask(LAUNCH, job=job, tags=tags)["launchRun"]
        if launched["__typename"] != "LaunchRunSuccess":
            raise RuntimeError(str(launched))
        run_id: str = launched["run"]["runId"]
        return run_id

    def backfill(self, sources: Iterable[str], months: Sequence[str] | None = None) -> str:
        """Launch a backfill of some months of some sources, of all of them where none is named; return its id."""
        assets = [{"path": ["raw", source]} for source in sources]
        launched = self.ask(BACKFILL, assets=assets, months=months, all=months is None)["launchPartitionBackfill"]
        if launched["__typename"] != "LaunchBackfillSuccess":
            raise RuntimeError(str(launched))
        backfill_id: str = launched["backfillId"]
        return backfill_id

    def backfill_status(self, backfill_id: str) -> str:
        """Return how far a backfill is."""
        status: str = self.ask(BACKFILL_STATUS, id=backfill_id)["partitionBackfillOrError"]["status"]
        return status

    def cancel(self, backfill_id: str) -> None:
        """Cancel a backfill, as the UI does."""
        self.ask(CANCEL, id=backfill_id)

    def wait_for(self, what: str, come: Callable[[], Any], patience: float = PATIENCE) -> Any:
        """Return what `come` gives as soon as it is something; it is asked again and again.

        Raises:
            TimeoutError: it did not come; the message says what, and ends with the end of the server's log.
        """
        deadline = time.monotonic() + patience
        while True:
            if found := come():
                return found
            if self.process.poll() is not None or time.monotonic() > deadline:
                end = self.log.read_text(encoding="utf-8", errors="replace")[-3000:]
                raise TimeoutError(f"waited in vain for {what}\n{end}")
            time.sleep(0.3)

    def _of_use(self) -> bool:
        query = """query ready {
            workspaceOrError { ... on Workspace { locationEntries { loadStatus } } }
            instance { daemonHealth { allDaemonStatuses { daemonType required healthy } } }
        }"""
        try:
            said = self.ask(query)
        except (OSError, urllib.error.URLError, RuntimeError):
            return False
        loaded = [entry["loadStatus"] for entry in said["workspaceOrError"]["locationEntries"]]
        daemons = said["instance"]["daemonHealth"]["allDaemonStatuses"]
        return loaded == ["LOADED"] and all(daemon["healthy"] for daemon in daemons if daemon["required"])
