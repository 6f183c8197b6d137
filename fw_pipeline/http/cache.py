"""Responses kept as evidence before anybody reads them, and replayed instead of asking twice.

Nothing here judges a response.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType

from fw_pipeline.contract import HEADERS_OF, Evidence, EvidenceWriter
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.response import Response

KEPT_HEADERS = (
    "content-range",
    "content-type",
    "date",
    "etag",
    "last-modified",
    "link",
    "x-linked-etag",
    "x-repo-commit",
)
"""Headers that are kept beside a body: a replayed response can say where its next page is, and how old it is."""

_TELLING = frozenset({"link", "last-modified", "x-repo-commit"})
"""Headers without which the body does not tell the whole; they are kept only where there is one of these."""

VALIDATED = _TELLING | {"etag"}
"""The same for a large file: what tells its version spares downloading it again."""

_UNCHANGED: Mapping[str, str] = MappingProxyType({"If-None-Match": "etag", "If-Modified-Since": "last-modified"})


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier fetch kept for a request."""

    body: Evidence
    head: Evidence
    asking: Mapping[str, str]
    """The headers that ask whether it has changed since: `If-None-Match`, `If-Modified-Since`."""


@dataclass(frozen=True, slots=True)
class ResponseCache:
    """The evidence of one fetch, as the HTTP layer uses it."""

    evidence: EvidenceWriter
    redactor: Redactor
    clock: Callable[[], float]
    """Gives Unix seconds, for servers that do not say when they answered."""

    def find(self, request: str) -> Response | None:
        """Return the response that an unfinished earlier try kept for a request, if any."""
        kept = self.evidence.find(request)
        if kept is None:
            return None
        status, headers = self.head_of(request)
        return Response(
            request, status, headers, kept.read(), kept, self.evidence.observed_at((kept.ref,)), replayed=True
        )

    def head_of(self, request: str) -> tuple[int, Mapping[str, str]]:
        """Return the status and the headers that were kept for a request: 200 and none where they told nothing."""
        return _read_head(self.evidence.find(_head(request)))

    def earlier(self, request: str) -> Earlier | None:
        """Return what the last fetch before this one kept for a request; None where nothing tells its version."""
        if not (found := self.evidence.find_earlier(request, _head(request))):
            return None
        kept, head = found
        _, headers = _read_head(head)
        asking = {ours: headers[theirs] for ours, theirs in _UNCHANGED.items() if theirs in headers}
        return Earlier(kept, head, asking) if asking else None

    def keep_again(self, request: str, earlier: Earlier) -> Evidence:
        """Note that what an earlier fetch kept for a request is the answer of this one too, and return it."""
        self.evidence.keep_again(_head(request), earlier.head)
        self.evidence.keep_again(request, earlier.body)
        return earlier.body

    def keep(self, request: str, name: str, status: int, headers: Mapping[str, str], body: bytes) -> Response:
        """Write a response verbatim (but for our own secrets, should the server repeat them) and return it."""
        body = self.redactor.body(body)
        shown = {header: self.redactor.address(value) for header, value in headers.items()}
        if status != 200 or _TELLING & headers.keys():  # noqa: PLR2004
            self.keep_head(request, name, status, shown)
        kept = self.evidence.keep(request, body, name=name)
        return Response(request, status, shown, body, kept, datetime.fromtimestamp(self.clock(), UTC))

    def keep_head(self, request: str, name: str, status: int, headers: Mapping[str, str]) -> None:
        """Write the telling headers of a response; before its body, so that no body is ever found without them."""
        shown = {header: self.redactor.address(headers[header]) for header in KEPT_HEADERS if header in headers}
        head = json.dumps({"status": status, "headers": shown}, sort_keys=True).encode()
        self.evidence.keep(_head(request), head, name=f"{name}.headers.json")

    def reject(self, response: Response, cause: str) -> None:
        """Say that a response is unfit, so that it is asked for again."""
        said = self.redactor.text(cause)
        if (head := self.evidence.find(_head(response.request))) is not None:
            self.evidence.reject(head.ref, said)
        self.evidence.reject(response.evidence.ref, said)


def _read_head(kept: Evidence | None) -> tuple[int, Mapping[str, str]]:
    if kept is not None:
        with contextlib.suppress(ValueError):
            match json.loads(kept.read()):
                case {"status": int(status), "headers": dict(headers)}:
                    return status, headers
    return 200, {}


def _head(request: str) -> str:
    return f"{HEADERS_OF}{request}"
