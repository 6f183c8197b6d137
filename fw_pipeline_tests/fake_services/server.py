"""One server for all fake services: routing, a log of requests, faults on demand, and real faults of the network."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from fw_pipeline_tests.fake_services import arxiv, clickpy, huggingface, pwc, pypistats, stackexchange
from fw_pipeline_tests.fake_services.faults import Faults
from fw_pipeline_tests.fake_services.messages import Request, Response, as_json, as_text
from fw_pipeline_tests.fake_services.world import World

SERVICES: Mapping[str, Callable[[Request, World], Response]] = MappingProxyType(
    {
        "stackexchange": stackexchange.answer,
        "huggingface": huggingface.answer,
        "arxiv": arxiv.answer,
        "pwc": pwc.answer,
        "pypistats": pypistats.answer,
        "clickpy": clickpy.answer,
    }
)


@dataclass(frozen=True, slots=True)
class Logged:
    """One request that arrived."""

    at: float
    """Monotonic seconds."""
    until: float
    """When its answer had been sent."""
    method: str
    path: str
    """With the service's base path, without the query."""
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    status: int

    @property
    def service(self) -> str:
        """The service that was asked."""
        return self.path.split("/")[1]

    @property
    def line(self) -> str:
        """The request on one line."""
        query = "&".join(f"{name}={value}" for name, value in self.query)
        return f"{self.method} {self.path}" + (f"?{query}" if query else "")

    @property
    def shown(self) -> dict[str, Any]:
        """The request as the log shows it."""
        return {"line": self.line, "status": self.status, "body": self.body.decode("utf-8", "replace")}


@dataclass
class FakeServices:
    """The server. `with FakeServices() as services:` starts it on a free port of the loopback interface."""

    world: World = field(default_factory=World)
    port: int = 0
    faults: Faults = field(default_factory=Faults)
    requests: list[Logged] = field(default_factory=list)

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """The server's address, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def of(self, service: str) -> list[Logged]:
        """Return the requests that one service got."""
        return [request for request in self.requests if request.service == service]

    def reset(self, world: World | None = None) -> None:
        """Begin anew: a fresh world, no faults, an empty log."""
        self.world = world or World()
        self.faults.clear()
        self.requests.clear()

    def start(self) -> None:
        """Listen, on the same port as before where there was one."""
        self._listener = _Listener(self, self.port)
        self.port = self._listener.server_port
        self._listener.serve_in_thread()

    def stop(self) -> None:
        """Refuse connections from now on, and break those that are open."""
        self._listener.close_all()

    @contextlib.contextmanager
    def down(self) -> Iterator[None]:
        """Be down for a while."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextlib.contextmanager
    def over_tls(self, certificate: str) -> Iterator[str]:
        """Offer the same services over TLS, with a certificate file that holds the key too; yield the address."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        listener = _Listener(self, 0, context)
        listener.serve_in_thread()
        try:
            yield f"https://127.0.0.1:{listener.server_port}"
        finally:
            listener.close_all()

    def respond(self, request: Request) -> Response:
        """Return the response to one routed request, spoiled by the faults that are due."""
        return self.faults.around(request, lambda asked: SERVICES[asked.service](asked, self.world))

    def control(self, method: str, path: str, body: bytes) -> Response:
        """Answer a request about the server itself."""
        if (method, path) == ("POST", "/_faults"):
            try:
                self.faults.add_from(json.loads(body))
            except (ValueError, KeyError, TypeError) as error:
                return as_text(f"{error}\n", 400)
        if (method, path) == ("POST", "/_reset"):
            self.reset()
        known: Mapping[str, Callable[[], Response]] = {
            "/": lambda: as_text("\n".join(f"{self.url}/{name}" for name in SERVICES) + "\n"),
            "/_log": lambda: as_json([it.shown for it in self.requests]),
            "/_faults": lambda: as_json(self.faults.waiting()),
            "/_reset": lambda: as_text("reset\n"),
            "/_page": lambda: as_text("<!doctype html><h1>A page to read</h1>", kind="text/html; charset=utf-8"),
        }
        return known.get(path, lambda: as_text("no such path\n", 404))()


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, services: FakeServices, port: int, context: ssl.SSLContext | None = None) -> None:
        self.services, self.scheme, self._open = services, "https" if context else "http", set[socket.socket]()
        super().__init__(("127.0.0.1", port), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def serve_in_thread(self) -> None:
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that break off, or refuse our certificate, are what is being tested."""

    def close_all(self) -> None:
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    def do_HEAD(self) -> None:
        """Answer without the body."""
        self._answer()

    def log_message(self, *args: Any) -> None:
        """Write nothing: the log is read at `/_log`."""

    def _answer(self) -> None:
        began = time.monotonic()
        services, parts = self.server.services, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, service, *rest = f"{parts.path}/".split("/", 2)
        if service not in SERVICES:
            self._send(services.control(self.command, parts.path, body))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        base_url = f"{self.server.scheme}://{self.headers['Host']}/{service}"
        path = "/" + rest[0].rstrip("/")
        response = services.respond(Request(service, self.command, path, query, headers, body, base_url))
        entry = (began, time.monotonic(), self.command, parts.path, query, headers, body, response.status)
        services.requests.append(Logged(*entry))
        self._send(response)

    def _send(self, response: Response) -> None:
        body, headers = response.body, dict(response.headers)
        accepts = "gzip" in self.headers.get("Accept-Encoding", "")
        kind = headers.get("Content-Type", "")
        packable = (
            accepts
            and "Content-Encoding" not in headers
            and kind.startswith(("application/json", "text/", "application/atom"))
        )
        if response.stream is None and (response.always_packed or packable) and response.status != 304:
            body, headers["Content-Encoding"] = gzip.compress(body, 1, mtime=0), "gzip"
        self.send_response_only(response.status)
        for name, value in {"Date": formatdate(usegmt=True), **headers}.items():
            self.send_header(name, value)
        if response.stream is not None and response.claimed_length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            claimed = len(body) if response.claimed_length is None else response.claimed_length
            self.send_header("Content-Length", str(claimed))
        self.end_headers()
        if self.command != "HEAD":
            with contextlib.suppress(OSError):
                self._send_body(response, body)

    def _send_body(self, response: Response, body: bytes) -> None:
        if response.stream is not None:
            chunked = response.claimed_length is None
            for chunk in response.stream:
                self.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk) if chunked else chunk)
            self.wfile.write(b"0\r\n\r\n" if chunked else b"")
            return
        cut = next((it for it in (response.cut_after, response.reset_after) if it is not None), None)
        sent = body if cut is None else body[:cut]
        step = 1 if response.drip_seconds else max(1, len(sent))
        for start in range(0, len(sent), step):
            self.wfile.write(sent[start : start + step])
            self.wfile.flush()
            time.sleep(response.drip_seconds)
        if cut is not None:
            self.close_connection = True
        if response.reset_after is not None:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
