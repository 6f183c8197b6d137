"""The provider `dump`: the questions in a Posts.xml of the public data dump, every month and tag in one pass.

How the bytes are read is in `posts`, how they are found and unpacked in `dump_files`; here the counts become months.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.contract import Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected
from fw_pipeline.sources.stackoverflow.monthly_questions import names_of, reach_of
from fw_pipeline.sources.stackoverflow.posts_counts import DumpCounts, Told, batches
from fw_pipeline.sources.stackoverflow.posts_files import NAME_IT, STDIN, SUBJECT, stream_through
from fw_pipeline.sources.stackoverflow.posts_xml import Posts

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
        options=("FW_PROVIDERS",),
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
