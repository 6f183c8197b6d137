"""From the links and the papers of the archive to one row for each paper with a repository, joined by DuckDB.

A paper has the date that the papers file gives; the links file has none. Nothing here fetches a file, nothing counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import polars as pl

from fw_pipeline.catalog.frameworks import PAPER_NAMES
from fw_pipeline.contract import FetchContext
from fw_pipeline.http import InvalidResponse
from fw_pipeline.months import FIRST_MONTH, next_month
from fw_pipeline.sources.papers.pwc_files import ArchiveFile, damaged, scanned
from fw_pipeline.text import one_line

LAST_MONTH = date(2025, 7, 1)
"""The month in which Papers with Code was shut: nothing in the archive is of a later one."""

_EARLIEST = date(1900, 1, 1)
_TOGETHER = 0.5
"""Share of the linked papers that the papers file must know, or the two are not of one archive."""
_NONE = "none"
"""What the links file says of a repository without a known framework."""

_LINKS = """
    select
        paper_url,
        paper_title,
        paper_arxiv_id,
        regexp_replace(rtrim(lower(repo_url), '/'), '\\.git$', '') as repository,
        case lower(is_official) when 'true' then true when 'false' then false end as official,
        nullif(lower(framework), $none) as named,
        coalesce($frameworks[list_position($names, named)], named) as framework
    from ({links})
"""

_CHECK = """
with links as ({links})

select
    count(*) as links,
    count(distinct paper_url) as papers,
    count(*) filter (where paper_url is null) as homeless,
    list_sort(list(distinct named) filter (where named is not null and list_position($names, named) is null)) as unknown
from links
"""

_JOIN = """
with links as ({links}),

linked as (
    select
        paper_url,
        any_value(paper_title) as paper_title,
        any_value(paper_arxiv_id) as paper_arxiv_id,
        bool_or(official) as official,
        coalesce(list_sort(list(distinct framework) filter (where framework is not null)), []) as frameworks,
        list(distinct struct_pack(repository, framework, official)) as repositories,
        count(*) filter (where repository is null) as without_repository,
        count(*) filter (where official is null) as without_official
    from links
    where paper_url is not null
    group by paper_url
),

known as (
    select
        paper_url,
        any_value(date) as stated,
        min(try_cast(left(date, 10) as date)) as day,
        any_value(arxiv_id) as arxiv_id,
        any_value(title) as title,
        any_value(authors) as authors
    from ({papers})
    where paper_url in (select paper_url from linked)
    group by paper_url
),

joined as (
    select
        linked.*,
        known.arxiv_id,
        known.title,
        known.authors,
        known.paper_url is not null as is_known,
        case when known.day between $earliest and $latest then known.day end as day,
        known.stated
    from linked
    left join known on linked.paper_url = known.paper_url
)

select
    cast(date_trunc('month', day) as date) as month,
    paper_url,
    coalesce(arxiv_id, paper_arxiv_id) as arxiv_id,
    coalesce(title, paper_title) as title,
    day as date,
    frameworks,
    official,
    authors,
    repositories,
    without_repository,
    without_official,
    is_known,
    stated
from joined
where day is null or day < $first or (day >= $start and day < $end)
order by day, paper_url
"""


@dataclass(frozen=True, slots=True)
class Links:
    """The links file, read once to its end."""

    file: ArchiveFile
    papers: int
    """Distinct papers that it links."""
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Joined:
    """The papers with a repository of the asked months, of those before the first month, and without a date."""

    papers: pl.DataFrame
    links: Links
    refs: tuple[str, ...]
    """Evidence of both files."""
    day: date | None
    """Day on which the later of the two files was last changed, where both servers say it."""
    notes: tuple[str, ...]


def checked_links(fetch: FetchContext, file: ArchiveFile) -> Links:
    """Read the links file to its end, so that it cannot fail later.

    Raises:
        InvalidResponse: it is damaged, empty, or names no paper.
    """
    (found,) = scanned(fetch, _CHECK.format(links=_LINKS.format(links=file.fields)), file, **_names())
    links, papers, homeless, unknown = (found[it] for it in ("links", "papers", "homeless", "unknown"))
    if not isinstance(homeless, int) or not isinstance(papers, int) or not papers:
        raise InvalidResponse(f"none of its {links} rows names a paper in the field paper_url")
    notes = [_strange(file)] if file.strange else []
    if homeless:
        notes.append(f"links left out, because they name no paper: {homeless:,}")
    if isinstance(unknown, list) and unknown:
        notes.append(f"frameworks that are not known are kept as they are: {one_line(', '.join(unknown), 200)}")
    return Links(file, papers, tuple(notes))


def joined(fetch: FetchContext, links: Links, file: ArchiveFile) -> Joined:
    """Join the links with the dates of their papers.

    Raises:
        InvalidResponse: the papers file is damaged, or is of another archive than the links file.
    """
    sql = _JOIN.format(links=_LINKS.format(links=links.file.fields), papers=file.fields)
    given = {
        "links": list(links.file.paths),
        "papers": list(file.paths),
        "earliest": _EARLIEST,
        "latest": date.fromordinal(next_month(LAST_MONTH).toordinal() - 1),
        "first": FIRST_MONTH,
        "start": fetch.window.start,
        "end": fetch.window.end,
        **_names(),
    }
    try:
        found = fetch.scan(sql, given)
    except ValueError as broken:
        raise damaged(file, broken) from None
    strangers = found.filter(~pl.col("is_known")).height
    if strangers > links.papers * (1 - _TOGETHER):
        told = f"{strangers:,} of the {links.papers:,} papers of the links file are not in it"
        raise InvalidResponse(f"{told}: the two are not of one archive", "take both files from one place")
    days = [it.day for it in (links.file, file) if it.day is not None]
    return Joined(
        found,
        links,
        (*links.file.refs, *file.refs),
        max(days) if len(days) == 2 else None,  # noqa: PLR2004 - both files
        (*links.notes, *([_strange(file)] if file.strange else []), *_undated(found, strangers)),
    )


def _undated(found: pl.DataFrame, strangers: int) -> list[str]:
    without = found.filter(pl.col("month").is_null() & pl.col("is_known"))
    unread = without.filter(pl.col("stated").is_not_null())
    told = ", ".join(one_line(it, 20) for it in unread["stated"].unique().sort().head(3))
    counts = {
        "they are not in the papers file": strangers,
        "they have no date": without.height - unread.height,
        f"theirs is no date between 1900 and the end of the archive ({told})": unread.height,
    }
    return [f"papers counted as undated, because {why}: {count:,}" for why, count in counts.items() if count]


def _strange(file: ArchiveFile) -> str:
    return f"the {file.role} file has fields that are not known: {one_line(', '.join(file.strange), 200)}"


def _names() -> dict[str, object]:
    names, frameworks = [it.name for it in PAPER_NAMES], [it.framework for it in PAPER_NAMES]
    return {"names": names, "frameworks": frameworks, "none": _NONE}
