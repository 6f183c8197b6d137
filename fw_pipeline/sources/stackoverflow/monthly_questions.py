"""The raw table of questions, the table of the questions themselves, and how live providers fill a month of the first.

A dump is one observation of all months, so that the day on which it ends is the day of every figure in it. Nothing here
asks for anything or reads a dump. Column names, types and meanings are the contract with every reader.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from types import MappingProxyType

import polars as pl

from fw_pipeline.catalog.frameworks import TAGS, Tag
from fw_pipeline.contract import WHOLE_SITE, Availability, Batch, DetailTable, FetchContext, Table
from fw_pipeline.errors import MonthRejected, SourceError
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month, next_month, parse_month

TABLE = Table(
    key={"month": pl.Date, "tagged": pl.String},
    measures={"questions": pl.Int64},
    required=("questions",),
    largest={
        "questions": (
            1_000_000,
            "In its busiest year the whole site averaged 256,000 questions a month; a total of all years is larger.",
        )
    },
    known={"tagged": frozenset(it.tagged for it in TAGS) | {WHOLE_SITE}},
    description="Questions asked on Stack Overflow in a month, by tag.",
    columns={
        "tagged": "The tag; `a;b` means both tags; `*` the whole site.",
        "questions": "Questions created in the month, as counted at the time of observation.",
    },
)

STACKOVERFLOW_QUESTIONS = DetailTable(
    "stackoverflow_questions",
    "Questions on Stack Overflow that carry a tag of the catalogue, one row per question; empty without the provider "
    "`api`. What the service did not say is NULL.",
    MappingProxyType(
        {
            "id": (pl.Int64, "The question's number: stackoverflow.com/q/<id>."),
            "created": (pl.Datetime("us", "UTC"), "When it was asked (UTC)."),
            "tags": (pl.List(pl.String), "Sorted set of all its tags, as they stood at observation."),
            "score": (pl.Int64, "Votes for it less votes against it."),
            "views": (pl.Int64, "How often it had been viewed."),
            "answers": (pl.Int64, "Answers that it had."),
            "answered": (pl.Boolean, "Whether one of them was accepted or voted for."),
            "closed": (pl.Datetime("us", "UTC"), "When it was closed (UTC); NULL while it is open."),
        }
    ),
)

_TELLING = 100
"""Of a smaller number of questions all may well carry a second tag; of more they do not."""


def names_of(tags: Iterable[Tag]) -> tuple[str, ...]:
    """Return every single tag that has to be known, pairs taken apart, in the order of the catalogue."""
    return tuple(dict.fromkeys(name for tag in tags for name in tag.tagged.split(";")))


def carriers(tags: Iterable[Tag]) -> tuple[str, ...]:
    """Return tags so that everything counted carries at least one of them, those of one framework side by side.

    A pair is found by either of its tags; the one that is counted by itself too is taken, so that nobody has to look at
    all questions on java.
    """
    wanted = tuple(tags)
    singles = {tag.tagged: tag.framework or "" for tag in wanted if ";" not in tag.tagged}
    for tag in wanted:
        if singles.keys().isdisjoint(parts := tag.tagged.split(";")):
            singles[parts[0]] = tag.framework or ""
    frameworks = dict.fromkeys(singles.values())
    return tuple(name for framework in frameworks for name, its in singles.items() if its == framework)


def reach_of(fetch: FetchContext) -> Availability:
    """Return the months of the project: the site is older than the first, and still open."""
    last = last_closed_month(fetch.now)
    return Availability(
        Window.of(FIRST_MONTH, last),
        before=f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released",
        after=f"the month is not over: the last closed one is {last:%Y-%m}",
    )


def month_rows(month: date, counts: Mapping[str, int], *, origin: str, observed_on: date) -> pl.DataFrame:
    """Return the rows of one month from its counts by tag."""
    rows = [(month, tagged, count, "counted", origin, observed_on) for tagged, count in counts.items()]
    return pl.DataFrame(rows, schema=TABLE.schema, orient="row")


def contradiction(counts: Mapping[str, int], ever: Mapping[str, int]) -> str | None:
    """Return what cannot be true of one month's counts; None where they fit together.

    A part is not larger than its whole, and where the whole is large, not as large: that is how a service answers that
    has overlooked a tag or a date. Wholes are the site for a tag, each tag for a pair, and all time for a month.

    Args:
        counts: questions of the month by tag; `a;b` = both, `*` = the whole site.
        ever: questions of all time by tag.
    """
    site = counts[WHOLE_SITE]
    if not site:
        return "the whole site has no question in this month"
    for tagged, count in counts.items():
        if tagged == WHOLE_SITE:
            continue
        wholes = [("the whole site has", site)]
        if ";" in tagged:
            wholes += [(f"{single} has", counts[single]) for single in tagged.split(";") if single in counts]
        elif tagged in ever:
            wholes += [("it has in all time", ever[tagged])]
        for words, questions in wholes:
            if count > questions or count == questions >= _TELLING:
                return f"{tagged} has {count:,} questions in this month, and {words} {questions:,}"
    return None


_NEAR = timedelta(hours=1)
"""A month is whole when the last question lies this near to its end: the site gets several questions an hour."""

_LEAST = 0.5
"""Of the whole site's questions as others counted them: deletions take a third of them at most."""


@dataclass(frozen=True, slots=True)
class DumpCounts:
    """The questions of a dump."""

    site: Mapping[date, int]
    """Questions of the whole site, by month."""
    tagged: Mapping[date, Mapping[str, int]]
    """Questions by month and tag, or pair of tags; what is not there was not asked about in that month."""
    found: frozenset[str]
    """The tags that occur anywhere in it."""
    last: datetime
    """When its last question was asked (UTC)."""
    evidence: tuple[str, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Told:
    """How a provider speaks of its dump."""

    subject: str
    origin: str
    what: str
    """The dump, such as `the dump`."""
    anew: str
    """What to do where it cannot be the right one, or not all of it."""
    later: str
    """What to do for the months after its end."""


def batches(
    fetch: FetchContext, counts: DumpCounts, tags: Iterable[Tag], told: Told
) -> Iterator[Batch | MonthRejected]:
    """Yield the months of the window.

    A tag that occurs nowhere in the dump has no figure, which is no zero: it may be misspelt, or younger than the dump.

    Raises:
        SourceError: it is no dump of Stack Overflow, not all of it, or ends before the window does.
    """
    if (other := _another(fetch, counts, told)) is not None:
        _reject(fetch, counts, other.cause)
        raise other
    wanted = tuple(tags)
    asked = [tag.tagged for tag in wanted if counts.found.issuperset(tag.tagged.split(";"))]
    absent = sorted({name for tag in wanted for name in tag.tagged.split(";")} - counts.found)
    notes = counts.notes
    if absent:
        notes += (f"no figure for tags that occur nowhere in {told.what}: {', '.join(absent)}",)
    beyond = []
    for month in fetch.window.months():
        if counts.last < datetime.combine(next_month(month), time(), UTC) - _NEAR:
            beyond.append(month)
            continue
        here = counts.tagged.get(month, {})
        found = {WHOLE_SITE: counts.site.get(month, 0), **{tagged: here.get(tagged, 0) for tagged in asked}}
        if (cause := contradiction(found, {})) is not None:
            if month not in counts.site:
                cause = f"{told.what} holds no question of this month"
            _reject(fetch, counts, cause)
            yield MonthRejected(told.subject, cause, told.anew, month=month)
        else:
            rows = month_rows(month, found, origin=told.origin, observed_on=counts.last.date())
            yield Batch(month, rows, counts.evidence, notes=notes)
            notes = ()
    if beyond:
        cause = f"the last question in {told.what} is of {counts.last:%Y-%m-%d %H:%M} UTC"
        raise SourceError(told.subject, cause, told.later, month=Window.of(beyond[0], beyond[-1]))


def _another(fetch: FetchContext, counts: DumpCounts, told: Told) -> SourceError | None:
    """Return why it cannot be the whole of Stack Overflow: it is of the future, of another site, or a part."""
    if counts.last > fetch.now:
        cause = f"{told.what} holds a question of {counts.last:%Y-%m-%d}, which lies in the future"
        return SourceError(told.subject, cause, told.anew)
    if not counts.found:
        cause = f"none of the tags occurs in {told.what}: it is one of another site"
        return SourceError(told.subject, cause, told.anew)
    whole = {month: count for month, count in counts.site.items() if next_month(month) <= counts.last.date()}
    known = _recorded(fetch)
    lacking = {month: whole[month] / known[month] for month in whole.keys() & known.keys()}
    if not lacking or min(lacking.values()) >= _LEAST:
        return None
    month = min(lacking, key=lambda it: lacking[it])
    cause = f"{told.what} holds {whole[month]:,} questions of {month:%Y-%m}, where Stack Overflow had {known[month]:,}"
    remedy = f"{told.anew}; FW_FORCE=1 takes it all the same"
    return SourceError(told.subject, f"{cause}: it is of another site, or not the whole of it", remedy)


def _reject(fetch: FetchContext, counts: DumpCounts, cause: str) -> None:
    for ref in counts.evidence:
        fetch.evidence.reject(ref, cause)


def _recorded(fetch: FetchContext) -> dict[date, int]:
    """Return the questions of the whole site that the recorded figures have, by month; none where it is forced."""
    path = fetch.recorded / "stackoverflow.csv" if fetch.recorded else None
    if path is None or fetch.options.get("force") or not path.is_file():
        return {}
    with path.open(encoding="utf-8", newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row.get("tagged") == WHOLE_SITE]
    return {parse_month(row["month"]): int(row["questions"]) for row in rows if row["questions"].isdecimal()}
