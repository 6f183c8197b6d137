"""A cluster as `deploy/cluster/` sets it up: PostgreSQL, Redis, an object store, the UI with its daemon, and workers.

No two machines share a folder: each has its own for its work, its temporary files and its `dagster.yaml`.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import yaml

from fw_pipeline_tests.support.cluster_servers import (
    PostgresServer,
    RedisServer,
    postgres_server,
)
from fw_pipeline_tests.support.command import COMMAND, environment
from fw_pipeline_tests.support.dagster_ui import Ui
from fw_pipeline_tests.support.s3_server import BUCKET, S3Server, s3_server

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy" / "cluster"

Settings = Mapping[str, object]


@dataclass
class Worker:
    """One Celery worker: a process group of its own, as a machine of its own would be."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path

    def kill(self) -> None:
        """Kill it and whatever it runs, as when its machine stops."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@dataclass
class Cluster:
    """`with Cluster(folder, settings) as cluster:` starts all of it; `changed` replaces parts of its dagster.yaml."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    changed: Mapping[str, Settings] = field(default_factory=dict)
    workers: list[Worker] = field(default_factory=list)
    objects: S3Server = field(init=False)
    postgres: PostgresServer = field(init=False)
    redis: RedisServer = field(init=False)
    ui: Ui = field(init=False)

    @property
    def data(self) -> Path:
        """The work folder of the head, which has the UI and the command line."""
        return self.folder / "head" / "work"

    def __enter__(self) -> Self:
        """Start the servers, the UI and its daemon."""
        self._open = ExitStack()
        (self.folder / "objects").mkdir(parents=True)
        with ExitStack() as opened:
            self.objects = opened.enter_context(s3_server(self.folder / "objects"))
            self.postgres = opened.enter_context(postgres_server())
            self.redis = RedisServer(self.folder)
            self.redis.start()
            opened.callback(self.redis.stop)
            self.ui = Ui(self.data, self.machine("head"))
            opened.enter_context(self.ui)
            opened.callback(self._kill_workers)
            self._open = opened.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop all of it."""
        self._open.close()

    def _kill_workers(self) -> None:
        for worker in self.workers:
            worker.kill()

    def machine(self, name: str) -> dict[str, str]:
        """Set up a machine, and return its settings."""
        home = self.folder / name
        for folder in (home / "work", home / "tmp"):
            folder.mkdir(parents=True)
        given = yaml.safe_load((DEPLOY / "dagster.yaml").read_text(encoding="utf-8"))
        (home / "dagster.yaml").write_text(yaml.safe_dump({**given, **self.changed}), encoding="utf-8")
        return self.environment(name)

    def environment(self, machine: str) -> dict[str, str]:
        """Return the settings of a machine."""
        database = self.postgres.address.replace("postgresql://", "postgresql+psycopg2://")
        return {
            **self.settings,
            **self.objects.environment,
            "FW_DATA_DIR": f"s3://{BUCKET}/figures",
            "FW_WORK_DIR": str(self.folder / machine / "work"),
            "TMPDIR": str(self.folder / machine / "tmp"),
            "FW_LOCKS": self.postgres.address,
            "DAGSTER_HOME": str(self.folder / machine),
            "DAGSTER_POSTGRES_URL": database,
            "CELERY_BROKER_URL": self.redis.address,
            "CELERY_RESULT_BACKEND": f"db+{database}",
        }

    def begin(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the command on the head and do not wait for it."""
        return subprocess.Popen(
            [*COMMAND, *arguments], env=environment(self.data, **self.environment("head")), start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def add_worker(self) -> Worker:
        """Start one more worker."""
        name = f"worker{len(self.workers) + 1}"
        log = self.folder / f"{name}.log"
        given = {**self.machine(name), "PYTHONPATH": f"{DEPLOY}:{ROOT}"}
        command = [sys.executable, "-m", "celery", "-A", "dagster_celery.app", "worker"]
        with log.open("ab") as stream:
            process = subprocess.Popen(
                [*command, "-Q", "dagster", "-n", f"{name}@localhost", "--loglevel", "WARNING"],
                cwd=self.folder, env=environment(self.data, **given), stdout=stream, stderr=stream,
                start_new_session=True,
            )  # fmt: skip
        worker = Worker(name, process, log)
        self.workers.append(worker)
        return worker
