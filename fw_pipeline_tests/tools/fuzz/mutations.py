"""Good bodies made bad: bytes turned, texts exchanged, JSON and CSV given values that nobody should believe.

Every choice comes from one `random.Random`, so that an input can be made again from its seed, and Hypothesis can
steer it.
"""

from __future__ import annotations

import csv
import io
import json
import random
from collections.abc import Callable
from typing import Any

HOSTILE_NAMES = (
    'it\'s "quoted"; drop table raw.pypi; --',
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "](javascript:alert(1)) `code` | cell | **bold**",
    "=cmd|' /C calc'!A0",
    "../../../../etc/passwd",
    "a\nb\r\nc\td",
    "\x1b[31mred\x1b]0;title\x07\x9b2J",
    "nul\x00byte",
    "\u202egnp.exe \u200f\u2066",
    "🙂👩‍👩‍👧‍👦é",
    "\ufeffbom",
    "x" * 10_000,
    " ",
    "",
)
"""Names that come from outside: what they would do to SQL, HTML, Markdown, a spreadsheet, a path and a terminal."""

RAW_VALUES = (
    *(
        "-1",
        "0",
        "1e400",
        "NaN",
        "Infinity",
        "-Infinity",
        "1.5",
        "12.0",
        "true",
        "null",
        '""',
        '"12"',
        '"-3"',
        "[]",
        "{}",
    ),
    *("9" * 19, "9" * 400, "9" * 5000, "-0", "1e2", '"١٢"', '"1_000"', '"0x10"', "10000000000001"),
    *('"0001-01-01T00:00:00+14:00"', '"9999-12-31T23:59:59-14:00"', '"2022-13-45"', '"2022-02"', '"20220101"'),
    *(
        "[" * 900 + "]" * 900,
        "[" * 100_000,
        '{"a":' * 990 + "1" + "}" * 990,
        '{"a": 1, "a": 2}',
        '"\\ud800"',
        '"\\u0000"',
    ),
)
"""JSON as it stands in a text: numbers that are none, dates at the ends of time, nesting, twins."""

PIECES = (
    *(
        b"\x00",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xc0\xaf",
        b"\r\n",
        b'"',
        b"'",
        b"<",
        b"]]>",
        b"/>",
        b"&#0;",
    ),
    *(b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b"&b;", b"<a>" * 3000, b"9" * 5000, b"-", b"T24:00:00", b"&lt;x&gt;"),
    *(b',"a":1', b"{", b"[" * 2000, b"NaN", b";", b"\\", b"||", b"*", b"\x1f\x8b\x08\x00", b"PAR1"),
)


def mutated(chance: random.Random, body: bytes) -> bytes:
    """Return a body with one to three things wrong with it."""
    for _ in range(chance.randint(1, 3)):
        body = chance.choice(_WAYS)(chance, body)
    return body[: 2**20]


def _bytes_turned(chance: random.Random, body: bytes) -> bytes:
    changed = bytearray(body or b"x")
    for _ in range(chance.randint(1, 8)):
        changed[chance.randrange(len(changed))] = chance.randrange(256)
    return bytes(changed)


def _cut(chance: random.Random, body: bytes) -> bytes:
    return body[: chance.randint(0, len(body))]


def _inserted(chance: random.Random, body: bytes) -> bytes:
    at = chance.randint(0, len(body))
    return body[:at] + chance.choice(PIECES) + body[at:]


def _repeated(chance: random.Random, body: bytes) -> bytes:
    start = chance.randint(0, len(body))
    end = min(len(body), start + chance.randint(0, 400))
    at = chance.randint(0, len(body))
    return body[:at] + body[start:end] + body[at:]


def _taken_out(chance: random.Random, body: bytes) -> bytes:
    start = chance.randint(0, len(body))
    return body[:start] + body[start + chance.randint(0, 400) :]


def _number_exchanged(chance: random.Random, body: bytes) -> bytes:
    """Exchange a run of digits, in whatever form the body is written."""
    at = [place for place in range(len(body)) if body[place : place + 1].isdigit()][:5000]
    if not at:
        return _inserted(chance, body)
    start = chance.choice(at)
    end = start + 1
    while body[end : end + 1].isdigit():
        end += 1
    return body[:start] + chance.choice(RAW_VALUES[:24]).strip('"').encode() + body[end:]


def _other_encoding(chance: random.Random, body: bytes) -> bytes:
    text = body.decode("utf-8", "replace")
    return text.encode(chance.choice(("utf-16", "utf-32", "utf-8-sig", "utf-7", "cp1252")), "replace")


def _json_changed(chance: random.Random, body: bytes) -> bytes:
    """Put a hostile value in the place of any value of a JSON document, or beside it."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return _number_exchanged(chance, body)
    mark = '"the-place-of-the-value"'
    spots = _spots(document)
    if not spots:
        return chance.choice(RAW_VALUES).encode("utf-8", "surrogatepass")
    holder, key = chance.choice(spots)
    if chance.random() < 0.2 and isinstance(holder, dict):
        holder[chance.choice(HOSTILE_NAMES)] = holder.pop(key)
        return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    if chance.random() < 0.4:
        holder[key] = chance.choice(HOSTILE_NAMES)
        return json.dumps(document, ensure_ascii=chance.random() < 0.5).encode("utf-8", "surrogatepass")
    holder[key] = mark.strip('"')
    value = chance.choice(RAW_VALUES)
    return json.dumps(document).replace(mark, value).encode("utf-8", "surrogatepass")


def _spots(document: Any) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    waiting = [document]
    while waiting and len(found) < 5000:
        holder = waiting.pop()
        keys = list(holder) if isinstance(holder, dict) else range(len(holder)) if isinstance(holder, list) else ()
        for key in keys:
            found.append((holder, key))
            waiting.append(holder[key])
    return found


def _csv_changed(chance: random.Random, body: bytes) -> bytes:
    """Exchange one cell of a table."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8", "replace"), newline="")))
    except csv.Error:
        return _inserted(chance, body)
    full = [line for line in lines if line]
    if len(full) < 2:
        return _inserted(chance, body)
    line = chance.choice(full)
    line[chance.randrange(len(line))] = chance.choice((*HOSTILE_NAMES, *(it.strip('"') for it in RAW_VALUES[:24])))
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(lines)
    return out.getvalue().encode("utf-8", "surrogatepass")


_WAYS: tuple[Callable[[random.Random, bytes], bytes], ...] = (
    *(_bytes_turned, _cut, _inserted, _repeated, _taken_out, _number_exchanged, _other_encoding),
    *(_json_changed, _json_changed, _json_changed, _csv_changed),
)
