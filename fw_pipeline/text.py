"""Texts and values from outside as they may be shown to somebody: on one line, harmless, and no longer than is read.

Nothing here knows where they are shown.
"""

from __future__ import annotations

import re
from reprlib import Repr
from typing import Any

_MARKUP = re.compile(r"[\\`*{}\[\]()<>#!|~&:@]|\b_\B|\B_\b|(?<=www)\.")
"""What Markdown, or the HTML that it may hold, could take for markup or for an address to follow."""

_BRIEF = Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother = 3, 200, 200


def one_line(text: str, limit: int = 200) -> str:
    """Return a text on one line, without control characters, cut to `limit` characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 10 * limit]).split())
    return line if len(line) <= limit and len(text) <= 10 * limit else f"{line[: limit - 1]}…"


def shown(value: Any, limit: int = 60) -> str:
    """Return any value on one line, as Python writes it; one that is large or nested deeply only in part."""
    return one_line(_BRIEF.repr(value), limit)


def visible(text: str) -> str:
    """Return a text whose control characters a terminal shows instead of obeying them; lines stay lines."""
    return "".join(c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text)


def in_markdown(text: str, limit: int = 200) -> str:
    """Return a text on one line that Markdown shows as it is: no link, no code, no cell border, no HTML."""
    return _MARKUP.sub(lambda sign: f"&#{ord(sign[0])};", one_line(text, limit))
