"""The mutants of an SQL file: one word of it changed at a time, and the rest left as it stands.

Comments and prose are left alone. What sqlglot cannot parse any more is no mutant: DuckDB would refuse it at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlglot
from sqlglot.errors import SqlglotError
from sqlglot.tokenizer_core import Token

from fw_pipeline_tests.tools.mutation.mutant import Mutant, mutant

WORDS = {
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "=": "<>",
    "<>": "=",
    "!=": "=",
    "and": "or",
    "or": "and",
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "//": "*",
    "desc": "asc",
    "true": "false",
    "false": "true",
    "left": "",
    "not": "",
    "where": "where true or",
    "having": "having true or",
    "qualify": "qualify true or",
    "when": "when false and",
    "preceding": "following",
    "following": "preceding",
}
AFTER = {
    "join": ({"left", "cross", "asof", "full"}, "left join"),
    "distinct": ({"is", "not"}, ""),
    "all": ({"union"}, ""),
}
"""Words that change only where the word before is none of these; the last one, only where it is."""

FUNCTIONS = {
    "min": "max",
    "max": "min",
    "sum": "max",
    "avg": "max",
    "lag": "lead",
    "lead": "lag",
    "least": "greatest",
    "greatest": "least",
    "arg_max": "arg_min",
    "arg_min": "arg_max",
    "first_value": "last_value",
    "last_value": "first_value",
    "bool_or": "bool_and",
    "bool_and": "bool_or",
    "rank": "row_number",
    "row_number": "rank",
    "any_value": "max",
    "list_contains": "not list_contains",
}
PROSE = 2
"""Texts of more blanks than this are words for a reader."""
OPERANDS = {"VAR", "NUMBER", "R_PAREN", "R_BRACKET", "IDENTIFIER"}


def mutants(file: str, text: str) -> Iterator[Mutant]:
    """Yield every mutant of a file, in the order of its lines."""
    for start, end, put in _changes(text, sqlglot.tokenize(text, read="duckdb")):
        changed = mutant(file, text, start, end, put)
        try:
            sqlglot.parse_one(changed.text, read="duckdb")
        except SqlglotError:
            continue
        yield changed


def _changes(text: str, tokens: Sequence[Token]) -> Iterator[tuple[int, int, str]]:
    """Yield the start, the end and the new words of each change."""
    ranges = 0
    for number, token in enumerate(tokens):
        before = tokens[number - 1].text.lower() if number else ""
        after = tokens[number + 1].text.lower() if number + 1 < len(tokens) else ""
        word = text[token.start : token.end + 1]
        ranges += word == "between"
        if word == "and" and ranges:  # it belongs to `between`
            ranges -= 1
        elif word in {"*", "+", "-"} and (not number or tokens[number - 1].token_type.name not in OPERANDS):
            continue  # `count(*)`, or a sign
        elif (put := _instead(word, token.token_type.name, before, after)) is not None:
            yield token.start, token.end + 1, put


def _instead(word: str, kind: str, before: str, after: str) -> str | None:
    """Return what a word becomes, or None where it stays."""
    if kind == "NUMBER":
        return str(int(word) + 1) if word.isdigit() else f"(2 * {word})"
    if kind == "STRING":
        return f"{word[:-1]}_'" if word.count(" ") <= PROSE else None
    if after == "(" and word in FUNCTIONS:
        return FUNCTIONS[word]
    if word in AFTER:
        others, put = AFTER[word]
        return put if (before in others) == (word == "all") else None
    return "is not" if (word, after) == ("is", "null") else WORDS.get(word)
