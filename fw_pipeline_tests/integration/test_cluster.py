"""Several machines work as one: whatever is killed or away, no month is lost, and each service is asked as by one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote

import pytest
import yaml

from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import choose, offered
from fw_pipeline.locks import silent
from fw_pipeline.months import Window
from fw_pipeline.orchestration.raw_assets import RANGE_END, RANGE_START
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.integration.test_live import settings
from fw_pipeline_tests.support.cluster import DEPLOY, Cluster, Settings, Worker
from fw_pipeline_tests.support.cluster_servers import NEEDS_CLUSTER, PASSWORD, PostgresServer, RedisServer
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.fake_services.messages import Logged
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.s3_server import BUCKET
from fw_pipeline_tests.tools.benchmarks.sameness import differing

MONTHS = Window.of(date(2022, 1, 1), date(2023, 6, 1))
"""All months of the fake services."""
RANGE = ("--from", "2022-01", "--to", "2023-06")
PART, PARTS = 6, 3
"""How many months a run fetches, and how many runs that makes of each source."""
WORKERS = 3
AWAY = 30.0
CUT_OFF = 1
"""Requests that are made twice at most: the one that was under way when its worker was killed."""
PATIENCE = 1800.0
"""Seconds: several times what anything here takes where the machine has nothing else to do."""

DAGSTER: dict[str, Settings] = {
    "concurrency": {"runs": {"max_concurrent_runs": 2 * WORKERS}, "pools": {"granularity": "run", "default_limit": 1}},
    "run_monitoring": {"enabled": True, "start_timeout_seconds": 120, "poll_interval_seconds": 10},
}


def live(services: FakeServices) -> dict[str, str]:
    return {**settings(services), "FW_PROVIDERS": "stackoverflow=api,papers=arxiv", "FW_MONTHS_PER_RUN": f"{PART}"}


def wait_for(what: str, found: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


def a_run_starts(cluster: Cluster) -> bool:
    """Say whether a worker has taken a run that has not begun yet."""
    if cluster.postgres.ask("select to_regclass('celery_taskmeta') is null") == [(True,)]:
        return False
    return bool(
        cluster.postgres.ask(
            "select 1 from runs join run_tags using (run_id) join celery_taskmeta on value = task_id"
            " where key = 'dagster-celery/task_id' and runs.status = 'STARTING' and celery_taskmeta.status = 'STARTED'"
        )
    )


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


def begun_with_a_worker_that_is_killed_while_its_run_starts(cluster: Cluster) -> subprocess.Popen[str]:
    doomed = cluster.add_worker()
    command = cluster.begin("run", *RANGE)
    wait_for("a run that starts", lambda: a_run_starts(cluster))
    doomed.kill()
    for _ in range(WORKERS):
        cluster.add_worker()
    return command


def kill_a_worker_in_the_middle(cluster: Cluster, services: FakeServices) -> None:
    wait_for("a request to arXiv", lambda: bool(services.of("arxiv")))
    doomed = worker_of(cluster, "fetch_papers")
    assert doomed is not None
    doomed.kill()
    cluster.add_worker()


def take_away(server: PostgresServer | RedisServer) -> None:
    server.stop()
    time.sleep(AWAY)
    server.start()


def assert_it_ended_with_one_line(command: subprocess.Popen[str]) -> None:
    """A command whose database goes away says so, and nothing else; before that, it said what it would cost."""
    _, err = command.communicate(timeout=PATIENCE)
    assert command.returncode == 1
    [line] = [line for line in err.splitlines() if line.startswith("fw-pipeline: ")]
    assert line.startswith("fw-pipeline: Dagster's history: PostgreSQL refuses: "), err
    assert "Traceback" not in err
    assert "Retrying" not in err
    assert f"{len(SOURCES) * PARTS} runs handed to the workers" in err
    assert f"fetch_papers 2022-01 to 2023-06: {PARTS} runs of at most {PART} months, 18 requests in all" in err


def assert_all_was_published(cluster: Cluster, err: str) -> None:
    """Every month is there, and the command names where the file is, and where the page."""
    published = cluster.data / "warehouse.duckdb"
    assert f"published s3://{BUCKET}/figures/warehouse.duckdb, here {published}: huggingface" in err
    assert err.count("2023-06 (18 months)") == 3
    assert err.count("huggingface 2022-03 to 2023-06 (16 months)") == 1, "its first month is March 2022"
    [page] = [line.removeprefix("report    ") for line in err.splitlines() if line.startswith("report ")]
    machine, _, path = page.partition(":")
    assert machine == socket.gethostname()
    assert Path(path).is_file()
    assert Path(path).parents[2].name.startswith("worker")
    wait_for("the runs of the first command", lambda: not runs(cluster).keys() - {"SUCCESS", "FAILURE"})
    assert runs(cluster)["FAILURE"] >= 2, "those of the workers that were killed"


def assert_nothing_is_left_where_it_should_not_be(cluster: Cluster, err: str) -> None:
    logs = "".join(path.read_text(errors="replace") for path in cluster.folder.rglob("*.log"))
    assert not [secret for secret in (PASSWORD, quote(PASSWORD, safe="")) if secret in logs + err]
    made = [path.relative_to(cluster.folder) for path in cluster.folder.rglob("*")]
    locks = {path.name for path in made if ".work" in path.parts and path.suffix == ".lock"}
    assert locks == {"published.lock"}, "no lock is a file, but for that of a machine's own copy"
    assert not [path for path in made if path.name == "raw"], "what was fetched is in the object store alone"


def assert_a_backfill_of_the_ui_is_shared_out(cluster: Cluster) -> None:
    def launched() -> str | None:
        with suppress(HTTPError):  # its connections are those that PostgreSQL had before it was away: it makes new ones
            return cluster.ui.backfill(["pypi"], [month.isoformat() for month in MONTHS.months()])
        return None

    backfill = cluster.ui.wait_for("the UI", launched, PATIENCE)
    cluster.ui.wait_for(
        "the backfill", lambda: cluster.ui.backfill_status(backfill) not in {"REQUESTED", "CANCELING"}, PATIENCE
    )
    assert cluster.ui.backfill_status(backfill) == "COMPLETED_SUCCESS"
    of_it = [tagged(run) for run in cluster.ui.runs()]
    of_it = [tags for tags in of_it if tags.get("dagster/backfill") == backfill]
    assert all("dagster-celery/task_id" in tags for tags in of_it), "workers executed them"
    parts = sorted((tags[RANGE_START], tags[RANGE_END]) for tags in of_it)
    assert parts == [(part.months()[0].isoformat(), part.months()[-1].isoformat()) for part in MONTHS.parts(PART)]


def tagged(run: dict[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in run["tags"]}


def answered(asked: Sequence[Logged]) -> Counter[tuple[object, ...]]:
    """Return how often each request was answered well; one that was refused is right to be made again."""
    return Counter((it.method, it.path, it.query, it.body) for it in asked if it.status == 200)


def fetch_on_one_machine(services: FakeServices, data: Path) -> None:
    """Fetch the same parts, one after the other, into a data folder."""
    given, now = read({**live(services), "FW_DATA_DIR": str(data)}, dotenv=Path("none")), datetime.now(UTC)
    for source in SOURCES.values():
        months = MONTHS.common(offered(source, given, now=now))
        assert months is not None
        for number, part in enumerate(months.parts(PART)):
            chosen = choose(source, given)
            got = ingest(chosen, part, given, run_id=f"{number}", now=now, log=silent, done=lambda _: None)
            assert sorted(got.months("present")) == list(part.months()), (source.name, got.failures)


@pytest.mark.long
@NEEDS_CLUSTER
def test_the_first_run_waits_for_a_broker_that_is_away(tmp_path: Path) -> None:
    from dagster_celery.launcher import CeleryRunLauncher  # noqa: PLC0415 - of the extra `cluster`

    launcher = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))["run_launcher"]["config"]
    redis = RedisServer(tmp_path)
    given = {"broker": redis.address, "backend": f"db+sqlite:///{tmp_path}/results.db", "default_queue": "dagster"}
    celery = CeleryRunLauncher(**{**launcher, **given}).celery
    late = threading.Timer(12, redis.start)
    late.start()
    try:
        assert celery.send_task("execute_job").id
    finally:
        late.join()
        redis.stop()


@pytest.mark.cluster
@pytest.mark.long
@NEEDS_CLUSTER
def test_three_workers_publish_what_one_machine_does_whatever_is_killed_or_away(
    services: FakeServices, tmp_path: Path
) -> None:
    for service in ("stackexchange", "huggingface", "clickpy"):
        services.faults.add(f"/{service}", "error", times=1, after=1)
    with Cluster(tmp_path / "cluster", live(services), DAGSTER) as cluster:
        command = begun_with_a_worker_that_is_killed_while_its_run_starts(cluster)
        kill_a_worker_in_the_middle(cluster, services)
        take_away(cluster.redis)
        before = len(services.of("arxiv"))
        wait_for("another request to arXiv", lambda: len(services.of("arxiv")) > before)
        take_away(cluster.postgres)
        assert_it_ended_with_one_line(command)
        command = cluster.begin("run", *RANGE)
        _, err = command.communicate(timeout=PATIENCE)
        assert command.returncode == 0, err
        assert_all_was_published(cluster, err)
        assert_nothing_is_left_where_it_should_not_be(cluster, err)
        published = str(shutil.copy(cluster.data / "warehouse.duckdb", tmp_path))
        asked = list(services.requests)
        assert services.faults.waiting() == []
        assert_a_backfill_of_the_ui_is_shared_out(cluster)

    arxiv = sorted((it for it in asked if it.service == "arxiv"), key=lambda it: it.at)
    gap = min(after.at - before.until for before, after in pairwise(arxiv))
    assert gap >= 3.0, "one at a time, and apart"
    alone = tmp_path / "alone"
    with FakeServices() as others:
        fetch_on_one_machine(others, alone)
        expected = answered(others.requests)
    assert expected - answered(asked) == Counter(), "nothing was left out"
    repeated = answered(asked) - expected
    assert repeated.total() <= CUT_OFF, repeated
    assert fw_pipeline(alone, "rebuild").status == 0
    count, differ = differing(str(alone / "warehouse.duckdb"), published)
    assert count > 50
    assert differ == []
    said = f"{len(MONTHS.months())} months of {len(SOURCES)} sources; {count} tables compared, all equal; "
    said += f"{len(asked)} requests, of which {repeated.total()} made twice; least gap at arXiv {gap:.2f} s"
    sys.stdout.write(f"{said}\n")  # `make test-cluster` shows it
