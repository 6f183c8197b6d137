"""The provider `dump`: the questions in a Posts.xml of the public data dump, every month and tag in one pass.

The dump is a file, a member of a 7z archive, or standard input; it is streamed, never held whole. How a row is read is
in `posts_xml`, how counts become months in `monthly_questions`.
"""

from __future__ import annotations

import hashlib
import json
import lzma
import sys
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.contract import Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.sources.stackoverflow.monthly_questions import DumpCounts, Told, batches, names_of, reach_of
from fw_pipeline.sources.stackoverflow.posts_xml import NotPosts, Posts
from fw_pipeline.text import one_line

SUBJECT = "stackoverflow (dump)"
STDIN = "-"
NAME_IT = "set FW_PROVIDERS=stackoverflow=dump:PATH to Posts.xml of Stack Overflow, to a .7z that holds it, or to -"
ANEW = "take the dump anew from its publisher, then run again"

_MEMBER = "Posts.xml"
_7Z = b"7z\xbc\xaf\x27\x1c"
_BLOCK = 1 << 18
_SAID_EVERY = 5 * 10**9
"""Bytes from one line of the log to the next: a sign of life every few seconds, or minutes from an archive."""


def stream_through(posts: Posts, fetch: FetchContext) -> str:
    """Let the dump that the options name run through `posts`, and return the reference to its evidence.

    Raises:
        SourceError: there is no such dump, or it is not whole.
    """
    named = fetch.options.get("path", "")
    if not named:
        raise SourceError(SUBJECT, "no dump is named", NAME_IT)
    label = "standard input" if named == STDIN else Path(named).name
    feed = _with_signs_of_life(posts.feed, fetch.log)
    try:
        ref = _standard_input(feed, fetch) if named == STDIN else _file(Path(named).expanduser(), feed, fetch)
        posts.finish()
    except NotPosts as unfit:
        raise SourceError(SUBJECT, f"{label} is not a whole Posts.xml: {unfit}", ANEW) from None
    except OSError as broken:
        raise SourceError(SUBJECT, f"{label} cannot be read: {broken.strerror or broken}", NAME_IT) from None
    return ref


def _file(path: Path, feed: Callable[[bytes], None], fetch: FetchContext) -> str:
    if path.is_dir():
        raise SourceError(SUBJECT, f"{path.name} is a folder", NAME_IT)
    with path.open("rb") as stream:
        packed = stream.read(len(_7Z)) == _7Z
        stream.seek(0)
        ref = fetch.evidence.keep_file(f"dump {path.name}", path).ref
        if packed:
            _unpack(stream, path.name, feed)
        else:
            for block in _blocks(stream):
                feed(block)
    return ref


def _standard_input(feed: Callable[[bytes], None], fetch: FetchContext) -> str:
    stream = sys.stdin.buffer
    if stream.isatty():
        raise SourceError(SUBJECT, "nothing is piped to standard input", NAME_IT)
    digest, size = hashlib.sha256(), 0
    for block in _blocks(stream):
        if not size and block.startswith(_7Z):
            raise SourceError(SUBJECT, "standard input is a 7z archive, which cannot be read from its end", NAME_IT)
        digest.update(block)
        size += len(block)
        feed(block)
    note = json.dumps({"file": "standard input", "bytes": size, "sha256": digest.hexdigest()}, sort_keys=True)
    return fetch.evidence.keep("dump standard input", note.encode(), name="standard-input.reference.json").ref


def _blocks(stream: IO[bytes]) -> Iterator[bytes]:
    while block := stream.read(_BLOCK):
        yield block


def _unpack(stream: IO[bytes], label: str, feed: Callable[[bytes], None]) -> None:
    """Feed the Posts.xml in a 7z archive, unpacked piece by piece and held against its checksum.

    Raises:
        SourceError: the archive is damaged, or does not hold one Posts.xml.
    """
    import py7zr  # noqa: PLC0415 - only this provider needs it

    damaged = (py7zr.exceptions.ArchiveError, lzma.LZMAError, zlib.error, EOFError, ValueError, LookupError)
    try:
        with py7zr.SevenZipFile(stream) as archive:
            archive.extract(targets=[_one_member(archive.getnames(), label)], factory=_Sinks(feed))
    except py7zr.exceptions.PasswordRequired:
        raise SourceError(SUBJECT, f"{label} is locked with a password", "unpack it, then name Posts.xml") from None
    except damaged as broken:
        what = one_line(f"{type(broken).__name__} {broken}", 120)
        raise SourceError(SUBJECT, f"{label} cannot be unpacked: {what}", ANEW) from None


def _one_member(names: list[str], label: str) -> str:
    found = [name for name in names if PurePosixPath(name).name == _MEMBER]
    if len(found) != 1:
        held = one_line(", ".join(found or names) or "nothing", 120)
        raise SourceError(SUBJECT, f"{label} holds {held}, not one {_MEMBER}", NAME_IT)
    return found[0]


@dataclass(frozen=True, slots=True)
class _Sinks:
    """What py7zr asks for a place to write a member to."""

    feed: Callable[[bytes], None]

    def create(self, _: str) -> _Sink:
        return _Sink(self.feed)


@dataclass(slots=True)
class _Sink:
    """What py7zr writes a member to: it hands everything on and holds nothing."""

    feed: Callable[[bytes], None]
    written: int = 0

    def write(self, data: bytes | bytearray) -> int:
        for start in range(0, len(data), _BLOCK):
            self.feed(bytes(data[start : start + _BLOCK]))
        self.written += len(data)
        return len(data)

    def read(self, _: int | None = None) -> bytes:
        return b""

    def seek(self, offset: int, _: int = 0) -> int:
        return offset

    def size(self) -> int:
        return self.written

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""


def _with_signs_of_life(feed: Callable[[bytes], None], log: Callable[[str], None]) -> Callable[[bytes], None]:
    read = 0

    def fed(block: bytes) -> None:
        nonlocal read
        feed(block)
        before, read = read, read + len(block)
        if read // _SAID_EVERY > before // _SAID_EVERY:
            log(f"{SUBJECT}: {read / 1e9:.0f} GB of {_MEMBER} are counted")

    return fed


NAME = "dump"

_TOLD = Told(
    SUBJECT,
    origin="Stack Exchange data dump",
    what="the dump",
    anew=NAME_IT,
    later="take a newer dump, or the provider api for these months",
)


def dump(tags: tuple[Tag, ...] = TAGS) -> Provider:
    """Return the provider that counts some tags, and the whole site, in a dump that the user has.

    A tag that occurs nowhere in the dump has no figure, which is no zero: it may be misspelt, or younger than the dump.
    """
    return Provider(
        name=NAME,
        source="stackoverflow",
        reach=reach_of,
        fetch=partial(_fetch, tags),
        plan=_plan,
        answers="every month up to the end of the dump, all tags and pairs and the whole site, in one pass",
        cost="no request; minutes for a plain Posts.xml, about an hour for a .7z of all of Stack Overflow",
        needs="Posts.xml of Stack Overflow: plain, in a .7z, or on standard input",
        cannot_see="questions deleted before the dump was made; the month in which the dump ends",
    )


def _plan(fetch: FetchContext) -> CostEstimate:
    named = fetch.options.get("path", "")
    if named in ("", STDIN):
        return CostEstimate(
            0, f"no request: reads {'standard input' if named else 'the dump that FW_PROVIDERS names'} once"
        )
    path = Path(named).expanduser()
    size = f" of {path.stat().st_size / 1e9:.1f} GB" if path.is_file() else ""
    return CostEstimate(0, f"no request: reads {path.name}{size} for its checksum, then once to count")


def _fetch(tags: tuple[Tag, ...], fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    posts = Posts(frozenset(names_of(tags)))
    evidence = (stream_through(posts, fetch),)
    by_month = posts.by_month()
    counts = DumpCounts(
        site={month: site for month, (site, _) in by_month.items()},
        tagged={month: _tagged(tags, sets) for month, (_, sets) in by_month.items()},
        found=frozenset[str]().union(*(names for _, sets in by_month.values() for names in sets)),
        last=posts.last_question(),
        evidence=evidence,
        notes=_notes(posts),
    )
    yield from batches(fetch, counts, tags, _TOLD)


def _tagged(tags: tuple[Tag, ...], sets: Mapping[frozenset[str], int]) -> dict[str, int]:
    """Return the counts of a month by tag, from those by the set of tags that a question carries."""
    wholes = {tag.tagged: frozenset(tag.tagged.split(";")) for tag in tags}
    return {tagged: sum(count for names, count in sets.items() if whole <= names) for tagged, whole in wholes.items()}


def _notes(posts: Posts) -> tuple[str, ...]:
    found = []
    if posts.planted:
        found.append(f"{posts.planted} planted questions were left out")
    if posts.untagged:
        found.append(f"{posts.untagged:,} questions without a tag count for the whole site only")
    return tuple(found)


PROVIDER = dump()
