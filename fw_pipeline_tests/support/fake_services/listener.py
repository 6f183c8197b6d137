"""How the fake services are heard: connections, and deliveries that fail as real networks do."""

from __future__ import annotations

import contextlib
import gzip
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fw_pipeline_tests.support.fake_services.messages import Request, Response


class Listener(ThreadingHTTPServer):
    """Listens on a port of the loopback interface, with or without TLS."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, respond: Callable[[Request], Response], port: int, context: ssl.SSLContext | None = None
    ) -> None:
        """Take a port; 0 = any that is free."""
        self.respond, self.scheme, self._open = respond, "https" if context else "http", set[socket.socket]()
        super().__init__(("127.0.0.1", port), _Handler)
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def serve_in_thread(self) -> None:
        """Begin to answer."""
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection and remember it."""
        connection, address = super().get_request()
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        """End a connection and forget it."""
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that break off, or refuse our certificate, are what is being tested."""

    def close_all(self) -> None:
        """Stop listening, and break the connections that are open."""
        self.shutdown()
        self.server_close()
        for connection in list(self._open):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Listener

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
        parts, body = urlsplit(self.path), self.rfile.read(int(self.headers.get("Content-Length") or 0))
        _, service, *rest = f"{parts.path}/".split("/", 2)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = tuple(parse_qsl(parts.query, keep_blank_values=True))
        base_url = f"{self.server.scheme}://{self.headers['Host']}/{service}"
        path = "/" + "".join(rest).rstrip("/")
        self._send(self.server.respond(Request(service, self.command, path, query, headers, body, base_url)))

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
