"""`deploy/nginx.conf` before a real UI: a login, its own pages and live logs pass, and nothing of other sites does."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from fw_pipeline_tests.support.certificates import certificate
from fw_pipeline_tests.support.dagster_ui import Ui

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
OWN, ELSEWHERE = "https://fw.example.org", "https://elsewhere.example"
LOGIN = {"Authorization": f"Basic {base64.b64encode(b'ada:secret').decode()}"}
JSON = {"Content-Type": "application/json"}
QUERY = json.dumps({"query": "{ version }"})
LIVE_LOGS = """subscription logs { pipelineRunLogs(runId: "none") {
    __typename ... on PipelineRunLogsSubscriptionFailure { message }
} }"""

pytestmark = [pytest.mark.long, pytest.mark.skipif(NGINX is None, reason="nginx is not installed")]


@contextmanager
def proxy(folder: Path, ui: Ui) -> Iterator[int]:
    """Run nginx with the file of `deploy` before a UI; only its ports and paths are those of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    pem = certificate(folder, days=2, host="127.0.0.1")
    (folder / "users").write_text("ada:{PLAIN}secret\n", encoding="utf-8")
    text = (Path(__file__).parents[2] / "deploy" / "nginx.conf").read_text(encoding="utf-8")
    for old, new in {
        "listen 443": f"listen 127.0.0.1:{port}",
        "/etc/nginx/fw-pipeline.crt": str(pem),
        "/etc/nginx/fw-pipeline.key": str(pem),
        "/etc/nginx/fw-pipeline.users": str(folder / "users"),
        "http://127.0.0.1:3000": ui.url,
        "/var/lib/fw-pipeline/report/": f"{ui.data}/report/",
    }.items():
        assert old in text, old
        text = text.replace(old, new)
    conf = folder / "nginx.conf"
    temporary = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "client_body"))
    conf.write_text(
        f"daemon off; pid {folder}/pid; error_log {folder}/error.log; user root;\n"
        f"events {{}}\nhttp {{ access_log off; {temporary}\n{text}\n}}\n",
        encoding="utf-8",
    )
    assert NGINX is not None
    with subprocess.Popen([NGINX, "-p", str(folder), "-c", str(conf), "-e", str(folder / "error.log")]) as process:
        try:
            ui.wait_for("nginx", lambda: (folder / "pid").exists() and (folder / "pid").read_text(encoding="utf-8"))
            yield port
        finally:
            process.send_signal(signal.SIGTERM)


def unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def ask(port: int, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPSConnection("127.0.0.1", port, context=unverified(), timeout=60)
    body = QUERY if method == "POST" else None
    connection.request(method, path, body, {"Host": "fw.example.org", **headers})
    answer = connection.getresponse()
    said = answer.read().decode()
    connection.close()
    return answer.status, said


def live_logs(port: int, origin: str, login: Mapping[str, str]) -> str | int:
    """Return what a page is told over the websocket of the live logs, or the status that refuses it."""
    with socket.create_connection(("127.0.0.1", port)) as plain:
        try:
            with connect(
                "wss://fw.example.org/graphql", sock=plain, ssl=unverified(), origin=Origin(origin),
                subprotocols=[Subprotocol("graphql-ws")], additional_headers=login, proxy=None,
            ) as opened:  # fmt: skip
                opened.send(json.dumps({"type": "connection_init"}))
                assert json.loads(opened.recv(60))["type"] == "connection_ack"
                opened.send(json.dumps({"type": "start", "id": "1", "payload": {"query": LIVE_LOGS}}))
                return str(opened.recv(60))
        except InvalidStatus as refused:
            return refused.response.status_code


def test_a_login_own_pages_and_live_logs_pass_and_nothing_else_does(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (data / "report").mkdir(parents=True)
    (data / "report" / "index.html").write_text("the page", encoding="utf-8")
    tmp_path.chmod(0o755)
    with Ui(data, {"FW_UI_URL": OWN}) as ui, proxy(tmp_path, ui) as port:
        for method, path in (("GET", "/"), ("GET", "/runs"), ("POST", "/graphql"), ("GET", "/report/")):
            assert ask(port, method, path, JSON)[0] == 401, path
            wrong = {"Authorization": f"Basic {base64.b64encode(b'ada:wrong').decode()}"}
            assert ask(port, method, path, {**JSON, **wrong})[0] == 401, path
        status, said = ask(port, "GET", "/runs", LOGIN)
        assert (status, "<html" in said) == (200, True)
        assert ask(port, "GET", "/report/", LOGIN) == (200, "the page")
        status, said = ask(port, "POST", "/graphql", {**JSON, **LOGIN, "Origin": OWN})
        assert (status, '"version"' in said) == (200, True)
        assert ask(port, "POST", "/graphql", {**JSON, **LOGIN, "Origin": ELSEWHERE})[0] == 403
        assert ask(port, "POST", "/graphql", {**LOGIN, "Content-Type": "text/plain"})[0] == 415
        assert ask(port, "GET", "/graphql?query=%7Bversion%7D", LOGIN)[0] == 405
        assert "PipelineRunLogsSubscriptionFailure" in str(live_logs(port, OWN, LOGIN))
        assert live_logs(port, ELSEWHERE, LOGIN) == 403
        assert live_logs(port, OWN, {}) == 401
