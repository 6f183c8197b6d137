"""Several machines work as one: whatever is killed, no month is lost, and each service is asked as by one machine."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from urllib.parse import quote

import pytest

from fw_pipeline_tests.integration.test_live import settings
from fw_pipeline_tests.support.cluster import NEEDS_CLUSTER, Cluster, Settings, Worker
from fw_pipeline_tests.support.cluster_servers import PASSWORD
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.fake_services.messages import Logged
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.tools.benchmarks.sameness import differing

pytestmark = [pytest.mark.cluster, NEEDS_CLUSTER]

FIRST, LAST, MONTHS = "2022-04", "2022-07", 4
RANGE = ("--from", FIRST, "--to", LAST)
ARXIV = "stackoverflow=api,papers=arxiv"
PATIENCE = 600.0


def wait_for(what: str, found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


@contextmanager
def cluster_of(
    tmp_path: Path, services: FakeServices, *, workers: int = 3, changed: Mapping[str, Settings] = MappingProxyType({})
) -> Iterator[Cluster]:
    given = {**settings(services), "FW_PROVIDERS": ARXIV, "FW_MONTHS_PER_RUN": "2"}
    with Cluster(tmp_path / "cluster", given, changed) as cluster:
        for _ in range(workers):
            cluster.add_worker()
        yield cluster


def worker_of(cluster: Cluster, job: str) -> Worker | None:
    """Return the worker that executes a run of a job now."""
    found = cluster.postgres.ask(
        "select substring(event from 'Started process for run .pid: ([0-9]+)')::int"
        " from event_logs join runs using (run_id)"
        " where event like '%%Started process for run%%' and status = 'STARTED' and pipeline_name = %s",
        job,
    )
    groups = {os.getpgid(pid) for (pid,) in found}
    return next((worker for worker in cluster.workers if worker.process.pid in groups), None)


def runs(cluster: Cluster) -> Counter[str]:
    return Counter(status for (status,) in cluster.postgres.ask("select status from runs"))


def assert_one_at_a_time_and_apart(asked: list[Logged], seconds: float) -> None:
    gaps = [after.at - before.until for before, after in pairwise(sorted(asked, key=lambda it: it.at))]
    assert gaps
    assert min(gaps) >= seconds


@pytest.mark.long
def test_what_three_workers_fetch_and_one_that_is_killed_is_what_one_machine_fetches(
    services: FakeServices, tmp_path: Path
) -> None:
    for service in ("stackexchange", "huggingface", "clickpy"):
        services.faults.add(f"/{service}", "error", times=1)
    with cluster_of(tmp_path, services) as cluster:
        command = cluster.begin("run", *RANGE)
        wait_for("a request to arXiv", lambda: bool(services.of("arxiv")))
        doomed = worker_of(cluster, "fetch_papers")
        assert doomed is not None
        doomed.kill()
        _, err = command.communicate(timeout=PATIENCE)
        assert command.returncode == 0, err
        assert "8 runs handed to the workers" in err
        assert f"fetch_papers {FIRST} to {LAST}: 2 runs of at most 2 months, 4 requests in all" in err
        assert f"published {cluster.data / 'warehouse.duckdb'}: " in err
        assert err.count(f"({MONTHS} months)") == 4
        asked = list(services.requests)
        assert services.faults.waiting() == []
        counted = runs(cluster)
        assert counted.pop("FAILURE") == 1, "that of the worker which was killed"
        assert counted.keys() == {"SUCCESS"}
        logs = "".join(path.read_text(errors="replace") for path in tmp_path.rglob("*.log"))
        assert not [secret for secret in (PASSWORD, quote(PASSWORD, safe="")) if secret in logs + err]
        made = [path.relative_to(cluster.folder) for path in cluster.folder.rglob("*")]
        locks = {path.name for path in made if ".work" in path.parts and path.suffix == ".lock"}
        assert locks == {"published.lock"}, "no lock is a file, but for that of a machine's own copy"
        assert not [path for path in made if path.name == "raw"], "what was fetched is in the object store alone"
    assert_one_at_a_time_and_apart([it for it in asked if it.service == "arxiv"], 3.0)
    sent = Counter((it.path, it.query) for it in asked if it.service == "arxiv")
    assert sum(sent.values()) - len(sent) <= 1, "but for the request that was cut off"
    alone = tmp_path / "alone"
    done = fw_pipeline(alone, "run", *RANGE, **{**settings(services), "FW_PROVIDERS": ARXIV})
    assert done.status == 0, done.err
    count, differ = differing(str(alone / "warehouse.duckdb"), str(cluster.data / "warehouse.duckdb"))
    assert count > 50
    assert differ == []


def test_a_worker_that_is_killed_while_a_run_starts_and_more_runs_than_workers_cost_no_month(
    services: FakeServices, tmp_path: Path
) -> None:
    changed: dict[str, Settings] = {
        "concurrency": {"runs": {"max_concurrent_runs": 6}, "pools": {"granularity": "run", "default_limit": 1}},
        "run_monitoring": {"enabled": True, "start_timeout_seconds": 120, "poll_interval_seconds": 10},
    }
    with cluster_of(tmp_path, services, workers=2, changed=changed) as cluster:
        command = cluster.begin("run", *RANGE)
        starting = (
            "select pipeline_name from runs join run_tags using (run_id) join celery_taskmeta on value = task_id"
            " where key = 'dagster-celery/task_id' and runs.status = 'STARTING' and celery_taskmeta.status = 'STARTED'"
        )
        made = "select to_regclass('celery_taskmeta') is not null"
        wait_for("the results of Celery", lambda: cluster.postgres.ask(made) == [(True,)])
        wait_for("a run that starts", lambda: bool(cluster.postgres.ask(starting)))
        for worker in cluster.workers:
            worker.kill()
        for _ in range(2):
            cluster.add_worker()
        _, err = command.communicate(timeout=2 * PATIENCE)
        assert command.returncode == 0, err
        assert err.count(f"({MONTHS} months)") == 4
        assert runs(cluster)["FAILURE"] >= 1
    assert_one_at_a_time_and_apart(services.of("arxiv"), 3.0)


def complaints(err: str) -> list[str]:
    return [line for line in err.splitlines() if line.startswith("fw-pipeline: ")]


def test_a_broker_and_then_a_database_that_are_away_for_half_a_minute_cost_no_month(
    services: FakeServices, tmp_path: Path
) -> None:
    with cluster_of(tmp_path, services) as cluster:
        command = cluster.begin("run", *RANGE)
        wait_for("a run at work", lambda: worker_of(cluster, "fetch_papers") is not None)
        cluster.redis.stop()
        time.sleep(30)
        cluster.redis.start()
        _, err = command.communicate(timeout=PATIENCE)
        assert command.returncode == 0, err
        asked = list(services.requests)
        again = cluster.command("run", *RANGE, "--source", "papers")
        assert again.status == 0, again.err
        assert services.requests == asked, "what is here already is not asked for again"
        services.requests.clear()
        command = cluster.begin("run", *RANGE, "--again")
        wait_for("a request to arXiv", lambda: bool(services.of("arxiv")))
        cluster.postgres.stop()
        time.sleep(30)
        cluster.postgres.start()
        _, err = command.communicate(timeout=PATIENCE)
        assert command.returncode == 1
        [line] = complaints(err)
        assert line.startswith("fw-pipeline: Dagster's history: PostgreSQL refuses: "), err
        assert "Traceback" not in err
        wait_for("the daemon", lambda: not runs(cluster).keys() - {"SUCCESS", "FAILURE"})
        done = cluster.command("run", *RANGE, "--again")
        assert done.status == 0, done.err
        assert done.err.count(f"({MONTHS} months)") == 4
    assert_one_at_a_time_and_apart(services.of("arxiv"), 3.0)
