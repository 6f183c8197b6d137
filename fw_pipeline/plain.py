"""Texts and values from outside as they may be shown to somebody: on one line, harmless, and no longer than is read.

Nothing here knows where they are shown.
"""

from __future__ import annotations

from reprlib import Repr
from typing import Any

_BRIEF = Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother = 3, 200, 200


def one_line(text: str, limit: int = 200) -> str:
    """Return a text on one line, without control characters, cut to `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 10 * limit]).split())
    return line if len(line) <= limit and len(text) <= 10 * limit else f"{line[: limit - 1]}…"


def shown(value: Any, limit: int = 60) -> str:
    """Return any value on one line, as Python writes it; one that is large or nested deeply only in part."""
    return one_line(_BRIEF.repr(value), limit)
