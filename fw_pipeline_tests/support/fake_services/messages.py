"""A request as a fake service sees it, and the response that it gives, with the ways in which its delivery may fail."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request, routed: `path` is what follows the service's base path."""

    service: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes
    base_url: str
    """Where the service is mounted, such as `http://127.0.0.1:8100/huggingface`."""

    def one(self, name: str, default: str = "") -> str:
        """Return the last value of a parameter."""
        return next((value for key, value in reversed(self.query) if key == name), default)

    def all(self, *names: str) -> list[str]:
        """Return every value of some parameters, in order."""
        return [value for key, value in self.query if key in names]

    def whole(self, name: str, default: int) -> int:
        """Return a parameter as a whole number.

        Raises:
            ValueError: it is none.
        """
        return int(self.one(name, str(default)))


@dataclass(frozen=True, slots=True)
class Logged:
    """One request that arrived."""

    at: float
    """Monotonic seconds."""
    until: float
    """When its answer was ready to be sent."""
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


@dataclass(frozen=True, slots=True)
class Response:
    """What is sent, and how."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    always_packed: bool = False
    """Sent with gzip whatever was asked for."""
    stream: Iterator[bytes] | None = None
    """Sent instead of the body, in chunks of unknown number."""
    claimed_length: int | None = None
    """Sent as Content-Length instead of the true one."""
    cut_after: int | None = None
    """The connection is closed in an orderly way after so many bytes of the body."""
    reset_after: int | None = None
    """The connection is reset after so many bytes of the body."""
    drip_seconds: float = 0.0
    """Pause after every byte of the body."""


def as_json(value: Any, status: int = 200, **headers: str) -> Response:
    """Return a response with a JSON body."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(status, {"Content-Type": "application/json; charset=utf-8", **named}, body)


def as_text(text: str, status: int = 200, kind: str = "text/plain; charset=utf-8") -> Response:
    """Return a response with a text body."""
    return Response(status, {"Content-Type": kind}, text.encode())
