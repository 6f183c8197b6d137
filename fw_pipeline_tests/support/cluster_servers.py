"""A real PostgreSQL and a real Redis, each in a folder of its own and on a free port of the loopback interface."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "pass:w/rd@123"
USER, DATABASE = "fw_pipeline", "locks"


def postgres_binaries() -> Path | None:
    """Return the folder of PostgreSQL's programs: Debian keeps them off the path."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "postgres").exists()), None)


NEEDS_POSTGRES = pytest.mark.skipif(
    postgres_binaries() is None or find_spec("psycopg2") is None,
    reason="needs PostgreSQL (Debian: apt-get install postgresql) and the extra `cluster`",
)

NEEDS_CLUSTER = pytest.mark.skipif(
    postgres_binaries() is None or shutil.which("redis-server") is None or find_spec("dagster_celery") is None,
    reason="needs PostgreSQL and Redis (Debian: apt-get install postgresql redis-server) and the extra `cluster`",
)


def refuse_to_skip() -> None:
    """Check that all servers are here, if `TEST_SERVERS=required` says so: a test that is skipped proves nothing.

    Raises:
        pytest.UsageError: one is not here; the line says what to install.
    """
    if os.environ.get("TEST_SERVERS") == "required" and NEEDS_CLUSTER.args[0]:
        raise pytest.UsageError(f"TEST_SERVERS=required: a test {NEEDS_CLUSTER.kwargs['reason']}")


def free_port() -> int:
    """Return a port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ordinary_user() -> str | None:
    """Return whom PostgreSQL runs as: it refuses root. None is whoever we are."""
    if os.getuid() != 0:
        return None
    return next((entry.pw_name for entry in pwd.getpwall() if entry.pw_name in {"postgres", "nobody"}), "nobody")


@dataclass
class PostgresServer:
    """One server with a database, a user and a password that needs quoting; it can be stopped and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The value of `FW_LOCKS`."""
        return f"postgresql://{USER}:pass%3Aw%2Frd%40123@127.0.0.1:{self.port}/{DATABASE}"

    def create(self) -> None:
        """Make the folder of the server and its first user."""
        if user := ordinary_user():
            shutil.chown(self.folder, user)
        secret = self.folder / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        self._run("initdb", "-D", "data", "-U", USER, "--pwfile=secret", "--auth=scram-sha-256", "-E", "UTF8", "-N")

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        settings = ("fsync=off", f"unix_socket_directories={self.folder}", "listen_addresses=127.0.0.1")
        options = [part for setting in settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binary("postgres"), "-D", "data", "-p", f"{self.port}", *options],
                cwd=self.folder, user=ordinary_user(), env=self._environment(), stdout=log, stderr=log,
            )  # fmt: skip
        deadline = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    break
            except OSError:
                assert self._process.poll() is None, (self.folder / "log").read_text()
                assert time.monotonic() < deadline, (self.folder / "log").read_text()
                time.sleep(0.1)
        if not self.ask("select 1 from pg_database where datname = %s", DATABASE, database="postgres"):
            self.ask(f"create database {DATABASE}", database="postgres")

    def stop(self) -> None:
        """Stop the server at once, as a crash would; its sessions are gone."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: immediate shutdown
            self._process.wait(60)
            self._process = None

    def ask(self, statement: str, *values: object, database: str = DATABASE) -> list[tuple[Any, ...]]:
        """Return the rows of a statement."""
        import psycopg2  # noqa: PLC0415 - of the extra `cluster`

        deadline = time.monotonic() + 60
        while True:
            try:
                connection = psycopg2.connect(
                    host="127.0.0.1", port=self.port, user=USER, password=PASSWORD, dbname=database
                )
                break
            except psycopg2.OperationalError as error:  # it is starting
                begins = "starting up" in str(error) or "not yet accepting" in str(error)
                if time.monotonic() > deadline or not begins:
                    raise
                time.sleep(0.1)
        with contextlib.closing(connection):
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []

    def end_sessions(self) -> int:
        """End every session of the program at the server; return how many there were."""
        return len(
            self.ask(
                "select pg_terminate_backend(pid, 10000) from pg_stat_activity where application_name = 'fw-pipeline'"
            )
        )

    def reset(self) -> None:
        """Forget every pace and every run."""
        self.ask("drop table if exists fw_pipeline_pace, fw_pipeline_runs")

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binary(name), *arguments], cwd=self.folder, user=ordinary_user(), env=self._environment(),
            capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr

    def _binary(self, name: str) -> str:
        folder = postgres_binaries()
        assert folder is not None
        return str(folder / name)

    def _environment(self) -> Mapping[str, str]:
        return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "HOME": str(self.folder)}


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Give a running server, and end it."""
    # not below pytest's own folders, which nobody else may enter
    with tempfile.TemporaryDirectory(prefix="fw-postgres-", ignore_cleanup_errors=True) as name:
        server = PostgresServer(Path(name))
        server.create()
        server.start()
        try:
            yield server
        finally:
            server.stop()


@dataclass
class RedisServer:
    """One server that keeps nothing on disk; it can be stopped and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """The value of `CELERY_BROKER_URL`."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start the server, and wait until it answers."""
        options = ("--port", f"{self.port}", "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder))
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(["redis-server", *options], stdout=log, stderr=log)
        deadline = time.monotonic() + 60
        while True:
            try:
                with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                    return
            except OSError:
                assert self._process.poll() is None, (self.folder / "redis.log").read_text()
                assert time.monotonic() < deadline
                time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server at once; what was in its queues is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
