"""Who may speak to the UI: requests of its own pages and of programs, not those of a page of another site.

Dagster's web server asks nobody where a request comes from, and takes a query by GET, by a form and over a websocket:
see docs/security.md. Nothing here knows who somebody is; that is a login's part.
"""

from __future__ import annotations

import ipaddress
from contextlib import suppress
from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.datastructures import Headers, QueryParams
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocketClose

Refusal = tuple[HTTPStatus, str]


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
