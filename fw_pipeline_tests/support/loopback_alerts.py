"""Two who are told: a web server and a mail server on loopback, real ones, that remember what reached them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from fw_pipeline_tests.support.fake_services.listener import Listener
from fw_pipeline_tests.support.fake_services.messages import Request, Response


@dataclass
class Hook:
    """A webhook: answers with the statuses that are waiting, then with 200."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)

    @property
    def told(self) -> list[dict[str, Any]]:
        """What each request said."""
        return [json.loads(request.body) for request in self.requests]


@contextlib.contextmanager
def hook(path: str = "/hooks/T0-a-secret-path") -> Iterator[Hook]:
    """Listen as a webhook does."""
    made = Hook()

    def respond(request: Request) -> Response:
        made.requests.append(request)
        status = made.statuses.pop(0) if made.statuses else 200
        return Response(status, body=f"no {request.path} here".encode())

    listener = Listener(respond, 0)
    made.url = f"http://127.0.0.1:{listener.server_port}{path}"
    listener.serve_in_thread()
    try:
        yield made
    finally:
        listener.close_all()


@dataclass
class Mailbox:
    """A mail server's memory."""

    port: int = 0
    user: str = "pipe line"
    password: str = "p@ss:word/0"
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    answer: str = "250 taken"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Take a mail, or refuse it."""
        if self.answer.startswith("250"):
            content = envelope.original_content or b""
            mail = message_from_bytes(content, policy=policy.default)
            assert isinstance(mail, EmailMessage)
            self.mails.append(mail)
            self.envelopes.append(envelope)
            self.encrypted.append(session.ssl is not None)
        return self.answer

    def authenticate(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        """Let the one user in."""
        is_known = isinstance(data, LoginPassword) and (data.login, data.password) == (
            self.user.encode(),
            self.password.encode(),
        )
        return AuthResult(success=is_known, handled=False)


class _Controller(Controller):
    """Starts a mail server on any port that is free."""

    def _trigger_server(self) -> None:
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def mailbox(certificate: Path | None = None) -> Iterator[Mailbox]:
    """Listen as a mail server does; with a certificate it offers STARTTLS, and takes mail only from its user."""
    box = Mailbox()
    options: dict[str, Any] = {}
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        options = {"tls_context": context, "authenticator": box.authenticate, "auth_required": True}
    controller = _Controller(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        box.port = controller.port
        yield box
    finally:
        controller.stop()
