"""Keys and tokens taken out of everything that leaves the HTTP layer: texts, bodies, log records.

Nothing here decides what is asked; it only hides.
"""

from __future__ import annotations

import html
import json
import logging
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus

WITHHELD = "[withheld]"

LEAST = 8
"""A shorter secret is found by chance in words, addresses and data: hidden wherever its letters are, it would change
figures and make different requests look alike. No real key or token is that short."""

PARAMETERS = ("key", "access_token", "token")
"""Parameters in which services take a key. Any other is part of the question, whatever it holds."""


class Redactor:
    """Hides the values of some secrets, however they were quoted. Its own text form shows none.

    A secret of less than `LEAST` characters is hidden where it is one: as the value of a parameter, and in a message as
    a word of its own.
    """

    def __init__(self, secrets: Mapping[str, str]) -> None:
        """Remember every way in which the values may be written."""
        self.values = frozenset(value for value in secrets.values() if value)
        """The secrets themselves, for whoever looks for one among parameters."""
        spelt = {form: value for value in sorted(self.values, key=len) for form in _spellings(value)}
        forms = sorted(spelt, key=len, reverse=True)  # the longest first: one may be part of another
        self._long = [form for form in forms if len(spelt[form]) >= LEAST]
        short = "|".join(re.escape(form) for form in forms if len(spelt[form]) < LEAST)
        self._parameter = re.compile(rf"(?<=[?&])({'|'.join(PARAMETERS)})=({short})(?![^&#>\s])") if short else None
        self._word = re.compile(rf"(?<!\w)({short})(?!\w)") if short else None

    def text(self, text: str) -> str:
        """Return a message without the secrets."""
        text = self.address(text)
        return self._word.sub(WITHHELD, text) if self._word else text

    def address(self, text: str) -> str:
        """Return an address, or a header, without the secrets, and unchanged in everything else."""
        for form in self._long:
            text = text.replace(form, WITHHELD)
        return self._parameter.sub(rf"\1={WITHHELD}", text) if self._parameter else text

    def body(self, body: bytes) -> bytes:
        """Return an answer without the secrets that the server repeated in it."""
        for form in self._long:
            if (raw := form.encode()) in body:
                body = body.replace(raw, WITHHELD.encode())
        return body

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide the secrets in a log record, as the filter of a logger, and let it pass."""
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
