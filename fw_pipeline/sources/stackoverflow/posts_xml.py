"""The questions in a Posts.xml, counted by month while it streams by, in memory that does not grow with the file.

Nothing here opens a file, and nothing knows where the bytes come from.

A character `<` stands in XML only where an element begins, never within a value, and a double quote never within a
double-quoted value. So the file falls apart into its rows at `<`, and an attribute is found by its name, a sign of
equality and a quote: no parser is needed, and nothing that is not a row slips through.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from fw_pipeline.months import parse_month
from fw_pipeline.text import one_line

FIRST_PLANTED = 1_000_000_000
"""Rows from this Id on were planted into the dumps since 2025 to catch copiers; real ones are far below."""

_ROW, _END = b"<row ", b"</posts>"
_PROLOG = re.compile(
    rb"\s*(?:<\?xml(?P<declared>[^<>]*)\?>\s*)?(?:<!--[^<>]*-->\s*)?(?:<!DOCTYPE[^<>]*>\s*)?<posts(?: [^<>]*)?>\s*"
)
_WHOLE_ROW = re.compile(rb'<row(?:\s+\w+="[^"<]*")*\s*/>')
_LONGEST_PROLOG = 4096
_LONGEST_ID = 18
_LONGEST_ROW = 16 * 2**20
"""A post has at most 30,000 characters; anything longer is not a row."""

_BEGINNINGS = {
    b"7z\xbc\xaf": "a 7z archive",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"BZh": "a bzip2 file",
    b"\x28\xb5\x2f\xfd": "a zstd file",
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
}


class NotPosts(Exception):  # noqa: N818 - a finding about a file, not a bug
    """The bytes are not a whole Posts.xml; the message says what is wrong with them."""


@dataclass(slots=True)
class Posts:
    """Counts questions. Give it every byte in order with `feed`, then call `finish`."""

    wanted: Collection[str]
    """The tags of interest."""
    questions: Counter[bytes] = field(default_factory=Counter)
    """All questions, by month as written (`2022-01`)."""
    carrying: Counter[tuple[bytes, frozenset[bytes]]] = field(default_factory=Counter)
    """Questions with tags of interest, by month and by the set of these tags."""
    planted: int = 0
    """Rows left out because of their Id."""
    untagged: int = 0
    """Questions without a tag; they count for the whole site."""
    rows: int = 0
    _last: bytes = b""
    _rest: bytes = b""
    _begun: bool = False
    _ended: bool = False
    _names: frozenset[bytes] = frozenset()

    def __post_init__(self) -> None:
        """Write the tags as the file does."""
        self._names = frozenset(name.encode() for name in self.wanted)

    def feed(self, chunk: bytes) -> None:
        """Count what is in the next bytes.

        Raises:
            NotPosts: they are not a part of a Posts.xml.
        """
        data = self._rest + chunk if self._rest else chunk
        if not self._begun and not (data := self._after_prolog(data)):
            return
        start = 0 if self._ended else self._scan(data)
        self._rest = data[start:]
        if self._ended and self._rest.strip():
            raise NotPosts("it goes on after its end")
        if len(self._rest) > _LONGEST_ROW:
            raise NotPosts(f"row {self.rows + 1} is longer than {_LONGEST_ROW >> 20} MiB")

    def finish(self) -> None:
        """Say that there are no more bytes.

        Raises:
            NotPosts: the end is missing, or a date in it is impossible.
        """
        if not self._begun:
            raise NotPosts("it is empty" if not self._rest.strip() else _no_posts(self._rest))
        if not self._ended:
            raise NotPosts(f"it breaks off after {self.rows:,} rows")
        if not self.questions:
            raise NotPosts("it holds no question")
        for month in self.questions:
            try:
                parse_month(month.decode())
            except ValueError:
                raise NotPosts(f"it has a question of {one_line(repr(month), 40)}, which is no month") from None
        self.last_question()

    def last_question(self) -> datetime:
        """Return when the last question was asked (UTC).

        Raises:
            NotPosts: its date is impossible.
        """
        try:
            return datetime.fromisoformat(self._last.decode()).replace(tzinfo=UTC)
        except ValueError:
            raise NotPosts(f"it has a question of {one_line(repr(self._last), 60)}, which is no date") from None

    def by_month(self) -> dict[date, tuple[int, dict[frozenset[str], int]]]:
        """Return by month the questions of the whole site, and those with tags of interest by the set of these tags."""
        found: dict[date, tuple[int, dict[frozenset[str], int]]] = {
            parse_month(month.decode()): (count, {}) for month, count in self.questions.items()
        }
        for (month, names), count in self.carrying.items():
            found[parse_month(month.decode())][1][frozenset(name.decode() for name in names)] = count
        return found

    def _after_prolog(self, data: bytes) -> bytes:
        """Return what follows the root element's tag; nothing as long as that is not there."""
        data = data.removeprefix(b"\xef\xbb\xbf")
        found = _PROLOG.match(data)
        if found is None or found.end() == len(data):
            if len(data) > _LONGEST_PROLOG or data.startswith(tuple(_BEGINNINGS)):
                raise NotPosts(_no_posts(data))
            self._rest = data
            return b""
        encoding = re.search(rb"encoding=[\"']([^\"']*)", found["declared"] or b"")
        if encoding and encoding[1].lower() not in (b"utf-8", b"us-ascii"):
            raise NotPosts(f"it is written in {one_line(repr(encoding[1].decode('latin-1')), 40)}, not in UTF-8")
        self._begun = True
        return data[found.end() :]

    def _scan(self, data: bytes) -> int:
        """Count the whole rows in `data`; return where the first one begins that may not be whole."""
        find, begins = data.find, data.startswith
        start, after = 0, find(b"<", 1)
        while after >= 0:
            if not begins(_ROW, start):
                break
            closed = data.rfind(b"/>", start, after)
            if closed < 0 or data[closed + 2 : after].strip() or _is_torn(data, start, closed):
                raise NotPosts(f"row {self.rows + 1} is damaged: {_shown(data[start:after])}")
            self.rows += 1
            kind = find(b' PostTypeId="', start, closed)
            if kind < 0:
                raise NotPosts(f"row {self.rows} has no PostTypeId: {_shown(data[start:after])}")
            if begins(b'1"', kind + 13):
                self._count(data, start, kind, closed)
            start, after = after, find(b"<", after + 1)
        if begins(_END, start):
            self._ended = True
            return start + len(_END)
        if start < len(data) and not _ROW.startswith(data[start : start + 5]) and not _END.startswith(data[start:]):
            raise NotPosts(f"something else than a row follows row {self.rows:,}: {_shown(data[start:])}")
        return start

    def _count(self, data: bytes, start: int, kind: int, closed: int) -> None:
        """Count the question in `data[start:closed]`, whose attribute PostTypeId is at `kind`."""
        number = data.find(b' Id="', start, closed) + 5
        quote = data.find(b'"', number, closed)
        made = data.find(b' CreationDate="', start, closed) + 15
        if number < start + 5 or made < start + 15 or not data[number:quote].isdigit() or quote - number > _LONGEST_ID:
            raise NotPosts(f"question in row {self.rows} lacks Id or CreationDate: {_shown(data[start:kind])}")
        if quote - number > 9 and int(data[number:quote]) >= FIRST_PLANTED:  # noqa: PLR2004 - digits of a planted Id
            self.planted += 1
            return
        moment = data[made : data.find(b'"', made, closed)]
        month = moment[:7]
        self.questions[month] += 1
        self._last = max(self._last, moment)
        # The last one: a title may end in ` Tags=` and then looks like the attribute.
        at = data.rfind(b' Tags="', start, closed) + 7
        tags = data[at : data.find(b'"', at, closed)] if at > start + 6 else b""
        if not tags:
            self.untagged += 1
        elif not self._names.isdisjoint(names := _split(tags)):
            self.carrying[month, self._names.intersection(names)] += 1


def _is_torn(data: bytes, start: int, closed: int) -> bool:
    """Say whether a row goes over several lines because a part of another one, or something else, is mixed into it."""
    return data.find(b"\n", start, closed) >= 0 and not _WHOLE_ROW.fullmatch(data, start, closed + 2)


def _split(tags: bytes) -> list[bytes]:
    """Return the tags of a question, written `|a|b|` since 2024 and `<a><b>` before.

    Raises:
        NotPosts: they are written in neither way.
    """
    if len(tags) > 2 and tags[:1] == tags[-1:] == b"|":  # noqa: PLR2004 - more than the two bars
        return tags[1:-1].split(b"|")
    if tags.startswith(b"&lt;") and tags.endswith(b"&gt;"):
        return tags[4:-4].split(b"&gt;&lt;")
    raise NotPosts(f"tags are written {_shown(tags)}; known are |a|b| and <a><b>")


def _no_posts(data: bytes) -> str:
    for beginning, what in _BEGINNINGS.items():
        if data.startswith(beginning):
            return f"it is {what}"
    return f"it does not begin as Posts.xml does, but with {_shown(data)}"


def _shown(data: bytes) -> str:
    return one_line(repr(data[:200].decode("utf-8", "replace")), 90)
