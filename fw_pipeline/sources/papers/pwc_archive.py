"""The provider `archive`: papers with a repository, from the two frozen files of Papers with Code.

Two kinds of rows come of each month, which do not add up to one another. Where `official` is NULL, each paper counts
once, under the set of the frameworks of all its repositories. Where it is true or false, repositories of that kind are
counted by framework, and the papers that have such a repository, each under every framework that it has.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import partial

import polars as pl

from fw_pipeline.contract import WHOLE_SITE, Availability, Batch, CostEstimate, FetchContext, Provider
from fw_pipeline.errors import MonthRejected
from fw_pipeline.http import HttpClient, RateLimit
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.sources.papers.paper_tables import PAPERS, TABLE
from fw_pipeline.sources.papers.pwc_files import obtained
from fw_pipeline.sources.papers.pwc_join import LAST_MONTH, Joined, checked_links, joined
from fw_pipeline.sources.papers.pwc_locations import SETTINGS, SUBJECT, is_address, is_pattern, places

_POPULATION = "papers with code"
_ORIGIN = "Papers with Code archive, CC BY-SA 4.0"
_BY_SET = "papers counted once each, under the set of the frameworks of all their repositories; dated as papers"
_BY_FRAMEWORK = (
    "repositories counted by framework, dated as their papers; a paper with repositories of two frameworks is counted "
    "under each"
)
_FILES = 7
"""Requests for the archive when it was last looked at: two lists, one file of links, four of papers."""

_NO_PAPER = "the archive has no paper with a repository that is dated in this month"


def _reach(fetch: FetchContext) -> Availability:
    return Availability(
        Window.of(FIRST_MONTH, min(LAST_MONTH, last_closed_month(fetch.now))),
        before=f"the first month kept is {FIRST_MONTH:%Y-%m}, when TensorFlow was released",
        after=f"Papers with Code was shut on 2025-07-24, and its archive ends in {LAST_MONTH:%Y-%m}",
    )


def _plan(fetch: FetchContext) -> CostEstimate:
    found = [place for named in places(fetch).values() for place in named if is_address(place)]
    if not found:
        return CostEstimate(0, "no request: reads two files")
    cost = "up to 0.5 GB with all months; a file that is here and has not changed is not downloaded again"
    if patterns := sum(map(is_pattern, found)):
        asked = f"{patterns} to list the files of the archive, and one for each of them"
        return CostEstimate(None, f"{asked}, about {_FILES} requests in all: {cost}")
    return CostEstimate(len(found), f"{len(found)} requests, one for each file: {cost}")


def _fetch(fetch: FetchContext) -> Iterator[Batch | MonthRejected]:
    with HttpClient(fetch, rate=RateLimit(1.0), budget=100, host_label=SUBJECT) as web:
        links = obtained(fetch, web, "links", partial(checked_links, fetch))
        fetch.log(f"{SUBJECT}: {links.papers:,} papers have a repository; now their dates")
        found = obtained(fetch, web, "papers", partial(joined, fetch, links))
    yield from _batches(fetch, found)


def _batches(fetch: FetchContext, found: Joined) -> Iterator[Batch | MonthRejected]:
    within = pl.col("month").is_not_null() & (pl.col("month") >= FIRST_MONTH)
    parts = found.papers.filter(within).partition_by("month", as_dict=True)
    for month in fetch.window.months():
        if (part := parts.pop((month,), None)) is not None:
            yield _batch(fetch, month, part, found)
        else:
            yield Batch(month, TABLE.schema.to_frame(), found.refs, gap=_NO_PAPER)
    rest = found.papers.filter(~within)
    if rest.height:
        yield _batch(fetch, None, rest, found, notes=found.notes)
    else:
        for note in found.notes:
            fetch.log(f"{SUBJECT}: {note}")


def _batch(
    fetch: FetchContext, month: date | None, papers: pl.DataFrame, found: Joined, *, notes: tuple[str, ...] = ()
) -> Batch | MonthRejected:
    for column, field in (("without_repository", "repo_url"), ("without_official", "is_official")):
        if lacking := papers[column].sum():
            cause = f"{lacking} links of its papers have no field {field} that can be read"
            for ref in found.links.file.refs:
                fetch.evidence.reject(ref, cause)
            return MonthRejected(SUBJECT, cause, "take the links file from another place, or later", month=month)
    said = (pl.lit(_ORIGIN).alias("origin"), pl.lit(found.day, dtype=pl.Date).alias("observed_on"))
    rows = pl.concat([_by_set(papers), _by_framework(papers)]).with_columns(
        pl.lit(_POPULATION).alias("population"), pl.lit(WHOLE_SITE).alias("venue"), *said
    )
    detail = papers.with_columns(pl.lit(_POPULATION).alias("population")).select(
        pl.col(name).cast(kind) for name, kind in PAPERS.schema.items()
    )
    schema = TABLE.schema
    return Batch(
        month,
        rows.select(pl.col(name).cast(kind) for name, kind in schema.items()),
        found.refs,
        detail=detail,
        notes=notes,
    )


def _by_set(papers: pl.DataFrame) -> pl.DataFrame:
    """Count each paper once, under the set of all its frameworks."""
    return papers.group_by("month", "frameworks").agg(
        pl.lit(None, dtype=pl.Boolean).alias("official"),
        pl.col("paper_url").n_unique().cast(pl.Int64).alias("papers"),
        pl.lit(None, dtype=pl.Int64).alias("repositories"),
        pl.lit(_BY_SET).alias("method"),
    )


def _by_framework(papers: pl.DataFrame) -> pl.DataFrame:
    """Count repositories by their one framework and by whether they are the authors' own, and the papers with them."""
    links = papers.select("month", "paper_url", pl.col("repositories")).explode("repositories").unnest("repositories")
    counted = links.group_by("month", "framework", "official").agg(
        pl.col("paper_url").n_unique().cast(pl.Int64).alias("papers"),
        pl.col("repository").n_unique().cast(pl.Int64).alias("repositories"),
    )
    return counted.select(
        "month",
        pl.concat_list("framework").list.drop_nulls().alias("frameworks"),
        "official",
        "papers",
        "repositories",
        pl.lit(_BY_FRAMEWORK).alias("method"),
    )


PROVIDER = Provider(
    name="archive",
    source="papers",
    reach=_reach,
    fetch=_fetch,
    plan=_plan,
    answers="papers with a repository, dated 2015-11 to 2025-07, all months at once",
    cost="about seven requests for all months, which download nothing again that has not changed; none with own files",
    needs="nothing, or two files: papers=archive:links=FILE;papers=FILE",
    cannot_see="anything after 2025-07, papers without code, and the date of the code",
    settings=tuple(SETTINGS.values()),
    detail=PAPERS,
)
