"""The query language of arXiv, as far as counting by month needs it.

A bare word means `all:`, a missing operator means OR, and AND and OR bind equally, from the left.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

Paper = dict[str, Any]
Matches = Callable[[Paper], bool]

_TOKEN = re.compile(
    r"\s*(?P<range>submittedDate:\[\s*\d{12}\s+TO\s+\d{12}\s*\]|lastUpdatedDate:\[\s*\d{12}\s+TO\s+\d{12}\s*\])"
    r'|\s*(?P<paren>[()])|\s*(?P<word>(?:[A-Za-z]+:)?(?:"[^"]*"|[^\s()"]+))'
)
_OPERATORS = ("AND", "OR", "ANDNOT")
_FIELDS = ("ti", "au", "abs", "co", "jr", "cat", "rn", "id", "doi", "all")


class QueryError(Exception):
    """The query cannot be read; the message is the service's."""


def parse(text: str) -> Matches:
    """Return what a query selects.

    Raises:
        QueryError: it cannot be read.
    """
    if not text.strip():
        return lambda _paper: True
    tokens, place = [], 0
    while place < len(text.rstrip()):
        found = _TOKEN.match(text, place)
        if found is None:
            raise QueryError(f"Invalid query string: '{text}'")
        tokens.append(found[0].strip())
        place = found.end()
    rest = iter(tokens)
    try:
        matches = _expression(rest, "all", closing=False)
    except (StopIteration, ValueError):
        matches = None
    if matches is None:
        raise QueryError(f"Invalid query string: '{text}'")
    return matches


def normal_form(text: str) -> str:
    """Return a query as the service repeats it in its title: a bare word with its field, a range in quotes."""
    return f"all:{text}" if re.fullmatch(r"\w+", text) else re.sub(r"\[([^]]*)\]", r'"\1"', text)


def _expression(tokens: Iterator[str], field: str, *, closing: bool) -> Matches | None:
    left: Matches | None = None
    operator, inner = "OR", field
    for token in tokens:
        if token == ")":
            return left if closing else None
        if token in _OPERATORS:
            operator = token
            continue
        if token.removesuffix(":") in _FIELDS and token.endswith(":"):  # of the group that follows
            inner = token.removesuffix(":")
            continue
        right = _expression(tokens, inner, closing=True) if token == "(" else _term(token, inner)
        if right is None:
            return None
        left = right if left is None else _joined(left, operator, right)
        operator, inner = "OR", field
    return None if closing else left


def _joined(left: Matches, operator: str, right: Matches) -> Matches:
    match operator:
        case "AND":
            return lambda paper: left(paper) and right(paper)
        case "ANDNOT":
            return lambda paper: left(paper) and not right(paper)
        case _:
            return lambda paper: left(paper) or right(paper)


def _term(token: str, field: str) -> Matches:
    name, colon, value = token.partition(":")
    if not colon:
        name, value = field, token
    if name in {"submittedDate", "lastUpdatedDate"}:  # the second is silently taken for the first
        first, last = (datetime.strptime(it, "%Y%m%d%H%M").replace(tzinfo=UTC) for it in re.findall(r"\d{12}", value))
        return lambda paper: first <= paper["published"].replace(second=0) <= last
    if name not in _FIELDS:
        raise ValueError(name)
    if name == "cat":
        wanted = re.compile(re.escape(value.strip('"')).replace(r"\*", ".*"))
        return lambda paper: any(wanted.fullmatch(it) for it in paper["categories"])
    phrase = _stems(value)
    parts = {"ti": ("title",), "abs": ("abstract",)}.get(name, ("title", "abstract"))
    return lambda paper: any(_holds(_stems(paper[part]), phrase) for part in parts)


def _stems(text: str) -> list[str]:
    return [re.sub(r"(ing|ed|s)$", "", word) for word in re.findall(r"\w+", text.lower())]


def _holds(words: list[str], phrase: list[str]) -> bool:
    size = len(phrase)
    return any(words[start : start + size] == phrase for start in range(len(words) - size + 1))
