"""What the live providers of Stack Overflow have in common: the tags, the months within reach, the rows of a month."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import polars as pl

from fw_pipeline.catalog.frameworks import Tag
from fw_pipeline.contract import TABLES, WHOLE_SITE, Availability, FetchContext
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month

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
    order = list(dict.fromkeys(singles.values()))
    return tuple(sorted(singles, key=lambda name: order.index(singles[name])))


def reach_of(fetch: FetchContext) -> Availability:
    """Return the months of the project: the site is older than them, and goes on."""
    last = last_closed_month(fetch.now)
    return Availability(
        Window.of(FIRST_MONTH, last),
        before=f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released",
        after=f"the month is not over: the last closed one is {last:%Y-%m}",
    )


def month_rows(month: date, counts: Mapping[str, int], *, origin: str, observed_on: date) -> pl.DataFrame:
    """Return the rows of one month from its counts by tag."""
    rows = [(month, tagged, count, "counted", origin, observed_on) for tagged, count in counts.items()]
    return pl.DataFrame(rows, schema=TABLES["stackoverflow"].schema, orient="row")


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
