"""A real S3 server on loopback: `weed` of SeaweedFS, with one user and a folder of its own."""

from __future__ import annotations

import contextlib
import json
import random
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from obstore.exceptions import BaseError
from obstore.store import S3Store

from fw_pipeline.raw.object_storage import bucket

WEED = Path(sys.executable).parent / "weed"
KEY, SECRET = "tester", "a-secret-of-the-object-store"
BUCKET = "ready"
"""A bucket that is there as soon as the server answers."""
PATIENCE = 120.0
"""Seconds: it starts in two where the machine has nothing else to do."""


def _free_ports() -> tuple[int, int, int, int]:
    """Return four ports that are free, and the ports 10,000 above them, too: the server takes those by itself."""
    found: list[int] = []
    while len(found) < 4:
        port = random.randrange(11_000, 16_000)
        if port not in found and all(_is_free(it) for it in (port, port + 10_000)):
            found.append(port)
    return found[0], found[1], found[2], found[3]


def _is_free(port: int) -> bool:
    with socket.socket() as probe, contextlib.suppress(OSError):
        probe.bind(("127.0.0.1", port))
        return True
    return False


@dataclass
class S3Server:
    """The server and how to reach it; it may be stopped and started again with the same content."""

    folder: Path
    ports: tuple[int, int, int, int] = field(default_factory=_free_ports)
    process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead a program to this server."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.ports[3]}",
            "AWS_ACCESS_KEY_ID": KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def start(self) -> None:
        """Start it, and wait until it answers and takes an object."""
        master, volume, filer, s3 = self.ports
        config = self.folder / "s3.json"
        user = {"accessKey": KEY, "secretKey": SECRET}
        actions = ["Admin", "Read", "Write", "List"]
        config.write_text(
            json.dumps({"identities": [{"name": "tester", "credentials": [user], "actions": actions}]}),
            encoding="utf-8",
        )
        (self.folder / "data").mkdir(exist_ok=True)
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(str(WEED), "-logtostderr", "server", f"-dir={self.folder / 'data'}"),
                    *("-ip=127.0.0.1", "-ip.bind=127.0.0.1"),
                    *(f"-master.port={master}", f"-volume.port={volume}", "-volume.max=20"),
                    *("-master.volumeSizeLimitMB=64", "-filer", f"-filer.port={filer}"),
                    *("-s3", f"-s3.port={s3}", f"-s3.config={config}"),
                    *("-s3.port.iceberg=0", "-s3.port.lance=0", "-master.telemetry=false"),
                ],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        deadline = time.monotonic() + PATIENCE
        while not self._is_ready():
            assert self.process.poll() is None, (self.folder / "log").read_text(encoding="utf-8")[-2000:]
            assert time.monotonic() < deadline, "the server does not answer"
            time.sleep(0.2)

    def stop(self) -> None:
        """Kill the server, if it runs: by itself it would take half a minute to end. What it has confirmed stays."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _is_ready(self) -> bool:
        store = S3Store(
            BUCKET,
            endpoint=self.environment["AWS_ENDPOINT_URL"],
            access_key_id=KEY,
            secret_access_key=SECRET,
            client_options={"allow_http": True},
            retry_config={"max_retries": 0},
        )
        try:
            store.put("ready", b"ready")
        except (BaseError, OSError):
            return False
        return True


@contextlib.contextmanager
def s3_server(folder: Path) -> Iterator[S3Server]:
    """Start a server with its files in `folder`; it is stopped at the end."""
    server = S3Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def s3_server_of_this_process(folder: Path) -> Iterator[S3Server]:
    """Start a server that this process reaches, too, by its environment; nothing of it is remembered afterwards."""
    with s3_server(folder) as server, pytest.MonkeyPatch.context() as environ:
        for name, value in server.environment.items():
            environ.setenv(name, value)
        bucket.cache_clear()
        try:
            yield server
        finally:
            bucket.cache_clear()
