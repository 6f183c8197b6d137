"""The UI's web server: pages of other sites and strange names are refused, and so is an address that is taken."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from fw_pipeline.webserver import Guard
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.dagster_ui import Ui

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LAUNCH = "/graphql?query=mutation%7Blaunch%7D"
QUERY = json.dumps({"query": "{ version }"})

REFUSED: tuple[tuple[str, str, Mapping[str, str], int], ...] = (
    ("POST", "/graphql", {**JSON, "Origin": "https://elsewhere.example"}, 403),
    ("POST", "/graphql", {**JSON, "Origin": "null"}, 403),
    ("POST", "/graphql", {**JSON, "Origin": "http://127.0.0.1:1"}, 403),
    ("POST", LAUNCH, {**FORM, "Origin": "https://elsewhere.example"}, 403),
    ("POST", "/report_asset_materialization/raw/pypi", {**JSON, "Origin": "https://elsewhere.example"}, 403),
    ("GET", "/logs/x", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ("GET", "/logs/x", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, 403),
    ("GET", LAUNCH, {}, 405),
    ("GET", "/graphql/?%71uery=mutation%7Blaunch%7D", {"Accept": "text/html"}, 405),
    ("POST", LAUNCH, FORM, 415),
    ("POST", LAUNCH, {}, 415),
    ("POST", "/graphql", {"Content-Type": "text/plain; application/json"}, 415),
    ("POST", "/graphql", {"Content-Type": "application/graphql"}, 415),
    ("GET", "/", {"Host": "rebound.example"}, 421),
    ("GET", "/", {"Host": "127.0.0.1.rebound.example:3000"}, 421),
    ("GET", "/", {"Host": "[::1"}, 421),
    ("GET", "/", {"Host": ""}, 421),
    ("POST", "/graphql", {**JSON, "Host": "rebound.example", "Origin": "http://rebound.example"}, 421),
)

TAKEN: tuple[tuple[str, str, Mapping[str, str]], ...] = (
    ("POST", "/graphql", JSON),
    ("POST", "/graphql", {"Content-Type": "application/json; charset=utf-8", "Sec-Fetch-Site": "same-origin"}),
    ("POST", "/graphql", {**JSON, "Host": "fw.example.org", "Origin": "https://fw.example.org"}),
    ("POST", "/graphql", {**JSON, "Host": "localhost:8080", "Origin": "http://localhost:8080"}),
    ("GET", "/graphql", {"Accept": "text/html"}),
    ("GET", "/runs", {"Host": "[::1]:3000"}),
    ("GET", "/runs", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}),
)


async def _taken(_request: Request) -> PlainTextResponse:
    return PlainTextResponse("taken")


async def _socket(websocket: WebSocket) -> None:
    await websocket.accept(subprotocol="graphql-ws")
    await websocket.close()


@pytest.fixture(scope="module")
def guarded() -> Iterator[int]:
    """Serve an app that takes everything, behind the guard; return its port."""
    app = Starlette(
        routes=[WebSocketRoute("/graphql", _socket), Route("/{path:path}", _taken, methods=["GET", "POST"])],
        middleware=[Middleware(Guard, name="FW.example.org")],
    )
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="critical"))
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    yield listener.getsockname()[1]
    server.should_exit = True
    thread.join()


def ask(port: int, method: str, path: str, headers: Mapping[str, str]) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = QUERY if method == "POST" else None
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in {"Content-Length": str(len(body or "")), **headers}.items():
        connection.putheader(name, value)
    connection.endheaders(body.encode() if body else None)
    with connection.getresponse() as answer:
        said = answer.read().decode()
    connection.close()
    return answer.status, said


def socket_status(port: int, origin: str) -> int:
    """Return 101 where a websocket is opened for a page, else the status that refuses it."""
    try:
        with connect(f"ws://127.0.0.1:{port}/graphql", origin=Origin(origin), subprotocols=[Subprotocol("graphql-ws")]):
            return 101
    except InvalidStatus as refused:
        return refused.response.status_code


@pytest.mark.parametrize(("method", "path", "headers", "status"), REFUSED)
def test_what_a_page_of_another_site_can_send_is_refused(
    guarded: int, method: str, path: str, headers: Mapping[str, str], status: int
) -> None:
    got, said = ask(guarded, method, path, headers)
    assert (got, said.startswith("fw-pipeline: ")) == (status, True)


@pytest.mark.parametrize(("method", "path", "headers"), TAKEN)
def test_what_its_own_pages_and_programs_send_is_taken(
    guarded: int, method: str, path: str, headers: Mapping[str, str]
) -> None:
    assert ask(guarded, method, path, headers) == (200, "taken")


def test_a_websocket_opens_for_its_own_pages_alone(guarded: int) -> None:
    assert socket_status(guarded, f"http://127.0.0.1:{guarded}") == 101
    assert socket_status(guarded, "https://elsewhere.example") == 403


def test_a_ui_that_could_not_listen_is_not_started(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        for host, cause in (("127.0.0.1", "Address already in use"), ("192.0.2.1", "Cannot assign requested address")):
            done = fw_pipeline(tmp_path, "ui", "--host", host, "--port", port)
            assert (done.status, done.err.count("\n")) == (1, 1)
            assert f"Dagster UI: it cannot listen on {host}, port {port}: {cause}; choose another --port" in done.err


@pytest.mark.long
def test_the_ui_that_is_started_is_guarded(tmp_path: Path) -> None:
    with Ui(tmp_path / "data") as ui:
        port = int(ui.url.rpartition(":")[2])
        for method, path, headers, status in REFUSED:
            assert ask(port, method, path, headers)[0] == status, (method, path, headers)
        own = {"Origin": ui.url, "Sec-Fetch-Site": "same-origin"}
        status, said = ask(port, "POST", "/graphql", {**JSON, **own})
        assert (status, "version" in said) == (200, True)
        assert ask(port, "GET", "/runs", {})[0] == 200
        assert socket_status(port, ui.url) == 101
        assert socket_status(port, "https://elsewhere.example") == 403
    assert ui.process.returncode == 0
