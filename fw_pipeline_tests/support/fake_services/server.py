"""One server for all fake services: routing, a log of requests, faults on demand, and being down."""

from __future__ import annotations

import contextlib
import json
import ssl
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self

from fw_pipeline_tests.support.fake_services import arxiv, clickpy, huggingface, pwc, pypistats, stackexchange
from fw_pipeline_tests.support.fake_services.listener import Listener
from fw_pipeline_tests.support.fake_services.messages import Logged, Request, Response, as_json, as_text
from fw_pipeline_tests.support.fake_services.schedule import Faults
from fw_pipeline_tests.support.fake_services.world import World

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
        self._listener = Listener(self.respond, self.port)
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
        listener = Listener(self.respond, 0, context)
        listener.serve_in_thread()
        try:
            yield f"https://127.0.0.1:{listener.server_port}"
        finally:
            listener.close_all()

    def respond(self, request: Request) -> Response:
        """Return the response to one request, spoiled by the faults that are due, and log it."""
        if request.service not in SERVICES:
            return self._control(request.method, f"/{request.service}{request.path}".rstrip("/") or "/", request.body)
        began = time.monotonic()
        try:
            response = self.faults.around(request, lambda asked: SERVICES[asked.service](asked, self.world))
        except Exception:  # noqa: BLE001 - a bug of a fake must not look like a fault of the network
            response = as_text(f"this fake service has a bug\n{traceback.format_exc()}", 418)
        path = f"/{request.service}{request.path}"
        entry = (request.method, path, request.query, request.headers, request.body, response.status)
        self.requests.append(Logged(began, time.monotonic(), *entry))
        return response

    def _control(self, method: str, path: str, body: bytes) -> Response:
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
