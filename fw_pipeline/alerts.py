"""Telling somebody that something went wrong: the message, and its way out by webhook and by mail.

Nothing here knows Dagster, or decides when to tell. Addresses and passwords appear in no error and no log.
"""

from __future__ import annotations

import html
import ipaddress
import json
import smtplib
import socket
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from fw_pipeline.errors import PipelineError
from fw_pipeline.http.redaction import Redactor
from fw_pipeline.http.retry import FAULTS, Fault, InvalidResponse, Limits, Transient, patiently
from fw_pipeline.http.transport import Request, opened, polite_session, whole_body
from fw_pipeline.settings import Settings
from fw_pipeline.settings_values import Alerting, MailServer
from fw_pipeline.text import one_line

LIMITS = Limits(
    connect_seconds=5, read_seconds=6, answer_seconds=6, answer_bytes=2**16,
    tries=3, first_wait=1, longest_wait=4, patience=10, redirects=2,
)  # fmt: skip
"""A tick of a sensor is cut off after a minute: three tries at each of two ways must fit in."""

SHOWN_LINES = 30
"""A backfill may fail in a hundred months for one cause; the run holds them all."""

_REMEDY = "the run's own page holds what it would have said; mend the setting and start the UI again"


class AlertError(PipelineError):
    """Nobody could be told. The run that the alert was about is what it was."""


@dataclass(frozen=True, slots=True)
class Alert:
    """What went wrong, as somebody reads it who sees nothing else."""

    subject: str
    """On one line: what, and which months."""
    lines: tuple[str, ...]
    """Each failure: what, month, cause, remedy."""
    link: str = ""
    """Where to look; empty where the address of the UI is not known."""
    run_id: str = ""

    @property
    def text(self) -> str:
        """The whole message in plain words."""
        shown = [one_line(line, 1000) for line in self.lines[:SHOWN_LINES]]
        if more := len(self.lines) - len(shown):
            shown.append(f"and {more} more")
        return "\n".join([self.subject, *(f"* {line}" for line in shown), *filter(None, [self.link])])


def send(
    alert: Alert,
    settings: Settings,
    *,
    say: Callable[[str], None] = lambda _: None,
    sleep: Callable[[float], None] = time.sleep,
    limits: Limits = LIMITS,
) -> tuple[str, ...]:
    """Send an alert by every way that is set, and return the ways.

    Args:
        alert: what to tell.
        settings: whom to tell.
        say: told of every repetition, for a log.
        sleep: waits so many seconds.
        limits: how long and how often.

    Raises:
        AlertError: one way or both failed; the other was tried all the same.
    """
    where = settings.alerting
    ways: dict[str, Callable[[], None]] = {}
    if where.webhook:
        ways["webhook"] = lambda: _call(alert, where.webhook, settings.contact, limits)
    if (server := where.mail_server) is not None:
        ways["mail"] = lambda: _mail(alert, where, server, limits)
    redactor, failures = Redactor(_secrets(where)), []
    for way, attempt in ways.items():
        fault = _tried(attempt, redactor, limits, sleep, lambda line, way=way: say(f"alert by {way}: {line}"))  # type: ignore[misc]
        if fault is not None:
            failures.append(f"{way}: {one_line(redactor.text(fault.cause), 300)}")
    if failures:
        raise AlertError(f"alert {alert.run_id}".strip(), "; ".join(failures), _REMEDY)
    return tuple(ways)


def _tried(
    attempt: Callable[[], None],
    redactor: Redactor,
    limits: Limits,
    sleep: Callable[[float], None],
    say: Callable[[str], None],
) -> Fault | None:
    def pause(line: str, seconds: float) -> None:
        say(one_line(redactor.text(line), 300))
        sleep(seconds)

    try:
        patiently(attempt, limits=limits, redactor=redactor, pause=pause)
    except FAULTS as fault:
        return fault
    return None


def _call(alert: Alert, webhook: str, contact: str, limits: Limits) -> None:
    # `text` is what chat services show; they take <...> for links and mentions, which a message must not make
    said = {
        "text": html.escape(alert.text, quote=False),
        "subject": alert.subject,
        "failures": list(alert.lines),
        "run_id": alert.run_id,
        "link": alert.link,
    }
    body = json.dumps(said, ensure_ascii=False).encode()
    request = Request("POST", webhook, {"Content-Type": "application/json; charset=utf-8"}, body)
    with polite_session(contact) as session, opened(session, request, limits) as response:
        whole_body(response, limits)
    cause = f"HTTP {response.status_code} {response.reason or ''}".strip()
    if response.status_code in (408, 429) or response.status_code >= 500:  # noqa: PLR2004 - the server is unwell
        raise Transient(cause)
    if not response.ok:
        raise InvalidResponse(cause)


def _mail(alert: Alert, where: Alerting, server: MailServer, limits: Limits) -> None:
    message = EmailMessage()
    message["Subject"] = one_line(f"fw-pipeline: {alert.subject}")
    message["From"], message["To"] = where.mail_from, ", ".join(where.mail_to)
    message["Date"], message["Auto-Submitted"] = format_datetime(datetime.now(UTC)), "auto-generated"
    message.set_content(alert.text)
    fault: Fault | None = None
    try:
        with _connected(server, limits) as session:
            if server.user:
                session.login(server.user, server.password)
            session.send_message(message)
    except smtplib.SMTPAuthenticationError:
        fault = InvalidResponse("the mail server refuses the user or the password of FW_SMTP_URL")
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        fault = _answered(min(codes), "the mail server refuses the recipients")
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error.decode("utf-8", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        fault = _answered(error.smtp_code, f"the mail server answers {error.smtp_code} {said}")
    except ssl.SSLCertVerificationError as error:
        fault = InvalidResponse(f"the certificate of the mail server is not valid: {error.verify_message}")
    except smtplib.SMTPNotSupportedError as error:
        fault = InvalidResponse(f"the mail server cannot do it: {error}")
    except (OSError, smtplib.SMTPException) as error:
        fault = Transient(f"the mail server cannot be reached ({type(error).__name__})")
    if fault is not None:
        raise fault  # not inside the handlers: what the library raises may repeat what was sent


def _answered(code: int, cause: str) -> Fault:
    return Transient(cause) if 400 <= code < 500 else InvalidResponse(cause)  # noqa: PLR2004 - 4xx is for now, 5xx for good


def _connected(server: MailServer, limits: Limits) -> smtplib.SMTP:
    """Open an encrypted connection; only to this machine itself may it stay open to read."""
    here, seconds, context = socket.gethostname(), limits.read_seconds, ssl.create_default_context()
    if server.tls_from_the_start:
        return smtplib.SMTP_SSL(server.host, server.port, here, timeout=seconds, context=context)
    session = smtplib.SMTP(server.host, server.port, here, timeout=seconds)
    session.ehlo()
    if session.has_extn("starttls"):
        session.starttls(context=context)
    elif not _is_this_machine(server.host):
        session.close()
        raise smtplib.SMTPNotSupportedError("it offers no encryption (STARTTLS)")
    return session


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _secrets(where: Alerting) -> dict[str, str]:
    parts, server = urlsplit(where.webhook), where.mail_server
    path = parts.path if len(parts.path) > len("/hook") else ""  # a short one keeps no secret, and may be any word
    password = server.password if server else ""
    return {"webhook": where.webhook, "path": path, "query": parts.query, "password": password}
