"""Keys and tokens taken out of everything that leaves the HTTP layer: texts, bodies, log records.

Nothing here decides what is asked; it only hides.
"""

from __future__ import annotations

import contextlib
import html
import json
import logging
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

WITHHELD = "[withheld]"

_LEAST_IN_BODY = 6
"""A shorter secret would be found by chance in data, and figures would be changed by hiding it."""

_LOGGERS = ("urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.response", "urllib3.util.retry")
"""Loggers of the HTTP libraries that write whole addresses."""


class Redactor:
    """Hides the values of some secrets, however they were quoted. Its own text form shows none."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Remember every way in which the values may be written."""
        self._values = frozenset(value for value in secrets.values() if value)
        spellings = {form for value in self._values for form in _spellings(value)}
        self._forms = tuple(sorted(spellings, key=len, reverse=True))

    def holds(self, value: object) -> bool:
        """Say whether a value is a secret, or has one in it."""
        return any(secret in str(value) for secret in self._values)

    def text(self, text: str) -> str:
        """Return a text without the secrets."""
        for form in self._forms:
            text = text.replace(form, WITHHELD)
        return text

    def body(self, body: bytes) -> bytes:
        """Return an answer without the secrets that the server repeated in it."""
        for form in self._forms:
            if len(form) >= _LEAST_IN_BODY and (raw := form.encode()) in body:
                body = body.replace(raw, WITHHELD.encode())
        return body

    @contextlib.contextmanager
    def over_logs(self) -> Iterator[None]:
        """Hide the secrets in what the HTTP libraries log meanwhile."""
        if not self._forms:
            yield
            return
        loggers = [logging.getLogger(name) for name in _LOGGERS]
        for logger in loggers:
            logger.addFilter(self._redacted)
        try:
            yield
        finally:
            for logger in loggers:
                logger.removeFilter(self._redacted)

    def _redacted(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self.text(record.getMessage()), ()
        if record.exc_info:
            record.exc_info, record.exc_text = None, WITHHELD
        return True


def _spellings(value: str) -> Iterator[str]:
    yield value
    for quoted in (quote(value, safe=""), quote(value), quote_plus(value)):
        yield quoted
        yield quoted.lower()
    yield json.dumps(value)[1:-1]
    yield html.escape(value)
