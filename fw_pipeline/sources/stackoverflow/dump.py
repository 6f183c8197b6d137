"""The provider `dump`: the questions in a Posts.xml of the public data dump, every month and tag in one pass.

How the bytes are read is in `posts`, how they are found and unpacked in `dump_files`; here the counts become months.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from pathlib import Path

from fw_pipeline.contract import (
    WHOLE_SITE,
    Batch,
    Fetch,
    MonthRefused,
    Plan,
    Provider,
    SourceFailed,
    Window,
    next_month,
)
from fw_pipeline.frameworks import TAGS, Tag
from fw_pipeline.sources.stackoverflow.dump_files import ANEW, NAME_IT, STDIN, SUBJECT, stream_through
from fw_pipeline.sources.stackoverflow.figures import month_rows, names_of, reach_of
from fw_pipeline.sources.stackoverflow.posts import Posts

NAME = "dump"

_ORIGIN = "Stack Exchange data dump"

_NEAR = timedelta(hours=1)
"""A month is whole when the last question lies this near to its end: the site gets several questions an hour."""


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
        options=("FW_PROVIDERS",),
    )


def _plan(fetch: Fetch) -> Plan:
    named = fetch.options.get("path", "")
    if named in ("", STDIN):
        return Plan(0, f"no request: reads {'standard input' if named else 'the dump that FW_PROVIDERS names'} once")
    path = Path(named).expanduser()
    size = f" of {path.stat().st_size / 1e9:.1f} GB" if path.is_file() else ""
    return Plan(0, f"no request: reads {path.name}{size} for its checksum, then once to count")


def _fetch(tags: tuple[Tag, ...], fetch: Fetch) -> Iterator[Batch | MonthRefused]:
    wanted = frozenset(names_of(tags))
    posts = Posts(wanted)
    evidence = (stream_through(posts, fetch),)
    last = posts.last_question()
    if last > fetch.now:
        raise SourceFailed(SUBJECT, f"the dump holds a question of {last:%Y-%m-%d}, which lies in the future", ANEW)
    by_month = posts.by_month()
    found = frozenset[str]().union(*(names for _, sets in by_month.values() for names in sets))
    if not found:
        raise SourceFailed(SUBJECT, "none of the tags occurs in the dump: it is one of another site", NAME_IT)
    asked = [tag.tagged for tag in tags if found.issuperset(tag.tagged.split(";"))]
    notes = _notes(posts, sorted(wanted - found))
    beyond = []
    for month in fetch.window.months():
        if last < datetime.combine(next_month(month), time(), UTC) - _NEAR:
            beyond.append(month)
        elif month not in by_month:
            cause = "the dump holds no question of this month"
            yield MonthRefused(SUBJECT, cause, "take the whole dump: this one may be a part of it", month=month)
        else:
            counts = _counts(asked, *by_month[month])
            yield Batch(
                month, month_rows(month, counts, origin=_ORIGIN, observed_on=last.date()), evidence, notes=notes
            )
            notes = ()
    if beyond:
        cause = f"the last question in the dump is of {last:%Y-%m-%d %H:%M} UTC"
        remedy = "take a newer dump, or the provider api for these months"
        raise SourceFailed(SUBJECT, cause, remedy, month=Window.of(beyond[0], beyond[-1]))


def _counts(asked: list[str], site: int, sets: Mapping[frozenset[str], int]) -> dict[str, int]:
    """Return the counts of a month by tag, from those by the set of tags that a question carries."""
    wholes = {tagged: frozenset(tagged.split(";")) for tagged in asked}
    return {
        WHOLE_SITE: site,
        **{tagged: sum(count for names, count in sets.items() if whole <= names) for tagged, whole in wholes.items()},
    }


def _notes(posts: Posts, absent: list[str]) -> tuple[str, ...]:
    found = []
    if posts.planted:
        found.append(f"{posts.planted} planted questions were left out")
    if posts.untagged:
        found.append(f"{posts.untagged:,} questions without a tag count for the whole site only")
    if absent:
        found.append(f"no figure for tags that occur nowhere in the dump: {', '.join(absent)}")
    return tuple(found)


PROVIDER = dump()
