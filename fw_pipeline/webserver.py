"""The web server of `fw-pipeline ui`: `dagster dev` as a child process, with a guard before its pages.

    python -m fw_pipeline.webserver dev ...   the UI and its daemon, as `dagster dev`
    python -m fw_pipeline.webserver ...       the web server alone, as `dagster-webserver`; started by the first

Dagster has no setting for middleware: see docs/adr/0016-a-guard-before-the-web-server.md. It does not check where a
request comes from, and takes a query by GET, by a form and over a websocket: see docs/security.md. Nothing here knows
who somebody is; that is the login's job.
"""

from __future__ import annotations

import ipaddress
import os
import signal
import socket
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

from fw_pipeline import settings
from fw_pipeline.errors import PipelineError
from fw_pipeline.paths import SHIPPED_DIR

Refusal = tuple[HTTPStatus, str]

DAGSTERS, OURS = "dagster_webserver", "fw_pipeline.webserver"
DAEMON, LEVEL = "dagster._daemon", "--log-level"


class Guard:
    """ASGI middleware that refuses what a page of another site can make a browser send."""

    def __init__(self, app: ASGIApp, *, name: str) -> None:
        """Stand before an app; `name` is the host that people open it by, beside addresses and localhost."""
        self._app, self._name = app, name.lower()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand a request on, or refuse it."""
        why = self.refusal(scope) if scope["type"] in {"http", "websocket"} else None
        if why is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await WebSocketClose(code=1008, reason=why[1])(scope, receive, send)
        else:
            status, words = why
            await PlainTextResponse(f"fw-pipeline: {words}\n", status)(scope, receive, send)

    def refusal(self, scope: Scope) -> Refusal | None:
        """Return the status and the reason for which a request is refused, or None."""
        headers, method = Headers(scope=scope), scope.get("method", "")
        host = headers.get("host", "").lower()
        if not self._is_known(host):
            remedy = "set FW_UI_URL to the address that people open it by"
            return HTTPStatus.MISDIRECTED_REQUEST, f"unknown Host header; {remedy}"
        origin = headers.get("origin")
        is_visit = method == "GET" and headers.get("sec-fetch-mode") == "navigate"
        is_of_another = headers.get("sec-fetch-site") in {"cross-site", "same-site"} and not is_visit
        if is_of_another or (origin is not None and origin.lower().partition("://")[2] != host):
            return HTTPStatus.FORBIDDEN, "a page of another site asks; only the UI's own pages may"
        if scope["path"].rstrip("/").endswith("/graphql"):
            if method == "GET" and "query" in QueryParams(scope["query_string"]):
                return HTTPStatus.METHOD_NOT_ALLOWED, "a query comes by POST"
            if method == "POST" and headers.get("content-type", "").partition(";")[0].strip() != "application/json":
                return HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "a query comes as application/json"
        return None

    def _is_known(self, host: str) -> bool:
        """Say whether a host is ours: a name that is not may have been made to lead here (DNS rebinding)."""
        with suppress(ValueError):
            name = urlsplit(f"//{host}").hostname or ""
            if name in {"localhost", self._name}:
                return bool(name)
            ipaddress.ip_address(name)
            return True
        return False


def exposed(host: str) -> str | None:
    """Return what to say before the UI listens on an address that others may reach; None on loopback."""
    with suppress(ValueError):
        if host == "localhost" or ipaddress.ip_address(host).is_loopback:
            return None
    return (
        f"the UI will be open to everybody who can reach {host}: it has no login, and whoever opens it can start runs "
        "and delete history; leave --host out, or put it behind a login as docs/security.md shows"
    )


def refuse_if_taken(host: str, port: int) -> None:
    """Try an address before the UI is started on it: Dagster's web server would stay up without listening.

    Raises:
        PipelineError: the address is not one of this machine, or somebody listens there.
    """
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        cause = f"it cannot listen on {host}, port {port}: {error.strerror or error}"
        raise PipelineError("Dagster UI", cause, "choose another --port, or leave --host out") from error


def serve(host: str, port: int, *, folder: Path, environment: Mapping[str, str]) -> int:
    """Run `dagster dev` in a folder until it ends or a signal stops it; return its exit status.

    In a folder without a `.env`, which Dagster would let win over the environment.
    """
    command = [
        sys.executable, "-m", OURS, "dev",
        "--workspace", str(SHIPPED_DIR / "workspace.yaml"), "--host", host, "--port", str(port),
    ]  # fmt: skip
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell that starts us in the background ignores it
    process = subprocess.Popen(command, cwd=folder, env={**os.environ, **environment})  # noqa: S603 - our own interpreter
    signal.signal(signal.SIGTERM, lambda *_: process.send_signal(signal.SIGINT))
    while process.poll() is None:
        try:
            process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)  # it closes its parts in order
    return process.returncode


def _develop() -> None:
    from dagster import DagsterInstance, SupersessionWarning  # noqa: PLC0415 - each process imports its own half
    from dagster._cli import dev, main  # noqa: PLC0415

    from fw_pipeline.orchestration.instance import told  # noqa: PLC0415

    try:
        with told(), DagsterInstance.get():
            pass  # what is wrong with the history is one line here, and a traceback in each of Dagster's processes
    except PipelineError as error:
        sys.exit(f"fw-pipeline: {error}")
    warnings.simplefilter("ignore", SupersessionWarning)  # its advice is for whoever calls `dagster dev`
    parts: Any = dev
    start = parts.open_ipc_subprocess

    def start_ours(command: Sequence[str], **options: Any) -> Any:
        ours = [OURS if part == DAGSTERS else part for part in command]
        if DAEMON in ours:  # what its sensors find stands in the UI; here it would be a thousand lines an hour
            ours[ours.index(LEVEL) + 1] = "warning"
        return start(ours, **options)

    parts.open_ipc_subprocess = start_ours
    main()  # type: ignore[no-untyped-call]


def _serve() -> None:
    from dagster_webserver import app, cli, webserver  # noqa: PLC0415 - each process imports its own half

    name = urlsplit(settings.read().alerting.ui).hostname or ""

    class Guarded(webserver.DagsterWebserver[Any, Any]):
        def build_middleware(self) -> list[Middleware]:
            return [Middleware(Guard, name=name), *super().build_middleware()]

    parts: Any = app
    if parts.DagsterWebserver is not webserver.DagsterWebserver:
        raise RuntimeError("Dagster makes its web server elsewhere: nothing would stand before it")
    parts.DagsterWebserver = Guarded
    cli.main()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    if sys.argv[1:2] == ["dev"]:
        _develop()
    else:
        _serve()
